"""The rule of public evidence: paired differences of losses out of fold, by groups.

All rows are public, so this protects from mistakes and not from an author who tunes to them.

docs/appendix/public-evidence.md has what else was tried, and at what rates each errs.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assay.gate.comparisons import Comparison, Part
from assay.gate.decision import (
    POOL_ROWS,
    Decision,
    binding,
    judge_unchanged,
)
from assay.gate.guards import Guard
from assay.gate.policy import Gate
from assay.gate.remedies import NO_REMEDY, Reason, Remedy, for_headroom, more_rows
from assay.gate.statistics import Estimate, Grouping, holm
from assay.texts import up_to

Array = np.ndarray

# Fewer were not measured.
MINIMUM_PUBLIC_GROUPS = 6


@np.errstate(over="ignore", invalid="ignore")
def jackknife(values: Array, grouping: Grouping) -> Estimate:
    """Mean of `values` (n,) and its delete-one-group standard error (CV3), on Geff groups.

    A large group counts by what the mean would be without it, where CR1 takes it for well known.
    Source: MacKinnon, Nielsen and Webb, J. Appl. Econometrics 38, 671 (2023).
    """
    count, rows = grouping.count, len(values)
    if count < 2:  # noqa: PLR2004 (a spread needs two)
        return Estimate(float(values.mean()) if rows else math.nan, math.inf, float(count))
    sums = np.bincount(grouping.codes, values, count)
    mean = float(values.mean())
    without = (sums.sum() - sums) / (rows - grouping.sizes)
    spread = (count - 1) / count * float(((without - mean) ** 2).sum())
    # rounding leaves a little where all rows are alike
    alike = bool(np.ptp(values) == 0)
    error = 0.0 if alike else math.sqrt(spread) if math.isfinite(spread) else math.inf
    return Estimate(mean, error, grouping.effective)


def refit_factor(folds: int) -> float:
    """How many times the error grows since the models of all folds share most of their rows.

    Source: Nadeau and Bengio, Machine Learning 52, 239 (2003): the variance of a mean over k folds
    is 1/k + 1/(k - 1) instead of 1/k times that of a fold.
    """
    return math.sqrt(1 + folds / (folds - 1))


@np.errstate(over="ignore", invalid="ignore")  # what overflows bounds nothing
def decide_public(comparison: Comparison, policy: Gate, folds: int) -> Decision:
    """Decide by the public rows alone, which stand in the comparison in place of sealed ones.

    Args:
        comparison: candidate against reference, both out of fold.
        policy: as `of_public_rows` gives it.
        folds: how many models the out-of-fold predictions are of.
    """
    parts = binding(comparison, policy)
    return judge_unchanged(parts) or _few(parts, policy) or _judge(parts, policy, folds)


def of_public_rows(policy: Gate) -> Gate:
    """The policy in force where public rows decide: the least number of groups is another."""
    return policy.model_copy(update={"minimum_groups": MINIMUM_PUBLIC_GROUPS})


def difference(values: Array, grouping: Grouping, folds: int) -> Estimate:
    """Mean of D (n,), with the error that it has over data sets on which all is fitted again."""
    return jackknife(values, grouping).widened(refit_factor(folds))


def _few(parts: Sequence[Part], policy: Gate) -> Decision | None:
    """INCONCLUSIVE where there are too few groups, or too few rows in the pool."""
    fewest = min(parts, key=lambda part: part.effective_groups)
    if fewest.effective_groups < policy.minimum_groups:
        where = fewest.requirement.slice
        told = (
            f"{fewest.effective_groups:.0f} effective groups{f' of {where.name}' if where else ''} "
            f"are fewer than {policy.minimum_groups}"
        )
        needed = policy.minimum_groups / max(fewest.groups.train.effective, 1)
        return _undecided(told, "groups", more_rows(fewest, needed))
    # a small pool costs a larger charge; one smaller than the train set shows hardly anything
    pool, needed = len(parts[0].candidate.pool), min(POOL_ROWS, len(parts[0].target))
    if pool < needed:
        told = f"the pool has {pool} rows, and at least {needed} are needed to show rare errors"
        return _undecided(told, "pool", Remedy(needed - pool))
    return None


def _judge(parts: Sequence[Part], policy: Gate, folds: int) -> Decision:
    """FAIL what is surely worse (Holm), PASS what holds every requirement at the full level."""
    found = [difference(part.public_differences, part.groups.train, folds) for part in parts]
    worse = holm([one.above_zero() for one in found], policy.alpha_fail)
    if names := [p.requirement.name for p, bad in zip(parts, worse, strict=True) if bad]:
        told = f"the public out-of-fold errors show a worse model ({', '.join(names)})"
        return Decision("FAIL", "public", told)
    for part in parts:
        guard = part.guard(policy.tail, policy.alpha)
        if guard.carrying(part.on_train) < policy.minimum_groups:
            told = (
                f"the changes of predictions{up_to(guard.threshold)} sit in "
                f"{guard.carrying(part.on_train):.0f} groups only (by weight), and fewer than "
                f"{policy.minimum_groups} decide nothing about the {part.requirement.name}"
            )
            return _undecided(told, "carriers", NO_REMEDY)
        bound = bound_of(part, guard, folds)
        if not bound < part.bar:
            return _above(part, guard, bound)
    shown, primary = parts[0].metric.shown, parts[0]
    told = (
        f"cross-validation on the public rows shows it, {primary.metric.name} "
        f"{shown(primary.candidate_loss):.4g} against {shown(primary.reference_loss):.4g}"
    )
    return Decision("PASS", "public", told, policy.alpha)


def bound_of(part: Part, guard: Guard, folds: int) -> float:
    """Upper confidence bound of the mean difference of losses, rare large changes charged."""
    kept = np.where(part.on_train.values > guard.threshold, 0.0, part.public_differences)
    found = difference(kept, part.groups.train, folds)
    carried = replace(found, groups=guard.carrying(part.on_train))
    return carried.upper(guard.level) + guard.charge


def _above(part: Part, guard: Guard, bound: float) -> Decision:
    if not (math.isfinite(bound) and math.isfinite(part.bar)):
        told = f"nothing follows from the public {part.requirement.name}: it does not vary"
        return _undecided(f"{told}, or is too large", "nothing", NO_REMEDY)
    shown, name = part.metric.shown, part.requirement.name
    told = (
        f"the public {name} went from {shown(part.reference_loss):.4g} to "
        f"{shown(part.candidate_loss):.4g}, and on new groups the loss may change by as much as "
        f"{bound:+.2g}, where the claim allows less than {part.bar:.2g}"
    )
    return _undecided(told, "headroom", for_headroom(part, guard, bound))


def _undecided(why: str, reason: Reason, remedy: Remedy) -> Decision:
    return Decision("INCONCLUSIVE", "public", why, reason=reason, remedy=remedy)
