"""What large, rare changes of predictions may cost, found without labels.

A labelled sample can miss them altogether, and then looks more certain than it is. Two guards:

- where a single row can outweigh all others (MAE, RMSE), rows that change by more than a threshold
  count as D = 0, and what such rows can cost at most, estimated on the pool, is charged instead;
- where no row can lose more than 1 (Brier score, error rate), the standard error is never taken
  to be smaller than the changes on the pool allow, since Var(D) <= E[D^2] <= E[d^2].
"""

import math
from dataclasses import dataclass

import numpy as np

from assay.metrics import Metric
from assay.statistics import Grouping, estimate

TAIL_ERRORS = 2.0


@dataclass(frozen=True)
class Guard:
    """The public constants of one sealed test: nothing in it depends on a sealed label.

    Attributes:
        threshold: the change beyond which a row counts as a blow-up (infinite: never).
        charge: what is added to the bound for such rows.
        second_moment: upper estimate of E[d^2]; 0 where `threshold` is finite.
    """

    threshold: float = math.inf
    charge: float = 0.0
    second_moment: float = 0.0

    def bound(
        self,
        differences: np.ndarray,
        changes: np.ndarray,
        grouping: Grouping,
        level: float,
        slack: float = 0.0,
    ) -> float:
        """Upper confidence bound of the mean difference of losses.

        Args:
            differences: D of each row, (n,).
            changes: how far the two predictions of each row are apart, (n,).
            grouping: the groups of the n rows.
            level: one-sided level.
            slack: further standard errors to add.
        """
        kept = np.where(changes > self.threshold, 0.0, differences)
        floor = math.sqrt(self.second_moment / max(grouping.effective, 1))
        return estimate(kept, grouping).at_least(floor).upper(level, slack) + self.charge


def guard_for(
    metric: Metric,
    parts: list[tuple[np.ndarray, Grouping]],
    reference_loss: float,
    multiple: float,
) -> Guard:
    """The guard that follows from the changes on unlabelled rows.

    Args:
        metric: whose loss is bounded.
        parts: changes (n,) and groups of the pool, and of the sealed inputs; the larger estimate
            counts, so that whatever is taken out of the sealed rows is paid for.
        reference_loss: the reference's public mean loss.
        multiple: the threshold in multiples of the reference's public error.
    """
    if metric.bounded:
        return Guard(second_moment=max(_upper(change**2, groups) for change, groups in parts))
    threshold = multiple * metric.shown(reference_loss)
    sizes = [
        _upper(np.where(change > threshold, metric.size(change), 0.0), groups)
        for change, groups in parts
    ]
    return Guard(threshold, metric.growth(max(sizes), reference_loss))


def _upper(values: np.ndarray, grouping: Grouping) -> float:
    """Mean plus two standard errors of values that are not negative; 0 where all are 0."""
    if not values.any():
        return 0.0
    found = estimate(values, grouping)
    return found.mean + TAIL_ERRORS * found.error
