"""Sections of the comment: model, rows, predictions, families, history."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from assay.markdown import (
    LONG,
    MARK,
    block,
    code,
    folded,
    marked_bar,
    picture,
    plain,
    spark,
    table,
    with_unit,
)
from assay.report.changes import LOCK, DataChanges, TrainRow, largest_changes
from assay.report.figures import number, signed
from assay.report.images import Exhibit
from assay.report.inputs import ReportInputs
from assay.report.public_rows import FamilyError, Predicted, PublicRow
from assay.texts import plural

# so many as one pull request may list as corrections, so that none of these is left out
RELABELLED = 100
LEAST = 300
SHOWN = "corrections.shown"
PERSON = "Approve only if each new label is right: no check can know that."
ROWS = 10
FORMULA, CELL, FILE, REASON = 40, 24, 80, 120
PACKAGES = 12
BINS = 41
# two stand side by side in a comment, and below each other on a telephone
PIXELS = 390


def changed_labels(inputs: ReportInputs, room: int) -> Iterator[str]:
    """Every label of main that is another number here, with its reason if one is listed.

    Main's table and what was handed over are compared here; reasons are the pull request's words.
    """
    changes = inputs.data_changes
    if changes is None or not (changes.relabelled or changes.rounded):
        return
    said = []
    if changes.relabelled:
        said.append(f"**Labels changed: {_counted(changes.relabelled, inputs)}**")
        said += [PERSON] if room > 10 * len(PERSON) else []
    if changes.rounded:
        rounded = plural(len(changes.rounded), "label was", "labels were")
        farthest = max(abs(row.change) for row in changes.rounded)
        what = f"{rounded} rounded, or written with more digits, by {number(farthest)} at most"
        said.append(f"{with_unit(what, inputs.settings.target.unit)}.")
    listed = _relabelled(changes.relabelled, reasons(inputs)) if changes.relabelled else ""
    yield " ".join(said) + (f"\n\n{listed}" if listed and len(listed) < room else "")


def _counted(rows: Sequence[TrainRow], inputs: ReportInputs) -> str:
    given = reasons(inputs)
    listed = sum(row.row_id in given for row in rows)
    moved = [row.change for row in rows if math.isfinite(row.change)]
    spread = ""
    if moved:
        spread = f", by {signed(moved[0])}"
    if len(moved) > 1:
        ends = f"{signed(min(moved))} to {signed(max(moved))}"
        spread = f", by {ends}, median {signed(float(np.median(moved)))}"
    count = f"{plural(len(rows), 'row')}{spread}; {listed:,} listed with a reason"
    return with_unit(count, inputs.settings.target.unit)


def reasons(inputs: ReportInputs) -> Mapping[str, str]:
    """Why labels were corrected, by row id, in the words of the pull request."""
    found = inputs.schema.findings if inputs.schema else []
    # a target's name may itself hold " of "
    column = re.escape(inputs.settings.target.column)
    told = re.compile(rf"(?:{column}|formula) of (\S+) .*?: (.*)", re.DOTALL)
    matches = (told.match(one.message) for one in found if one.rule == SHOWN)
    return {match[1]: match[2] for match in matches if match}


def _relabelled(rows: Sequence[TrainRow], given: Mapping[str, str]) -> str:
    cells = [
        [
            code(row.row_id, CELL, cell=True),
            code(row.formula, FORMULA, cell=True),
            code(row.before or "", CELL, cell=True),
            code(row.after or "", CELL, cell=True),
            signed(row.change) if math.isfinite(row.change) else "",
            code(given.get(row.row_id, ""), REASON, cell=True) or "none listed",
        ]
        for row in rows[:RELABELLED]
    ]
    listed = table(["row", "formula", "on main", "here", "change", "reason"], cells)
    hidden = len(rows) - len(cells)
    note = f"\n\n{plural(hidden, 'more row')} on the report page." if hidden else ""
    return folded("Each changed label, the largest change first", listed + note)


def worse_families(inputs: ReportInputs, room: int) -> Iterator[str]:
    """The families on which the candidate's public error is the larger one, the worst first."""
    found, errors = inputs.evidence, [one for one in inputs.families if one.worse]
    if found is None or not errors or room < LEAST:
        return
    unit = "" if found.metric.bounded else inputs.settings.target.unit
    title = with_unit(f"Worse by family, advisory: {found.metric.name} out of fold", unit)
    header = ["family", "rows", "reference", "candidate", "change, 95 % interval"]
    whole = f"**{title}**\n\n{table(header, [_family(one) for one in errors], 4)}"
    short = ", ".join(f"{one.family} {signed(one.growth)}" for one in errors)
    yield whole if len(whole) < room else f"**{title}**: {plain(short)}"


def _family(one: FamilyError) -> list[str]:
    between = f"{signed(one.low)} to {signed(one.high)}" if math.isfinite(one.low) else "one system"
    return [
        f"**{one.family}**" if one.low > 0 else one.family,
        f"{one.rows:,}",
        number(one.reference or 0.0),
        number(one.candidate),
        f"{signed(one.growth)} ({between})",
    ]


