"""What large, rare changes of predictions may cost, found without labels.

A labelled sample can miss them altogether, and then looks more certain than it is. Two guards,
both from the unlabelled pool, which is large:

- the tail charge, where a single row can outweigh all others (MAE, RMSE): rows that change by more
  than a threshold count as D = 0, and the most that such rows can cost is charged instead;
- the unseen error, for changes so large that few groups of them would cost the whole margin: what
  the pool shows of their second moment and the sealed inputs do not is added to the variance, since
  Var(D) <= E[D^2] <= E[reach^2].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.metrics import Metric
from assay.statistics import Estimate, Grouping, cohesion, estimate, rare_upper

# Effective groups from which on a sample may be trusted to show what there is: with as many
# expected, and all of them worse, a bound at 6e-5 fails in about one case of a thousand.
VISIBLE_GROUPS = 40


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
        second_moment: upper estimate of E[reach^2] over all other rows that change much, less what
            the sealed inputs show of it.
        cohesion: how much such changes come in whole groups, from 0 to 1.
    """

    level: float
    threshold: float = math.inf
    charge: float = 0.0
    second_moment: float = 0.0
    cohesion: float = 1.0

    def bound(self, differences: np.ndarray, changes: np.ndarray, grouping: Grouping) -> float:
        """Upper confidence bound of the mean difference of losses.

        Args:
            differences: D of each row, (n,).
            changes: how far the two predictions of each row are apart, (n,).
            grouping: the groups of the n rows.
        """
        found = self.estimate(differences, changes, grouping)
        return found.upper(self.level) + self.charge

    def estimate(
        self, differences: np.ndarray, changes: np.ndarray, grouping: Grouping
    ) -> Estimate:
        """The mean difference of losses and the standard error that its bound rests on."""
        return self._kept(differences, changes, grouping).widened(self.unseen_error(grouping))

    def headroom(
        self,
        differences: np.ndarray,
        changes: np.ndarray,
        public: Grouping,
        sealed: Grouping,
        slack: float,
    ) -> float:
        """The bound to expect from sealed rows, judged by public rows, with some slack.

        The sealed rows are as uncertain as the public ones times their effective numbers, and the
        two means differ by chance: `slack` counts standard errors of which, for equal numbers, root
        two are those of the difference.
        """
        known = self._kept(differences, changes, public)
        if not known.usable:
            return math.inf
        ratio = public.effective / max(sealed.effective, 1)
        error = math.hypot(known.error * math.sqrt(ratio), self.unseen_error(sealed))
        expected = Estimate(known.mean, error, sealed.effective)
        chance = math.hypot(known.error, error) / math.sqrt(2)
        return expected.upper(self.level) + slack * chance + self.charge

    def _kept(self, differences: np.ndarray, changes: np.ndarray, grouping: Grouping) -> Estimate:
        return estimate(np.where(changes > self.threshold, 0.0, differences), grouping)

    def unseen_error(self, grouping: Grouping) -> float:
        """The standard error of the mean that large changes may cause unseen by these rows."""
        rows = len(grouping.codes)
        if not rows:
            return 0.0
        effect = 1 + self.cohesion * (rows / grouping.effective - 1)
        return math.sqrt(self.second_moment * effect / rows)


@dataclass(frozen=True)
class Scale:
    """What counts as large.

    Attributes:
        reference_loss: the reference's public mean loss.
        margin: of the requirement, in the metric's own unit.
        multiple: the threshold of a blow-up in multiples of the reference's public error.
    """

    reference_loss: float
    margin: float
    multiple: float


def guard_for(metric: Metric, pool: Changes, sealed: Changes, scale: Scale, level: float) -> Guard:
    """The guard that follows from the changes on unlabelled rows.

    Whatever is taken out of the sealed rows is paid for in full, also where the pool shows less.

    Args:
        metric: whose loss is bounded.
        pool: changes over the pool, from which the population's are estimated.
        sealed: changes over the sealed inputs.
        scale: what is large.
        level: one-sided level of the sealed test, shared by the charge and the bound.
    """
    half, loss = level / 2, scale.reference_loss
    threshold = math.inf if metric.bounded else scale.multiple * metric.shown(loss)
    charge = 0.0
    if not metric.bounded:
        unseen = unseen_size(metric, loss)
        tails = [np.where(p.values > threshold, metric.size(p.values), 0.0) for p in (pool, sealed)]
        sizes = (rare_upper(tails[0], pool.groups, half, unseen), _mean(tails[1]))
        charge = metric.growth(_largest(sizes), loss)
    # a change is rare where fewer groups than this, all of them worse, cost the margin
    common = scale.margin * sealed.groups.effective / VISIBLE_GROUPS
    reach = [
        metric.reach(_within(part.values, common, threshold), loss) ** 2 for part in (pool, sealed)
    ]
    most = float(reach[0].max(initial=0.0))
    moment = rare_upper(reach[0], pool.groups, half, most) - _mean(reach[1])
    return Guard(half, threshold, charge, _largest((moment, 0.0)), cohesion(reach[0], pool.groups))


def _within(values: np.ndarray, above: float, most: float) -> np.ndarray:
    return np.where((values > above) & (values <= most), values, 0.0)


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
