"""Trials of the gate on drawn models, against calculations that do without the gate."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import t

from assay.gate.decision import Budget
from assay.planning import simulation
from assay.planning.error_models import Guess, pair_of
from assay.planning.simulation import Trial, VerdictCounts, design_of_sizes, simulate
from assay.settings import parse_settings
from toy import SETTINGS

KNOWN = parse_settings(SETTINGS)
POLICY = KNOWN.gate.model_copy(update={"margin": 0.15})
# every row a group of its own, so that the textbook's formulas hold
ROWS = design_of_sizes(400, 400, KNOWN, seed=0)
GUESS = Guess("mae", 1.0, 0.3, 0.3)
FIRST = Trial("no-regression", Budget(0, 0))
TRIALS = 300


def tally(difference: float, *questions: Trial, seed: int = 0) -> list[VerdictCounts]:
    """What the gate says of models that differ so much."""
    pair = pair_of(GUESS, difference)
    return simulate(pair, ROWS.scaled(1.5), POLICY, questions or [FIRST], (TRIALS, seed))


@pytest.mark.parametrize("difference", [0.0, 0.03, 0.06])
def test_failures_are_as_many_as_a_t_test_gives(difference):
    """FAIL is a one-sided t-test on the train rows at 1 %; its power follows without the gate."""
    pair = pair_of(GUESS, difference)
    rows = len(ROWS.groups.train.codes)
    _, reference, candidate = pair.draw(np.random.default_rng(1), _many(200_000))
    spread = float((np.abs(candidate) - np.abs(reference)).std())
    cut = t.isf(POLICY.alpha_fail, rows - 1)
    expected = float(t.sf(cut - difference * math.sqrt(rows) / spread, rows - 1))
    (found,) = tally(difference)
    allowed = 4 * math.sqrt(max(expected * (1 - expected), 0.01) / TRIALS)
    assert found.failed / found.trials == pytest.approx(expected, abs=allowed)


def _many(rows: int):
    return design_of_sizes(rows, rows, KNOWN, seed=0).groups.sealed


def test_better_models_pass_more_often():
    """PASS falls and FAIL rises with the true difference, and worse by the margin never passes."""
    better, equal, worse = (tally(difference)[0] for difference in (-0.15, 0.0, 0.15))
    assert better.passed > equal.passed > worse.passed == 0
    assert better.failed <= equal.failed < worse.failed
    assert equal.failed / TRIALS < 0.04
    assert 0 < equal.passed < TRIALS, "an outcome that is always the same shows nothing"


def test_an_improvement_is_harder_to_show():
    """On the same draws a claimed improvement passes less often, and never if there is none."""
    claimed = Trial("improvement", Budget(0, 0))
    plain, improved = tally(-0.15, FIRST, claimed)
    assert plain.passed > improved.passed > 0
    assert tally(0.0, claimed)[0].passed == 0


def test_disagreements_make_it_harder():
    """The level falls with every use that did not confirm, not with those that did."""
    spent = Trial("no-regression", Budget(99, 4))
    confirmed = Trial("no-regression", Budget(99, 0))
    first, last, same = tally(0.0, FIRST, spent, confirmed)
    assert first.passed > last.passed
    assert same == first


def test_a_seed_gives_the_same_trials():
    """Same seed, same tally; another seed, another one."""
    assert tally(0.03) == tally(0.03)
    assert tally(0.03) != tally(0.03, seed=1)


def test_every_verdict_is_the_gates_own(monkeypatch):
    """A gate that always says FAIL is believed: no rule is copied into the simulation."""
    said = Counter()
    rule = simulation.decide

    def strict(*given):
        said["asked"] += 1
        verdict = rule(*given)
        return type(verdict)("FAIL", "public", "as planted")

    monkeypatch.setattr(simulation, "decide", strict)
    (found,) = tally(-0.15)
    assert (found.failed, found.passed, said["asked"]) == (TRIALS, 0, TRIALS)
