"""What a reviewer is to look at whatever the verdict is: changed labels, and families that lost."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from assay.report.changes import TrainRow
from assay.report.families import FamilyError
from assay.report.figures import number, signed
from assay.report.inputs import ReportInputs
from assay.report.markdown import code, folded, plain, table, with_unit
from assay.texts import plural

# so many as one pull request may list as corrections, so that none of these is left out
ROWS = 100
LEAST = 300
FORMULA, CELL, REASON = 40, 24, 120
SHOWN = "corrections.shown"
PERSON = "Approve only if each is right: an approving review is a person's word for them."


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
        what = f"{rounded} rounded when the table was saved, by {number(farthest)} at most"
        said.append(f"{with_unit(what, inputs.settings.target.unit)}.")
    listed = _rows(changes.relabelled, reasons(inputs)) if changes.relabelled else ""
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
    said = (one.message.partition(" of ")[2] for one in found if one.rule == SHOWN)
    return {words.split(" ", 1)[0]: words.partition(": ")[2] for words in said}


def _rows(rows: Sequence[TrainRow], given: Mapping[str, str]) -> str:
    cells = [
        [
            code(row.row_id, CELL, cell=True),
            code(row.formula, FORMULA, cell=True),
            code(row.before or "", CELL, cell=True),
            code(row.after or "", CELL, cell=True),
            signed(row.change) if math.isfinite(row.change) else "",
            code(given.get(row.row_id, ""), REASON, cell=True) or "none listed",
        ]
        for row in rows[:ROWS]
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
