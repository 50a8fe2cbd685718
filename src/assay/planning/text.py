"""A plan for people: sentences, the table they are taken from, and the picture."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from assay.drawing import ACCENT, CONTRAST, INK, SOFT, Drawing
from assay.gate.metrics import METRICS
from assay.planning.chances import LARGEST, NOTABLE, SMALLEST, Plan, Point, TableSize
from assay.planning.sample_sizes import POWER
from assay.records import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CLOSE = 0.03
ALMOST = 0.99
_HEADER = ("true difference", "of error", "PASS", "FAIL", "INCONCLUSIVE", "opened", "improved")
_SIZE = (8.4, 4.6)
# the page of a report defines these colours; a picture of its own brings them along
_STYLE = """<style>
svg { --paper: #ffffff; --ink: #1c2024; --soft: #737a82; --accent: #1f66ad; --contrast: #b4530a;
  background: var(--paper); max-width: 60rem; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14171a; --ink: #e6e8ea; --soft: #949ca5; --accent: #6cb0f5; --contrast: #f0a35e; }
}
</style>"""
_CURVES = (
    ("passed", "no-regression", "PASS", ACCENT, "-"),
    ("passed", "improvement", "PASS as an improvement", ACCENT, "--"),
    ("undecided", "no-regression", "INCONCLUSIVE", SOFT, "-"),
    ("failed", "no-regression", "FAIL", CONTRAST, "-"),
)


def plan_text(plan: Plan) -> str:
    """The whole plan as plain text."""
    lines = [*_heading(plan), "", *(f"- {sentence}" for sentence in sentences(plan)), ""]
    lines += [*_table(plan), "", *_notes(plan)]
    return "\n".join(lines)


def _heading(plan: Plan) -> Iterator[str]:
    yield f"{plan.model}: what the gate can decide with"
    for name, rows in (("sealed", plan.sealed), ("train", plan.train), ("pool", plan.pool)):
        yield f"  {name:6} {_rows(rows)}"
    if len(plan.requirements) > 1:
        yield f"  asked  {', '.join(plan.requirements)}"
    share = plan.margin / plan.error
    yield (
        f"  margin {_amount(plan, plan.margin)}, {share:.0%} of the champion's "
        f"{METRICS[plan.metric].name} of {_amount(plan, plan.error)} ({plan.error_source})"
    )
    yield (
        f"  use    {plan.use} of {plan.uses}, after {plan.disagreements} of "
        f"{plan.maximum_disagreements} failed confirmations, at the level {plan.level:.2g}"
    )


def _rows(rows: TableSize) -> str:
    return f"{rows.rows:,} rows in {rows.groups:,} groups ({rows.effective:,.0f} effective)"


def _amount(plan: Plan, value: float) -> str:
    return f"{value:.3g}" + ("" if plan.unit in {"", "1"} else f" {plan.unit}")


def sentences(plan: Plan) -> Iterator[str]:
    """What to expect, in plain words; each is true of the simulation alone."""
    if plan.first is not None:
        yield _first(plan.first)
    yield from _public(plan)
    yield from _obstacles(plan)
    yield from _equally_good(plan)
    yield from _worse_or_better(plan)
    yield _rows_needed(plan)
    yield _margin_needed(plan)
    yield from _life(plan)


def _first(chance: float) -> str:
    told = "almost surely" if chance > ALMOST else f"in {chance:.0%} of cases"
    if chance < 1 - ALMOST:
        told = "hardly ever"
    return f"The first model, against the mean of the labels, is certified {told}."


def of_public_rows(chance: float) -> str:
    """Whether the first model is certified by public evidence, which the rows at hand decide."""
    told = "is certified" if chance else "is not certified"
    further = "" if chance else " Improve src/, or add rows, before you expect a certificate."
    return (
        f"With public evidence the model in src/ {told} on these rows, against the mean of the "
        f"labels: cross-validation in the same folds decides.{further}"
    )


def _public(plan: Plan) -> Iterator[str]:
    """The way on where no set that is sealed decides."""
    if plan.public is None:
        return
    yield (
        f"{of_public_rows(plan.public)} To seal nothing and decide so: `assay init "
        f"{plan.source or 'TABLE'} {plan.public_options or '--evidence public'}`."
    )


def _equally_good(plan: Plan) -> Iterator[str]:
    equal = _point(plan, 0.0)
    yield (
        f"An equally good model, whose predictions differ from the champion's by "
        f"{_amount(plan, equal.change)} on average, passes in {_chance(equal, equal.passed)} of "
        f"cases, is INCONCLUSIVE in {equal.undecided:.0%} and fails in {equal.failed:.1%}."
    )
    if equal.opened > equal.passed - equal.unchanged:
        missed = (equal.opened + equal.unchanged - equal.passed) / equal.opened
        yield (
            f"For that, the sealed labels are opened in {equal.opened:.0%} of cases, and do not "
            f"confirm in {missed:.0%} of these; {plan.maximum_disagreements} failed "
            "confirmations retire the set."
        )
    yield (
        "By their mean change, equally good models pass: "
        + ", ".join(f"{_amount(plan, point.change)} {point.passed:.0%}" for point in plan.by_change)
        + "."
    )


def _worse_or_better(plan: Plan) -> Iterator[str]:
    tenth = NOTABLE * plan.error
    if worse := _find(plan, tenth):
        yield (
            f"A model that is {NOTABLE:.0%} worse fails in {_chance(worse, worse.failed)} and "
            f"passes in {worse.passed:.0%}."
        )
    if within := _find(plan, plan.margin / 2):
        sure = ": a loss that is certain fails, however small" if within.failed > POWER else ""
        yield (
            f"A model that is worse by half the margin passes in {_chance(within, within.passed)} "
            f"and fails in {within.failed:.0%}{sure}."
        )
    if better := _find(plan, -tenth, "improvement"):
        yield (
            f"A model that is {NOTABLE:.0%} better passes as an improvement in "
            f"{_chance(better, better.passed)}."
        )


def _obstacles(plan: Plan) -> Iterator[str]:
    parts = (("sealed", plan.sealed), ("train", plan.train), ("pool", plan.pool))
    for name, rows in parts:
        if rows.effective < plan.minimum_groups:
            yield (
                f"The {name} rows have {rows.effective:.0f} effective groups, and the "
                f"gate decides nothing with fewer than {plan.minimum_groups}."
            )
    if plan.pool.rows < plan.pool_needed:
        yield (
            f"The pool has {plan.pool.rows:,} rows, and with fewer than {plan.pool_needed:,} the "
            "gate opens no sealed label: add compositions to data/pool.csv."
        )


def _rows_needed(plan: Plan) -> str:
    found, rule = plan.sealed_rows_needed.found, plan.sealed_rows_needed.rule
    start = f"For {POWER:.0%} of equally good models to pass at this margin"
    if rule is None:
        return (
            f"{start}, no number of rows is enough: rare large changes alone may cost "
            f"{_amount(plan, plan.charge)}."
        )
    thumb = f"(analytic estimate: {_about(rule)})"
    if found is None:
        return f"{start}, more than {LARGEST:,} sealed rows are needed {thumb}."
    if found <= SMALLEST:
        return f"{start}, {SMALLEST} sealed rows suffice."
    train = found * plan.train.rows / plan.sealed.rows
    return (
        f"{start}, about {_about(found)} sealed rows are needed, and {_about(train)} to train on "
        f"{thumb}."
    )


def _margin_needed(plan: Plan) -> str:
    found = plan.margin_needed.found
    if found is None:
        return f"With these rows no useful margin lets {POWER:.0%} of them pass."
    return (
        f"With these rows {POWER:.0%} of them pass at a margin of about {_amount(plan, found)}, "
        f"{found / plan.error:.0%} of the error."
    )


def _life(plan: Plan) -> Iterator[str]:
    first, last = plan.life[0], plan.life[-1]
    confirmed = [point for point in plan.life if not point.disagreements][-1]
    if first.passed:
        yield (
            f"As the set is used up, the chance of an equally good model goes from "
            f"{_chance(first, first.passed)} to {confirmed.passed:.0%} at use {confirmed.use} if "
            f"every use confirms, and to {last.passed:.0%} at use {last.use} after "
            f"{last.disagreements} failed confirmations."
        )


def _about(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f}"


def _chance(point: Point, share: float) -> str:
    return f"{share:.0%} (± {100 * point.error(share):.1f})"


def _point(plan: Plan, difference: float) -> Point:
    return next(point for point in plan.points if point.difference == difference)


def _find(plan: Plan, difference: float, claim: Claim = "no-regression") -> Point | None:
    near = _CLOSE * abs(difference)
    found = (point for point in plan.points if abs(point.difference - difference) <= near)
    return next((point for point in found if point.claim == claim), None)


def _table(plan: Plan) -> Iterator[str]:
    unit = "" if plan.unit in {"", "1"} else f" ({plan.unit})"
    yield f"Chance of each verdict in %, by the true difference of the two errors{unit}:"
    rows: list[tuple[str, ...]] = [_HEADER]
    rows += [_cells(plan, point) for point in plan.points if point.claim == "no-regression"]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def _cells(plan: Plan, point: Point) -> tuple[str, ...]:
    shares = (point.passed, point.failed, point.undecided, point.opened)
    improved = next(
        (
            other
            for other in plan.points
            if other.claim == "improvement" and other.difference == point.difference
        ),
        None,
    )
    return (
        f"{point.difference:+.3g}",
        f"{point.difference / plan.error:+.1%}",
        *(_cell(point, share) for share in shares),
        "-" if improved is None else _cell(improved, improved.passed),
    )


def _cell(point: Point, share: float) -> str:
    return f"{100 * share:.1f} ± {100 * point.error(share):.1f}"


def _notes(plan: Plan) -> Iterator[str]:
    yield (
        "opened: the sealed labels were opened; improved: PASS where an improvement was claimed. "
        "± is one standard error."
    )
    trials = plan.points[0].trials
    yield (
        f"{trials} simulated models a line, seed {plan.seed}; correlation within a chemical system "
        f"{plan.icc:g}; changes on the pool {plan.on_pool:g} times as large. "
        "docs/explanation/planning.md of the template says how they are drawn."
    )
    if plan.bounded:
        none, full, rare = plan.bounded
        yield (
            f"For any distribution of independent rows (ease.ml/ci): to know the difference within "
            f"the margin, {none.tolerance:.2g} of the largest loss, in all of {none.steps} uses "
            f"with probability {none.reliability:g} takes {none.rows:,} rows if no verdict is "
            f"shown, {full.rows:,} if each is, and {rare.rows:,} if besides at most "
            f"{rare.changed:.0%} of the rows change."
        )


def power_curve(plan: Plan) -> str:
    """An SVG that stands by itself, in light or dark; bands are two standard errors wide."""

    def draw(axes: "Axes") -> None:
        _mark(axes, 0.0, "equally good ", "right")
        _mark(axes, plan.margin, " worse by the margin", "left")
        for share, claim, label, colour, line in _CURVES:
            points = [point for point in plan.points if point.claim == claim]
            _curve(axes, points, share, (label, colour, line))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        _scales(axes, plan)

    picture = Drawing("power", _SIZE, draw).svg()
    end = picture.index(">") + 1
    return picture[:end] + _STYLE + picture[end:] + "\n"


def _curve(axes: "Axes", points: Sequence[Point], share: str, look: tuple[str, str, str]) -> None:
    label, colour, line = look
    x = [point.difference for point in points]
    y = np.array([getattr(point, share) for point in points])
    around = 2 * np.array([point.error(value) for point, value in zip(points, y, strict=True)])
    axes.fill_between(x, (y - around).clip(0), (y + around).clip(None, 1), color=colour, alpha=0.15)
    axes.plot(x, y, line, color=colour, linewidth=1.8, marker="o", markersize=3.5, label=label)


def _mark(axes: "Axes", place: float, name: str, side: Literal["left", "right"]) -> None:
    axes.axvline(place, color=SOFT, linewidth=1, linestyle=":")
    over = axes.get_xaxis_transform()
    axes.text(place, 1.02, name, transform=over, ha=side, va="bottom", fontsize=9, color=INK)


def _scales(axes: "Axes", plan: Plan) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    unit = "" if plan.unit in {"", "1"} else f" ({plan.unit[:20]})"
    name = METRICS[plan.metric].name
    axes.set_xlabel(f"true {name} of candidate minus champion{unit}", parse_math=False)
    axes.set_ylabel(f"chance of the verdict, {plan.sealed.rows:,} sealed rows")
    share = 1 / plan.error
    functions = (lambda x: np.multiply(x, share), lambda x: np.divide(x, share))
    relative = axes.secondary_xaxis(-0.2, functions=functions)
    relative.xaxis.set_major_locator(MaxNLocator(5))
    relative.xaxis.set_major_formatter(PercentFormatter(1.0))
    relative.spines["bottom"].set_visible(False)
    relative.set_xlabel(f"the same in per cent of the champion's {name}")
