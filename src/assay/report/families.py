"""Errors by family of elements: where a model gained, and where it lost."""

import math
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
    "oxide": "oxide",
    "noble_gas": "noble gas",
    "lanthanoid": "lanthanoid",
    "actinoid": "actinoid",
}


TAIL, ROUNDING = 0.025, 1e-9


@dataclass(frozen=True)
class FamilyError:
    """Mean out-of-fold errors on the train rows that hold an element of a family.

    `reference` is None where there is none; `covered` is the share of rows within the prediction
    interval, None where there is none. `growth` is by how much the candidate's error is larger
    than the reference's, between `low` and `high` at 95 % confidence (infinite with one chemical
    system).
    """

    family: str
    rows: int
    candidate: float
    reference: float | None
    covered: float | None
    growth: float = 0.0
    low: float = -math.inf
    high: float = math.inf

    @property
    def worse(self) -> bool:
        """Whether the candidate's error is the larger one, surely or by chance."""
        return self.reference is not None and self.growth > ROUNDING * abs(self.reference)


def family_errors(rows: Predicted, metric: Metric, half_width: float | None) -> list[FamilyError]:
    """Errors by family, in the metric's own unit, the largest growth first; none without rows.

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
    return sorted(found, key=lambda one: -one.growth)


def _family_error(
    name: str, rows: Predicted, metric: Metric, half_width: float | None
) -> FamilyError:
    reference = mean_error(metric, rows.target, rows.reference)
    covered = None
    if half_width is not None:
        covered = float(np.mean(np.abs(rows.candidate - rows.target) <= half_width))
    candidate = mean_error(metric, rows.target, rows.candidate)
    if not np.isfinite(reference):
        return FamilyError(name, len(rows), candidate, None, covered)
    low, high = _growth(rows, metric)
    return FamilyError(
        name, len(rows), candidate, reference, covered, candidate - reference, low, high
    )


def _growth(rows: Predicted, metric: Metric) -> tuple[float, float]:
    """Bounds of the growth of the error, in its own unit: rows of a chemical system go together."""
    from assay.compositions import chemical_system
    from assay.gate.statistics import Grouping, estimate

    losses = [metric.loss(rows.target, values) for values in (rows.candidate, rows.reference)]
    groups = Grouping.of([chemical_system(formula) for formula in rows.formulas])
    found, before = estimate(losses[0] - losses[1], groups), float(losses[1].mean())
    bounds = (found.lower(TAIL), found.upper(TAIL))
    low, high = (
        metric.shown(max(before + bound, 0.0)) - metric.shown(before)
        if math.isfinite(bound)
        else bound
        for bound in bounds
    )
    return low, high


def mean_error(metric: Metric, target: np.ndarray, prediction: np.ndarray) -> float:
    """The metric over rows (n,), in its own unit; NaN where a prediction is missing."""
    if not np.isfinite(prediction).all():
        return float("nan")
    return metric.shown(float(metric.loss(target, prediction).mean()))
