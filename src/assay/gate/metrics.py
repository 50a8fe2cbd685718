"""The gate's metrics: a loss for each row, and what a change of predictions can do to it unseen.

Throughout, y is the target, p' the candidate's and p the reference's prediction of a row, and
D = loss(y, p') - loss(y, p).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.gate.policy import MetricKey

Array = np.ndarray
CLASS_THRESHOLD = 0.5


def _itself(value: float) -> float:
    return value


def _as_it_is(value: float, _: float) -> float:
    return value


@dataclass(frozen=True)
class Metric:
    """A loss, and its label-free bound.

    Attributes:
        key: the name in `assay.toml`.
        name: the name that people read.
        loss: (y, p) -> (n,) losses.
        change: (p', p) -> (n,) how far apart the two predictions of a row are.
        size: what the mean of is taken to bound the growth of the mean loss, from `change`.
        growth: (mean of size, reference's mean loss) -> the most that the mean loss can grow.
        allowance: (margin, reference's mean loss) -> the growth of the mean loss that a margin in
            the metric's own unit permits.
        shown: mean loss -> the figure in the metric's own unit.
        bounded: whether no row can lose more than 1. If not, single rows can outweigh all others.
    """

    key: MetricKey
    name: str
    loss: Callable[[Array, Array], Array]
    change: Callable[[Array, Array], Array]
    size: Callable[[Array], Array] = np.asarray
    growth: Callable[[float, float], float] = _as_it_is
    allowance: Callable[[float, float], float] = _as_it_is
    shown: Callable[[float], float] = _itself
    bounded: bool = False


def _distance(candidate: Array, reference: Array) -> Array:
    # Triangle inequality: ||y - p'| - |y - p|| <= |p' - p| whatever y is.
    return np.abs(candidate - reference)


def _squared_growth(mean_square: float, loss: float) -> float:
    # Minkowski: RMSE(p') <= RMSE(p) + rms(p' - p), squared and less the reference's own.
    return mean_square + 2 * math.sqrt(mean_square * loss)


def _squared_allowance(margin: float, loss: float) -> float:
    return 2 * margin * math.sqrt(loss) + margin**2


def _brier_change(candidate: Array, reference: Array) -> Array:
    # (y - p')^2 - (y - p)^2 = (p' - p)(p' + p - 2y), with y either 0 or 1.
    total = candidate + reference
    return np.abs(candidate - reference) * np.maximum(total, 2 - total)


def _is_wrong(target: Array, probability: Array) -> Array:
    return ((probability >= CLASS_THRESHOLD) != (target >= CLASS_THRESHOLD)).astype(float)


MAE = Metric("mae", "MAE", lambda y, p: np.abs(y - p), _distance)
RMSE = Metric(
    "rmse",
    "RMSE",
    lambda y, p: (y - p) ** 2,
    _distance,
    size=np.square,
    growth=_squared_growth,
    allowance=_squared_allowance,
    shown=math.sqrt,
)
BRIER = Metric("brier", "Brier score", lambda y, p: (y - p) ** 2, _brier_change, bounded=True)
# two probabilities can differ in loss only where they fall into different classes
ERROR_RATE = Metric("error_rate", "Error rate", _is_wrong, _is_wrong, bounded=True)

METRICS: dict[MetricKey, Metric] = {metric.key: metric for metric in (MAE, RMSE, BRIER, ERROR_RATE)}
