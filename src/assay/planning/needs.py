"""How many rows a margin needs, and which margin the rows allow."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.gate.policy import Gate
from assay.planning.designs import Design
from assay.planning.error_models import Pair
from assay.planning.records import Need
from assay.planning.rule_of_thumb import POWER, Noise
from assay.planning.simulation import Question, simulate

LARGEST = 20_000
SMALLEST = 60
FACTORS = (0.02, 50.0)
STEP, CLOSE_ENOUGH = 1.5, 1.06
# rows drawn for one step of a search, and the number of trials that this may come to
SEARCH_ROWS, SEARCH_TRIALS = 500_000, (80, 200)
DRAWS = 8

Passed = Callable[[float], float]


@dataclass(frozen=True)
class Search:
    """The situation that is looked at: two equally good models, what is asked, with which seed."""

    pair: Pair
    design: Design
    policy: Gate
    question: Question
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
