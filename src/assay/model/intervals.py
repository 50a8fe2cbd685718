"""Prediction intervals: conformal quantiles of errors in multiples of the difficulty."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.model.bundle import BundleMetadata
from assay.records import IntervalCoverage

DIVISIONS = 200


@dataclass(frozen=True)
class Interval:
    """The intervals of n train rows, out of fold: half widths are `quantile` times `difficulty`.

    `scores` (n,) are absolute errors in multiples of the difficulty (n,).
    """

    level: float
    scores: np.ndarray
    difficulty: np.ndarray
    quantile: float

    @property
    def half_widths(self) -> np.ndarray:
        """Half of the width of each row's interval (n,), in the target's unit."""
        return self.quantile * self.difficulty

    @property
    def mean_half_width(self) -> float:
        """Their mean."""
        return float(self.half_widths.mean())

    @property
    def inside(self) -> np.ndarray:
        """Which rows lie within their own interval (n,)."""
        return self.scores <= self.quantile

    def coverage(self, systems: Sequence[str]) -> IntervalCoverage | None:
        """How many rows an interval holds whose quantile other rows gave."""
        return interval_coverage(self.scores, systems, self.level)


def fit_interval(sizes: np.ndarray, difficulty: np.ndarray, level: float) -> Interval:
    """The interval that absolute out-of-fold errors (n,) and the rows' difficulty (n,) give."""
    scores = sizes / difficulty
    return Interval(level, scores, difficulty, conformal_quantile(scores, level))


def conformal_quantile(scores: np.ndarray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of scores (n,), or the largest if n is too small.

    Vovk et al., Algorithmic Learning in a Random World, 2005. A score is an absolute out-of-fold
    error in multiples of the difficulty (Papadopoulos et al., J. Artif. Intell. Res. 40, 815
    (2011)), from folds grouped by chemical system.
    """
    rank = min(int(np.ceil((len(scores) + 1) * level)), len(scores)) - 1
    return float(np.partition(scores, rank)[rank])


def interval_coverage(
    scores: np.ndarray, systems: Sequence[str], level: float
) -> IntervalCoverage | None:
    """How many rows an interval holds whose quantile other rows gave; None with a single system.

    Half of the chemical systems, drawn again 200 times with a fixed seed, give the quantile of the
    scores (n,), and the rows of all others are counted; then the same with the rows divided,
    whatever their system.
    """
    _, groups = np.unique(np.asarray(systems), return_inverse=True)
    if not groups.any():
        return None
    rows = np.arange(len(groups))
    grouped, random = (_coverage(scores, own, level) for own in (groups, rows))
    return IntervalCoverage(level=level, grouped=grouped, random=random)


def _coverage(scores: np.ndarray, groups: np.ndarray, level: float) -> float:
    generator, count = np.random.default_rng(0), int(groups.max()) + 1
    held = told = 0
    for _ in range(DIVISIONS):
        gives = (generator.permutation(count) < count // 2)[groups]
        quantile = conformal_quantile(scores[gives], level)
        held += int((scores[~gives] <= quantile).sum())
        told += int((~gives).sum())
    return held / told


def interval_ends(
    metadata: BundleMetadata, values: np.ndarray, difficulty: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Both ends (n,) of the intervals of predictions (n,); NaN for a class.

    They end at the physical bounds. Where there is no `difficulty`, in an older bundle, all have
    one width, and nothing ends them.
    """
    if metadata.interval_quantile is None or difficulty is None:
        width = metadata.interval_half_width
        half = np.full(len(values), np.nan if width is None else width)
        return values - half, values + half
    half = metadata.interval_quantile * difficulty
    lower = -np.inf if metadata.lower is None else metadata.lower
    upper = np.inf if metadata.upper is None else metadata.upper
    return np.clip(values - half, lower, upper), np.clip(values + half, lower, upper)
