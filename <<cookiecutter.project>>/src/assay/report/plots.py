"""The pictures of the report page, as inline SVG that follows the page's light or dark colours."""

import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.compositions import elements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# matplotlib cannot write CSS variables, so these colours stand in and are replaced in the SVG
INK, SOFT, ACCENT, CONTRAST = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {INK: "--ink", SOFT: "--soft", ACCENT: "--accent", CONTRAST: "--contrast"}

# Beyond this many points a plot is drawn as a picture inside the SVG, in a colour for both themes
MANY = 3000
_BOTH_THEMES = "#3987e5"
_PLOT, _TABLE = (4.8, 3.9), (9.4, 4.9)
_LANTHANUM, _LUTETIUM, _ACTINIUM, _LAWRENCIUM = 57, 71, 89, 103

_STYLE: Any = {  # matplotlib types the keys one by one
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
}


def parity(target: np.ndarray, prediction: np.ndarray, name: str, unit: str) -> str:
    """Out-of-fold predictions (n,) against targets (n,) called `name`, both in `unit`."""

    def draw(axes: "Axes") -> None:
        _diagonal(axes, target, prediction)
        _points(axes, target, prediction)
        _labels(axes, _label(f"measured {name}", unit), _label("predicted", unit))

    return drawn("parity", _PLOT, draw)


def residuals(target: np.ndarray, prediction: np.ndarray, unit: str) -> str:
    """Histogram of prediction minus target (n,), in `unit`; the outermost 0.5 % are cut off."""
    residual = prediction - target
    reach = max(float(np.quantile(np.abs(residual), 0.995)), 1e-12)

    def draw(axes: "Axes") -> None:
        axes.hist(residual, bins=[*np.linspace(-reach, reach, 62)], color=ACCENT)
        axes.axvline(0, color=SOFT, linewidth=1)
        median = float(np.median(residual))
        axes.axvline(median, color=CONTRAST, linewidth=1.5, label=f"median {median:.3g}")
        axes.legend(loc="upper right")
        _labels(axes, _label("predicted minus measured", unit), "train rows")

    return drawn("residuals", _PLOT, draw)


def reliability(target: np.ndarray, probability: np.ndarray) -> str:
    """Observed frequency of a class against predicted probability (n,) in ten equal bins."""
    bins = np.minimum((np.clip(probability, 0, 1) * 10).astype(int), 9)
    filled = np.unique(bins)
    said = [probability[bins == index].mean() for index in filled]
    seen = [target[bins == index].mean() for index in filled]
    counts = np.array([(bins == index).sum() for index in filled])

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1)
        axes.plot(said, seen, color=ACCENT, linewidth=1.5)
        axes.scatter(said, seen, s=15 + 150 * counts / counts.max(), color=ACCENT, linewidths=0)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        _labels(axes, "predicted probability", "observed frequency")

    return drawn("reliability", _PLOT, draw)


def scores(target: np.ndarray, probability: np.ndarray) -> str:
    """Histogram of predicted probabilities (n,) for rows of either class."""
    edges = [*np.linspace(0, 1, 31)]

    def draw(axes: "Axes") -> None:
        classes = [(1, ACCENT, "class 1"), (0, CONTRAST, "class 0")]
        for value, colour, name in classes:
            chosen = probability[(target >= 0.5) == bool(value)]  # noqa: PLR2004 (even odds)
            axes.hist(chosen, bins=edges, color=colour, histtype="step", linewidth=1.6, label=name)
        axes.legend(loc="best")
        _labels(axes, "predicted probability", "train rows")

    return drawn("scores", _PLOT, draw)


def change(candidate: np.ndarray, reference: np.ndarray, unit: str) -> str:
    """Histogram of candidate minus reference (n,) on the pool, in `unit`, on a log scale."""
    difference = candidate - reference
    reach = max(float(np.abs(difference).max()), 1e-12)

    def draw(axes: "Axes") -> None:
        axes.hist(difference, bins=[*np.linspace(-reach, reach, 62)], color=ACCENT, log=True)
        axes.axvline(0, color=SOFT, linewidth=1)
        _labels(axes, _label("candidate minus reference", unit), "pool rows (log)")

    return drawn("change", _PLOT, draw)


def agreement(candidate: np.ndarray, reference: np.ndarray, unit: str) -> str:
    """Predictions (n,) of candidate against reference on the pool, in `unit`."""

    def draw(axes: "Axes") -> None:
        _diagonal(axes, reference, candidate)
        _points(axes, reference, candidate)
        _labels(axes, _label("reference", unit), _label("candidate", unit))

    return drawn("agreement", _PLOT, draw)


