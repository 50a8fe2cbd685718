"""The guards against rare, large changes that a labelled sample can miss."""

import math

import numpy as np
import pytest

from assay.gate.guards import MINIMUM_CARRIERS, Changes, Guard, Scale, guard_for, largest_size
from assay.gate.metrics import BRIER, ERROR_RATE, MAE, RMSE, Metric
from assay.gate.statistics import Estimate, Grouping, carriers, estimate

LEVEL = 1e-4
POOL_ROWS = 20_000
HUNDRED = Grouping.of(range(100))


def single(values: np.ndarray) -> Changes:
    """Every row a group of its own."""
    return Changes(values, Grouping.of(range(len(values))))


def guard(metric: Metric, pool: Changes, sealed: Changes | None = None) -> Guard:
    """The guard for a reference of mean loss 1, with calm sealed inputs unless some are given."""
    calm = sealed or single(np.zeros(100))
    return guard_for(metric, pool, calm, Scale(reference_loss=1, multiple=3), LEVEL)


def spikes(share: float, size: float, rows: int = POOL_ROWS, seed: int = 0) -> np.ndarray:
    """A share of rows that change by `size`."""
    return np.where(np.random.default_rng(seed).random(rows) < share, size, 0.0)


def test_blow_ups_leave_the_sample_and_are_charged():
    """Rows beyond the threshold count as 0 in the sample, and what they may cost is added."""
    found = guard(MAE, single(spikes(0.01, 5.0) + 0.1), single(np.full(100, 0.1)))
    assert found.threshold == 3.0
    assert 0.05 < found.charge < 0.09, "1 % of rows, 5 each, and the doubt about the 1 %"
    usual = np.tile([0.1, 0.2, -0.3, 0.0], 25)
    differences, changes = usual.copy(), np.abs(usual)
    differences[3::4], changes[3::4] = -5.0, 5.0
    kept, rest = estimate(usual, Grouping.of(range(100))), carriers(np.abs(usual), HUNDRED)
    assert MINIMUM_CARRIERS < rest < kept.groups <= found.carriers * 1.01
    expected = Estimate(kept.mean, kept.error, rest).upper(LEVEL / 2) + found.charge
    assert found.bound(differences, single(changes)) == pytest.approx(expected)


def test_pool_without_blow_ups_charges_little_and_not_nothing():
    """What 20,000 rows do not show may still be there, but costs little."""
    assert 0 < guard(MAE, single(np.zeros(POOL_ROWS))).charge < 0.002


def test_the_larger_part_is_charged():
    """What is taken out of the sealed rows is paid for, also if the pool shows nothing of it."""
    wild = single(np.where(np.arange(100) < 10, 9.0, 0.0))
    calm = single(np.zeros(POOL_ROWS))
    assert guard(MAE, calm, wild).charge == pytest.approx(0.9)
    assert guard(MAE, calm).charge < 0.01


