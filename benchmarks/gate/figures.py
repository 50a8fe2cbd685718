"""The pictures of docs/appendix/gate-benchmark.md: small SVG that follows the reader's theme."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gate.pages import Record, by_key

# matplotlib cannot write CSS variables, so these stand in and are replaced in the SVG
INK, SOFT = "#010203", "#040506"
SERIES = ("#010210", "#010220", "#010230", "#010240", "#010250", "#010260")
LIGHT = ("#1f2328", "#59636e", "#0969da", "#bc4c00", "#1a7f37", "#8250df", "#9a6700", "#bf3989")
DARK = ("#f0f6fc", "#9198a1", "#4493f8", "#f0883e", "#3fb950", "#ab7df8", "#d29922", "#db61a2")
STYLE: Any = {
    "axes.edgecolor": SOFT,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "assay",
    "text.color": INK,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
}


def draw_all(kept: Record, folder: Path) -> None:
    """Write every figure into the folder."""
    from assay.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("leaks", leaks), ("verdicts", verdicts), ("levels", levels)):
        write_text(folder / f"gate-{name}.svg", _drawn(kept, draw))


PROBED = ("assay forged", "prints MAE, 5 decimals", "prints MAE, 2 decimals")
MERGED = ("assay forged", "lower wins", "t-test .05", "parameter-free Ladder")


def leaks(kept: Record, figure: Any) -> None:
    """Leak of A1 by the number of pull requests, n = 1,000; leak of A2 by the number of rows."""
    panels = figure.subplots(1, 2, sharey=True)
    known = by_key(kept, "4 attacks")
    claim, last = "improvement", kept["pull_requests"]
    sources = (
        (
            PROBED,
            5,
            "A1, n = 1,000",
            "pull requests",
            lambda key, g: key[:5] == ("A1", 1000, *g, 0.3),
        ),
        (
            MERGED,
            1,
            f"A2, {last:,} pull requests",
            "n",
            lambda key, g: key[0] == "A2" and key[2:4] == g,
        ),
    )
    for axes, (gates, place, title, label, chosen) in zip(panels, sources, strict=True):
        for colour, gate in zip(SERIES, gates, strict=False):
            points = sorted(
                (key[place], 100 * finding["value"])
                for key, finding in known.items()
                if chosen(key, (gate, claim))
            )
            name = "this gate" if gate == "assay forged" else gate
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=name, markersize=4)
        axes.axhline(1, color=SOFT, linewidth=0.8, linestyle="--")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(label)
        axes.legend(fontsize=8)
    panels[0].set_ylabel("leak, % of the MAE")


def verdicts(kept: Record, figure: Any) -> None:
    """PASS of either claim and FAIL against the true effect; skewed systems, change 0.1."""
    panels = figure.subplots(1, len(kept["sealed_rows"]) + 1, sharey=True)
    known, shipped = by_key(kept, "3 power"), by_key(kept, "3 example")
    sources: list[tuple[str, Any, tuple[Any, ...]]] = [
        (f"n = {n:,}", known, ("clustered t3", n, 0.1)) for n in kept["sealed_rows"]
    ]
    sources.append(("the example's sizes", shipped, ("sizes", 0.1)))
    curves = (("no-regression", "PASS"), ("improvement", "PASS"), ("no-regression", "FAIL"))
    for axes, (title, findings, start) in zip(panels, sources, strict=True):
        for colour, (claim, told) in zip(SERIES, curves, strict=False):
            points = sorted(
                (100 * key[-3], 100 * finding["value"])
                for key, finding in findings.items()
                if key[:-3] == start and key[-2:] == (claim, told)
            )
            axes.plot(
                *zip(*points, strict=True),
                "o-",
                color=colour,
                markersize=3,
                label=f"{told}, {claim}",
            )
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("true change of the MAE, %")
    panels[0].set_ylabel("verdicts, %")
    panels[-1].legend(fontsize=7, loc="center left")


def levels(kept: Record, figure: Any) -> None:
    """False PASS of a single use at level .025, worst change size, with three standard errors."""
    axes = figure.subplots()
    known = by_key(kept, "2 level")
    cases = list(dict.fromkeys(key[0] for key in known))
    for number, (colour, rows) in enumerate(zip(SERIES, kept["sealed_rows"], strict=False)):
        for place, case in enumerate(cases):
            own = [finding for key, finding in known.items() if key[:2] == (case, rows)]
            if not own:
                continue
            worst = max(own, key=lambda finding: finding["value"])
            value, error = 100 * worst["value"], 300 * (worst["error"] or 0)
            axes.errorbar(
                value,
                place + 0.2 * (number - 1),
                xerr=[[min(error, value)], [error]],
                fmt="o",
                color=colour,
                markersize=4,
                label=f"n = {rows:,}" if place == 0 else None,
            )
    axes.axvline(2.5, color=SOFT, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(cases)), cases)
    axes.set_xlabel("false PASS, %, of a model worse by just the margin")
    axes.legend(fontsize=8)


_SIZES: dict[str, tuple[float, float]] = {"leaks": (7.4, 2.9), "verdicts": (9.2, 2.7)}


def _drawn(kept: Record, draw: Callable[[Record, Any], None]) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_SIZES.get(draw.__name__, (5.6, 3.0)), layout="constrained")
        draw(kept, figure)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return themed(stream.getvalue())


def themed(svg: str) -> str:
    """The SVG with its stand-ins for colours as variables that follow the reader's theme."""
    names = (INK, SOFT, *SERIES)
    for number, colour in enumerate(names):
        svg = svg.replace(colour, f"var(--c{number})")
    light = "".join(f"--c{number}:{value};" for number, value in enumerate(LIGHT))
    dark = "".join(f"--c{number}:{value};" for number, value in enumerate(DARK))
    style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    svg = re.sub(r"<\?xml.*?\?>\s*<!DOCTYPE[^>]*>\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"(<svg[^>]*>)", rf"\1{style}", svg, count=1)
