"""Tries the gate's own rule on drawn models, many times: how often does it say what?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.gate.comparisons import Comparison, Predictions
from assay.gate.decision import Budget, Decision, SealedTest, decide
from assay.gate.policy import Gate
from assay.planning.banks import Bank
from assay.planning.designs import Design
from assay.planning.error_models import Pair
from assay.records import Claim

Pool = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Question:
    """What is asked of the gate: a claim, and how much of the sealed set's budget is gone."""

    claim: Claim
    budget: Budget


@dataclass(frozen=True)
class Tally:
    """What the gate said in so many trials; `opened` counts uses of the sealed labels."""

    trials: int = 0
    passed: int = 0
    failed: int = 0
    opened: int = 0
    unchanged: int = 0

    def plus(self, decision: Decision) -> "Tally":
        """One trial more."""
        return Tally(
            self.trials + 1,
            self.passed + (decision.outcome == "PASS"),
            self.failed + (decision.outcome == "FAIL"),
            self.opened + (decision.stage == "sealed"),
            self.unchanged + (decision.stage == "unchanged"),
        )


@dataclass(frozen=True)
class Models:
    """Two drawn models on the rows of a design, and the labels (train and sealed rows)."""

    design: Design
    candidate: Predictions
    reference: Predictions
    target: np.ndarray
    labels: np.ndarray

    def compared(self, claim: Claim) -> Comparison:
        """What the gate gets to see, but for the sealed labels."""
        return Comparison(
            self.candidate,
            self.reference,
            self.design.groups,
            self.target,
            self.design.requirements,
            claim,
        )

    def opened(self, _: SealedTest) -> np.ndarray:
        """The sealed labels, whatever is asked of them."""
        return self.labels


def drawn_models(pair: Pair, design: Design, rng: np.random.Generator, pool: Pool) -> Models:
    """Draw train and sealed rows; `pool` holds the reference's and the candidate's predictions."""
    target, *train = pair.draw(rng, design.groups.train)
    labels, *sealed = pair.draw(rng, design.groups.sealed)
    reference, candidate = (
        Predictions(*values) for values in zip(train, sealed, pool, strict=True)
    )
    return Models(design, candidate, reference, target, labels)


def simulate(
    pair: Pair,
    design: Design,
    policy: Gate,
    questions: Sequence[Question],
    repeats: tuple[int, int],
) -> list[Tally]:
    """Draw models and ask `assay.gate.decision.decide` every question about each.

    Args:
        pair: how the predictions of both models are drawn.
        design: the rows that they are compared on.
        policy: the gate's policy.
        questions: what is asked about each two models.
        repeats: number of trials, and the seed.

    Returns:
        One tally a question, in the order given.
    """
    trials, seed = repeats
    tallies = [Tally()] * len(questions)
    for stream in np.random.SeedSequence(seed).spawn(trials):
        rng = np.random.default_rng(stream)
        pool = pair.pool(Bank(seed, rng), design.groups.pool)
        models = drawn_models(pair, design, rng, pool)
        seen = {question.claim: models.compared(question.claim) for question in questions}
        tallies = [
            tally.plus(decide(seen[asked.claim], policy, asked.budget, models.opened))
            for tally, asked in zip(tallies, questions, strict=True)
        ]
    return tallies
