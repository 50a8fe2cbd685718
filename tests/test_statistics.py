"""The gate's arithmetic against independent calculations, enumeration and simulation."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.statistics import Estimate, Grouping, cohesion, estimate, holm, level, rare_upper


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
    found = estimate(np.array(numbers), Grouping.of(groups))
    assert found.mean == pytest.approx(sum(numbers) / len(numbers), abs=1e-9)
    assert found.error == pytest.approx(sandwich(numbers, groups), rel=1e-6, abs=1e-9)


def test_single_rows_give_the_textbook_standard_error():
    """With one row a group CR1 is s / sqrt(n)."""
    numbers = np.random.default_rng(0).normal(size=50)
    found = estimate(numbers, Grouping.of(range(50)))
    assert found.error == pytest.approx(numbers.std(ddof=1) / math.sqrt(50))
    assert found.groups == pytest.approx(50)


def test_copies_of_rows_add_no_information():
    """Copying every row of a group tenfold leaves mean, error and effective groups as they were."""
    numbers = np.random.default_rng(1).normal(size=30)
    names = [str(n) for n in range(30)]
    once = estimate(numbers, Grouping.of(names))
    tenfold = estimate(np.repeat(numbers, 10), Grouping.of(names_of(names, 10)))
    assert tenfold.error == pytest.approx(once.error)
    assert tenfold.groups == pytest.approx(once.groups)
    rows = estimate(np.repeat(numbers, 10), Grouping.of(range(300)))
    assert rows.error < once.error / 3, "ungrouped copies must look more certain, or this is blind"


def names_of(names: list[str], times: int) -> list[str]:
    """Every name so many times."""
    return [name for name in names for _ in range(times)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_effective_groups_is_kish(sizes):
    """n^2 / sum n_c^2: between 1 and the number of groups, equal to it for equal sizes."""
    groups = [f"g{index}" for index, size in enumerate(sizes) for _ in range(size)]
    found = Grouping.of(groups).effective
    assert found == pytest.approx(sum(sizes) ** 2 / sum(size * size for size in sizes))
    assert 1 - 1e-9 <= found <= len(sizes) + 1e-9
    assert Grouping.of(names_of(["a", "b", "c"], sizes[0])).effective == pytest.approx(3)


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ([1.0, 2.0], "aa"),
        ([1.0], "a"),
        ([], ""),
        ([-3.0, -3.0, -3.0], "abc"),
        ([-0.1] * 7, "abcdefg"),
        ([1e300, -1e300, 1e300], "abc"),
        ([math.inf, 0.0, 0.0], "abc"),
        ([math.nan, 0.0, 0.0], "abc"),
    ],
    ids=["one group", "one row", "no row", "equal", "equal, inexact", "huge", "infinite", "nan"],
)
@pytest.mark.filterwarnings("error")
def test_nothing_follows_from_a_degenerate_sample(numbers, names):
    """One group, no spread, an overflow: no bound, no small p-value, no warning and no NaN."""
    found = estimate(np.array(numbers), Grouping.of(list(names)))
    assert found.upper(0.01) == math.inf
    assert found.lower(0.01) == -math.inf
    assert found.above_zero() == 1.0


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
        grouped_misses += estimate(numbers, Grouping.of(names)).upper(0.05) < 0
        blind_misses += estimate(numbers, Grouping.of(range(len(numbers)))).upper(0.05) < 0
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


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        ([0.01], [True]),
        ([0.011], [False]),
        ([0.02, 0.004], [False, True]),
        ([0.009, 0.004], [True, True]),
        ([0.004, 0.006, 0.9], [False, False, False]),
        ([], []),
    ],
)
def test_holm_steps_down(p_values, rejected):
    """The smallest p-value is held against alpha / q, the next against alpha / (q - 1), ..."""
    assert holm(p_values, 0.01) == rejected


def test_masks_of_groups():
    """A part of the rows is grouped as those rows alone would be."""
    names = list("aabbbccd")
    mask = np.array([True, False, True, True, False, False, True, True])
    part = Grouping.of(names).take(mask)
    alone = Grouping.of([name for name, kept in zip(names, mask, strict=True) if kept])
    assert part.effective == alone.effective
    assert np.array_equal(part.sizes, alone.sizes)


@pytest.mark.parametrize("size", [1, 10], ids=["rows", "groups"])
@pytest.mark.parametrize("share", [0.0005, 0.003, 0.05])
def test_bound_of_rare_events_covers_where_a_normal_one_does_not(share, size):
    """Of 4,000 samples about 1 % at most have an upper bound below the truth, however rare."""
    rng, rows = np.random.default_rng(4), 4000
    grouping = Grouping.of(np.arange(rows) // size)
    missed = normal = 0
    for _ in range(4000):
        values = np.repeat(rng.random(rows // size) < share, size) * 2.0
        missed += rare_upper(values, grouping, 0.01, 2.0) < 2.0 * share
        found = estimate(values, grouping)
        normal += not found.usable or found.upper(0.01) < 2.0 * share
    assert missed <= 40 + 3 * math.sqrt(40)
    if share * rows / size < 15:
        assert normal > 120, "a normal bound must fail here, or this shows nothing"


def test_bound_of_many_events_is_nearly_the_normal_one():
    """With hundreds of events nothing is given away."""
    values = (np.random.default_rng(5).random(20_000) < 0.05).astype(float)
    grouping = Grouping.of(range(20_000))
    normal = estimate(values, grouping).upper(1e-4)
    assert rare_upper(values, grouping, 1e-4, 1.0) == pytest.approx(normal, rel=0.02)


def test_cohesion_tells_groups_from_rows():
    """0 for values drawn row by row, 1 for values drawn group by group, 1 where none can tell."""
    rng = np.random.default_rng(6)
    grouping = Grouping.of(np.arange(5000) // 5)
    assert cohesion(rng.random(5000), grouping) == pytest.approx(0, abs=0.1)
    assert cohesion(np.repeat(rng.random(1000), 5), grouping) == pytest.approx(1, abs=0.1)
    assert cohesion(rng.random(50), Grouping.of(range(50))) == 1
    assert cohesion(np.ones(50), Grouping.of(np.arange(50) // 5)) == 1
