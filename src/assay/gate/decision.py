"""The three-stage rule: label-free, public, and one sealed bit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.gate.comparisons import Comparison, Part
from assay.gate.guards import MINIMUM_CARRIERS, Guard
from assay.gate.policy import Gate
from assay.gate.remedies import (
    NO_REMEDY,
    Reason,
    Remedy,
    for_carriers,
    for_headroom,
    more_rows,
    sealed_alone,
)
from assay.gate.statistics import holm, level
from assay.records import Outcome
from assay.texts import up_to

Stage = Literal["unchanged", "public", "sealed", "retired", "revoked"]

# Chemical systems that share elements err alike: two trainings of one recipe differ by more than
# the spread among systems suggests. docs/explanation/gate.md has what was measured.
DEPENDENCE = 1.25
POOL_ROWS = 20_000
POOL_ROWS_PER_SEALED = 10


@dataclass(frozen=True)
class Budget:
    """How often the sealed labels were opened (`uses`) and did not confirm (`disagreements`)."""

    uses: int
    disagreements: int


@dataclass(frozen=True)
class Decision:
    """What the gate says.

    Attributes:
        outcome: PASS, FAIL or INCONCLUSIVE.
        stage: where that was decided.
        explanation: why, in public numbers.
        level: that of the sealed use, if there was one.
        reason: why the public rows decide nothing, if they do not.
        remedy: what would let them decide.
    """

    outcome: Outcome
    stage: Stage
    explanation: str
    level: float | None = None
    reason: Reason | None = None
    remedy: Remedy = NO_REMEDY


@dataclass(frozen=True)
class SealedPart:
    """One requirement of a sealed test: its rows and the constants of its bound, all public."""

    part: Part
    guard: Guard

    def confirms(self, labels: np.ndarray) -> bool:
        """Whether the sealed labels (n,) show that the loss grew by less than the bar."""
        differences = self.part.sealed_differences(labels)
        return self.guard.bound(differences, self.part.on_sealed) < self.part.bar


@dataclass(frozen=True)
class SealedTest:
    """What is asked of the sealed labels: fixed before they are opened, so it can be recorded."""

    level: float
    parts: Sequence[SealedPart]

    def confirms(self, labels: np.ndarray) -> bool:
        """The one bit: whether every requirement holds at the full level.

        This is an intersection-union test (Berger, Technometrics 24, 295 (1982)): to pass falsely
        it must err on a requirement that does not hold, so no correction for their number is due.
        """
        # all are computed, so that the time taken does not tell which one failed
        bits = [part.confirms(labels) for part in self.parts]
        return all(bits)


@np.errstate(over="ignore", invalid="ignore")  # what overflows bounds nothing
def decide(comparison: Comparison, policy: Gate, budget: Budget) -> Decision | SealedTest:
    """Run the stages that need no sealed label.

    Returns:
        The decision, or the test that only the sealed labels decide: the caller records it, opens
        them once, and asks `judge_sealed`.
    """
    if budget.uses >= policy.uses or budget.disagreements >= policy.disagreements:
        told = (
            "the sealed set is used up: run `assay seal renew TABLE` with rows that nobody has seen"
        )
        return Decision("INCONCLUSIVE", "retired", told)
    parts = binding(comparison, policy)
    if decision := judge_unchanged(parts) or judge_public(parts, policy):
        return decision
    this_level = level(policy.alpha, policy.uses, budget.uses + 1, budget.disagreements)
    test = SealedTest(
        this_level, [SealedPart(part, part.guard(policy.tail, this_level)) for part in parts]
    )
    return judge_headroom(test, policy) or test


def binding(comparison: Comparison, policy: Gate) -> list[Part]:
    """The requirements that decide: all but advisory ones and slices with too few effective groups.

    Counted on sealed inputs and pool, which a pull request cannot change: train rows it can leave
    out.
    """
    return [
        part
        for part in comparison.parts
        if not part.requirement.advisory
        and (part.requirement.slice is None or part.groups.unlabelled >= policy.minimum_groups)
    ]


def judge_unchanged(parts: Sequence[Part]) -> Decision | None:
    """Stage 1: PASS without any label if no loss can have grown by more than its margin.

    An improvement can never be shown this way.
    """
    if parts[0].claim == "improvement":
        return None
    # asked this way round, a bound that is not a number does not pass
    if not all(part.largest_growth() <= part.bar for part in parts):
        return None
    told = "the predictions changed by less than the margin, so no label can show a larger loss"
    return Decision("PASS", "unchanged", told + _folds_of(parts))


def judge_public(parts: Sequence[Part], policy: Gate) -> Decision | None:
    """Stage 2, first half: what the public out-of-fold errors say; None to go on.

    FAIL if any requirement's loss has grown for sure: Holm's procedure keeps the chance of any
    false FAIL among several requirements at `alpha_fail`, and standard errors are taken
    `DEPENDENCE` times as large.
    """
    fewest = min(parts, key=lambda part: part.effective_groups)
    if fewest.effective_groups < policy.minimum_groups:
        where = fewest.requirement.slice
        needed = policy.minimum_groups / max(fewest.groups.sealed.effective, 1)
        return _undecided(
            f"{fewest.effective_groups:.0f} effective groups"
            + (f" of {where.name}" if where else "")
            + f" are fewer than {policy.minimum_groups}",
            "groups",
            more_rows(fewest, needed),
        )
    worse = holm(
        [part.public.widened(DEPENDENCE).above_zero() for part in parts], policy.alpha_fail
    )
    names = [part.requirement.name for part, is_worse in zip(parts, worse, strict=True) if is_worse]
    if names:
        told = f"the public out-of-fold errors show a worse model ({', '.join(names)})"
        return Decision("FAIL", "public", told + _folds_of(parts))
    every = parts[0].candidate
    needed, pool = min(POOL_ROWS, POOL_ROWS_PER_SEALED * len(every.sealed)), len(every.pool)
    if pool < needed:
        told = f"the pool has {pool} rows, and at least {needed} are needed to show rare errors"
        return _undecided(told, "pool", Remedy(needed - pool))
    return None


def judge_headroom(test: SealedTest, policy: Gate) -> Decision | None:
    """Stage 2, second half: the labels are opened only when they are expected to agree."""
    for sealed in test.parts:
        part, guard = sealed.part, sealed.guard
        if guard.carrying(part.on_sealed) < MINIMUM_CARRIERS:
            return _few_carriers(part, guard)
        bound = guard.headroom(part.public_differences, part.on_train, part.on_sealed, policy.slack)
        if not bound < part.bar:
            return _no_headroom(part, guard, bound)
    return None


def _few_carriers(part: Part, guard: Guard) -> Decision:
    if sealed_alone(part):
        return _undecided(f"{_apart(part)}; {_SHUT}", "table")
    told = (
        f"the changes of predictions{up_to(guard.threshold)} sit in "
        f"{guard.carrying(part.on_sealed):.0f} groups only (by weight), and fewer than "
        f"{MINIMUM_CARRIERS} decide nothing about the {_of(part)}; {_SHUT}"
    )
    return _undecided(told, "carriers", for_carriers(part, guard))


def _apart(part: Part) -> str:
    sealed, pool = part.on_sealed.values.mean(), part.on_pool.values.mean()
    return (
        f"the predictions of the sealed inputs changed by {sealed:.2g} on average, those of the "
        f"pool by {pool:.2g} only"
    )


def _no_headroom(part: Part, guard: Guard, bound: float) -> Decision:
    if not (math.isfinite(bound) and math.isfinite(part.bar)):
        told = f"nothing follows from the public {_of(part)}: it does not vary, or is too large"
        return _undecided(f"{told}; {_SHUT}", "nothing")
    shown, metric = part.metric.shown, part.requirement.name
    before, after = shown(part.reference_loss), shown(part.candidate_loss)
    share = f" ({after / before - 1:+.1%})" if before > 0 else ""
    told = (
        f"the public {metric} went from {before:.4g} to {after:.4g}{share}, and on the sealed rows "
        f"the {_of(part)} may change by as much as {bound:+.2g}, where the claim allows less than "
        f"{part.bar:.2g}"
    )
    if sealed_alone(part):
        return _undecided(f"{_apart(part)}, and {told}; {_SHUT}", "table")
    return _undecided(
        f"{told}{_folds_of([part])}; {_SHUT}", "headroom", for_headroom(part, guard, bound)
    )


_SHUT = "the sealed labels were not opened"


def _folds_of(parts: Sequence[Part]) -> str:
    if all(part.paired for part in parts):
        return ""
    return "; the two models' out-of-fold predictions are from different folds, so less comparable"


def _of(part: Part) -> str:
    squared = "squared error" if part.metric.key == "rmse" else part.metric.name
    return part.requirement.name.replace(part.metric.name, squared, 1)


@np.errstate(over="ignore", invalid="ignore")
def judge_sealed(test: SealedTest, labels: np.ndarray) -> Decision:
    """Stage 3: one bit from the sealed labels (n,), at the level of this use."""
    if test.confirms(labels):
        return Decision("PASS", "sealed", "confirmed on the sealed set", test.level)
    return Decision("INCONCLUSIVE", "sealed", "not confirmed on the sealed set", test.level)


def _undecided(why: str, reason: Reason, remedy: Remedy = NO_REMEDY) -> Decision:
    return Decision("INCONCLUSIVE", "public", why, reason=reason, remedy=remedy)