def sections(inputs: ReportInputs, exhibits: Sequence[Exhibit] = ()) -> list[str]:
    """Each is whole by itself and may be left out where there is no room for it.

    With pictures to show, what else draws the errors is folded.
    """
    errors = _pictured(inputs, exhibits) if exhibits else _errors(inputs)
    return [
        *_overview(inputs),
        *_classes(inputs),
        *errors,
        *_rows(inputs),
        *_moved(inputs),
        *_past(inputs),
    ]


def _overview(inputs: ReportInputs) -> Iterator[str]:
    lines = [*_model(inputs), *_data(inputs.data_changes), *_predictions(inputs)]
    lines += [*_packages(inputs), *_machinery_files(inputs)]
    if inputs.candidate and inputs.root and inputs.evidence is None:
        lines.append(f"- {code(inputs.no_evidence, LONG)}")
    if lines:
        yield "\n".join(["**What changed**", "", *lines])


def _classes(inputs: ReportInputs) -> Iterator[str]:
    """Of what the predictions are probabilities, and the confusion matrix."""
    if (found := inputs.classes) is None:
        return
    negative, positive = (code(name, 80, cell=True) for name in found.names)
    said = f"**Probability of {positive}** (class 1), against {negative} (class 0), out of fold"
    header = ["", f"predicted {negative}", f"predicted {positive}"]
    cells = [
        [f"is {code(name, 80, cell=True)}", *(f"{count:,}" for count in counts)]
        for name, counts in found.rows
    ]
    yield f"{said}\n\n{table(header, cells, 2)}"


def _model(inputs: ReportInputs) -> Iterator[str]:
    parts = []
    for fact in inputs.model_changes[1:]:
        other = f" {code(fact.other, CELL)}" if fact.other else ""
        value = f" {code(fact.value, CELL)}" if fact.compared != "as on main" else ""
        parts.append(f"{plain(fact.name).lower()}{value} {plain(fact.compared)}{other}")
    if inputs.candidate:
        name, features = code(inputs.candidate.estimator, 80), inputs.candidate.features
        seen = [] if features is None else [plural(features, "feature")]
        yield f"- **Model** {' · '.join([name, *seen, *parts])}"


def _packages(inputs: ReportInputs) -> Iterator[str]:
    """Each package of the lock that is another than main's."""
    changes, facts = inputs.package_changes, inputs.model_changes
    if changes == [] and any(f.name == LOCK and f.compared.startswith("changed") for f in facts):
        yield "- **Packages** of the lock: no version differs; hashes, systems or assay's wheel do"
    if changes:
        said = [code(str(one), LONG) for one in changes[:PACKAGES]]
        yield f"- **Packages** of the lock: {', '.join(said)}{_and_more(changes, PACKAGES)}"


def _machinery_files(inputs: ReportInputs) -> Iterator[str]:
    """What is changed of all that runs and judges a model, by the word of the candidate's run."""
    files = inputs.candidate.machinery_files if inputs.candidate else []
    if files:
        said = [code(one, FILE) for one in files[:PACKAGES]]
        listed = f"{', '.join(said)}{_and_more(files, PACKAGES)}"
        yield f"- **Workflows and machinery** differ from main's; review each line: {listed}"


def _and_more(listed: Sequence[object], shown: int) -> str:
    return f" and {len(listed) - shown:,} more" if len(listed) > shown else ""


def _data(changes: DataChanges | None) -> Iterator[str]:
    if changes is None:
        return
    counts = [
        plural(len(rows), f"row {what}", f"rows {what}")
        for rows, what in (
            (changes.added, "added"),
            (changes.removed, "removed"),
            (changes.relabelled, "relabelled"),
            (changes.rounded, "with rounded labels"),
        )
        if rows
    ]
    said = ", ".join(counts) or "the same rows and labels as on main"
    yield f"- **Data** {code('data/train.csv')}: {said}"


def _predictions(inputs: ReportInputs) -> Iterator[str]:
    found = inputs.evidence
    if found is None:
        return
    places = []
    for rows, where in ((found.train, "train row, out of fold"), (found.pool, "pool")):
        for row in largest_changes(rows, 1):
            values = f"{number(row.reference)} → {number(row.candidate)}, {where}"
            places.append(f"{code(row.formula, FORMULA)} {plain(values)}")
    if places:
        said = with_unit("that changed most", inputs.settings.target.unit)
        yield f"- **Predictions** {said}: {'; '.join(places)}"


def _pictured(inputs: ReportInputs, exhibits: Sequence[Exhibit]) -> Iterator[str]:
    shown = [picture(one.address, one.words, PIXELS) for one in exhibits]
    yield "\n".join(["**Errors** of the train rows, out of fold", "", *shown])
    if charts := [*_errors(inputs)]:
        yield folded("Errors by family, and residuals, as text", "\n\n".join(charts))


