"""The gate's arithmetic against independent calculations, enumeration and simulation."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay.statistics import (
    BRIER,
    MAE,
    Estimate,
    effective_groups,
    estimate,
    guarded,
    level,
    metric_for,
    tail,
)

values = st.floats(-1e6, 1e6)
shares = st.floats(0, 1)


def sandwich(numbers: list[float], groups: list[str]) -> float:
    """CR1 error of the mean as least squares on a constant gives it: bread, meat and bread."""
    design = np.ones((len(numbers), 1))
    coefficient = np.linalg.lstsq(design, np.array(numbers), rcond=None)[0]
    residuals = np.array(numbers) - design @ coefficient
    bread = np.linalg.inv(design.T @ design)
    meat = np.zeros((1, 1))
    for name in set(groups):
        rows = [index for index, group in enumerate(groups) if group == name]
        score = design[rows].T @ residuals[rows]
        meat += np.outer(score, score)
    count = len(set(groups))
    # statsmodels' cov_type="cluster" has (n - 1)/(n - k) besides, which is 1 for one constant
    return math.sqrt(float((bread @ meat @ bread)[0, 0]) * count / (count - 1))


grouped = st.lists(st.tuples(st.floats(-100, 100), st.sampled_from("abcdef")), min_size=2).filter(
    lambda rows: len({group for _, group in rows}) > 1
)


@given(grouped)
def test_cluster_error_is_the_sandwich_of_least_squares(rows):
    """CR1 equals the sandwich estimator of a regression on a constant, however rows are grouped."""
    numbers, groups = (list(column) for column in zip(*rows, strict=True))
    found = estimate(np.array(numbers), groups)
    assert found.mean == pytest.approx(sum(numbers) / len(numbers), abs=1e-9)
    assert found.error == pytest.approx(sandwich(numbers, groups), rel=1e-6, abs=1e-9)


def test_single_rows_give_the_textbook_standard_error():
    """With one row a group CR1 is s / sqrt(n)."""
    numbers = np.random.default_rng(0).normal(size=50)
    found = estimate(numbers, [str(n) for n in range(50)])
    assert found.error == pytest.approx(numbers.std(ddof=1) / math.sqrt(50))
    assert found.groups == pytest.approx(50)


def test_copies_of_rows_add_no_information():
    """Copying every row of a group tenfold leaves mean, error and effective groups as they were."""
    numbers = np.random.default_rng(1).normal(size=30)
    names = [str(n) for n in range(30)]
    once, tenfold = estimate(numbers, names), estimate(np.repeat(numbers, 10), names_of(names, 10))
    assert tenfold.error == pytest.approx(once.error)
    assert tenfold.groups == pytest.approx(once.groups)
    rows = estimate(np.repeat(numbers, 10), [str(n) for n in range(300)])
    assert rows.error < once.error / 3, "ungrouped copies must look more certain, or this is blind"


def names_of(names: list[str], times: int) -> list[str]:
    """Every name so many times."""
    return [name for name in names for _ in range(times)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_effective_groups_is_kish(sizes):
    """n^2 / sum n_c^2: between 1 and the number of groups, equal to it for equal sizes."""
    groups = [f"g{index}" for index, size in enumerate(sizes) for _ in range(size)]
    found = effective_groups(groups)
    assert found == pytest.approx(sum(sizes) ** 2 / sum(size * size for size in sizes))
    assert 1 - 1e-9 <= found <= len(sizes) + 1e-9
    assert effective_groups(names_of(["a", "b", "c"], sizes[0])) == pytest.approx(3)


def test_one_group_has_no_standard_error():
    """A single group is an error, not a certainty."""
    with pytest.raises(ValueError, match="two groups"):
        estimate(np.array([1.0, 2.0]), ["a", "a"])


def test_bounds_use_students_t():
    """Bounds lie a t quantile from the mean: 1.833 for 10 groups at 5 %, 1.645 for very many."""
    few, many = Estimate(1.0, 2.0, 10), Estimate(1.0, 2.0, 1e9)
    assert few.upper(0.05) == pytest.approx(1 + 2 * 1.8331129)
    assert many.upper(0.05) == pytest.approx(1 + 2 * NormalDist().inv_cdf(0.95), rel=1e-6)
    assert few.lower(0.05) == pytest.approx(1 - 2 * 1.8331129)
    assert few.upper(0.05, slack=2.0) == pytest.approx(few.upper(0.05) + 4)


def clustered(rng: np.random.Generator, mean: float) -> tuple[np.ndarray, list[str]]:
    """Values with a shared part in each of 60 groups of skewed sizes."""
    sizes = np.minimum(rng.geometric(0.35, size=60), 8)
    names = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
    shared = np.repeat(rng.normal(size=60), sizes)
    return mean + shared + rng.normal(size=len(names)), names


def test_upper_bound_covers_grouped_rows_and_row_wise_does_not():
    """At 5 %, about 5 % of the grouped bounds miss the truth; bounds blind to groups miss more."""
    rng = np.random.default_rng(2)
    grouped_misses = blind_misses = 0
    for _ in range(2000):
        numbers, names = clustered(rng, 0.0)
        grouped_misses += estimate(numbers, names).upper(0.05) < 0
        blind_misses += estimate(numbers, list(map(str, range(len(numbers))))).upper(0.05) < 0
    assert 0.035 < grouped_misses / 2000 < 0.075
    assert blind_misses / 2000 > 0.09, "the simulation must be able to see a wrong error"


@pytest.mark.parametrize(("uses", "share"), [(5, 0.806), (12, 0.917), (16, 0.938)])
def test_levels_of_all_histories_sum_to_less_than_alpha(uses, share):
    """Over every history of bits the levels add up to the stated share of alpha."""
    alpha, total, nodes = 0.025, 0.0, 0
    for use in range(1, uses + 1):
        for history in itertools.product((True, False), repeat=use - 1):
            total += level(alpha, uses, use, history.count(False))
            nodes += 1
    assert nodes == 2**uses - 1
    assert total <= alpha
    assert total / alpha == pytest.approx(share, abs=5e-4)


@given(st.integers(1, 200), st.data())
def test_histories_with_equally_many_disagreements_share_a_halved_part(budget, data):
    """All histories of k - 1 bits with j non-confirmations share alpha 2^-(j+1) / K at use k."""
    use = data.draw(st.integers(1, budget))
    missed = data.draw(st.integers(0, use - 1))
    histories = math.comb(use - 1, missed)
    share = histories * level(0.025, budget, use, missed)
    assert share == pytest.approx(0.025 / budget / 2 ** (missed + 1))


@given(
    arrays.arrays(float, 5, elements=values),
    arrays.arrays(float, 5, elements=values),
    arrays.arrays(float, 5, elements=values),
)
def test_change_bounds_the_difference_of_absolute_errors(target, candidate, reference):
    """|D| <= d for the MAE, whatever the label is."""
    difference = MAE.loss(target, candidate) - MAE.loss(target, reference)
    slack = 1e-9 * (1 + np.abs(target) + np.abs(candidate) + np.abs(reference))
    assert (np.abs(difference) <= MAE.change(candidate, reference) + slack).all()


@given(
    arrays.arrays(float, 5, elements=st.sampled_from([0.0, 1.0])),
    arrays.arrays(float, 5, elements=shares),
    arrays.arrays(float, 5, elements=shares),
)
def test_change_bounds_the_difference_of_brier_scores(target, candidate, reference):
    """|D| <= d for the Brier score, and d is reached by one of the two labels."""
    change = BRIER.change(candidate, reference)
    differences = [
        np.abs(BRIER.loss(label, candidate) - BRIER.loss(label, reference)) for label in (0, 1)
    ]
    given_label = np.abs(BRIER.loss(target, candidate) - BRIER.loss(target, reference))
    assert (given_label <= change + 1e-12).all()
    assert np.maximum(*differences) == pytest.approx(change, abs=1e-12)
    plain = np.abs(candidate - reference)
    assert (change >= plain - 1e-12).all(), "|p' - p| alone would not bound it"


def test_metric_follows_the_kind_of_the_target():
    """Absolute error for numbers, squared error of the probability for classes."""
    label, prediction = np.array([1.0]), np.array([0.4])
    assert metric_for("number").loss(label, prediction) == pytest.approx([0.6])
    assert metric_for("class").loss(label, prediction) == pytest.approx([0.36])


def test_guard_takes_blow_ups_out_of_the_sample_and_charges_the_pool():
    """Rows beyond the threshold count as 0 in the sample; the pool's mean plus 2 SE is charged."""
    changes = np.array([0.1, 5.0, 0.2, 0.3])
    assert guarded(np.array([0.1, -5.0, 0.2, -0.3]), changes, 1.0) == pytest.approx(
        [0.1, 0.0, 0.2, -0.3]
    )
    beyond = [0.0, 5.0, 0.0, 0.0]
    mean = sum(beyond) / 4
    deviation = math.sqrt(sum((x - mean) ** 2 for x in beyond) / 3)
    assert tail(changes, 1.0) == pytest.approx(mean + 2 * deviation / 2)
    assert tail(changes, 10.0) == 0


def test_guard_catches_blow_ups_that_the_sample_misses():
    """One row in 100 that is 8 worse is rarely in a small sample, and always charged by a pool."""
    rng = np.random.default_rng(3)
    plain = charged = 0
    for _ in range(300):
        sample, pool = (8.0 * (rng.random(n) < 0.01) for n in (100, 20_000))
        noise = 0.1 * rng.normal(size=100)
        names = [str(n) for n in range(100)]
        plain += estimate(noise + sample, names).upper(0.05) < 0.05
        kept = estimate(guarded(noise + sample, sample, 3.0), names).upper(0.05)
        charged += kept + tail(pool, 3.0) < 0.05
    assert charged == 0
    assert plain > 60, "without the guard the gate would pass, or this shows nothing"
