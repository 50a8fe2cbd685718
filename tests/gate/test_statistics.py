"""The gate's arithmetic against independent calculations, enumeration and simulation."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.gate.statistics import Estimate, Grouping, carriers, estimate, holm, level, rare_upper


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


@settings(deadline=None)
@given(grouped)
def test_cluster_error_is_that_of_statsmodels(rows):
    """CR1 of statsmodels' least squares on a constant; without its correction it is smaller."""
    numbers, groups = (np.array(column) for column in zip(*rows, strict=True))
    grouping = Grouping.of(groups)
    found = estimate(numbers, grouping)
    model = sm.OLS(numbers, np.ones(len(numbers)))
    errors = [
        float(model.fit(cov_type="cluster", cov_kwds=choices).bse[0])
        for choices in (
            {"groups": grouping.codes},
            {"groups": grouping.codes, "use_correction": False},
        )
    ]
    # numpy adds in another order, so sums of what cancels differ by a little
    near = pytest.approx(errors[0], rel=1e-6, abs=1e-9)
    assert found.error == near
    plain = errors[1] * math.sqrt(grouping.count / (grouping.count - 1))
    assert found.error == pytest.approx(plain, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("numbers", "names", "mean", "error", "effective"),
    [
        # sums less expected -3 and 3: sqrt(2 (9 + 9)) / 4
        ([1, 2, 3, 6], "aabb", 3.0, 1.5, 2.0),
        # -2 and 2: sqrt(2 (4 + 4)) / 3; 9 / (4 + 1) groups
        ([0, 0, 3], "aab", 1.0, 4 / 3, 1.8),
        # -1, 0 and 1: sqrt(3/2 (1 + 1)) / 3
        ([1, 2, 3], "abc", 2.0, math.sqrt(3) / 3, 3.0),
        # opposite rows of a group cancel, so -1 and 1 remain: sqrt(2 (1 + 1)) / 4
        ([5, -6, 7, -6], "aabb", 0.0, 0.5, 2.0),
    ],
)
def test_cases_computed_by_hand(numbers, names, mean, error, effective):
    """A few rows, each step of which is in the comment."""
    found = estimate(np.array(numbers, dtype=float), Grouping.of(list(names)))
    assert found.mean == pytest.approx(mean)
    assert found.error == pytest.approx(error)
    assert found.groups == pytest.approx(effective)


def test_bound_computed_by_hand():
    """Two groups leave one degree of freedom, whose 5 % point is tan(0.45 pi) = 6.3138."""
    found = estimate(np.array([1.0, 2.0, 3.0, 6.0]), Grouping.of(list("aabb")))
    assert found.upper(0.05) == pytest.approx(3 + 1.5 * math.tan(0.45 * math.pi))
    assert found.lower(0.05) == pytest.approx(3 - 1.5 * math.tan(0.45 * math.pi))
    # P(T > 3 / 1.5) with one degree of freedom is 1/2 - atan(2) / pi
    assert found.above_zero() == pytest.approx(0.5 - math.atan(2.0) / math.pi)


@given(grouped, st.randoms(use_true_random=False))
def test_order_of_rows_and_names_of_groups_do_not_matter(rows, random):
    """Shuffled rows and renamed groups give the same estimate and the same bound of rare events."""
    names = list("abcdef")
    random.shuffle(names)
    renamed = dict(zip("abcdef", names, strict=True))
    shuffled = [(number, renamed[group]) for number, group in rows]
    random.shuffle(shuffled)
    found = []
    for listed in (rows, shuffled):
        numbers, groups = zip(*listed, strict=True)
        grouping, values = Grouping.of(groups), np.array(numbers)
        made = estimate(values, grouping)
        rare = rare_upper(np.abs(values), grouping, 0.01, 1.0)
        found.append([made.mean, made.error, made.groups, rare, made.above_zero()])
    assert found[1] == pytest.approx(found[0], rel=1e-6, abs=1e-9)


