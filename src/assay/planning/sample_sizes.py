"""Analytic estimates of how many rows a margin needs, and of the margin that rows allow.

For bounded metrics the estimates of ease.ml/ci: Renggli et al., MLSys 2019, arXiv:1903.00278. A
*variable* is a mean over rows of a quantity in [0, 1]: the accuracy n of the new model, o of the
old one, the share d of rows on which they differ. A condition such as `n - o > 0.1 +/- 0.1` holds
a *tolerance* of 0.1. The estimates hold for any distribution of independent rows, which is why they
are large.
"""

import math
import statistics
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from assay.errors import UsageError
from assay.gate.comparisons import Part
from assay.gate.decision import Budget
from assay.gate.guards import Guard
from assay.gate.policy import Gate
from assay.gate.statistics import level
from assay.planning.error_models import Pair
from assay.planning.simulation import Design, drawn_models

Adaptivity = Literal["none", "full"]
POWER = 0.8
TRIALS = 12


@dataclass(frozen=True)
class Promise:
    """All answers of a set's life are right with probability `reliability`.

    `steps` models are tested on it. Their authors see no result (`none`) or every one (`full`).

    Raises:
        UsageError: a value is not one of these.
    """

    reliability: float
    steps: int
    adaptivity: Adaptivity

    def __post_init__(self) -> None:
        """Refuse what is no promise."""
        _require_share("reliability", self.reliability)
        if self.steps < 1:
            raise UsageError(f"steps is {self.steps}: give at least 1.", code="plan.out-of-range")
        if self.adaptivity not in get_args(Adaptivity):
            allowed = ", ".join(get_args(Adaptivity))
            raise UsageError(
                f"adaptivity is {self.adaptivity!r}: give one of {allowed}.",
                code="plan.out-of-range",
            )

    @property
    def risk(self) -> float:
        """ln(1 / delta) for one step.

        A union over the steps if there is one path through them (`none`), over all
        2^steps histories of passes and failures if the author sees them (`full`).
        """
        paths = math.log(2) * self.steps if self.adaptivity == "full" else math.log(self.steps)
        return paths - math.log1p(-self.reliability)


def rows_for_one(tolerance: float, promise: Promise, clauses: int = 1) -> int:
    """Rows for one variable (n, o or d) within `tolerance`, one-sided, by Hoeffding.

    Each of `clauses` conditions that must hold together gets an equal share of the risk.

    Raises:
        UsageError: tolerance or number of clauses is out of range.
    """
    return _hoeffding(tolerance, promise.risk + _parts(clauses))


def rows_for_difference(tolerance: float, promise: Promise, clauses: int = 1) -> int:
    """Rows for n - o within `tolerance`: two variables with half the tolerance and risk each.

    Raises:
        UsageError: as `rows_for_one`.
    """
    _require_share("tolerance", tolerance)
    return _hoeffding(tolerance / 2, promise.risk + math.log(2) + _parts(clauses))


def rows_for_rare_change(tolerance: float, promise: Promise, changed: float) -> int:
    """Rows for n - o within `tolerance` if at most a share `changed` of rows differs, by Bennett.

    The variance of a row's difference is then at most `changed`. Half the risk pays for a test of
    that share, which needs no label.

    Raises:
        UsageError: tolerance or share is not between 0 and 1.
    """
    _require_share("tolerance", tolerance)
    if not 0 < changed <= 1:
        raise UsageError(
            f"the share of changed rows is {changed:g}: give one in (0, 1].",
            code="plan.out-of-range",
        )
    ratio = tolerance / changed
    exponent = changed * ((1 + ratio) * math.log1p(ratio) - ratio)
    return math.ceil((promise.risk + math.log(4)) / exponent)


def _hoeffding(tolerance: float, risk: float) -> int:
    _require_share("tolerance", tolerance)
    return math.ceil(risk / (2 * tolerance**2))


def _parts(clauses: int) -> float:
    if clauses < 1:
        raise UsageError(
            f"the number of clauses is {clauses}: give at least 1.", code="plan.out-of-range"
        )
    return math.log(clauses)


def _require_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(
            f"{name} is {value:g}: give a number between 0 and 1.", code="plan.out-of-range"
        )


@dataclass(frozen=True)
class Noise:
    """What stands between two equally good models and a PASS.

    Attributes:
        spread: standard error of the mean difference of losses times the square root of the number
            of rows, groups allowed for. For independent rows it is about 1.3 times the mean change.
        charge: what the guard adds for rare large changes, however many rows there are.
        loss: the reference's mean loss.
        distance: standard errors from bound to bar: those of the level, and 0.84 for `POWER`.
        slack: further standard errors, of train and sealed rows together.
    """

    spread: float
    charge: float
    loss: float
    distance: float
    slack: float

    def rows(self, bar: float, ratio: float) -> float:
        """Sealed rows, with `ratio` train rows to each, so that the bound stays below the bar."""
        room = bar - self.charge
        return (self._needed(ratio) / room) ** 2 if room > 0 else math.inf

    def bar(self, sealed_rows: int, ratio: float) -> float:
        """The lowest bar below which the bound stays."""
        return self.charge + self._needed(ratio) / math.sqrt(sealed_rows)

    def _needed(self, ratio: float) -> float:
        chance = math.sqrt((1 + 1 / ratio) / 2)
        return self.spread * (self.distance + self.slack * chance)


def distance(level: float) -> float:
    """Standard errors from the mean to the bar with which `POWER` of bounds at a level pass."""
    return NormalDist().inv_cdf(POWER) - NormalDist().inv_cdf(level)


def noise_of(pair: Pair, design: Design, policy: Gate, budget: Budget, seed: int) -> Noise:
    """Measure the noise on a few draws of train rows, sealed inputs and pool."""
    rng = np.random.default_rng(seed)
    this_level = level(policy.alpha, policy.uses, budget.uses + 1, budget.disagreements)
    measured = []
    for _ in range(TRIALS):
        pool = pair.pool(rng, design.groups.pool)
        part = drawn_models(pair, design, rng, pool).compared("no-regression").primary
        measured.append(_measured(part, part.guard(policy.tail, this_level)))
    spread, charge, loss, own_level = (
        statistics.median(values) for values in zip(*measured, strict=True)
    )
    return Noise(spread, charge, loss, distance(own_level), policy.slack)


def _measured(part: Part, guard: Guard) -> tuple[float, float, float, float]:
    groups = part.groups.train
    found = guard.estimate(part.public_differences, part.on_train)
    spread = found.error * math.sqrt(len(groups.codes))
    return spread, guard.charge, part.reference_loss, guard.level
