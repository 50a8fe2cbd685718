"""The tables of docs/appendix/gate-benchmark.md, from benchmarks/gate.json and nothing else."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

Record = dict[str, Any]

BEGIN = "<!-- bench-gate: begin (written by `BENCH=full make bench-gate`) -->"
END = "<!-- bench-gate: end -->"
SMALL = 0.01
SHOWN = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1)
SHOWN_CHANGES = (0.1, 0.3)
FAMILIES = {"iid t3": "a system each", "clustered t3": "skewed systems"}
OUTCOMES = ("PASS", "INCONCLUSIVE", "FAIL")
MODELS = {"shipped": "the shipped model", "forest": "a random forest of 100 trees"}
CHANGES = {
    "removed": "one row removed",
    "added": "one row added",
    "corrected": "one label corrected by 0.1 eV/atom",
    "halved": "one label halved",
    "folds": "other folds alone",
    "seed": "another seed alone",
}
GATES = {
    "assay forged": "**this gate**, out-of-fold predictions forged",
    "assay honest": "**this gate**, honest out-of-fold predictions",
    "prints MAE, 5 decimals": "prints the sealed MAE, 5 decimals",
    "prints MAE, 2 decimals": "prints the sealed MAE, 2 decimals",
    "lower wins": "PASS if the sealed MAE is lower",
    "t-test .05": "PASS by a t-test at .05",
    "parameter-free Ladder": "PASS by the parameter-free Ladder",
}


def write_page(kept: Record) -> None:
    """Replace the generated part of the page."""
    from benchmarks.pages import put

    put((BEGIN, END), page(kept))


def page(kept: Record) -> str:
    """All generated tables, in Markdown."""
    made = (header, summary, leaks, verdicts, example, one_row, rows)
    return "\n\n".join(part(kept) for part in made)


def header(kept: Record) -> str:
    """Where the figures are from."""
    own = kept["versions"]
    minutes = sum(kept["processor_minutes"].values())
    return (
        f"Seed {kept['seed']}, numpy {own['numpy']}, scipy {own['scipy']}, gate "
        f"`{kept['gate'][:12]}` (digest of what its modules do); "
        f"{len(kept['findings']):,} figures, {minutes:.0f} minutes of processor time."
    )


def summary(kept: Record) -> str:
    """The worst figure of every group beside its bar."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for finding in kept["findings"]:
        if finding["group"]:
            groups.setdefault((finding["item"], finding["group"]), []).append(finding)
    lines = []
    for (item, group), own in groups.items():
        worst = max(own, key=_badness)
        times = "" if len(own) == 1 else f", worst of {len(own)}"
        bar = _bar(worst)
        verdict = {True: "yes", False: "**no**", None: "-"}[_all_hold(own)]
        lines.append([item, f"{group}{times}", _figure(worst), f"{worst['runs']:,}", bar, verdict])
    head = ["item", "figure", "value", "runs", "bar (with three standard errors)", "holds"]
    return _table(head, lines)


def _badness(finding: Record) -> float:
    value = finding["value"]
    if value is None:
        return math.inf
    if finding["bar"] is None:
        return float(value)
    limit = finding["allowed"] or finding["bar"]
    ratio = value / limit if limit else value
    return float(ratio if finding["sense"] == "at most" else -ratio)


def _all_hold(own: Sequence[Record]) -> bool | None:
    told = [finding["holds"] for finding in own if finding["holds"] is not None]
    return all(told) if told else None


def _bar(finding: Record) -> str:
    if finding["bar"] is None:
        return "-"
    sign = "<=" if finding["sense"] == "at most" else ">="
    allowed = f" ({_percent(finding['allowed'])})" if finding["allowed"] else ""
    return f"{sign} {_percent(finding['bar'])}{allowed}" if finding["bar"] else "none"


def _figure(finding: Record) -> str:
    if finding["item"].startswith(("6", "9")) or "beyond" in finding["group"]:
        return "-" if finding["value"] is None else f"{finding['value']:.2f}"
    told = _percent(finding["value"])
    return told if finding["error"] is None else f"{told} ± {_percent(finding['error'])}"


def _percent(value: float | None) -> str:
    if value is None:
        return "-"
    # two significant digits where figures are small
    digits = 1 if abs(value) >= SMALL or value == 0 else 2
    return f"{100 * value:.{digits}f} %".replace("-0.0 %", "0.0 %").replace("-0.00 %", "0.0 %")


