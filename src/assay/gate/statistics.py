"""The gate's arithmetic, as pure functions of arrays.

Definitions and sources are in docs/explanation/gate.md.

An estimate from which nothing follows (one group, no spread, an overflow) bounds nothing: its
upper bound is infinite and its lower one minus infinity, so no decision can rest on it.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

ROUNDING = 1e-12

Array = np.ndarray


@dataclass(frozen=True)
class Grouping:
    """Which group each of n rows belongs to: `codes` (n,) from 0 to `count` - 1."""

    codes: Array
    count: int

    @classmethod
    def of(cls, labels: Sequence[Hashable] | Array) -> "Grouping":
        """Number the distinct labels of n rows."""
        names, codes = np.unique(np.asarray(labels), return_inverse=True)
        return cls(codes, len(names))

    @cached_property
    def sizes(self) -> Array:
        """Rows in each group, (count,)."""
        return np.bincount(self.codes, minlength=self.count)

    @cached_property
    def effective(self) -> float:
        """Kish's effective number of groups, n^2 / sum of squared group sizes (0 without rows)."""
        squares = float((self.sizes.astype(float) ** 2).sum())
        return float(len(self.codes)) ** 2 / squares if squares else 0.0

    def take(self, rows: Array) -> "Grouping":
        """The grouping of some of the rows, named by a mask (n,) or by indices."""
        return Grouping.of(self.codes[rows])


@dataclass(frozen=True)
class Estimate:
    """A mean over rows with a standard error that allows for groups of dependent rows."""

    mean: float
    error: float
    groups: float

    @property
    def usable(self) -> bool:
        """Whether there is a spread to judge the mean by."""
        return math.isfinite(self.mean) and math.isfinite(self.error) and self.error > 0

    def upper(self, level: float) -> float:
        """One-sided upper confidence bound at `level`."""
        if not self.usable:
            return math.inf
        return self.mean + self._quantile(level) * self.error

    def lower(self, level: float) -> float:
        """One-sided lower confidence bound at `level`."""
        return self.mean - self._quantile(level) * self.error if self.usable else -math.inf

    def widened(self, factor: float) -> "Estimate":
        """The same mean with `factor` times the standard error."""
        return replace(self, error=factor * self.error)

    def above_zero(self) -> float:
        """p-value of the mean against the hypothesis that it is zero or less."""
        from scipy.special import stdtr

        return float(stdtr(self._freedom, -self.mean / self.error)) if self.usable else 1.0

    @property
    def _freedom(self) -> float:
        return max(self.groups - 1, 1)

    def _quantile(self, level: float) -> float:
        from scipy.special import stdtrit

        return -float(stdtrit(self._freedom, level))


def estimate(values: Array, grouping: Grouping) -> Estimate:
    """Mean of `values` (n,) and its cluster-robust standard error (CR1, ratio form)."""
    count, rows = grouping.count, len(values)
    if count < 2:  # noqa: PLR2004 (a spread needs two)
        return Estimate(float(values.mean()) if rows else math.nan, math.inf, float(count))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
        scores = np.bincount(grouping.codes, values, count) - mean * grouping.sizes
        # rounding leaves a little where all rows are alike
        scores[np.abs(scores) <= ROUNDING * grouping.sizes * abs(mean)] = 0
        spread = count / (count - 1) * float((scores**2).sum())
    error = math.sqrt(spread) / rows if math.isfinite(spread) else math.inf
    return Estimate(mean, error, grouping.effective)


def rare_upper(values: Array, grouping: Grouping, level: float, unseen: float) -> float:
    """Upper confidence bound of the mean of values (n,) >= 0 of which few may be above 0.

    Groups are weighted Poisson events (Fay and Feuer, Stat. Med. 16, 791 (1997)), so the bound
    holds for few events, where a normal one fails, and nears the normal one for many. The spread
    is at least that of the largest value in groups of typical size (n / Geff rows as a random row
    sees it), for the large groups among few events may be missing.

    Args:
        values: what each row costs.
        grouping: rows of one group come together or not at all.
        level: one-sided level.
        unseen: the value taken for a row that is not in the sample, if none in it is larger.

    Returns:
        The bound; 0 if nothing is or could be above 0, infinity if values over- or underflow.
    """
    from scipy.special import gammainccinv

    weights = np.bincount(grouping.codes, values, grouping.count) / len(values)
    typical = float(values.max()) / grouping.effective
    largest = max(float(weights.max()), typical, unseen / grouping.effective)
    total = float(weights.sum())
    spread = max(float((weights**2).sum()), total * typical) + largest * largest
    total += largest
    if total == 0:
        return 0.0
    if not (math.isfinite(spread) and spread > 0):
        return math.inf
    return spread / total * float(gammainccinv(total * total / spread, level))


def carriers(values: Array, grouping: Grouping) -> float:
    """Kish's effective number of groups where a row counts by its value: (sum T)^2 / sum T^2.

    T is the sum of values (n,) >= 0 in a group. Equal values give `Grouping.effective`; where few
    groups hold most of the sum, hardly more than those few. 0 where nothing is above 0 or the sums
    overflow.
    """
    sums = np.bincount(grouping.codes, values, grouping.count)
    largest = float(sums.max(initial=0.0))
    if not 0 < largest < math.inf:
        return 0.0
    shares = sums / largest  # so that squares cannot overflow
    return float(shares.sum()) ** 2 / float((shares**2).sum())


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects at family-wise error `alpha`.

    Source: Holm, Scand. J. Statist. 6, 65 (1979).
    """
    rejected = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def level(alpha: float, budget: int, use: int, disagreements: int) -> float:
    """Level of the `use`-th sealed use (from 1) after `disagreements` non-confirmations.

    alpha 2^-(j+1) / (K C(k-1, j)): summed over all histories at most alpha, so the chance of any
    false sealed PASS in the set's life is at most alpha whatever the developer does.
    """
    ways = math.comb(use - 1, disagreements)
    return alpha * 2.0 ** -(disagreements + 1) / (budget * ways)
