"""Synthetic materials with a reference of known error: whole chemical systems, sampled with return.

Everything is relative to the reference: a row's target is the reference's error there and the
reference predicts 0, since the gate sees differences only. Errors are in units of the reference's
MAE. A population is finite, so true figures are sums over it, not estimates.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from assay.gate.statistics import Grouping

Array = np.ndarray

ROWS = 400_000
WITHIN = 0.3
LARGEST_SYSTEM = 30
SKEW = 1.6
FAMILIES = ("iid t3", "iid lognormal", "clustered t3", "clustered lognormal")


@dataclass(frozen=True)
class Rows:
    """A sample: the reference's errors (n,) and the chemical systems of the rows."""

    errors: Array
    grouping: Grouping


@dataclass(frozen=True, eq=False)
class Population:
    """All rows there are: `errors` of the reference, system by system, and the systems' sizes."""

    errors: Array
    sizes: Array

    @property
    def clustered(self) -> bool:
        """Whether any system has more than one row."""
        return bool(self.sizes.max() > 1)

    @cached_property
    def rows_of_systems(self) -> Array:
        """How many rows the system of each row has, (rows,)."""
        return np.repeat(self.sizes, self.sizes)

    def of_systems(self, least: int) -> "Population":
        """The systems with at least so many rows."""
        chosen = self.rows_of_systems >= least
        return Population(self.errors[chosen], self.sizes[self.sizes >= least])

    @cached_property
    def _starts(self) -> Array:
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]])

    @cached_property
    def _sorted(self) -> tuple[Array, Array]:
        values = np.sort(self.errors)
        return values, np.concatenate([[0.0], np.cumsum(values)])

    def draw(self, rng: np.random.Generator, rows: int) -> Rows:
        """So many rows in randomly chosen systems; the last system may be cut."""
        if not self.clustered:
            chosen = rng.integers(len(self.errors), size=rows)
            return Rows(self.errors[chosen], Grouping(np.arange(rows), rows))
        systems = rng.integers(len(self.sizes), size=rows)
        count = int(np.searchsorted(np.cumsum(self.sizes[systems]), rows)) + 1
        sizes = self.sizes[systems[:count]]
        ends = np.cumsum(sizes)
        first = np.repeat(self._starts[systems[:count]] - (ends - sizes), sizes)[:rows]
        codes = np.repeat(np.arange(count), sizes)[:rows]
        return Rows(self.errors[first + np.arange(rows)], Grouping(codes, count))

    def mean_distance(self, shifts: Array) -> Array:
        """E|e - shift| over the population, exactly, for each of `shifts` (k,)."""
        values, sums = self._sorted
        below = np.searchsorted(values, shifts)
        total, rows = sums[-1], len(values)
        return (total - 2 * sums[below] + shifts * (2 * below - rows)) / rows

    def mean_loss(self, scale: float, shifts: Array) -> float:
        """E|scale e - q| for a positive scale and q drawn from the equally likely `shifts`."""
        return float(scale * self.mean_distance(np.asarray(shifts) / scale).mean())


@lru_cache(maxsize=8)
def population(family: str) -> Population:
    """The population of one of `FAMILIES`; the same in every run and process."""
    seed = FAMILIES.index(family)
    rng = np.random.default_rng(seed)
    clustered = family.startswith("clustered")
    sizes = _system_sizes(rng) if clustered else np.ones(ROWS, dtype=np.int64)
    own = drawn_errors(rng, family, int(sizes.sum()))
    if clustered:
        shared = np.repeat(drawn_errors(rng, family, len(sizes)), sizes)
        own = np.sqrt(WITHIN) * shared + np.sqrt(1 - WITHIN) * own
    return Population(own / np.abs(own).mean(), sizes)


def _system_sizes(rng: np.random.Generator) -> Array:
    # most systems have one or two rows, a few have many: mean 3.9, mean of a row's system 11
    sizes = np.arange(1, LARGEST_SYSTEM + 1)
    weights = sizes**-SKEW
    count = int(ROWS / (sizes @ weights / weights.sum()))
    return rng.choice(sizes, size=count, p=weights / weights.sum())


def drawn_errors(rng: np.random.Generator, family: str, count: int) -> Array:
    """Errors (count,) of a heavy-tailed kind, `t3` or `lognormal` by the end of its name."""
    if family.endswith("t3"):
        return rng.standard_t(3, size=count)
    return rng.choice([-1.0, 1.0], size=count) * rng.lognormal(size=count)


def regrouped(family: str, grouping: Grouping, rng: np.random.Generator) -> Rows:
    """Errors of a clustered family on chemical systems that are given."""
    scale = _scale(family)
    own = drawn_errors(rng, family, len(grouping.codes))
    shared = drawn_errors(rng, family, grouping.count)[grouping.codes]
    return Rows((np.sqrt(WITHIN) * shared + np.sqrt(1 - WITHIN) * own) / scale, grouping)


@lru_cache(maxsize=4)
def _scale(family: str) -> float:
    rng = np.random.default_rng(FAMILIES.index(family))
    mixed = np.sqrt(WITHIN) * drawn_errors(rng, family, ROWS) + np.sqrt(1 - WITHIN) * drawn_errors(
        rng, family, ROWS
    )
    return float(np.abs(mixed).mean())
