"""The guards against rare, large changes that a labelled sample can miss."""

import math

import numpy as np
import pytest

from assay.guards import Guard, guard_for
from assay.metrics import ERROR_RATE, MAE, RMSE
from assay.statistics import Grouping, estimate

SMALL = Grouping.of(range(4))


def single(rows: int) -> Grouping:
    """Every row a group of its own."""
    return Grouping.of(range(rows))


def test_blow_ups_leave_the_sample_and_are_charged_from_the_pool():
    """Rows beyond the threshold count as 0 in the sample; the pool's mean plus 2 SE is charged."""
    changes = np.array([0.1, 5.0, 0.2, 0.3])
    guard = guard_for(MAE, [(changes, SMALL)], 0.5, 2.0)
    assert guard.threshold == 1.0
    beyond = [0.0, 5.0, 0.0, 0.0]
    mean = sum(beyond) / 4
    deviation = math.sqrt(sum((x - mean) ** 2 for x in beyond) / 3)
    assert guard.charge == pytest.approx(mean + 2 * deviation / 2)
    differences = np.array([0.1, -5.0, 0.2, -0.3])
    kept = estimate(np.array([0.1, 0.0, 0.2, -0.3]), SMALL).upper(0.05)
    assert guard.bound(differences, changes, SMALL, 0.05) == pytest.approx(kept + guard.charge)


def test_no_blow_up_no_charge():
    """Without a change beyond the threshold nothing is charged."""
    assert guard_for(MAE, [(np.array([0.1, 0.2, 0.3, 0.1]), SMALL)], 0.5, 2.0).charge == 0


def test_the_larger_part_is_charged():
    """What is taken out of the sealed rows is paid for, also if the pool shows nothing of it."""
    calm, wild = np.zeros(4), np.array([0.0, 9.0, 0.0, 0.0])
    guards = [guard_for(MAE, parts, 0.5, 2.0) for parts in ([(wild, SMALL)], [(calm, SMALL)])]
    both = guard_for(MAE, [(calm, SMALL), (wild, SMALL)], 0.5, 2.0)
    assert both == guards[0] != guards[1]


def test_groups_of_blow_ups_are_charged_more():
    """Blow-ups that come in groups are less certain in number, so more is charged."""
    changes = np.where(np.arange(1000) < 10, 5.0, 0.0)
    grouped = Grouping.of(np.arange(1000) // 10)
    one_by_one = guard_for(MAE, [(changes, single(1000))], 0.5, 2.0)
    assert guard_for(MAE, [(changes, grouped)], 0.5, 2.0).charge > 1.5 * one_by_one.charge


@pytest.mark.parametrize(("reference_loss", "metric"), [(0.5, MAE), (0.25, RMSE)])
def test_charge_covers_the_worst_labels(reference_loss, metric):
    """However the labels of the blow-ups lie, the mean loss grows by no more than the charge."""
    rng = np.random.default_rng(0)
    residuals = math.sqrt(0.25) * rng.choice([-1.0, 1.0], size=2000)
    shifts = np.where(rng.random(2000) < 0.02, 6.0, 0.0) * np.sign(residuals)
    growth = metric.loss(0, residuals + shifts) - metric.loss(0, residuals)
    guard = guard_for(metric, [(np.abs(shifts), single(2000))], reference_loss, 3.0)
    assert growth.mean() <= guard.charge < 3 * growth.mean()


def test_a_sample_that_shows_no_flip_is_not_certain_of_there_being_none():
    """For bounded losses the error is never below what the changes on the pool allow."""
    rng = np.random.default_rng(1)
    flips = (rng.random(20_000) < 0.01).astype(float)
    guard = guard_for(ERROR_RATE, [(flips, single(20_000))], 0.1, 3.0)
    assert guard.threshold == math.inf
    assert guard.second_moment == pytest.approx(0.01, rel=0.3)
    none = np.zeros(300)
    assert guard.bound(none, none, single(300), 1e-4) > 0.015
    assert Guard().bound(none, none, single(300), 1e-4) == math.inf, "no spread bounds nothing"


def test_guard_catches_blow_ups_that_the_sample_misses():
    """One row in 100 that is 8 worse is rarely in a small sample, and always charged by a pool."""
    rng = np.random.default_rng(3)
    sample_rows, pool_rows = single(100), single(20_000)
    plain = charged = 0
    for _ in range(300):
        sample, pool = (8.0 * (rng.random(n) < 0.01) for n in (100, 20_000))
        differences = 0.1 * rng.normal(size=100) + sample
        guard = guard_for(MAE, [(pool, pool_rows), (sample, sample_rows)], 1.0, 3.0)
        plain += Guard().bound(differences, sample, sample_rows, 0.05) < 0.05
        charged += guard.bound(differences, sample, sample_rows, 0.05) < 0.05
    assert charged == 0
    assert plain > 60, "without the guard the gate would pass, or this shows nothing"
