"""What large, rare changes of predictions may cost, found without labels.

A labelled sample can miss them altogether, and then looks more certain than it is. Three guards,
all from the unlabelled pool, which is large:

- the tail charge, where a single row can outweigh all others (MAE, RMSE): rows that change by more
  than a threshold count as D = 0, and the most that such rows can cost is charged instead;
- the excess: what all other rows change on the pool beyond twice what they change on the sealed
  inputs is charged in full, for the sealed labels say nothing about it;
- the carriers: a mean difference rests on those chemical systems alone whose predictions change, so
  nothing follows from fewer than a few dozens, and Student's t gets no more degrees of freedom than
  there are of them, among the sealed rows and, as the pool tells, among any rows as many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.gate.metrics import Metric
from assay.gate.statistics import Estimate, Grouping, carriers, estimate, rare_upper

# A sample that should hold 30 systems of a kind holds none with a chance of e^-30, and with fewer
# a standard error by groups is not to be trusted.
MINIMUM_CARRIERS = 30
# The pool is another population than the labelled rows: on the shipped example honest models change
# it 1.2 to 1.9 times as much.
USUAL_RATIO = 2.0


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
        charge: what is added to the bound for such rows, and for the excess of the others.
        carriers: how many chemical systems carry the changes up to the threshold in a sample as
            large as the sealed set, by the pool.
    """

    level: float
    threshold: float = math.inf
    charge: float = 0.0
    carriers: float = math.inf

    def bound(self, differences: np.ndarray, changes: Changes) -> float:
        """Upper confidence bound of the mean difference of losses; infinite with few carriers.

        Args:
            differences: D of each row, (n,).
            changes: how far the two predictions of each row are apart.
        """
        if self.carrying(changes) < MINIMUM_CARRIERS:
            return math.inf
        return self.estimate(differences, changes).upper(self.level) + self.charge

    def estimate(self, differences: np.ndarray, changes: Changes) -> Estimate:
        """The mean difference of losses, its standard error, and the groups that it rests on."""
        found = estimate(self._kept(differences, changes), changes.groups)
        return replace(found, groups=self.carrying(changes))

    def headroom(
        self, differences: np.ndarray, public: Changes, sealed: Changes, slack: float
    ) -> float:
        """The bound to expect from sealed rows, judged by public rows, with some slack.

        The sealed rows are as uncertain as the public ones times their effective numbers, and the
        two means differ by chance: `slack` counts standard errors of which, for equal numbers, root
        two are those of the difference.
        """
        known = estimate(self._kept(differences, public), public.groups)
        carrying = self.carrying(sealed)
        if not known.usable or carrying < MINIMUM_CARRIERS:
            return math.inf
        ratio = public.groups.effective / max(sealed.groups.effective, 1)
        error = known.error * math.sqrt(ratio)
        expected = Estimate(known.mean, error, carrying)
        chance = math.hypot(known.error, error) / math.sqrt(2)
        return expected.upper(self.level) + slack * chance + self.charge

    def carrying(self, changes: Changes) -> float:
        """On how many chemical systems a bound from these rows rests, the pool considered."""
        here = carriers(within(changes.values, self.threshold), changes.groups)
        return min(changes.groups.effective, here, self.carriers)

    def _kept(self, differences: np.ndarray, changes: Changes) -> np.ndarray:
        return np.where(changes.values > self.threshold, 0.0, differences)


@dataclass(frozen=True)
class Scale:
    """What counts as large.

    Attributes:
        reference_loss: the reference's public mean loss.
        multiple: the threshold of a blow-up in multiples of the reference's public error.
    """

    reference_loss: float
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
    usual = [within(part.values, threshold) for part in (pool, sealed)]
    size = _excess(metric, *usual)
    if not metric.bounded:
        unseen = unseen_size(metric, loss)
        tails = [np.where(p.values > threshold, metric.size(p.values), 0.0) for p in (pool, sealed)]
        size += _largest((rare_upper(tails[0], pool.groups, half, unseen), _mean(tails[1])))
    share = len(sealed.values) / max(len(pool.values), 1)
    shown = carriers(usual[0], pool.groups)
    return Guard(half, threshold, metric.growth(size, loss), shown * share)


def _excess(metric: Metric, pool: np.ndarray, sealed: np.ndarray) -> float:
    """What the pool's changes are larger by than is usual beside the sealed inputs' changes."""
    usual = _mean(metric.size(USUAL_RATIO * sealed))
    return _largest((_mean(metric.size(pool)) - usual, 0.0))


def within(values: np.ndarray, most: float) -> np.ndarray:
    """The changes (n,) that are not blow-ups; 0 for those that are."""
    return np.where(values > most, 0.0, values)


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
