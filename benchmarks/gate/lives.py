"""The life of one sealed set under the complete gate, kept as `assay score` keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change
from benchmarks.gate.populations import Array, Population, Rows

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.decision import Budget, SealedTest, decide, judge_sealed
from assay.gate.metrics import MAE, Metric
from assay.gate.policy import Gate
from assay.gate.statistics import estimate
from assay.records import Claim, Outcome

FORGED_GAINS = (0.02, 0.1, 0.2, 0.4, 0.8, 1.6)
TRIFLE = 1e-3
CERTAIN = 9.0  # standard errors: more than any level and the slack ask for


@dataclass(frozen=True)
class Answer:
    """All that a pull request is told: the verdict and what follows from past verdicts."""

    outcome: Outcome
    stage: str
    level: float | None
    uses: int
    disagreements: int

    @property
    def bit(self) -> bool | None:
        """What the sealed labels said, if they were asked."""
        return self.outcome == "PASS" if self.stage == "sealed" else None


@dataclass(frozen=True)
class Use:
    """A sealed use, kept for its replay: what was asked, when, and what came of it."""

    candidate: Predictions
    reference: Predictions
    claim: Claim
    test: SealedTest
    use: int
    disagreements: int
    bit: bool


@dataclass
class Life:
    """One sealed set: its reference, its budget, and the answers that were given."""

    groups: Groups
    target: Array
    labels: Array
    reference: Predictions
    requirements: Sequence[Requirement]
    policy: Gate
    uses: int = 0
    disagreements: int = 0
    record: list[Use] = field(default_factory=list)
    keep: bool = False
    _answered: dict[tuple[float, ...], Answer] = field(default_factory=dict)

    def submit(self, candidate: Predictions, claim: Claim) -> Answer:
        """Decide on a pull request, as `assay.scoring.score` does, and merge it if it passes."""
        question = (*_print(candidate), *_print(self.reference), float(claim == "improvement"))
        if question in self._answered:
            return self._answered[question]
        if _print(candidate) == _print(self.reference):
            return Answer("PASS", "unchanged", None, self.uses, self.disagreements)
        answer = self._ask(candidate, claim)
        if answer.bit is not None:
            self._answered[question] = answer
        if answer.outcome == "PASS" and claim == "improvement":
            self.reference = candidate
        return answer

    def forget(self) -> None:
        """Let the same question be asked anew."""
        self._answered.clear()

    def _ask(self, candidate: Predictions, claim: Claim) -> Answer:
        comparison = Comparison(
            candidate, self.reference, self.groups, self.target, self.requirements, claim
        )
        budget = Budget(self.uses, self.disagreements)

        said = decide(comparison, self.policy, budget)
        if isinstance(said, SealedTest):
            test, said = said, judge_sealed(said, self.labels)
            bit = said.outcome == "PASS"
            self.uses += 1
            self.disagreements += not bit
            if self.keep:
                k, j = self.uses, budget.disagreements
                self.record.append(Use(candidate, self.reference, claim, test, k, j, bit))
        return Answer(said.outcome, said.stage, said.level, self.uses, self.disagreements)


def _print(values: Predictions) -> tuple[float, ...]:
    """A fingerprint in place of the digest of the predictions file, which takes longer."""
    parts = (values.sealed, values.train, values.pool)
    return tuple(float(part @ _weights(len(part))) for part in parts)


_WEIGHTS = np.random.default_rng(7).standard_normal(40_000)


def _weights(count: int) -> Array:
    return _WEIGHTS[:count]


def single_use(margin: float) -> Gate:
    """A policy with one use only, whose level can be seen in a simulation: alpha / 2."""
    return Gate(margin=margin, alpha=2 * bars.ALPHA, uses=1, disagreements=1)


@dataclass(frozen=True)
class World:
    """Train rows, sealed rows and pool drawn from one population."""

    train: Rows
    sealed: Rows
    pool: Rows

    @classmethod
    def draw(cls, rng: np.random.Generator, people: Population, rows: int) -> "World":
        """As many train rows as sealed ones; the default split has three times as many."""
        sizes = (rows, rows, bars.pool_rows(rows))
        return cls(*(people.draw(rng, size) for size in sizes))

    @cached_property
    def groups(self) -> Groups:
        """Their chemical systems."""
        return Groups(self.train.grouping, self.sealed.grouping, self.pool.grouping)

    @cached_property
    def reference(self) -> Predictions:
        """What everything is relative to: the reference predicts 0."""
        parts = (self.train, self.sealed, self.pool)
        return Predictions(*(np.zeros(len(rows.errors)) for rows in parts))

    @cached_property
    def forged(self) -> Array:
        """Out-of-fold predictions (n,) that no honest model has: the surest gain that there is.

        Every prediction comes nearer to the truth by up to a constant, for then D hardly varies.
        """
        errors = self.train.errors
        sizes = np.abs(errors)
        found = {
            gain: estimate(-np.minimum(sizes, gain), self.train.grouping) for gain in FORGED_GAINS
        }
        best = min(found, key=lambda gain: found[gain].mean + CERTAIN * found[gain].error)
        return np.sign(errors) * np.minimum(sizes, best)

    def forgery(self, rng: np.random.Generator, made: Array) -> Predictions:
        """What a forger sends with the predictions (n,) for the sealed inputs.

        The pool, whose inputs are public, is a trifle off everywhere: so nothing is charged, and
        all chemical systems seem to carry the change.
        """
        pool = np.full(len(self.pool.errors), TRIFLE * (1 + rng.random()))
        return Predictions(self.forged, made, pool)

    def candidate(
        self, rng: np.random.Generator, change: Change, *, forged: bool, quiet: bool = False
    ) -> Predictions:
        """A pull request that changes all predictions alike, or forges those out of fold.

        A quiet author's out-of-fold predictions show nothing of the rows that blow up.
        """
        shown = change.noise(rng, self.train) if quiet else change.apply(rng, self.train)
        train = self.forged if forged else shown
        return Predictions(train, change.apply(rng, self.sealed), change.apply(rng, self.pool))

    def life(
        self, margin: float, metric: Metric = MAE, further: Sequence[Requirement] = ()
    ) -> Life:
        """A fresh sealed set with this margin of the primary metric, in MAE of the reference."""
        policy = Gate(margin=margin)
        requirements = [Requirement(metric, margin, primary=True), *further]
        return Life(
            self.groups,
            self.train.errors,
            self.sealed.errors,
            self.reference,
            requirements,
            policy,
        )
