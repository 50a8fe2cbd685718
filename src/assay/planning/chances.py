"""What a plan finds: chances of each verdict, and how many rows a margin needs."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from assay.gate.decision import Budget
from assay.gate.policy import Gate, MetricKey
from assay.planning.error_models import Guess, Pair, pair_of
from assay.planning.sample_sizes import POWER, Adaptivity, Noise
from assay.planning.simulation import Design, Trial, VerdictCounts, simulate
from assay.records import Claim, Record, Text

Share = Annotated[float, Field(ge=0, le=1)]
MULTIPLES = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
BETWEEN = 6
STEEP = 0.2
NOTABLE = 0.1
CLOSE = 0.02
CHANGES = (0.5, 1.0, 1.5, 2.0, 3.0)
LARGEST = 20_000
SMALLEST = 60
FACTORS = (0.02, 50.0)
STEP, CLOSE_ENOUGH = 1.5, 1.06
# rows drawn for one step of a search, and the number of trials that this may come to
SEARCH_ROWS, SEARCH_TRIALS = 500_000, (80, 200)
DRAWS = 8

Passed = Callable[[float], float]


class Point(Record):
    """How often the gate says what, if two models truly differ by `difference` (metric's unit).

    `change` is the mean distance of their predictions (target's unit). The rest are shares of the
    trials; `opened` is that of trials in which the sealed labels were opened, `unchanged` that of
    those which passed without any label.
    """

    difference: float
    change: float
    claim: Claim
    use: int
    disagreements: int
    trials: int
    passed: Share
    failed: Share
    undecided: Share
    opened: Share
    unchanged: Share

    def error(self, share: float) -> float:
        """Standard error of one of the shares, as if two trials more had ended either way.

        It is not zero when all trials ended alike (Agresti and Coull, Am. Stat. 52, 119 (1998)).
        """
        trials = self.trials + 4
        kept = (share * self.trials + 2) / trials
        return math.sqrt(kept * (1 - kept) / trials)


class Need(Record):
    """How much it takes that an equally good model passes in four of five cases.

    `rule` is the analytic estimate of docs/explanation/planning.md, or nothing if no number of
    rows would do; `found` is what the simulation says, or nothing if that lies beyond what was
    searched.
    """

    rule: float | None
    found: float | None


class TableSize(Record):
    """Size of one table: rows, chemical systems, and the effective number of these."""

    rows: int
    groups: int
    effective: float


class Bounded(Record):
    """Rows that ease.ml/ci asks for, whatever the distribution of independent rows is."""

    tolerance: float
    reliability: float
    steps: int
    adaptivity: Adaptivity
    changed: float | None
    rows: int


class Plan(Record):
    """All that a plan says; `margin`, `error` and differences are in the metric's unit.

    `groupings` is the table of those that were tried, for a table that is not sealed yet.

    `first` is the chance that the first model is certified, for a table (`source`) that is not
    sealed yet; `public` is the same with public evidence, where no sealed set is likely to decide.
    """

    model: Text
    metric: MetricKey
    unit: Text
    margin: float
    error: float
    error_source: Text
    change: float
    icc: Share
    on_pool: float
    requirements: list[Text]
    train: TableSize
    sealed: TableSize
    pool: TableSize
    pool_needed: int
    minimum_groups: int
    uses: int
    maximum_disagreements: int
    use: int
    disagreements: int
    level: float
    charge: float
    points: list[Point]
    by_change: list[Point]
    life: list[Point]
    sealed_rows_needed: Need
    margin_needed: Need
    bounded: list[Bounded]
    seed: int
    first: Share | None = None
    groupings: Text | None = None
    source: Text | None = None
    public: Share | None = None
    public_options: Text | None = None


@dataclass(frozen=True)
class Situation:
    """What a plan is made for; `seed` makes it repeatable."""

    design: Design
    policy: Gate
    guess: Guess
    budget: Budget
    trials: int
    seed: int

    def asked(self, pair: Pair, questions: Sequence[Trial], difference: float) -> list[Point]:
        """Try the gate on models that truly differ by `difference`."""
        trials = (self.trials, self.seed)
        tallies = simulate(pair, self.design, self.policy, questions, trials)
        return [
            _point(tally, question, difference, pair.change)
            for tally, question in zip(tallies, questions, strict=True)
        ]


def _point(tally: VerdictCounts, question: Trial, difference: float, change: float) -> Point:
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
    questions = [Trial(claim, situation.budget) for claim in claims]
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
    question, guess = Trial("no-regression", situation.budget), situation.guess
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
    questions = [Trial("no-regression", budget) for budget in budgets]
    return situation.asked(equal, questions, 0.0)


@dataclass(frozen=True)
class Search:
    """The situation that is looked at: two equally good models, what is asked, with which seed."""

    pair: Pair
    design: Design
    policy: Gate
    question: Trial
    seed: int
    tick: Callable[[], object]

    def passed(self, *designs: Design) -> float:
        """Chance of PASS on other rows or with other margins, as a mean over designs alike."""
        rows = len(designs[0].groups.train.codes) + designs[0].sealed_rows
        trials = int(np.clip(SEARCH_ROWS // rows, *SEARCH_TRIALS)) // len(designs)
        asked = (self.policy, [self.question], (trials, self.seed))
        tallies = [simulate(self.pair, design, *asked)[0] for design in designs]
        self.tick()
        return sum(tally.passed for tally in tallies) / (trials * len(designs))


def rows_needed(search: Search, noise: Noise) -> Need:
    """Sealed rows, with train rows in proportion, for the margin of the policy."""
    design, metric = search.design, search.design.requirements[0].metric
    needed = noise.rows(metric.allowance(search.policy.margin, noise.loss), design.ratio)
    if needed > 2 * LARGEST:
        return Need(rule=needed if math.isfinite(needed) else None, found=None)

    def passed(rows: float) -> float:
        # few groups drawn once may be luckier or less lucky than most
        return search.passed(*(design.sized(round(rows), search.seed + n) for n in range(DRAWS)))

    return Need(rule=needed, found=crossing(passed, needed, (SMALLEST, LARGEST)))


def margin_needed(search: Search, noise: Noise) -> Need:
    """The margin, in the metric's unit, that the present rows allow; all margins grow alike."""
    design, metric = search.design, search.design.requirements[0].metric
    bar = noise.bar(design.sealed_rows, design.ratio)
    needed = metric.shown(noise.loss + bar) - metric.shown(noise.loss)
    margin = search.policy.margin

    def passed(factor: float) -> float:
        return search.passed(design.scaled(factor))

    found = crossing(passed, needed / margin, FACTORS)
    return Need(rule=needed, found=None if found is None else found * margin)


def crossing(passed: Passed, start: float, limits: tuple[float, float]) -> float | None:
    """Where a rising chance crosses `POWER`, by bisection of the logarithm.

    Returns:
        The place to within a few per cent, the lower limit if it lies below that, or None if it
        lies beyond the upper one.
    """
    low, high = _bracket(passed, min(max(start, limits[0]), limits[1]), limits)
    if low is None or high is None:
        return None if high is None else limits[0]
    while high / low > CLOSE_ENOUGH:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if passed(middle) >= POWER else (middle, high)
    return math.sqrt(low * high)


def _bracket(
    passed: Passed, place: float, limits: tuple[float, float]
) -> tuple[float | None, float | None]:
    low = high = None
    while low is None or high is None:
        if passed(place) >= POWER:
            high = place
            if place <= limits[0]:
                break
            place = max(place / STEP, limits[0])
        else:
            low = place
            if place >= limits[1]:
                break
            place = min(place * STEP, limits[1])
    return low, high
