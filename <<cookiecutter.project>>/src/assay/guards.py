"""What large, rare changes of predictions may cost, found without labels.

A labelled sample can miss them altogether, and then looks more certain than it is. Two guards,
both from the unlabelled pool, which is large:

- the tail charge, where a single row can outweigh all others (MAE, RMSE): rows that change by more
  than a threshold count as D = 0, and the most that such rows can cost is charged instead;
- the floor: the standard error is never taken to be smaller than the changes allow, since
  Var(D) <= E[D^2] <= E[reach^2].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.metrics import Metric
from assay.statistics import Estimate, Grouping, cohesion, estimate, rare_upper


@dataclass(frozen=True)
class Changes:
    """How far candidate and reference are apart on unlabelled rows (n,), and their groups."""

    values: np.ndarray
    groups: Grouping


@dataclass(frozen=True)
class Guard:
    """The public constants of one sealed test: nothing in it depends on a sealed label.

    Attributes:
        level: of the bound; the charge holds at the same one, so the two err at twice it at most.
        threshold: the change beyond which a row counts as a blow-up (infinite: never).
        charge: what is added to the bound for such rows.
        second_moment: upper estimate of E[reach^2] over all other rows.
        cohesion: how much such changes come in whole groups, from 0 to 1.
    """

    level: float
    threshold: float = math.inf
    charge: float = 0.0
    second_moment: float = 0.0
    cohesion: float = 1.0

    def bound(
        self, differences: np.ndarray, changes: np.ndarray, grouping: Grouping, slack: float = 0.0
    ) -> float:
        """Upper confidence bound of the mean difference of losses.

        Args:
            differences: D of each row, (n,).
            changes: how far the two predictions of each row are apart, (n,).
            grouping: the groups of the n rows.
            slack: further standard errors to add.
        """
        found = self.estimate(differences, changes, grouping)
        return found.upper(self.level, slack) + self.charge

    def estimate(
        self, differences: np.ndarray, changes: np.ndarray, grouping: Grouping
    ) -> Estimate:
        """The mean difference of losses and the standard error that its bound rests on."""
        kept = np.where(changes > self.threshold, 0.0, differences)
        return estimate(kept, grouping).at_least(self.floor(grouping))

    def floor(self, grouping: Grouping) -> float:
        """The smallest standard error of the mean that the changes allow."""
        rows = len(grouping.codes)
        if not rows:
            return 0.0
        effect = 1 + self.cohesion * (rows / grouping.effective - 1)
        return math.sqrt(self.second_moment * effect / rows)


def guard_for(  # noqa: PLR0913 (six public constants)
    metric: Metric,
    pool: Changes,
    sealed: Changes,
    reference_loss: float,
    multiple: float,
    level: float,
) -> Guard:
    """The guard that follows from the changes on unlabelled rows.

    Whatever is taken out of the sealed rows is paid for in full, also where the pool shows less.

    Args:
        metric: whose loss is bounded.
        pool: changes over the pool, from which the population's are estimated.
        sealed: changes over the sealed inputs.
        reference_loss: the reference's public mean loss.
        multiple: the threshold in multiples of the reference's public error.
        level: one-sided level of the sealed test, shared by the charge and the bound.
    """
    half = level / 2
    threshold = math.inf if metric.bounded else multiple * metric.shown(reference_loss)
    reach = [_kept_reach(metric, part, threshold, reference_loss) for part in (pool, sealed)]
    most = float(reach[0].max(initial=0.0))
    moments = (rare_upper(reach[0] ** 2, pool.groups, half, most * most), _mean(reach[1] ** 2))
    charge = 0.0
    if not metric.bounded:
        unseen = unseen_size(metric, reference_loss)
        tails = [np.where(p.values > threshold, metric.size(p.values), 0.0) for p in (pool, sealed)]
        sizes = (rare_upper(tails[0], pool.groups, half, unseen), _mean(tails[1]))
        charge = metric.growth(_largest(sizes), reference_loss)
    return Guard(half, threshold, charge, _largest(moments), cohesion(reach[0], pool.groups))


def _kept_reach(
    metric: Metric, part: Changes, threshold: float, reference_loss: float
) -> np.ndarray:
    kept = np.where(part.values > threshold, 0.0, part.values)
    return metric.reach(kept, reference_loss)


def _largest(values: Sequence[float]) -> float:
    # unlike max, whatever the order, what is not a number stays, and bounds nothing
    return float(np.max(values))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def unseen_size(metric: Metric, reference_loss: float) -> float:
    """What a row may cost that no row of the pool is like: as much as the reference's own error.

    Larger rare errors of which the pool shows none at all cannot be bounded by anybody.
    """
    return float(metric.size(np.array(metric.shown(reference_loss))))


def largest_size(
    metric: Metric, pool: Changes, others: Sequence[Changes], reference_loss: float, level: float
) -> float:
    """Upper bound of the mean of `metric.size`: the largest of the pool's and the other rows'."""
    unseen = unseen_size(metric, reference_loss)
    on_pool = rare_upper(metric.size(pool.values), pool.groups, level, unseen)
    bounds = [_upper(metric.size(part.values), part.groups, level) for part in others]
    return _largest([on_pool, *bounds])


def _upper(values: np.ndarray, grouping: Grouping, level: float) -> float:
    return estimate(values, grouping).upper(level) if values.any() else 0.0
