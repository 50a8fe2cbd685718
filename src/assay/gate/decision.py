"""The three-stage rule: label-free, public, and one sealed bit."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.gate.comparisons import Comparison, Part
from assay.gate.guards import MINIMUM_CARRIERS, Guard
from assay.gate.policy import Gate
from assay.gate.statistics import holm, level
from assay.records import Outcome
from assay.texts import up_to

Stage = Literal["unchanged", "public", "sealed", "retired", "revoked"]

POOL_ROWS = 20_000
POOL_ROWS_PER_SEALED = 10


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
def decide(
    comparison: Comparison,
    policy: Gate,
    budget: Budget,
    open_labels: Callable[[SealedTest], np.ndarray],
) -> Decision:
    """Run the stages in order; `open_labels` is called at most once, with what will be asked."""
    if budget.uses >= policy.uses or budget.disagreements >= policy.disagreements:
        told = "the sealed set is used up: run `assay seal retire`, then `assay seal fresh`"
        return Decision("INCONCLUSIVE", "retired", told)
    parts = binding(comparison, policy)
    if decision := judge_unchanged(parts) or judge_public(parts, policy):
        return decision
    this_level = level(policy.alpha, policy.uses, budget.uses + 1, budget.disagreements)
    test = SealedTest(
        this_level, [SealedPart(part, part.guard(policy.tail, this_level)) for part in parts]
    )
    return judge_headroom(test, policy) or judge_sealed(test, open_labels(test))


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
    told = "the predictions differ by less than the margin whatever the labels"
    return Decision("PASS", "unchanged", told)


def judge_public(parts: Sequence[Part], policy: Gate) -> Decision | None:
    """Stage 2, first half: what the public out-of-fold errors say; None to go on.

    FAIL if any requirement's loss has grown for sure: Holm's procedure keeps the chance of any
    false FAIL among several requirements at `alpha_fail`.
    """
    fewest = min(parts, key=lambda part: part.effective_groups)
    if fewest.effective_groups < policy.minimum_groups:
        where = fewest.requirement.slice
        return _undecided(
            f"{fewest.effective_groups:.0f} effective groups"
            + (f" of {where.name}" if where else "")
            + f" are fewer than {policy.minimum_groups}"
        )
    worse = holm([part.public.above_zero() for part in parts], policy.alpha_fail)
    names = [part.requirement.name for part, is_worse in zip(parts, worse, strict=True) if is_worse]
    if names:
        return Decision(
            "FAIL",
            "public",
            f"the public out-of-fold errors show a worse model ({', '.join(names)})",
        )
    every = parts[0].candidate
    needed, pool = min(POOL_ROWS, POOL_ROWS_PER_SEALED * len(every.sealed)), len(every.pool)
    if pool < needed:
        return _undecided(f"the pool has {pool} rows, but rare errors show on {needed} only")
    return None


def judge_headroom(test: SealedTest, policy: Gate) -> Decision | None:
    """Stage 2, second half: the labels are opened only when they are expected to agree."""
    for sealed in test.parts:
        part = sealed.part
        carrying = sealed.guard.carrying(part.on_sealed)
        if carrying < MINIMUM_CARRIERS:
            return _undecided(
                f"changes of predictions{up_to(sealed.guard.threshold)} sit in {carrying:.0f} "
                f"chemical systems only (by weight), and fewer than {MINIMUM_CARRIERS} decide "
                f"nothing about the {_of(part)}; the sealed labels were not opened"
            )
        bound = sealed.guard.headroom(
            part.public_differences, part.on_train, part.on_sealed, policy.slack
        )
        if not bound < part.bar:
            return _undecided(
                f"{_without_headroom(part, bound)}; the sealed labels were not opened"
            )
    return None


def _without_headroom(part: Part, bound: float) -> str:
    if not (math.isfinite(bound) and math.isfinite(part.bar)):
        return f"from the public {_of(part)} nothing follows: it does not vary, or is too large"
    return (
        f"the public {_of(part)} changes by {part.public.mean:+.2g}, but with so few rows it may "
        f"as well be {bound:+.2g}, and the claim needs less than {part.bar:.2g}"
    )


def _of(part: Part) -> str:
    squared = "squared error" if part.metric.key == "rmse" else part.metric.name
    return part.requirement.name.replace(part.metric.name, squared, 1)


def judge_sealed(test: SealedTest, labels: np.ndarray) -> Decision:
    """Stage 3: one bit from the sealed labels (n,), at the level of this use."""
    if test.confirms(labels):
        return Decision("PASS", "sealed", "confirmed on the sealed set", test.level)
    return Decision("INCONCLUSIVE", "sealed", "not confirmed on the sealed set", test.level)


def _undecided(told: str) -> Decision:
    return Decision("INCONCLUSIVE", "public", told)
