"""The gate's arithmetic, as pure functions of arrays.

Definitions and sources are in docs/gate.md. Throughout, for row i with target y, candidate
prediction p' and reference prediction p: the loss difference D = loss(y, p') - loss(y, p), and
the change d = max over possible y of |D|, which needs no label.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

FIRST_STAGE_LEVEL = 0.001
TAIL_ERRORS = 2.0

Array = np.ndarray


@dataclass(frozen=True)
class Metric:
    """A per-row loss and its label-free bound.

    `loss(target, prediction)` and `change(candidate, reference)` take and give (n,) arrays.
    """

    name: str
    loss: Callable[[Array, Array], Array]
    change: Callable[[Array, Array], Array]


def _absolute_change(candidate: Array, reference: Array) -> Array:
    # Triangle inequality: ||y - p'| - |y - p|| <= |p' - p| whatever y is.
    return np.abs(candidate - reference)


def _brier_change(candidate: Array, reference: Array) -> Array:
    # (y - p')^2 - (y - p)^2 = (p' - p)(p' + p - 2y), with y either 0 or 1.
    total = candidate + reference
    return np.abs(candidate - reference) * np.maximum(total, 2 - total)


MAE = Metric("MAE", lambda y, p: np.abs(y - p), _absolute_change)
BRIER = Metric("Brier score", lambda y, p: (y - p) ** 2, _brier_change)


def metric_for(kind: Literal["number", "class"]) -> Metric:
    """The metric of the gate: mean absolute error for a number, Brier score for a class."""
    return MAE if kind == "number" else BRIER


@dataclass(frozen=True)
class Estimate:
    """A mean over rows with a standard error that allows for groups of dependent rows."""

    mean: float
    error: float
    groups: float

    def upper(self, level: float, slack: float = 0.0) -> float:
        """One-sided upper confidence bound at `level`, raised by `slack` standard errors."""
        return self.mean + (self._quantile(level) + slack) * self.error

    def lower(self, level: float) -> float:
        """One-sided lower confidence bound at `level`."""
        return self.mean - self._quantile(level) * self.error

    def _quantile(self, level: float) -> float:
        from scipy.stats import t

        return float(t.isf(level, max(self.groups - 1, 1)))


def effective_groups(groups: Sequence[str]) -> float:
    """Kish's effective number of groups, n^2 / sum of squared group sizes."""
    _, counts = np.unique(np.asarray(groups), return_counts=True)
    return float(counts.sum() ** 2 / (counts**2).sum())


def estimate(values: Array, groups: Sequence[str]) -> Estimate:
    """Mean of `values` (n,) and its cluster-robust standard error (CR1, ratio form).

    Raises:
        ValueError: there are fewer than two groups, or the values overflow.
    """
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    sums, sizes = np.bincount(index, values), np.bincount(index)
    count, rows = len(sizes), len(values)
    if count < 2:  # noqa: PLR2004 (a spread needs two)
        raise ValueError("at least two groups are needed to estimate a standard error")
    mean = float(values.mean())
    spread = count / (count - 1) * float(((sums - mean * sizes) ** 2).sum())
    if not math.isfinite(spread):
        raise ValueError("the values are too large to estimate a standard error")
    return Estimate(mean, math.sqrt(spread) / rows, effective_groups(groups))


def guarded(differences: Array, changes: Array, threshold: float) -> Array:
    """Loss differences without the rows whose change exceeds `threshold` (set to 0).

    Rare blow-ups may be absent from a sample; `tail` accounts for them label-free.
    """
    return np.where(changes > threshold, 0.0, differences)


def tail(changes: Array, threshold: float) -> float:
    """Upper estimate of E[d 1(d > threshold)] from the pool: mean plus two standard errors."""
    beyond = np.where(changes > threshold, changes, 0.0)
    return float(beyond.mean() + TAIL_ERRORS * beyond.std(ddof=1) / math.sqrt(len(beyond)))


def level(alpha: float, budget: int, use: int, disagreements: int) -> float:
    """Level of the `use`-th sealed use (from 1) after `disagreements` non-confirmations.

    alpha 2^-(j+1) / (K C(k-1, j)): summed over all histories at most alpha, so the chance of any
    false sealed PASS in the set's life is at most alpha whatever the developer does.
    """
    ways = math.comb(use - 1, disagreements)
    return alpha * 2.0 ** -(disagreements + 1) / (budget * ways)
