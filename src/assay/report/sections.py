"""Sections of the comment that say what changed: model, rows, predictions, families, history."""

from collections.abc import Iterator, Sequence

from assay.report.bars import family_chart, residual_chart
from assay.report.changes import LOCK, DataChanges, TrainRow, largest_changes
from assay.report.evidence import PublicRow
from assay.report.figures import number, signed
from assay.report.gallery import Exhibit
from assay.report.inputs import ReportInputs
from assay.report.markdown import LONG, block, code, folded, picture, plain, table, with_unit
from assay.texts import plural

ROWS = 10
FORMULA, CELL, FILE = 40, 24, 80
PACKAGES = 12
# two stand side by side in a comment, and below each other on a telephone
PIXELS = 390


def sections(inputs: ReportInputs, exhibits: Sequence[Exhibit] = ()) -> list[str]:
    """Each is whole by itself and may be left out where there is no room for it.

    With pictures to show, what else draws the errors is folded.
    """
    errors = _pictured(inputs, exhibits) if exhibits else _errors(inputs)
    return [*_overview(inputs), *errors, *_rows(inputs), *_moved(inputs), *_past(inputs)]


def _overview(inputs: ReportInputs) -> Iterator[str]:
    lines = [*_model(inputs), *_data(inputs.data_changes), *_predictions(inputs)]
    lines += [*_packages(inputs), *_machinery_files(inputs)]
    if inputs.candidate and inputs.root and inputs.evidence is None:
        lines.append(f"- {code(inputs.no_evidence, LONG)}")
    if lines:
        yield "\n".join(["**What changed**", "", *lines])


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
        yield f"- **Workflows and machinery** differ from main's, look at each line: {listed}"


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
        yield folded("Errors by family, and residuals in characters", "\n\n".join(charts))


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