@given(grouped, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_units_and_zero_points_do_not_matter(rows, scale, shift):
    """Mean and bounds follow a change of unit and of zero point; the error the unit alone."""
    numbers, groups = (np.array(column) for column in zip(*rows, strict=True))
    grouping = Grouping.of(groups)
    before, after = estimate(numbers, grouping), estimate(scale * numbers + shift, grouping)
    size = scale * (1 + np.abs(numbers).max()) + abs(shift)
    close = {"rel": 1e-6, "abs": 1e-9 * size}
    assert after.mean == pytest.approx(scale * before.mean + shift, **close)
    if before.error < 1e-6 * size:
        return  # spread of the size of rounding may be told from none in one unit and not another
    assert after.error == pytest.approx(scale * before.error, **close)
    assert after.upper(0.01) == pytest.approx(
        scale * before.upper(0.01) + shift, rel=1e-6, abs=1e-6
    )


@given(grouped, st.floats(0.01, 100), st.floats(0.001, 10))
def test_bound_of_rare_events_has_the_unit_of_the_values(rows, scale, unseen):
    """It scales with them, is never below their mean, and rises as the level falls."""
    numbers, groups = (np.array(column) for column in zip(*rows, strict=True))
    values, grouping = np.abs(numbers), Grouping.of(groups)
    found = rare_upper(values, grouping, 0.01, unseen)
    scaled = rare_upper(scale * values, grouping, 0.01, scale * unseen)
    assert scaled == pytest.approx(scale * found, rel=1e-9)
    assert found >= values.mean()
    assert rare_upper(values, grouping, 0.001, unseen) > found


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


KNOWN_SHARES = {5: 0.806, 12: 0.917, 16: 0.938}


@pytest.mark.parametrize("uses", range(1, 17))
def test_levels_of_all_histories_sum_to_at_most_alpha(uses):
    """Over every history of bits, walked one by one, for every number of disagreements allowed."""
    alpha, nodes = 0.025, 0
    spent = [0.0] * uses  # by the disagreements before the use
    for use in range(1, uses + 1):
        for history in itertools.product((True, False), repeat=use - 1):
            missed = history.count(False)
            spent[missed] += level(alpha, uses, use, missed)
            nodes += 1
    assert nodes == 2**uses - 1
    # a set that is retired at J disagreements has the histories with fewer of them
    totals = list(itertools.accumulate(spent))
    assert totals == sorted(totals)
    assert totals[-1] <= alpha
    assert totals[-1] / alpha == pytest.approx(KNOWN_SHARES.get(uses, totals[-1] / alpha), abs=5e-4)
    without_halving = sum(total * 2 ** (missed + 1) for missed, total in enumerate(spent))
    assert uses == 1 or without_halving > alpha, "the sum must be able to exceed alpha"


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


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(0, 1) | st.floats(0, 0.02), min_size=1, max_size=21),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_holm_is_that_of_statsmodels(p_values, alpha):
    """The same hypotheses are rejected, ties included."""
    expected = multipletests(p_values, alpha, method="holm")[0]
    assert holm(p_values, alpha) == list(expected)


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


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    value=st.floats(1e-150, 1e150),
)
def test_groups_that_change_alike_all_carry(sizes, value):
    """Where all rows change by the same, the carriers are the effective number of groups."""
    grouping = Grouping.of(np.repeat(np.arange(len(sizes)), sizes))
    found = carriers(np.full(sum(sizes), value), grouping)
    assert found == pytest.approx(grouping.effective)


@pytest.mark.filterwarnings("error")
def test_few_groups_that_change_carry_alone():
    """Three of a thousand groups hold nearly all of the change; with none of it nothing carries."""
    values, grouping = np.full(1000, 1e-6), Grouping.of(range(1000))
    values[:3] = 1.0
    assert carriers(values, grouping) == pytest.approx(3, abs=0.01)
    values[3:] = 0
    assert carriers(values, grouping) == 3
    assert carriers(np.zeros(1000), grouping) == 0
    assert carriers(np.full(1000, 1e306), Grouping.of([0] * 1000)) == 0, (
        "an overflow bounds nothing"
    )
    assert carriers(np.zeros(0), Grouping.of([])) == 0
