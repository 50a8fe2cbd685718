"""Which pictures the page shows, with the words beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from assay.report import periodic, plots
from assay.report.calibration import coverages
from assay.report.drawing import Drawing
from assay.report.evidence import Evidence
from assay.report.inputs import ReportInputs


@dataclass(frozen=True)
class Picture:
    """A plot and the words above it."""

    title: str
    caption: str
    svg: Markup
    wide: bool = False


def pictures(inputs: ReportInputs) -> list[Picture]:
    """All that can be drawn; none without public rows."""
    found = inputs.evidence
    if found is None or not len(found.train):
        return []
    from tqdm import tqdm

    errors = _class_errors if inputs.settings.target.kind == "class" else _number_errors
    drawn = chain(errors(inputs, found), _changes(inputs, found), _elements(inputs, found))
    return list(tqdm(drawn, desc="pictures", disable=None, leave=False))


def parity(inputs: ReportInputs, found: Evidence) -> Drawing:
    """Predictions of a number against its measured values, with the interval."""
    target, rows = inputs.settings.target, found.train
    half, level = inputs.half_width, inputs.settings.model.interval_level
    interval = None if half is None else (level, half)
    name = target.column.replace("_", " ")
    return plots.parity(rows.target, rows.candidate, name, target.unit, interval)


def residuals(inputs: ReportInputs, found: Evidence) -> Drawing:
    """How the errors of a number are distributed, beside the reference's."""
    rows, compared = found.train, found.train.compared
    reference = compared.reference - compared.target if len(compared) else None
    return plots.residuals(rows.candidate - rows.target, reference, inputs.settings.target.unit)


def _number_errors(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows = found.train
    yield _picture("Parity", _out_of_fold(len(rows)), parity(inputs, found))
    cut = "The same rows; the outermost 0.5 % are cut off."
    yield _picture("Residuals", cut, residuals(inputs, found))
    if measured := coverages(rows.candidate - rows.target, found.folds):
        yield _picture(
            "Calibration of the interval",
            "Each fold's rows, against intervals made from the residuals of all other folds. One "
            "width serves all rows, so the middle is nearly right by construction: look at the "
            f"spread over folds, and at the families below. {_measured(inputs)}"
            "An estimate, not a guarantee.",
            plots.calibration(measured),
        )


def _measured(inputs: ReportInputs) -> str:
    if (found := inputs.coverage) is None:
        return ""
    return (
        f"At {found.level:.0%}, intervals made from half of the chemical systems hold "
        f"{found.grouped:.1%} of all other systems' rows, and with the rows divided at random "
        f"{found.random:.1%}. "
    )


def _class_errors(_: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows = found.train
    yield _picture(
        "Reliability",
        "Of the rows given a probability, the share that is of class 1; area tells how many.",
        plots.reliability(rows.target, rows.candidate),
    )
    yield _picture("Scores", _out_of_fold(len(rows)), plots.scores(rows.target, rows.candidate))


def _out_of_fold(rows: int) -> str:
    return f"{rows:,} train rows, out of fold: no row's system was seen in training."


def _changes(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    rows = found.pool.compared
    if not len(rows):
        return
    unit = "1" if inputs.settings.target.kind == "class" else inputs.settings.target.unit
    caption = f"{len(rows):,} unlabelled compositions of the pool."
    both = (rows.candidate, rows.reference)
    yield _picture("Candidate and reference", caption, plots.agreement(*both, unit))
    yield _picture("Change of predictions", "The same rows.", plots.change(*both, unit))


def _elements(inputs: ReportInputs, found: Evidence) -> Iterator[Picture]:
    from assay.compositions import elements

    rows, metric = found.train, found.metric
    held = [elements(formula) for formula in rows.formulas]
    losses = periodic.losses_by_element(held, metric.loss(rows.target, rows.candidate))
    unit = inputs.settings.target.unit
    name = metric.name if metric.bounded or unit == "1" else f"{metric.name} ({unit})"
    yield _picture(
        "Error by element",
        "Over the train rows that hold the element; pale frames have no rows.",
        periodic.errors(losses, metric, name),
        wide=True,
    )
    yield _picture(
        "Coverage by element",
        "How many train rows hold the element: where there are few, an error above is a rumour.",
        periodic.coverage(losses),
        wide=True,
    )


def _picture(title: str, caption: str, drawing: Drawing, *, wide: bool = False) -> Picture:
    # the SVG is matplotlib's, which escapes every label it is given
    return Picture(title, caption, Markup(drawing.svg()), wide)  # noqa: S704
