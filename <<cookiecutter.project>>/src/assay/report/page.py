"""The report as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from assay.errors import AssayError
from assay.layout import Layout
from assay.model.training import Dataset, read_dataset
from assay.predictions import bounds_of, read_predictions
from assay.provenance import short_commit
from assay.report import plots
from assay.report.summary import (
    HOW_TO_SEAL,
    ReportInputs,
    gate_line,
    headline,
    public_numbers,
    reference_name,
    reproduction,
    scored,
    table,
)


@dataclass(frozen=True)
class Picture:
    """A plot and the words above it."""

    title: str
    caption: str
    svg: Markup
    wide: bool = False


def render_page(inputs: ReportInputs) -> str:
    """The page as HTML; where predictions or tables cannot be read it says so and has no plots."""
    pictures, reason = _pictures(inputs)
    verdict = scored(inputs)
    source = files("assay.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        project=inputs.settings.project.name,
        target=inputs.settings.target.column,
        unit=inputs.settings.target.unit,
        card=inputs.candidate,
        link=inputs.link,
        line=headline(inputs),
        gate=gate_line(verdict) if verdict else "",
        unsealed=HOW_TO_SEAL.replace("`", "") if verdict and not verdict.sealed else "",
        rows=table(inputs),
        falsified=[(finding, *reproduction(finding)) for finding in inputs.falsified],
        findings=inputs.findings,
        numbers=public_numbers(inputs),
        reference=reference_name(verdict) if verdict else "",
        commit=short_commit(inputs.candidate.commit) if inputs.candidate else "",
        pictures=pictures,
        no_pictures=reason,
        provenance=_provenance(inputs),
    )


def _pictures(inputs: ReportInputs) -> tuple[list[Picture], str]:
    if inputs.root is None:
        return [], "Without the repository's tables there is nothing to draw."
    try:
        data = read_dataset(Layout(inputs.root), inputs.settings)
        found = _read(inputs, data)
    except AssayError as error:
        return [], f"Not drawn: {error}"
    prediction = np.array([found[row] for row in data.train["row_id"]])
    reference = inputs.reference_predictions or {}
    draw = _class_errors if inputs.settings.target.kind == "class" else _number_errors
    pictures = draw(inputs, data, prediction)
    return [*pictures[:-1], *_change(inputs, found, reference, data), pictures[-1]], ""


def _read(inputs: ReportInputs, data: Dataset) -> dict[str, float]:
    tables = (data.train, data.sealed, data.pool)
    row_ids = [row for rows in tables for row in rows["row_id"]]
    bounds = bounds_of(inputs.settings.target.kind)
    return read_predictions(inputs.handover.predictions, row_ids, bounds)


def _number_errors(inputs: ReportInputs, data: Dataset, prediction: np.ndarray) -> list[Picture]:
    target = inputs.settings.target
    name = target.column.replace("_", " ")
    rows = f"{len(prediction):,} train rows, out of fold: no row's system was seen in training."
    return [
        _picture("Parity", rows, plots.parity(data.target, prediction, name, target.unit)),
        _picture(
            "Residuals",
            "The same rows; the outermost 0.5 % are cut off.",
            plots.residuals(data.target, prediction, target.unit),
        ),
        _by_element(data, np.abs(prediction - data.target), f"mean absolute error ({target.unit})"),
    ]


def _class_errors(_: ReportInputs, data: Dataset, prediction: np.ndarray) -> list[Picture]:
    return [
        _picture(
            "Reliability",
            "Of the rows given a probability, the share that is of class 1; area tells how many.",
            plots.reliability(data.target, prediction),
        ),
        _picture(
            "Scores",
            f"{len(prediction):,} train rows, out of fold: no row's system was seen in training.",
            plots.scores(data.target, prediction),
        ),
        _by_element(data, (prediction - data.target) ** 2, "Brier score"),
    ]


def _by_element(data: Dataset, errors: np.ndarray, label: str) -> Picture:
    by_element = plots.element_errors(data.train["formula"], errors)
    caption = "Mean over the train rows that hold the element; pale frames have no rows."
    drawn = plots.periodic_table(by_element, label.removesuffix(" (1)"))
    return _picture("Error by element", caption, drawn, wide=True)


def _change(
    inputs: ReportInputs, found: Mapping[str, float], reference: Mapping[str, float], data: Dataset
) -> list[Picture]:
    rows = [row for row in data.pool["row_id"] if row in reference]
    if not rows:
        return []
    unit = "1" if inputs.settings.target.kind == "class" else inputs.settings.target.unit
    candidate, other = (np.array([values[row] for row in rows]) for values in (found, reference))
    pool = f"{len(rows):,} unlabelled compositions of the pool."
    return [
        _picture("Candidate and reference", pool, plots.agreement(candidate, other, unit)),
        _picture("Change of predictions", "The same rows.", plots.change(candidate, other, unit)),
    ]


def _picture(title: str, caption: str, svg: str, *, wide: bool = False) -> Picture:
    # the SVG is matplotlib's, which escapes every label it is given
    return Picture(title, caption, Markup(svg), wide)  # noqa: S704


def _provenance(inputs: ReportInputs) -> list[tuple[str, str]]:
    card, verdict = inputs.candidate, inputs.verdict
    rows = []
    if card:
        rows += [
            ("Correlation id", card.correlation_id),
            ("Commit", card.commit),
            ("Model bundle", card.bundle_digest),
            ("Predictions file", card.predictions_digest),
            ("Train set", card.train_digest),
            ("Sealed inputs", card.sealed_inputs_digest),
            ("Pool", card.pool_digest),
            ("Environment lock", card.lock_digest),
        ]
    if verdict:
        rows.append(("Sealed labels", verdict.sealed_digest))
    return rows
