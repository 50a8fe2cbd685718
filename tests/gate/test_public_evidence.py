"""Public evidence: its error, what it passes, and what it refuses to decide."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import pages
from benchmarks.gate import public_evidence as study

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.metrics import MAE
from assay.gate.policy import Gate
from assay.gate.public_evidence import (
    MINIMUM_PUBLIC_GROUPS,
    decide_public,
    difference,
    jackknife,
    of_public_rows,
    refit_factor,
)
from assay.gate.statistics import Grouping, estimate

POLICY = of_public_rows(Gate(margin=0.1))
POOL = 3000


def groups_of(sizes):
    """A grouping of groups with these sizes."""
    return Grouping.of(np.repeat(np.arange(len(sizes)), sizes))


def test_jackknife_is_the_mean_without_each_group():
    """The error is that of the means that remain when one group after the other is left out."""
    grouping = groups_of([1, 2, 3, 20])
    values = np.random.default_rng(0).normal(size=26)
    without = [values[grouping.codes != group].mean() for group in range(4)]
    wanted = np.sqrt(3 / 4 * np.square(without - values.mean()).sum())
    assert jackknife(values, grouping).error == pytest.approx(wanted)


def test_a_giant_group_is_less_certain_than_it_looks():
    """Where one group has most rows, the jackknife is wider than the cluster-robust error."""
    grouping = groups_of([200, *[1] * 12])
    rng = np.random.default_rng(1)
    values = rng.normal(size=13)[grouping.codes] + 0.1 * rng.normal(size=212)
    assert jackknife(values, grouping).error > 2 * estimate(values, grouping).error


@pytest.mark.parametrize("values", [np.full(26, 0.3), np.full(26, 1e308)])
def test_no_spread_bounds_nothing(values):
    """Rows that are all alike, or overflow, are no evidence, and neither is one group."""
    assert difference(values, groups_of([1, 2, 3, 20]), 5).upper(0.025) == np.inf
    assert difference(np.arange(5.0), groups_of([5]), 5).upper(0.025) == np.inf


def test_refits_widen_the_error():
    """For five folds it is 1.5 times as large, and never as small as without them."""
    assert refit_factor(5) == pytest.approx(1.5)
    assert all(refit_factor(folds) > 2**0.5 for folds in range(2, 21))


def compared(share, sizes=(3,) * 60, claim="improvement", seed=0, pool=POOL):
    """A model whose errors are `share` times the reference's, with changes of its own."""
    rng = np.random.default_rng(seed)
    grouping, grouping_of_pool = groups_of(sizes), Grouping.of(np.arange(pool) // 2)
    truth = rng.normal(size=len(grouping.codes))
    base = truth + rng.normal(size=len(truth))
    model = truth + share * (base - truth) + 0.2 * rng.normal(size=len(truth))
    on_pool = rng.normal(size=pool)
    moved = on_pool + abs(1 - share) * rng.normal(size=pool) + 0.2 * rng.normal(size=pool)
    return Comparison(
        Predictions(model, model, moved),
        Predictions(base, base, on_pool),
        Groups(grouping, grouping, grouping_of_pool),
        truth,
        [Requirement(MAE, 0.1, primary=True)],
        claim,
    )


@pytest.mark.parametrize(
    ("comparison", "outcome", "reason"),
    [
        (compared(0.4), "PASS", None),
        (compared(2.0), "FAIL", None),
        (compared(0.95), "INCONCLUSIVE", "headroom"),
        (compared(0.4, sizes=(40,) * (MINIMUM_PUBLIC_GROUPS - 1)), "INCONCLUSIVE", "groups"),
        (compared(0.4, sizes=(300, *(1,) * 60)), "INCONCLUSIVE", "groups"),
        (compared(0.4, pool=100), "INCONCLUSIVE", "pool"),
        (compared(1.0, claim="no-regression"), "PASS", None),
    ],
)
def test_decides_by_public_rows(comparison, outcome, reason):
    """PASS what is surely better, FAIL what is surely worse, and say why nothing is decided."""
    decision = decide_public(comparison, POLICY, 5)
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.stage == "public"
    assert decision.level == (POLICY.alpha if outcome == "PASS" else None)


def test_what_does_not_change_needs_no_label():
    """Predictions that hardly move pass without a label, but are never an improvement."""
    same = compared(1.0, claim="no-regression")
    still = replace(same, candidate=same.reference)
    assert decide_public(still, POLICY, 5).stage == "unchanged"
    assert decide_public(replace(still, claim="improvement"), POLICY, 5).outcome != "PASS"


def test_rare_large_changes_of_the_pool_are_charged():
    """A model that is better on all labelled rows and wild where there are none does not pass."""
    good = compared(0.4)
    wild = good.candidate.pool + np.where(np.arange(POOL) < 30, 100.0, 0.0)
    bad = replace(good, candidate=replace(good.candidate, pool=wild))
    assert decide_public(good, POLICY, 5).outcome == "PASS"
    assert decide_public(bad, POLICY, 5).outcome == "INCONCLUSIVE"


def test_refitted_folds_hold_the_level():
    """With models fitted again the chosen test is within its level; the naive one is not."""
    made = [study.p_values(run.differences, run.data) for run in study.runs(*CELL)]
    rates = {name: np.mean([p[name] < study.LEVEL for p in made]) for name in ("CR1", "chosen")}
    assert rates["chosen"] <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 200)
    assert rates["CR1"] > 0.025


CELL = ("reseed", "giant t3", 60, 0.0, 200)


def test_page_shows_the_record():
    """The page holds each table that the record gives, and every family is within its bar."""
    kept = json.loads(study.RECORD.read_text())
    page = Path(pages.FOLDER / "public-evidence.md").read_text(encoding="utf-8")
    for name, made in study.parts(kept):
        begin, end = pages.marks(name)
        assert f"{begin}\n{made}\n{end}" in page, name
    bar = 0.025 + 3 * np.sqrt(0.025 * 0.975 / kept["runs"])
    assert max(cell["passed"]["chosen"] for cell in kept["boundary"]) <= bar
    assert max(cell["failed"] for cell in kept["boundary"]) <= 0.01
