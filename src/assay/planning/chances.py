"""How likely each verdict is, as a function of the true difference between two models."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from assay.gate.decision import Budget
from assay.gate.policy import Gate
from assay.planning.designs import Design
from assay.planning.error_models import Guess, Pair, pair_of
from assay.planning.records import Point
from assay.planning.simulation import Question, Tally, simulate
from assay.records import Claim

MULTIPLES = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
BETWEEN = 6
STEEP = 0.2
NOTABLE = 0.1
CLOSE = 0.02
CHANGES = (0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Situation:
    """What a plan is made for; `seed` makes it repeatable."""

    design: Design
    policy: Gate
    guess: Guess
    budget: Budget
    trials: int
    seed: int

    def asked(self, pair: Pair, questions: Sequence[Question], difference: float) -> list[Point]:
        """Try the gate on models that truly differ by `difference`."""
        trials = (self.trials, self.seed)
        tallies = simulate(pair, self.design, self.policy, questions, trials)
        return [
            _point(tally, question, difference, pair.change)
            for tally, question in zip(tallies, questions, strict=True)
        ]


def _point(tally: Tally, question: Question, difference: float, change: float) -> Point:
    count = tally.trials
    return Point(
        difference=difference,
        change=change,
        claim=question.claim,
        use=question.budget.uses + 1,
        disagreements=question.budget.disagreements,
        trials=count,
        passed=tally.passed / count,
        failed=tally.failed / count,
        undecided=(count - tally.passed - tally.failed) / count,
        opened=tally.opened / count,
        unchanged=tally.unchanged / count,
    )


def differences(margin: float, error: float) -> list[float]:
    """The true differences to look at: multiples of the margin, and a tenth of the error."""
    tenth = NOTABLE * error
    return sorted(_distinct([*(margin * multiple for multiple in MULTIPLES), -tenth, tenth]))


def _distinct(values: Iterable[float]) -> list[float]:
    # a tenth of the error often is the margin itself, but for its last digits
    kept: list[float] = []
    for value in values:
        if all(abs(value - other) > CLOSE * abs(value) for other in kept):
            kept.append(value)
    return kept


def chances(situation: Situation, tick: Callable[[], object]) -> list[Point]:
    """Points in the order of the difference, more of them where the chances change most.

    For models that are no worse there is a second point, for the claim of an improvement.
    Differences that no two models can have are left out.
    """
    made: dict[float, list[Point]] = {}
    for difference in differences(situation.policy.margin, situation.guess.error):
        made[difference] = _points(situation, difference)
        tick()
    for _ in range(BETWEEN):
        steep, middle = max(_steps(made))
        if steep < STEEP:
            break
        made[middle] = _points(situation, middle)
        tick()
    return [point for difference in sorted(made) for point in made[difference]]


def _points(situation: Situation, difference: float) -> list[Point]:
    try:
        pair = pair_of(situation.guess, difference)
    except ValueError:
        return []
    claims: list[Claim] = ["no-regression", "improvement"]
    questions = [Question(claim, situation.budget) for claim in claims]
    return situation.asked(pair, questions[: 1 + (difference <= 0)], difference)


def _steps(made: dict[float, list[Point]]) -> Iterator[tuple[float, float]]:
    # how much the chances change between two neighbours, and the place halfway
    yield 0.0, 0.0
    known = [difference for difference in sorted(made) if made[difference]]
    for low, high in pairwise(known):
        steps = [
            abs(getattr(before, share) - getattr(after, share))
            for before, after in zip(made[low], made[high], strict=False)
            for share in ("passed", "failed")
        ]
        yield max(steps), (low + high) / 2


def by_change(situation: Situation, tick: Callable[[], object]) -> list[Point]:
    """Equally good models whose predictions change by less or more than was guessed."""
    question, guess = Question("no-regression", situation.budget), situation.guess
    points = []
    for multiple in CHANGES:
        pair = pair_of(replace(guess, change=multiple * guess.change), 0.0)
        points += situation.asked(pair, [question], 0.0)
        tick()
    return points


def life(situation: Situation, equal: Pair) -> list[Point]:
    """How the chance of an equally good model falls as the sealed set is used up."""
    uses, most = situation.policy.uses, situation.policy.disagreements - 1
    half = (uses + 1) // 2
    stages = [(1, 0), (half, 0), (half, most // 2), (uses, 0), (uses, most)]
    budgets = dict.fromkeys(Budget(use - 1, missed) for use, missed in stages if missed < use)
    questions = [Question("no-regression", budget) for budget in budgets]
    return situation.asked(equal, questions, 0.0)
