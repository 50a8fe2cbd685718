"""The pictures of the comment: two at most, of what the page shows, with the same said in words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.report import pictures, plots
from assay.report.drawing import Drawing
from assay.report.evidence import Evidence
from assay.report.families import mean_error
from assay.report.figures import number
from assay.report.inputs import ReportInputs


@dataclass(frozen=True)
class Image:
    """A PNG, its name as a file, and what it shows for those who do not see it."""

    name: str
    words: str
    content: bytes


def images(inputs: ReportInputs) -> list[Image]:
    """Errors on the public train rows, out of fold; none without such rows."""
    found = inputs.evidence
    if found is None or not len(found.train):
        return []
    drawn = _of_a_class if inputs.settings.target.kind == "class" else _of_a_number
    return [Image(f"{one.name}.png", words, one.png()) for one, words in drawn(inputs, found)]


def _of_a_number(inputs: ReportInputs, found: Evidence) -> Iterator[tuple[Drawing, str]]:
    target, rows = inputs.settings.target, found.train
    within = ""
    if (half := inputs.half_width) is not None:
        share = float(np.mean(np.abs(rows.candidate - rows.target) <= half))
        within = f"; {share:.0%} lie within {number(half, target.unit)}"
    said = f"Predicted against measured {target.column}, {_errors(inputs, found)}{within}."
    yield pictures.parity(inputs, found), said
    middle = _middle(rows.candidate - rows.target, target.unit)
    said = f"Predicted minus measured: half of the candidate's errors are below {middle}"
    if len(compared := rows.compared):
        said += f", half of the reference's below {_middle(compared.reference - compared.target)}"
    yield pictures.residuals(inputs, found), f"{said}."


def _of_a_class(inputs: ReportInputs, found: Evidence) -> Iterator[tuple[Drawing, str]]:
    rows = found.train
    said = f"Observed frequency against predicted probability, {_errors(inputs, found)}."
    yield plots.reliability(rows.target, rows.candidate), said
    means = [
        f"{float(rows.candidate[rows.target == value].mean()):.2g} for rows of class {value}"
        for value in (1, 0)
        if (rows.target == value).any()
    ]
    said = f"Predicted probabilities, on average {' and '.join(means)}."
    yield plots.scores(rows.target, rows.candidate), said


def _errors(inputs: ReportInputs, found: Evidence) -> str:
    """How many rows, and both models' errors on those that both know."""
    rows, metric = found.train.compared, found.metric
    compared = rows if len(rows) else found.train
    unit = "1" if metric.bounded else inputs.settings.target.unit
    own = number(mean_error(metric, compared.target, compared.candidate), unit)
    said = f"{len(found.train):,} train rows out of fold: {metric.name} {own}"
    if not len(rows):
        return said
    other = number(mean_error(metric, rows.target, rows.reference), unit)
    return f"{said}, of the reference {other}"


def _middle(residual: np.ndarray, unit: str = "1") -> str:
    return number(float(np.median(np.abs(residual))), unit)
