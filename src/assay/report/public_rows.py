"""Public rows with the predictions of candidate and reference, and errors by chemical family."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.gate.metrics import METRICS, Metric
from assay.groups import group_names
from assay.layout import Handover
from assay.repository import Repository

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
class PublicRow:
    """One row with what both models say of it; NaN as in `Predicted`."""

    row_id: str
    formula: str
    candidate: float
    reference: float
    target: float

    @property
    def change(self) -> float:
        """Candidate minus reference."""
        return self.candidate - self.reference

    @property
    def residual(self) -> float:
        """Predicted minus measured."""
        return self.candidate - self.target


@dataclass(frozen=True)
class Predicted:
    """Rows of a public table with what both models say of them.

    `candidate`, `reference` and `target` are (n,) in the target's unit; NaN stands for a reference
    that says nothing of a row, and for the target of the pool. `groups` are those of
    `assay.toml`; None: chemical systems.
    """

    row_ids: Sequence[str]
    formulas: Sequence[str]
    candidate: np.ndarray
    reference: np.ndarray
    target: np.ndarray
    groups: Sequence[str] | None = None

    @property
    def group_names(self) -> Sequence[str]:
        """The group of each row."""
        from assay.compositions import chemical_system

        return self.groups or [chemical_system(formula) for formula in self.formulas]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.row_ids)

    def __iter__(self) -> Iterator[PublicRow]:
        """The rows one by one."""
        columns = (self.row_ids, self.formulas, self.candidate, self.reference, self.target)
        for row_id, formula, *values in zip(*columns, strict=True):
            yield PublicRow(row_id, formula, *map(float, values))

    def take(self, rows: np.ndarray) -> "Predicted":
        """Some of the rows, by a mask or by their numbers, in that order."""
        return Predicted(
            np.asarray(self.row_ids)[rows].tolist(),
            np.asarray(self.formulas)[rows].tolist(),
            self.candidate[rows],
            self.reference[rows],
            self.target[rows],
            None if self.groups is None else np.asarray(self.groups)[rows].tolist(),
        )

    @property
    def compared(self) -> "Predicted":
        """The rows of which both models say something."""
        return self.take(np.isfinite(self.reference))


@dataclass(frozen=True)
class Evidence:
    """Main's train rows with out-of-fold predictions, and the pool.

    `folds` (n,) numbers the train rows' folds, which share no group; `metric` is the one
    that the claim is about.
    """

    train: Predicted
    pool: Predicted
    folds: np.ndarray
    metric: Metric


def gathered(
    repository: Repository, handover: Handover, reference: Mapping[str, float]
) -> Evidence:
    """Read the public tables of the checkout, and what was handed over.

    A pull request may bring its own train rows; only those that main has, too, are looked at.

    Raises:
        UsageError: a table of the checkout cannot be read.
        NotCarriedOutError: predictions or train set of the candidate are not as they must be.
    """
    from assay.datasets import read_tables, require_readable
    from assay.scoring.acceptance import shared_predictions
    from assay.splits import grouped_folds

    data, settings = read_tables(repository), repository.settings
    require_readable(data.train["formula"], repository.layout.train)
    found = shared_predictions(repository, handover, data)
    shared = data.train["row_id"].isin(found.keys()).to_numpy()
    folds = grouped_folds(data.groups, settings.split.folds, settings.split.seed)
    nothing = np.full(len(data.pool), np.nan)
    return Evidence(
        _predicted(data.train[shared], found, reference, data.target[shared], data.group),
        _predicted(data.pool, found, reference, nothing, data.group),
        folds[shared],
        METRICS[settings.primary_metric],
    )


def _predicted(
    rows: pd.DataFrame,
    candidate: Mapping[str, float],
    reference: Mapping[str, float],
    target: np.ndarray,
    group: str,
) -> Predicted:
    row_ids = rows["row_id"].tolist()
    return Predicted(
        row_ids,
        rows["formula"].tolist(),
        np.array([candidate[row] for row in row_ids], dtype=float),
        np.array([reference.get(row, np.nan) for row in row_ids], dtype=float),
        target,
        group_names(rows, group),
    )


@dataclass(frozen=True)
class FamilyError:
    """Mean out-of-fold errors on the train rows that hold an element of a family.

    `reference` is None where there is none; `covered` is the share of rows within the prediction
    interval, None where there is none. `growth` is by how much the candidate's error is larger
    than the reference's, between `low` and `high` at 95 % confidence (infinite with one
    group).
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


def family_errors(rows: Predicted, metric: Metric, inside: np.ndarray | None) -> list[FamilyError]:
    """Errors by family, in the metric's own unit, the largest growth first; none without rows.

    Where there is a reference both errors are over the rows that it knows, which may lack new ones.

    Args:
        rows: train rows with out-of-fold predictions.
        metric: whose loss is averaged over the rows of a family.
        inside: which rows lie within their prediction interval, (n,), if there is one.
    """
    if len(compared := np.flatnonzero(np.isfinite(rows.reference))):
        rows, inside = rows.take(compared), None if inside is None else inside[compared]
    found = []
    for name, holds in holding_families(rows.formulas):
        covered = None if inside is None else float(inside[holds].mean())
        found.append(_family_error(name, rows.take(holds), metric, covered))
    return sorted(found, key=lambda one: -one.growth)


def holding_families(formulas: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """The families of elements that are held, each with which formulas hold one of it, (n,)."""
    from assay.compositions import elements
    from assay.gate.slices import family

    held = [elements(formula) for formula in formulas]
    for key, name in FAMILIES.items():
        symbols = family(key)
        holds = np.array([not symbols.isdisjoint(own) for own in held], dtype=bool)
        if holds.any():
            yield name, holds


def _family_error(name: str, rows: Predicted, metric: Metric, covered: float | None) -> FamilyError:
    reference = mean_error(metric, rows.target, rows.reference)
    candidate = mean_error(metric, rows.target, rows.candidate)
    if not np.isfinite(reference):
        return FamilyError(name, len(rows), candidate, None, covered)
    low, high = _growth(rows, metric)
    return FamilyError(
        name, len(rows), candidate, reference, covered, candidate - reference, low, high
    )


def _growth(rows: Predicted, metric: Metric) -> tuple[float, float]:
    """Bounds of the growth of the error, in its own unit: rows of a group go together."""
    from assay.gate.statistics import Grouping, estimate

    losses = [metric.loss(rows.target, values) for values in (rows.candidate, rows.reference)]
    groups = Grouping.of(rows.group_names)
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
