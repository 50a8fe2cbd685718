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
    """

    size: float
    shrink: float = 0.0
    jump: float = 0.0
    share: float = 0.0
    by_system: bool = False

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
            made += self.jump * (hit[rows.grouping.codes] if self.by_system else hit)
        return made

    def noise(self, rng: np.random.Generator, rows: Rows) -> Array:
        """The normal part; rows of one chemical system change alike to a part."""
        own = rng.standard_normal(len(rows.errors))
        if rows.grouping.count == len(own):
            return self.spread * own
        shared = rng.standard_normal(rows.grouping.count)[rows.grouping.codes]
        return self.spread * (np.sqrt(WITHIN) * shared + np.sqrt(1 - WITHIN) * own)

    def true_growth(self, people: Population) -> float:
        """The MAE that the candidate has more than the reference, over the whole population."""
        scale, plain = 1 - self.shrink, self.spread * QUANTILES
        usual = people.mean_loss(scale, plain)
        blown = people.mean_loss(scale, plain + self.jump) if self.share else 0.0
        own = (1 - self.share) * usual + self.share * blown
        return own - float(people.mean_distance(np.zeros(1))[0])


@lru_cache(maxsize=512)
def solved(family: str, change: Change, growth: float) -> Change:
    """The change whose true effect is `growth`: `shrink` is fitted.

    Raises:
        ValueError: no shrinking reaches it.
    """
    people = population(family)

    def excess(shrink: float) -> float:
        return replace(change, shrink=shrink).true_growth(people) - growth

    return replace(change, shrink=float(brentq(excess, -2.0, 0.9, xtol=1e-9)))
