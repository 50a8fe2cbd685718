"""Errors by family of elements: where a model gained, and where it lost."""

from dataclasses import dataclass

import numpy as np

from assay.gate.metrics import Metric
from assay.report.evidence import Predicted

# As people say them, for the names of `gate.slices.family`: what stands in both reads the same.
FAMILIES = {
    "alkali": "alkali",
    "alkaline": "alkaline earth",
    "transition_metal": "transition metal",
    "post_transition_metal": "post-transition metal",
    "metalloid": "metalloid",
    "pnictogen": "pnictogen",
    "chalcogen": "chalcogen",
    "halogen": "halogen",
    "noble_gas": "noble gas",
    "lanthanoid": "lanthanoid",
    "actinoid": "actinoid",
}


@dataclass(frozen=True)
class FamilyError:
    """Mean out-of-fold errors on the train rows that hold an element of a family.

    `reference` is None where there is none; `covered` is the share of rows within the prediction
    interval, None where there is none.
    """

    family: str
    rows: int
    candidate: float
    reference: float | None
    covered: float | None


def family_errors(rows: Predicted, metric: Metric, half_width: float | None) -> list[FamilyError]:
    """Errors by family, in the metric's own unit; families without rows are left out.

    Where there is a reference both errors are over the rows that it knows, which may lack new ones.

    Args:
        rows: train rows with out-of-fold predictions.
        metric: whose loss is averaged over the rows of a family.
        half_width: of the prediction interval, if there is one.
    """
    from assay.compositions import elements
    from assay.gate.slices import family

    rows = rows.compared if len(rows.compared) else rows
    held, found = [elements(formula) for formula in rows.formulas], []
    for key, name in FAMILIES.items():
        symbols = family(key)
        holds = np.array([not symbols.isdisjoint(own) for own in held], dtype=bool)
        if holds.any():
            found.append(_family_error(name, rows.take(holds), metric, half_width))
    return found


def _family_error(
    name: str, rows: Predicted, metric: Metric, half_width: float | None
) -> FamilyError:
    reference = mean_error(metric, rows.target, rows.reference)
    covered = None
    if half_width is not None:
        covered = float(np.mean(np.abs(rows.candidate - rows.target) <= half_width))
    return FamilyError(
        name,
        len(rows),
        mean_error(metric, rows.target, rows.candidate),
        reference if np.isfinite(reference) else None,
        covered,
    )


def mean_error(metric: Metric, target: np.ndarray, prediction: np.ndarray) -> float:
    """The metric over rows (n,), in its own unit; NaN where a prediction is missing."""
    if not np.isfinite(prediction).all():
        return float("nan")
    return metric.shown(float(metric.loss(target, prediction).mean()))
