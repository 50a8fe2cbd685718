"""Candidate against reference, with everything about them that is public."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.gate.guards import Changes, Guard, Scale, guard_for, largest_size
from assay.gate.metrics import Metric
from assay.gate.statistics import Estimate, Grouping, estimate
from assay.records import Claim

# low enough that hundreds of pull requests together hardly ever pass a worse model as unchanged
FIRST_STAGE_LEVEL = 1e-4


@dataclass(frozen=True)
class Predictions:
    """One model's predictions: out of fold on the train rows, and on sealed inputs and pool."""

    train: np.ndarray
    sealed: np.ndarray
    pool: np.ndarray


@dataclass(frozen=True)
class Groups:
    """The groups of the train rows, of the sealed rows and of the pool."""

    train: Grouping
    sealed: Grouping
    pool: Grouping

    @property
    def unlabelled(self) -> float:
        """The smaller effective number of groups of sealed rows and pool."""
        return min(self.sealed.effective, self.pool.effective)


@dataclass(frozen=True)
class Slice:
    """Some of the rows, by masks over train rows, sealed rows and pool."""

    name: str
    train: np.ndarray
    sealed: np.ndarray
    pool: np.ndarray


@dataclass(frozen=True)
class Requirement:
    """One thing that a candidate must hold: a metric, over all rows or over a slice of them.

    `margin` is in the metric's own unit. A claimed improvement is about the `primary` one; on all
    others it may lose no more than the margin. An `advisory` one is shown and decides nothing.
    """

    metric: Metric
    margin: float
    primary: bool = False
    slice: Slice | None = None
    advisory: bool = False

    @property
    def name(self) -> str:
        """What people read: `MAE`, or `MAE on oxides`."""
        return self.metric.name + (f" on {self.slice.name}" if self.slice else "")


@dataclass(frozen=True)
class Part:
    """The rows that one requirement is about.

    `paired` is whether both models' out-of-fold predictions are from the same folds.
    """

    requirement: Requirement
    candidate: Predictions
    reference: Predictions
    groups: Groups
    target: np.ndarray
    claim: Claim
    paired: bool = True

    @property
    def metric(self) -> Metric:
        """The requirement's metric."""
        return self.requirement.metric

    @cached_property
    def reference_loss(self) -> float:
        """Mean out-of-fold loss of the reference on the train rows (NaN without rows)."""
        return _mean(self.metric.loss(self.target, self.reference.train))

    @cached_property
    def candidate_loss(self) -> float:
        """Mean out-of-fold loss of the candidate on the train rows (NaN without rows)."""
        return _mean(self.metric.loss(self.target, self.candidate.train))

    @property
    def bar(self) -> float:
        """The largest growth of the mean loss that the claim allows.

        Where the reference's loss overflows it is not a number, so that nothing is below it.
        """
        if self.requirement.primary and self.claim == "improvement":
            return 0.0
        allowed = self.metric.allowance(self.requirement.margin, self.reference_loss)
        return allowed if math.isfinite(allowed) else math.nan

    @cached_property
    def public(self) -> Estimate:
        """The difference of losses out of fold on the train rows."""
        return estimate(self.public_differences, self.groups.train)

    @cached_property
    def public_differences(self) -> np.ndarray:
        """D of each train row."""
        return self._differences(self.target, self.candidate.train, self.reference.train)

    def sealed_differences(self, labels: np.ndarray) -> np.ndarray:
        """D of each sealed row of this part, given all sealed labels (n,)."""
        chosen = self.requirement.slice
        own = labels if chosen is None else labels[chosen.sealed]
        return self._differences(own, self.candidate.sealed, self.reference.sealed)

    def _differences(
        self, target: np.ndarray, candidate: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        return self.metric.loss(target, candidate) - self.metric.loss(target, reference)

    def largest_growth(self) -> float:
        """Upper bound, without labels, of how much the mean loss may have grown.

        The largest of the pool's, the sealed inputs' and the train rows', so that agreeing with the
        reference in one of these places buys nothing. Predictions from other folds are those of
        other models, so the train rows are left out where the two are not paired.
        """
        size = largest_size(
            self.metric,
            self.on_pool,
            [self.on_sealed, self.on_train] if self.paired else [self.on_sealed],
            self.reference_loss,
            FIRST_STAGE_LEVEL,
        )
        return self.metric.growth(size, self.reference_loss)

    def guard(self, multiple: float, level: float) -> Guard:
        """The guard against rare large changes for a sealed test at this level."""
        scale = Scale(self.reference_loss, multiple)
        return guard_for(self.metric, self.on_pool, self.on_sealed, scale, level)

    @cached_property
    def on_pool(self) -> Changes:
        """How far the two models' predictions are apart on the pool; no label enters."""
        return self._changes(self.candidate.pool, self.reference.pool, self.groups.pool)

    @cached_property
    def on_sealed(self) -> Changes:
        """The same on the sealed inputs."""
        return self._changes(self.candidate.sealed, self.reference.sealed, self.groups.sealed)

    @cached_property
    def on_train(self) -> Changes:
        """The same out of fold on the train rows."""
        return self._changes(self.candidate.train, self.reference.train, self.groups.train)

    def _changes(self, candidate: np.ndarray, reference: np.ndarray, grouping: Grouping) -> Changes:
        return Changes(self.metric.change(candidate, reference), grouping)

    @property
    def effective_groups(self) -> float:
        """The smallest effective number of groups among train rows, sealed rows and pool."""
        return min(self.groups.train.effective, self.groups.unlabelled)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


@dataclass(frozen=True)
class Comparison:
    """Candidate against reference on all rows, and what is required of the candidate.

    `requirements` holds one that is primary and not about a slice, first. `paired` is whether the
    out-of-fold predictions of both models are from the same folds.
    """

    candidate: Predictions
    reference: Predictions
    groups: Groups
    target: np.ndarray
    requirements: Sequence[Requirement]
    claim: Claim
    paired: bool = True

    @cached_property
    def parts(self) -> list[Part]:
        """Every requirement with its rows, in the order given."""
        return [self._part(requirement) for requirement in self.requirements]

    @property
    def primary(self) -> Part:
        """What a claimed improvement is about."""
        return self.parts[0]

    def _part(self, requirement: Requirement) -> Part:
        rows = requirement.slice
        if rows is None:
            models, groups, target = (self.candidate, self.reference), self.groups, self.target
        else:
            models = (_chosen(self.candidate, rows), _chosen(self.reference, rows))
            groups = Groups(
                self.groups.train.take(rows.train),
                self.groups.sealed.take(rows.sealed),
                self.groups.pool.take(rows.pool),
            )
            target = self.target[rows.train]
        return Part(requirement, *models, groups, target, self.claim, self.paired)


def _chosen(values: Predictions, rows: Slice) -> Predictions:
    return Predictions(values.train[rows.train], values.sealed[rows.sealed], values.pool[rows.pool])