def test_groups_of_blow_ups_are_charged_more():
    """Blow-ups that come in groups are less certain in number, so more is charged."""
    changes = np.where(np.arange(2000) < 20, 5.0, 0.0)
    grouped = Changes(changes, Grouping.of(np.arange(2000) // 10))
    assert guard(MAE, grouped).charge > 1.5 * guard(MAE, single(changes)).charge


@pytest.mark.parametrize("metric", [MAE, RMSE], ids=lambda metric: metric.key)
def test_charge_covers_the_worst_labels(metric):
    """However the labels of the blow-ups lie, the mean loss grows by no more than the charge."""
    rng = np.random.default_rng(0)
    residuals = rng.choice([-1.0, 1.0], size=POOL_ROWS)
    shifts = spikes(0.02, 6.0) * np.sign(residuals)
    growth = metric.loss(0, residuals + shifts) - metric.loss(0, residuals)
    charge = guard(metric, single(np.abs(shifts))).charge
    assert growth.mean() <= charge < 3 * growth.mean()


@pytest.mark.parametrize("trifle", [0.0, 1e-9, 1e-3])
def test_nothing_follows_where_few_systems_change(trifle):
    """The sample or the pool shows fewer than 30 carriers: however sure it looks, no bound."""
    differences = 1e-9 * np.random.default_rng(0).normal(size=300)
    common, rare = single(np.full(POOL_ROWS, 0.5)), single(trifle + spikes(0.01, 2.9))
    many, few = single(np.full(300, 0.5)), single(trifle + 2.9 * (np.arange(300) < 3))
    assert guard(MAE, common, many).bound(differences, many) < 0.01
    assert guard(MAE, common, few).bound(differences, few) == math.inf
    assert guard(MAE, rare, many).carriers < 5
    assert guard(MAE, rare, many).bound(differences, many) == math.inf


def test_freedom_is_that_of_the_carriers():
    """Forty of a thousand rows carry the change: the bound is wider by Student's t with 39."""
    everywhere, here = single(np.full(1000, 0.5)), single(0.5 * (np.arange(1000) < 40))
    found = guard(MAE, single(np.full(POOL_ROWS, 0.5)), everywhere)
    differences = np.random.default_rng(0).normal(size=1000)
    mean, error = found.estimate(differences, here).mean, found.estimate(differences, here).error
    expected = Estimate(mean, error, 40).upper(LEVEL / 2) + found.charge
    assert found.bound(differences, here) == pytest.approx(expected)
    assert found.bound(differences, here) > found.bound(differences, everywhere)


@pytest.mark.parametrize("metric", [MAE, RMSE, BRIER, ERROR_RATE], ids=lambda metric: metric.key)
def test_what_the_pool_alone_shows_is_charged(metric):
    """Changes in an eighth of the pool that no sealed row is like are paid for, below the tail."""
    trifle = single(np.full(300, 1e-6))
    pool = single(np.where(np.arange(POOL_ROWS) % 8 == 0, 0.9, 1e-6))
    least = metric.growth(float(metric.size(np.array([0.9]))[0]) / 8, 1.0)
    assert guard(metric, pool, trifle).charge >= 0.99 * least
    alike = single(np.where(np.arange(304) % 8 == 0, 0.5, 1e-6))
    assert guard(metric, pool, alike).charge < 0.1 * least, "less than twice as much is usual"


def test_changes_of_few_large_systems_carry_less():
    """As many changed rows carry less where they are in fewer chemical systems."""
    groups = Grouping.of(np.arange(POOL_ROWS) // 10)
    by_row = Changes(spikes(0.05, 1.0), groups)
    by_group = Changes(np.repeat(spikes(0.05, 1.0, POOL_ROWS // 10), 10), groups)
    found = [guard(ERROR_RATE, changes).carriers for changes in (by_row, by_group)]
    assert found[0] > 4 * found[1]


def test_headroom_is_that_of_the_sealed_rows():
    """Many public rows do not make few sealed ones certain, and both are left to chance."""
    rng, alike = np.random.default_rng(0), single(np.full(1000, 0.1))
    values, few = rng.normal(size=1000), single(np.full(100, 0.1))
    found = guard(MAE, single(np.full(POOL_ROWS, 0.1)), alike)
    room = [found.headroom(values, alike, sealed, 2.33) for sealed in (few, alike)]
    known = estimate(values, alike.groups)
    expected = known.mean + (Estimate(0, 1, 1000).upper(LEVEL / 2) + 2.33) * known.error
    assert room[1] == pytest.approx(expected + found.charge)
    assert room[0] - known.mean > 2.5 * (room[1] - known.mean)


def test_headroom_counts_the_carriers_among_the_sealed_inputs():
    """Labels are not opened for a sealed set on which hardly anything changes."""
    rng, alike = np.random.default_rng(0), single(np.full(1000, 0.1))
    found, values = guard(MAE, single(np.full(POOL_ROWS, 0.1)), alike), rng.normal(size=1000)
    calm = single(np.where(np.arange(1000) < 3, 0.1, 0.0))
    room = [found.headroom(values, alike, sealed, 2.33) for sealed in (alike, calm)]
    assert room[1] > 5 * room[0]


def test_guard_catches_blow_ups_that_the_sample_misses():
    """One row in 100 that is 8 worse is rarely in a small sample, and always charged by a pool."""
    rng = np.random.default_rng(3)
    plain = guarded = 0
    for seed in range(300):
        sample, pool = spikes(0.01, 8.0, 100, seed), spikes(0.01, 8.0, POOL_ROWS, seed + 1000)
        noise = 0.1 * rng.normal(size=100)
        differences, changes = noise + sample, single(np.abs(noise + sample))
        found = guard(MAE, single(pool + 0.1), changes)
        plain += Guard(0.05).bound(differences, changes) < 0.05
        guarded += found.bound(differences, changes) < 0.05
    assert guarded == 0
    assert plain > 60, "without the guard the gate would pass, or this shows nothing"


def test_largest_size_is_the_largest_of_all_parts():
    """Agreement on the pool says nothing of the sealed inputs, and the other way round."""
    rng = np.random.default_rng(0)
    calm, moved = single(np.zeros(POOL_ROWS)), single(0.5 + 0.1 * rng.random(POOL_ROWS))
    assert largest_size(MAE, calm, [calm], 1.0, LEVEL) < 0.01
    assert largest_size(MAE, moved, [calm], 1.0, LEVEL) > 0.5
    assert largest_size(MAE, calm, [calm, moved], 1.0, LEVEL) > 0.5
