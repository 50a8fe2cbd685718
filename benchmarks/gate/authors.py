"""Who attacks: submits changes of the known sealed inputs' predictions and learns from the replies.

An author knows code, policy, all inputs and all public labels, not the sealed labels.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import MEAN_ABSOLUTE
from benchmarks.gate.lives import Answer, Life, World
from benchmarks.gate.populations import Array, Population
from benchmarks.gate.rivals import RIVALS, VERDICTS

from assay.gate.comparisons import Predictions
from assay.records import Claim


class Target(Protocol):
    """A gate under attack: `base` is what the next change is made to, relative to the champion."""

    base: Array

    def ask(self, made: Array, extent: float) -> float | None:
        """The reply to predictions (n,); None if it says nothing about the sealed labels."""


@dataclass
class RivalTarget:
    """Another gate; with `merges`, what passes becomes the base."""

    errors: Array
    name: str
    merges: bool = False

    def __post_init__(self) -> None:
        """Begin with the champion."""
        self.base = np.zeros(len(self.errors))
        self._leader = self.base

    def ask(self, made: Array, extent: float) -> float:  # noqa: ARG002 (as Target)
        """A number or a verdict."""
        reply = RIVALS[self.name](self.errors, made, self._leader)
        if reply == 1 and self.name in VERDICTS:
            if self.merges or "Ladder" in self.name:
                self._leader = made
            if self.merges:
                self.base = made
        return reply


@dataclass
class AssayTarget:
    """The complete gate, asked by an author who forges out-of-fold predictions or does not.

    A forger hardly touches the pool, whose inputs are public. An honest author's train rows and
    pool change as much as the sealed rows do.
    """

    world: World
    life: Life
    claim: Claim
    forged: bool
    rng: np.random.Generator
    merges: bool = False

    def __post_init__(self) -> None:
        """Begin with the champion."""
        self.base = np.zeros(len(self.life.labels))
        self.passes = 0
        self.answer: Answer | None = None

    def ask(self, made: Array, extent: float) -> float | None:
        """The bit, where there was one."""
        if self.answer and self.answer.stage == "retired":
            return None
        self.answer = self.life.submit(self._candidate(made, extent), self.claim)
        passed = self.answer.outcome == "PASS"
        self.passes += passed
        if passed and self.merges:
            self.base = made
        return None if self.answer.bit is None else float(self.answer.bit)

    def _candidate(self, made: Array, extent: float) -> Predictions:
        if self.forged:
            return self.world.forgery(self.rng, made)
        noises = (noise(self.rng, len(rows.errors)) for rows in (self.world.train, self.world.pool))
        train, pool = (extent / MEAN_ABSOLUTE * values for values in noises)
        return Predictions(train, made, pool)


_BANK = 1 << 18


@lru_cache(maxsize=1)
def _bank() -> Array:
    return np.random.default_rng(11).standard_normal(_BANK)


def noise(rng: np.random.Generator, count: int) -> Array:
    """Normal numbers (count,) from a bank: drawn quickly, never the same twice in a life."""
    start = int(rng.integers(_BANK - count))
    return _bank()[start : start + count]


def target(
    rng: np.random.Generator, world: World, gate: str, claim: Claim, *, merges: bool = False
) -> Target:
    """A fresh sealed set under a gate: `assay honest`, `assay forged` or a rival."""
    if gate in RIVALS:
        return RivalTarget(world.sealed.errors, gate, merges)
    life = world.life(bars.margin(len(world.sealed.errors)))
    return AssayTarget(world, life, claim, gate == "assay forged", rng, merges)


def optimism(people: Population, errors: Array, made: Array) -> float:
    """Fresh minus sealed growth of the MAE of predictions (n,), had labels been drawn again.

    The growth over the champion, on either side, so that the luck of the champion cancels out.
    """
    fresh = people.mean_distance(made).mean() - people.mean_distance(np.zeros(1))[0]
    sealed = (np.abs(errors - made) - np.abs(errors)).mean()
    return float(fresh - sealed)