def element_errors(formulas: Sequence[str], errors: np.ndarray) -> dict[str, tuple[float, int]]:
    """Mean of errors (n,) and number of rows for each element that the formulas hold."""
    collected: dict[str, list[float]] = {}
    for formula, error in zip(formulas, errors, strict=True):
        for symbol in elements(formula):
            collected.setdefault(symbol, []).append(float(error))
    return {symbol: (float(np.mean(v)), len(v)) for symbol, v in collected.items()}


def periodic_table(errors: dict[str, tuple[float, int]], label: str) -> str:
    """Mean error by element as a periodic table: the stronger the colour, the larger the error.

    The scale ends at the 95th percentile, so that one rare element does not bleach the rest.
    """
    top = max(float(np.quantile([mean for mean, _ in errors.values()], 0.95)), 1e-12)

    def draw(axes: "Axes") -> None:
        for symbol, row, column in _cells():
            mean, count = errors.get(symbol, (0.0, 0))
            _cell(axes, (row, column), (symbol, mean, count), min(mean / top, 1.0))
        _scale(axes, top, label)
        axes.set(xlim=(0.9, 19.05), ylim=(10.6, 0.9))
        axes.set_axis_off()

    return drawn("periodic", _TABLE, draw)


def _cells() -> Iterator[tuple[str, float, int]]:
    from pymatgen.core import Element

    for number in range(1, _LAWRENCIUM + 1):
        element = Element.from_Z(number)
        if _LANTHANUM <= number <= _LUTETIUM:
            yield element.symbol, 8.4, number - _LANTHANUM + 3
        elif _ACTINIUM <= number <= _LAWRENCIUM:
            yield element.symbol, 9.4, number - _ACTINIUM + 3
        else:
            yield element.symbol, float(element.row), element.group


def _cell(
    axes: "Axes", place: tuple[float, int], content: tuple[str, float, int], strength: float
) -> None:
    from matplotlib.patches import Rectangle

    (row, column), (symbol, mean, count) = place, content
    middle: Any = {"ha": "center", "va": "center"}
    box = Rectangle((column, row), 0.94, 0.94, linewidth=0, facecolor=ACCENT)
    if count:
        box.set_alpha(_opacity(strength))
        axes.text(column + 0.47, row + 0.32, symbol, weight="bold", **middle)
        axes.text(column + 0.47, row + 0.7, _short(mean), fontsize=7, **middle)
    else:
        box.set(facecolor="none", edgecolor=SOFT, linewidth=0.6, alpha=0.35)
        axes.text(column + 0.47, row + 0.5, symbol, color=SOFT, alpha=0.7, **middle)
    axes.add_patch(box)


def _opacity(strength: float) -> float:
    return 0.08 + 0.67 * strength


def _short(value: float) -> str:
    return f"{value:#.2g}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004


def _scale(axes: "Axes", top: float, label: str) -> None:
    from matplotlib.patches import Rectangle

    for step in range(24):
        box = Rectangle((4.2 + 0.3 * step, 1.75), 0.3, 0.35, linewidth=0, facecolor=ACCENT)
        box.set_alpha(_opacity(step / 23))
        axes.add_patch(box)
    axes.text(4.2, 1.45, label, ha="left", va="center", fontsize=9, parse_math=False)
    axes.text(4.2, 2.45, "0", ha="left", va="center", fontsize=8)
    axes.text(11.4, 2.45, f"≥ {_short(top)}", ha="right", va="center", fontsize=8)


def _diagonal(axes: "Axes", x: np.ndarray, y: np.ndarray) -> None:
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    axes.plot(ends, ends, color=SOFT, linewidth=1, zorder=1)
    axes.set_aspect("equal", adjustable="datalim")


def _points(axes: "Axes", x: np.ndarray, y: np.ndarray) -> None:
    many = len(x) > MANY
    axes.scatter(
        x,
        y,
        s=9,
        color=_BOTH_THEMES if many else ACCENT,
        alpha=0.45,
        linewidths=0,
        rasterized=many,
        zorder=2,
    )


def _label(name: str, unit: str) -> str:
    return name[:40] if unit in {"", "1"} else f"{name[:40]} ({unit[:20]})"


def _labels(axes: "Axes", x: str, y: str) -> None:
    # a dollar sign in a unit is money, not mathematics
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)


def drawn(name: str, size: tuple[float, float], draw: Callable[["Axes"], None]) -> str:
    """What `draw` paints, in the page's style; no window system and no global state are touched."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # names of shapes within an SVG are hashes with this salt: no two pictures share one
    with rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        return _svg(figure)


def _svg(figure: "Figure") -> str:
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, dpi=200)
    text = stream.getvalue().decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="[A-Za-z]+(\.[a-z]+)?_\d+"', "", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
