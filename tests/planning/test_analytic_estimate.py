"""The planning rule against its published figures and against the simulation."""

import math
from statistics import NormalDist, mean

import pytest

from assay.gate.decision import Budget
from assay.planning.chances import LARGEST, Search, crossing, margin_needed, rows_needed
from assay.planning.error_models import Guess, pair_of
from assay.planning.sample_sizes import POWER, Noise, distance, noise_of
from assay.planning.simulation import Design, Trial, design_of_sizes, simulate
from assay.settings import parse_settings
from toy import SETTINGS

KNOWN = parse_settings(SETTINGS)
POLICY = KNOWN.gate.model_copy(update={"margin": 0.2})
DESIGN = design_of_sizes(300, 200, KNOWN, seed=0).scaled(2)
PAIR = pair_of(Guess("mae", 1.0, 0.3, 0.3), 0.0)
FRESH = Budget(0, 0)
DRAWS = range(100, 110)


@pytest.mark.parametrize(
    ("ratio", "rows", "doubled"), [(2, 316, 632), (3, 710, 1420), (6, 2839, 5678)]
)
def test_figures_of_the_rule(ratio, rows, doubled):
    """Rows = deff (1.3 r (z + 2.33 + 0.84))^2 with z = 3.66, one train row to a sealed one."""
    for effect, expected in ((1, rows), (2, doubled)):
        spread = 1.3 * ratio * math.sqrt(effect)
        noise = Noise(spread, charge=0, loss=1, distance=3.66 + 0.84, slack=2.33)
        assert noise.rows(1.0, 1.0) == pytest.approx(expected, rel=3e-3)
        assert noise.bar(round(noise.rows(1.0, 1.0)), 1.0) == pytest.approx(1.0, rel=1e-2)


def test_distance_is_level_and_power():
    """At a level of 1.25e-4, z is 3.66; 0.84 more for a chance of 80 %."""
    assert distance(1.25e-4) == pytest.approx(3.66 + 0.84, abs=0.01)


def test_what_the_guard_charges_cannot_be_bought_with_rows():
    """Where the charge takes the whole bar, no number of rows will do."""
    noise = Noise(1.0, charge=0.5, loss=1, distance=4.5, slack=2.33)
    assert noise.rows(0.5, 3.0) == math.inf
    assert noise.rows(1.0, 3.0) == pytest.approx(4 * noise.rows(1.5, 3.0), rel=1e-9)
    assert noise.bar(10**12, 3.0) == pytest.approx(0.5, abs=1e-4)


def test_train_rows_need_headroom():
    """With few train rows these decide, with many the sealed ones."""
    noise = Noise(1.0, charge=0, loss=1, distance=4.5, slack=2.33)
    assert noise.rows(0.1, 1.0) > noise.rows(0.1, 3.0) > noise.rows(0.1, 30.0)


def test_spread_of_independent_rows():
    """Without groups about 1.3 times the mean change, or more where the guard's floor is higher."""
    alone = design_of_sizes(400, 400, KNOWN, seed=0)
    pair = pair_of(Guess("mae", 1.0, 0.1, 0.0), 0.0)
    noise = noise_of(pair, alone, POLICY, FRESH, seed=0)
    assert 1.2 * 0.1 < noise.spread < 1.8 * 0.1
    assert noise.loss == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(("start", "limits"), [(10, (1, 1e5)), (9e4, (1, 1e5)), (700, (1, 1e5))])
def test_crossing_is_found_from_either_side(start, limits):
    """Where a known chance passes 80 %, to within a few per cent."""

    def passed(rows: float) -> float:
        return NormalDist().cdf(math.sqrt(rows) / 10 - 1)

    expected = (10 * (1 + NormalDist().inv_cdf(POWER))) ** 2
    assert crossing(passed, start, limits) == pytest.approx(expected, rel=0.06)


def test_crossing_beyond_the_limits():
    """Always enough: the lower limit. Never enough: nothing."""
    assert crossing(lambda _: 1.0, 50, (10, 1000)) == 10
    assert crossing(lambda _: 0.0, 50, (10, 1000)) is None


def search(seed: int = 0) -> Search:
    """Two equally good models on 300 sealed rows."""
    return Search(PAIR, DESIGN, POLICY, Trial("no-regression", FRESH), seed, int)


def chance(design, seed: int) -> float:
    """Chance of PASS in trials of their own."""
    question = [Trial("no-regression", FRESH)]
    (found,) = simulate(PAIR, design, POLICY, question, (100, seed))
    return found.passed / found.trials


def other(rows: float, seed: int) -> Design:
    """Other groups, alike."""
    return DESIGN.sized(round(rows), seed)


@pytest.mark.slow
def test_rows_found_are_enough_and_a_third_is_not():
    """With the rows that the search names four of five pass, in trials of other seeds."""
    noise = noise_of(PAIR, DESIGN, POLICY, FRESH, seed=0)
    need = rows_needed(search(), noise)
    assert need.rule == pytest.approx(need.found, rel=0.5)
    chances = [mean(chance(other(need.found / part, n), n) for n in DRAWS) for part in (1, 3)]
    assert chances[0] == pytest.approx(POWER, abs=0.12)
    assert chances[1] < 0.3


@pytest.mark.slow
def test_margin_found_is_wide_enough_and_two_thirds_is_not():
    """With the margin that the search names four of five pass, in trials of other seeds."""
    noise = noise_of(PAIR, DESIGN, POLICY, FRESH, seed=0)
    need = margin_needed(search(), noise)
    factor = need.found / POLICY.margin
    assert need.rule == pytest.approx(need.found, rel=0.3)
    # the chance rises steeply with the margin, so a little more must be enough
    assert chance(DESIGN.scaled(1.07 * factor), 5) > POWER - 0.05
    assert chance(DESIGN.scaled(factor / 1.5), 5) < 0.5


def test_needs_beyond_reach_are_not_searched():
    """A margin that would need far more rows than are searched is answered by the rule alone."""
    small = DESIGN.scaled(0.02)
    policy = POLICY.model_copy(update={"margin": POLICY.margin * 0.02})
    noise = Noise(1.0, charge=0, loss=1, distance=4.5, slack=2.33)

    def never(*_: object) -> None:
        raise AssertionError("a search was begun")

    beyond = Search(PAIR, small, policy, Trial("no-regression", FRESH), 0, never)
    need = rows_needed(beyond, noise)
    assert need.found is None
    assert need.rule > LARGEST
