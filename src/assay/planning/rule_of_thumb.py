"""Rows for a margin, and a margin for rows, without labels (docs/explanation/planning.md)."""

import math
import statistics
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from assay.gate.comparisons import Part
from assay.gate.decision import Budget
from assay.gate.guards import Guard
from assay.gate.policy import Gate
from assay.gate.statistics import level
from assay.planning.designs import Design
from assay.planning.error_models import Pair
from assay.planning.simulation import drawn_models

POWER = 0.8
TRIALS = 12


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