def _errors(inputs: ReportInputs) -> Iterator[str]:
    found = inputs.evidence
    if found is None or not inputs.families:
        return
    target = inputs.settings.target
    error = with_unit(found.metric.name, "" if found.metric.bounded else target.unit)
    said = f"**Errors by family**: {error} of the train rows that hold such an element, out of fold"
    yield f"{said}\n\n{block(family_chart(inputs.families))}"
    if target.kind == "number":
        what = with_unit("predicted minus measured", target.unit)
        title = f"**Residuals**: {what}, the outermost at both ends"
        yield f"{title}\n\n{block(residual_chart(found.train))}"


def _rows(inputs: ReportInputs) -> Iterator[str]:
    changes = inputs.data_changes
    if changes is None or not changes.rows:
        return
    cells = [_row(row) for row in _each_kind(changes)]
    hidden = len(changes.rows) - len(cells)
    listed = table(["row", "formula", "on main", "here"], cells)
    note = f"\n\n{plural(hidden, 'more row')} on the report page." if hidden else ""
    yield folded("Rows added, removed or relabelled", listed + note)


def _each_kind(changes: DataChanges) -> list[TrainRow]:
    kinds: Sequence[Sequence[TrainRow]] = (changes.relabelled, changes.removed, changes.added)
    return [row for rows in kinds for row in rows[:ROWS]]


def _row(row: TrainRow) -> list[str]:
    return [
        code(row.row_id, CELL, cell=True),
        code(row.formula, FORMULA, cell=True),
        "added" if row.before is None else code(row.before, CELL, cell=True),
        "removed" if row.after is None else code(row.after, CELL, cell=True),
    ]


def _moved(inputs: ReportInputs) -> Iterator[str]:
    found = inputs.evidence
    if found is None or not len(found.pool.compared):
        return
    header = ["row", "formula", "reference", "candidate", "change"]
    train = [_moved_row(row, labelled=True) for row in largest_changes(found.train, ROWS)]
    pool = [_moved_row(row, labelled=False) for row in largest_changes(found.pool, ROWS)]
    first = table([*header, "measured"], train, 4)
    title, unit = "Largest changes of predictions", inputs.settings.target.unit
    train_rows, pool_rows = with_unit("Train rows, out of fold", unit), with_unit("Pool", unit)
    last = table(header, pool, 3)
    yield folded(title, f"{train_rows}\n\n{first}\n\n{pool_rows}\n\n{last}")


def _moved_row(row: PublicRow, *, labelled: bool) -> list[str]:
    cells = [
        code(row.row_id, CELL, cell=True),
        code(row.formula, FORMULA, cell=True),
        number(row.reference),
        number(row.candidate),
        signed(row.change),
    ]
    return [*cells, number(row.target)] if labelled else cells


def _past(inputs: ReportInputs) -> Iterator[str]:
    if not inputs.history:
        return
    header, *lines = inputs.history
    cells = [[code(cell, FORMULA, cell=True) for cell in line] for line in lines]
    yield folded(f"Earlier verdicts: the last {len(lines)}", table(list(header), cells))


def family_chart(errors: Sequence[FamilyError]) -> str:
    """One line a family: rows, both errors, a bar for the candidate, a stroke for the reference."""
    top = max((max(error.candidate, error.reference or 0.0) for error in errors), default=0.0)
    compared = any(error.reference is not None for error in errors)
    titles = f"{'family':<21}  {'rows':>6}  {'candidate':>9}" + (
        f"  {'reference':>9}   █ candidate  {MARK} reference" if compared else ""
    )
    return "\n".join([titles.rstrip(), *(_family_line(error, top, compared) for error in errors)])


def _family_line(error: FamilyError, top: float, compared: bool) -> str:  # noqa: FBT001
    text = f"{error.family:<21}  {error.rows:>6,}  {error.candidate:>9.3g}"
    if compared:
        text += f"  {'' if error.reference is None else f'{error.reference:.3g}':>9}"
    return f"{text}   {marked_bar(error.candidate, error.reference, top)}".rstrip()


def residual_chart(rows: Predicted) -> str:
    """Histograms of predicted minus measured on one axis, for candidate and reference.

    The axis holds 98 % of the candidate's residuals; what is beyond stands in the outermost bins.
    """
    compared = rows.compared
    shown = {"candidate": rows.candidate - rows.target}
    if len(compared):
        shown["reference"] = compared.reference - compared.target
    reach = max(float(np.quantile(np.abs(shown["candidate"]), 0.98)), 1e-12)
    edges = np.linspace(-reach, reach, BINS + 1)
    counts = {
        name: np.histogram(np.clip(values, -reach, reach), edges)[0] / len(values)
        for name, values in shown.items()
    }
    # what is beyond the axis must not flatten what is on it
    top = max(float(share[1:-1].max()) for share in counts.values())
    lines = [f"{name:<9}  {spark(share, top)}".rstrip() for name, share in counts.items()]
    left, right = f"-{reach:.2g}", f"+{reach:.2g}"
    gap = (BINS - 1) // 2
    axis = left.ljust(gap) + "0" + right.rjust(BINS - gap - 1)
    return "\n".join([*lines, f"{'':<9}  {axis}"])