def leaks(kept: Record) -> str:
    """What 1,000 pull requests teach, gate by gate, in percent of the MAE."""
    known = by_key(kept, "4 attacks")
    sizes = kept["sealed_rows"]
    lines = []
    for gate, told in GATES.items():
        cells = []
        for attack in ("A1", "A2", "A3"):
            for size in sizes:
                extents = {"A1": 0.3, "A2": 0.1, "A3": 0.0}
                key = (attack, size, gate, "improvement", extents[attack], kept["pull_requests"])
                cells.append(f"{100 * known[key]['value']:.1f}" if key in known else "")
        lines.append([told, *cells])
    head = ["leak, % of the MAE", *(f"{a}, n={n}" for a in ("A1", "A2", "A3") for n in sizes)]
    return _table(head, lines)


def verdicts(kept: Record) -> str:
    """PASS / INCONCLUSIVE / FAIL of honest authors, in percent."""
    known = by_key(kept, "3 power")
    cells = list(dict.fromkeys(key[:3] for key in known if key[0] in FAMILIES))
    lines = []
    for family, size, extent in cells:
        if extent not in SHOWN_CHANGES:
            continue
        for claim in ("no-regression", "improvement"):
            told = [_three(known, (family, size, extent, growth, claim)) for growth in SHOWN]
            told.append(_detectable(known, (family, size, extent, claim)))
            lines.append([FAMILIES[family], f"{size:,}", str(extent), claim, *told])
    head = ["rows", "n", "change", "claim", *(f"true {growth:+.0%}" for growth in SHOWN)]
    return _table([*head, "PASS >= 80 % from"], lines)


def _detectable(known: dict[tuple[Any, ...], Record], key: tuple[Any, ...]) -> str:
    value = known[("detectable", *key)]["value"]
    return "nowhere" if value is None else f"{100 * value:+.1f} %"


def _three(known: dict[tuple[Any, ...], Record], key: tuple[Any, ...]) -> str:
    own = [known.get((*key, told)) for told in OUTCOMES]
    return " / ".join(f"{100 * cell['value']:.0f}" for cell in own if cell)


def example(kept: Record) -> str:
    """The shipped example's own model and linear blends of it, sealed sets drawn again."""
    known = by_key(kept, "3 example")
    keys = sorted({key[1:3] for key in known if key[0] == "model"})
    lines = []
    for growth, claim in keys:
        told = "the same recipe, another seed" if growth == 0 else f"truly {growth:+.0%}"
        lines.append([told, claim, _three(known, ("model", growth, claim))])
    return _table(
        ["the example's own model (531 sealed rows)", "claim", "PASS / INC. / FAIL, %"], lines
    )


def one_row(kept: Record) -> str:
    """Verdicts on the same recipe after a change of one row, of other folds or of the seed."""
    known = by_key(kept, "11 one row")
    lines = []
    for model, kind in dict.fromkeys(key[:2] for key in known):
        cells = {key[2]: found for key, found in known.items() if key[:2] == (model, kind)}
        told = [_percent(cells[name]["value"]) for name in ("unchanged", *OUTCOMES)]
        runs, change = f"{cells['PASS']['runs']}", f"{cells['change']['value']:.2f}"
        lines.append([MODELS[model], CHANGES[kind], runs, *told, change])
    head = ["model", "what changes", "n", "PASS without labels", "PASS", "INCONCLUSIVE", "FAIL"]
    return _table([*head, "mean change of the pool, margins"], lines)


def rows(kept: Record) -> str:
    """Verdicts on transport rows beside the truth on fresh ones."""
    known = by_key(kept, "8 real rows")
    pairs = list(dict.fromkeys(key[0] for key in known if key[-1] == "grown"))
    lines = [
        [
            pair,
            _percent(known[(pair, "grown")]["value"]),
            _three(known, (pair,)),
            _percent(known[(pair, "wrong")]["value"]),
        ]
        for pair in pairs
    ]
    head = ["transport rows (1,000 sealed)", "truth on fresh rows", "PASS / INC. / FAIL, %"]
    return _table([*head, "contradicted by fresh rows"], lines)


def by_key(kept: Record, item: str) -> dict[tuple[Any, ...], Record]:
    """The findings of an item by their keys."""
    return {
        tuple(finding["key"]): finding
        for finding in kept["findings"]
        if finding["item"] == item and finding["key"]
    }


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    made = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in made)


def print_table(kept: Record) -> None:
    """The summary, for a terminal."""
    lines = [line.strip("| ").split(" | ") for line in summary(kept).splitlines()]
    del lines[1]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
