"""What an intake found, on one page."""

import os

from assay.errors import RefusedError, UsageError
from assay.files import write_text
from assay.intake.bounds import proposed_lower
from assay.intake.faults import TOLD, faults_text, kinds_text, write_faults
from assay.intake.intake import Intake
from assay.layout import Layout
from assay.repository import Repository
from assay.texts import plural

# characters of examples on the page
LONGEST = 150


def intake_text(found: Intake) -> str:
    """The page: how the file was read, which columns, which rows were set aside or merged."""
    lines = [
        f"{found.name}: {plural(found.total, 'row')}",
        f"  read as   {'; '.join(found.readings)}" if found.readings else "",
        f"  formulas  column {found.formula!r}",
        f"  target    column {found.target.column!r}: {_target(found)}",
        f"  bounds    {_bounds(found)}" if proposed_lower(found) is not None else "",
        f"  used      {_used(found)}",
        *_respelt(found),
        *_repeats(found),
        *_spellings(found),
        *_aside(found),
    ]
    return "\n".join(line for line in lines if line)


def _target(found: Intake) -> str:
    labels = found.rows[found.target.name]
    if found.classes is not None:
        negative, positive = found.classes
        share = float(labels.mean())
        told = f"a class, {positive!r} (1, {share:.0%} of the rows) or {negative!r} (0)"
        rest = [f"{name!r} {rows:,}" for name, rows in found.labels.items() if name != positive]
        return told if len(rest) == 1 else f"{told}, which is {', '.join(rest)[:300]}"
    quartiles = labels.quantile([0, 0.5, 1])
    low, middle, high = (f"{value:.4g}" for value in quartiles)
    return f"a number from {low} to {high}, median {middle}; unit {found.unit}"


def _bounds(found: Intake) -> str:
    return (
        f"no label is negative, so init writes lower = {proposed_lower(found):g} to [target] in "
        "assay.toml, unless there is a bound: take it out if a value may be negative"
    )


def _used(found: Intake) -> str:
    rows = found.total - found.set_aside
    return f"{plural(len(found.rows), 'composition')}, of {plural(rows, 'row')}"


def _repeats(found: Intake) -> list[str]:
    merged = found.merged
    if not merged.repeated:
        return []
    lines = [f"  repeated  {repeats_text(found)}"]
    return [*lines, faults_text(merged.faults)] if merged.faults else lines


def repeats_text(found: Intake) -> str:
    """How many compositions stand in several rows, how far apart, and what stands for them."""
    merged = found.merged
    if not merged.repeated:
        return "none"
    several = plural(merged.compositions, "composition")
    told = f"{several} in several rows, with values up to {merged.spread:.3g} apart; "
    if found.duplicates != "refuse":
        return f"{told}the rule is `{found.duplicates}`"
    if merged.faults:
        return f"{told}{merged.disagreeing:,} of them by more than {found.tolerance:.3g}:"
    return f"{told}all agree within {found.tolerance:.3g}, and the first row is kept"


def _respelt(found: Intake) -> list[str]:
    """How many formulas stand in `train.csv` in other letters than in the table."""
    if not found.respelt:
        return []
    shown = sorted(dict(found.respelt).items(), key=lambda pair: max(map(len, pair)))[:TOLD]
    told = ", ".join(f"{one} -> {other}" for one, other in shown)
    told = f"{told[:LONGEST]}..." if len(told) > LONGEST else told
    return [f"  respelt   {plural(len(found.respelt), 'formula')}, the same compositions: {told}"]


def _spellings(found: Intake) -> list[str]:
    told = ", ".join(f"{times:,} with {kind}" for kind, times in sorted(found.spellings.items()))
    return [f"  numbers   {told}"] if told else []


def _aside(found: Intake) -> list[str]:
    if not found.faults:
        return ["  set aside no row"]
    rows = plural(found.set_aside, "row")
    return [f"  set aside {rows} ({found.share_set_aside:.1%}):", faults_text(found.faults)]


def aside_text(found: Intake) -> str:
    """How many rows were set aside, and of which kinds."""
    if not found.faults:
        return "none set aside"
    return f"{found.set_aside} set aside ({kinds_text(found.faults)})"


def write_intake(found: Intake, layout: Layout) -> None:
    """Write the page and all faults below `out/intake`."""
    write_text(layout.intake / "summary.txt", intake_text(found) + "\n")
    write_faults((*found.faults, *found.merged.faults), found.name, layout.rejected)


def require_usable(found: Intake, repository: Repository, *, agreed: bool) -> None:
    """Insist on rows that agree, differ in their labels, and are most of the table.

    Args:
        found: what was taken in and written by `write_intake`.
        repository: whose `assay.toml` says what is allowed, and where the faults are.
        agreed: whether a person agreed to set more rows aside than that.

    Raises:
        UsageError: values of one composition disagree, or all labels are the same.
        RefusedError: too many rows were set aside.
    """
    require_rows(found, repository, agreed=agreed)
    labels = found.rows[found.target.name]
    if labels.nunique() < 2:  # noqa: PLR2004 (something to learn)
        raise UsageError(
            f"{found.name}: {found.target.column!r} is {labels.iloc[0]:g} in every row, so there "
            "is nothing to learn: choose another column with --target.",
            code="data.constant",
        )


def require_rows(found: Intake, repository: Repository, *, agreed: bool) -> None:
    """Insist on rows that agree and are most of the table; see `require_usable`."""
    place = os.path.relpath(repository.layout.rejected)
    limit = repository.settings.data.maximum_set_aside
    if found.merged.faults:
        _refuse_disagreements(found, place)
    if found.share_set_aside > limit and not agreed:
        raise RefusedError(
            f"{found.name}: {found.share_set_aside:.1%} of the rows cannot be used, more than "
            f"{limit:.0%}; {place} lists them: correct them, or leave them out with --set-aside.",
            code="intake.many-set-aside",
        )


def _refuse_disagreements(found: Intake, place: str) -> None:
    number = found.kind == "number"
    apart = plural(found.merged.disagreeing, "composition")
    labels = f"labels more than {found.tolerance:.3g} apart" if number else "both classes"
    rules = "median (or mean, lowest, highest, first)" if number else "first (or lowest, highest)"
    raise UsageError(
        f"{found.name}: {apart} with {labels}, which {place} lists: keep the right ones, or let "
        f"one label stand for each composition with --duplicates {rules}.",
        code="data.labels-disagree",
    )
