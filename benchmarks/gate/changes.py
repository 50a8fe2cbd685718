"""What a pull request does to the predictions, with a true effect that is set beforehand."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from benchmarks.gate.populations import WITHIN, Array, Population, Rows, population
from scipy.optimize import brentq
from scipy.special import ndtri

QUANTILES = ndtri((np.arange(400) + 0.5) / 400)
MEAN_ABSOLUTE = float(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Change:
    """A candidate relative to the reference.

    Attributes:
        size: mean absolute value of a normal change of every row, in MAE.
        shrink: share of the reference's error that is taken away (negative: added).
        jump: change of the rows that blow up, in MAE.
        share: share of rows, or of chemical systems, that blow up.
        by_system: whether whole systems blow up.
        least: the number of rows from which on a system may blow up.
    """

    size: float
    shrink: float = 0.0
    jump: float = 0.0
    share: float = 0.0
    by_system: bool = False
    least: int = 1

    @property
    def spread(self) -> float:
        """Standard deviation of the normal part."""
        return self.size / MEAN_ABSOLUTE

    def apply(self, rng: np.random.Generator, rows: Rows) -> Array:
        """The candidate's predictions (n,) on these rows, where the reference predicts 0."""
        made = self.shrink * rows.errors + self.noise(rng, rows)
        if self.share:
            count = rows.grouping.count if self.by_system else len(rows.errors)
            hit = rng.random(count) < self.share
            if self.by_system:
                hit = (hit & (rows.grouping.sizes >= self.least))[rows.grouping.codes]
            made += self.jump * hit
        return made

    def noise(self, rng: np.random.Generator, rows: Rows) -> Array:
        """The normal part; rows of one chemical system change alike to a part."""
        # half of a run's time is spent here, and single precision takes half as long
        own = rng.standard_normal(len(rows.errors), dtype=np.float32)
        if rows.grouping.count == len(own):
            return (self.spread * own).astype(float)
        shared = rng.standard_normal(rows.grouping.count, dtype=np.float32)[rows.grouping.codes]
        own *= np.float32(self.spread * np.sqrt(1 - WITHIN))
        own += np.float32(self.spread * np.sqrt(WITHIN)) * shared
        return own.astype(float)

    def true_growth(self, people: Population) -> float:
        """The MAE that the candidate has more than the reference, over the whole population."""
        scale, plain = 1 - self.shrink, self.spread * QUANTILES
        own = people.mean_loss(scale, plain)
        if self.share:
            hit = _of_systems(people, self.least)
            grown = hit.mean_loss(scale, plain + self.jump) - hit.mean_loss(scale, plain)
            own += self.share * len(hit.errors) / len(people.errors) * grown
        return own - float(people.mean_distance(np.zeros(1))[0])


@lru_cache(maxsize=8)
def _of_systems(people: Population, least: int) -> Population:
    return people if least == 1 else people.of_systems(least)


@lru_cache(maxsize=512)
def solved(family: str, change: Change, growth: float) -> Change:
    """The change whose true effect is `growth`: `shrink` is fitted.

    Raises:
        ValueError: no shrinking reaches it.
    """
    return fitted(population(family), change, growth)


def fitted(people: Population, change: Change, growth: float) -> Change:
    """The same for any population."""

    def excess(shrink: float) -> float:
        return replace(change, shrink=shrink).true_growth(people) - growth

    return replace(change, shrink=float(brentq(excess, -2.0, 0.9, xtol=1e-9)))
