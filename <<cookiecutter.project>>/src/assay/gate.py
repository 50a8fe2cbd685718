"""The three-stage rule: label-free, public, and one sealed bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.records import Claim, Outcome
from assay.settings import Gate
from assay.statistics import (
    FIRST_STAGE_LEVEL,
    Metric,
    estimate,
    guarded,
    level,
    tail,
)

Stage = Literal["unchanged", "public", "sealed", "retired"]


@dataclass(frozen=True)
class Predictions:
    """One model's predictions: out of fold on the train rows, and on sealed inputs and pool."""

    train: np.ndarray
    sealed: np.ndarray
    pool: np.ndarray


@dataclass(frozen=True)
class Groups:
    """The chemical systems of the train rows, of the sealed rows and of the pool."""

    train: Sequence[str]
    sealed: Sequence[str]
    pool: Sequence[str]


@dataclass(frozen=True)
class Comparison:
    """Candidate against reference, with everything about them that is public."""

    candidate: Predictions
    reference: Predictions
    groups: Groups
    target: np.ndarray
    metric: Metric
    claim: Claim

    @property
    def reference_error(self) -> float:
        """Mean out-of-fold loss of the reference on the train rows."""
        return float(self.metric.loss(self.target, self.reference.train).mean())

    @property
    def candidate_error(self) -> float:
        """Mean out-of-fold loss of the candidate on the train rows."""
        return float(self.metric.loss(self.target, self.candidate.train).mean())

    @property
    def change_on_pool(self) -> np.ndarray:
        """How far the two models' losses can differ on each pool row, whatever its label."""
        return self.metric.change(self.candidate.pool, self.reference.pool)

    @property
    def change_on_train(self) -> np.ndarray:
        """The same between the two models' out-of-fold predictions."""
        return self.metric.change(self.candidate.train, self.reference.train)

    @property
    def change_on_sealed(self) -> np.ndarray:
        """The same on the sealed inputs; no label enters."""
        return self.metric.change(self.candidate.sealed, self.reference.sealed)


@dataclass(frozen=True)
class Budget:
    """How often the sealed labels were opened (`uses`) and did not confirm (`disagreements`)."""

    uses: int
    disagreements: int


@dataclass(frozen=True)
class Decision:
    """What the gate says; `level` is that of the sealed use, if there was one."""

    outcome: Outcome
    stage: Stage
    explanation: str
    level: float | None = None


def bar(policy: Gate, claim: Claim) -> float:
    """The largest loss of accuracy that the claim allows, in the metric's unit."""
    return policy.margin if claim == "no-regression" else 0.0


def judge_unchanged(comparison: Comparison, policy: Gate) -> Decision | None:
    """Stage 1: PASS without any label if the predictions cannot differ by more than the margin.

    The bound must hold on the pool, on the sealed inputs and out of fold on the train rows, so that
    agreeing with the reference in one of these places buys nothing. An improvement can never be
    shown this way.
    """
    if comparison.claim == "improvement":
        return None
    parts = (
        (comparison.change_on_pool, comparison.groups.pool),
        (comparison.change_on_sealed, comparison.groups.sealed),
        (comparison.change_on_train, comparison.groups.train),
    )
    bounds = [estimate(change, group).upper(FIRST_STAGE_LEVEL) for change, group in parts]
    # asked this way round, a bound that is not a number does not pass
    if not all(bound <= policy.margin for bound in bounds):
        return None
    return Decision(
        "PASS", "unchanged", "the predictions differ by less than the margin whatever the labels"
    )


def judge_public(comparison: Comparison, policy: Gate, budget: Budget) -> Decision | None:
    """Stage 2: FAIL, or INCONCLUSIVE, on the public out-of-fold errors; None to go on.

    The sealed labels are opened only with headroom, that is when they are expected to agree.
    """
    losses = comparison.metric.loss
    difference = losses(comparison.target, comparison.candidate.train) - losses(
        comparison.target, comparison.reference.train
    )
    public = estimate(difference, comparison.groups.train)
    if public.groups < policy.minimum_groups:
        return Decision(
            "INCONCLUSIVE",
            "public",
            f"{public.groups:.0f} effective groups are fewer than {policy.minimum_groups}",
        )
    if public.lower(policy.alpha_fail) > 0:
        return Decision("FAIL", "public", "the public out-of-fold errors show a worse model")
    return _headroom(comparison, policy, budget, difference)


def _headroom(
    comparison: Comparison, policy: Gate, budget: Budget, difference: np.ndarray
) -> Decision | None:
    next_level = level(policy.alpha, policy.uses, budget.uses + 1, budget.disagreements)
    change = comparison.change_on_train
    threshold = tail_threshold(comparison, policy)
    public = estimate(guarded(difference, change, threshold), comparison.groups.train)
    bound = public.upper(next_level, policy.slack) + tail_charge(comparison, threshold)
    if bound < bar(policy, comparison.claim):
        return None
    return Decision(
        "INCONCLUSIVE",
        "public",
        f"the public {comparison.metric.name} changes by {public.mean:+.2g}, but so few rows make "
        f"sure of {bound:+.2g} only, and the claim needs less than "
        f"{bar(policy, comparison.claim):+.2g}; the sealed labels were not opened",
    )


def tail_threshold(comparison: Comparison, policy: Gate) -> float:
    """The change beyond which a row counts as a blow-up: a multiple of the reference's error."""
    return policy.tail * comparison.reference_error


def tail_charge(comparison: Comparison, threshold: float) -> float:
    """What the rows beyond `threshold` may cost; no label enters.

    The larger of the pool's and the sealed inputs' own: whatever is taken out of the sealed rows
    must be paid for, also by a candidate that blows up there and nowhere else.
    """
    return max(
        tail(comparison.change_on_pool, threshold), tail(comparison.change_on_sealed, threshold)
    )


def judge_sealed(
    comparison: Comparison, policy: Gate, this_level: float, labels: np.ndarray
) -> Decision:
    """Stage 3: one bit from the sealed labels (n,), at the level of this use."""
    losses = comparison.metric.loss
    difference = losses(labels, comparison.candidate.sealed) - losses(
        labels, comparison.reference.sealed
    )
    threshold = tail_threshold(comparison, policy)
    kept = guarded(difference, comparison.change_on_sealed, threshold)
    sealed = estimate(kept, comparison.groups.sealed)
    bound = sealed.upper(this_level) + tail_charge(comparison, threshold)
    if bound < bar(policy, comparison.claim):
        return Decision("PASS", "sealed", "confirmed on the sealed set", this_level)
    return Decision("INCONCLUSIVE", "sealed", "not confirmed on the sealed set", this_level)


def decide(
    comparison: Comparison,
    policy: Gate,
    budget: Budget,
    open_labels: Callable[[float], np.ndarray],
) -> Decision:
    """Run the stages in order; `open_labels` is called at most once, with the level of its use."""
    if budget.uses >= policy.uses or budget.disagreements >= policy.disagreements:
        return Decision(
            "INCONCLUSIVE", "retired", "the sealed set is used up: seal a fresh one with assay init"
        )
    if decision := judge_unchanged(comparison, policy) or judge_public(comparison, policy, budget):
        return decision
    this_level = level(policy.alpha, policy.uses, budget.uses + 1, budget.disagreements)
    return judge_sealed(comparison, policy, this_level, open_labels(this_level))
