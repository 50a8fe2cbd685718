"""Sample sizes for bounded metrics, against published figures and exact probabilities."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from assay.errors import UsageError
from assay.planning.sample_sizes import (
    Promise,
    rows_for_difference,
    rows_for_one,
    rows_for_rare_change,
)
from sentences import told

# The table of Renggli et al. for 32 steps: one variable and n - o, each without and with full
# adaptivity. Its first row, 5,496, 29K and 67K were compared with what the authors printed.
TABLE = {
    (0.99, 0.1): (404, 1340, 1753, 5496),
    (0.99, 0.05): (1615, 5358, 7012, 21984),
    (0.99, 0.025): (6457, 21429, 28045, 87933),
    (0.99, 0.01): (40355, 133930, 175282, 549581),
    (0.999, 0.1): (519, 1455, 2214, 5957),
    (0.999, 0.05): (2075, 5818, 8854, 23826),
    (0.999, 0.025): (8299, 23271, 35414, 95302),
    (0.999, 0.01): (51868, 145443, 221333, 595633),
    (0.9999, 0.1): (634, 1570, 2674, 6417),
    (0.9999, 0.05): (2536, 6279, 10696, 25668),
    (0.9999, 0.025): (10141, 25113, 42782, 102670),
    (0.9999, 0.01): (63381, 156956, 267385, 641684),
    (0.99999, 0.1): (749, 1685, 3135, 6878),
    (0.99999, 0.05): (2996, 6739, 12538, 27510),
    (0.99999, 0.025): (11983, 26955, 50150, 110038),
    (0.99999, 0.01): (74894, 168469, 313437, 687736),
}
ONCE = Promise(0.99, 1, "none")
promises = st.builds(
    Promise, st.floats(0.5, 0.99999), st.integers(1, 200), st.sampled_from(["none", "full"])
)
tolerances = st.floats(0.005, 0.3)


@pytest.mark.parametrize(("setting", "rows"), TABLE.items())
def test_table_of_the_paper(setting, rows):
    """All 64 cells: four reliabilities, four tolerances, one variable or two, adaptive or not."""
    reliability, tolerance = setting
    none, full = (Promise(reliability, 32, how) for how in ("none", "full"))
    found = [rows_for_one(tolerance, promise) for promise in (none, full)]
    found += [rows_for_difference(tolerance, promise) for promise in (none, full)]
    assert tuple(found) == rows


@pytest.mark.parametrize(("adaptivity", "rows"), [("none", 29_048), ("full", 67_706)])
def test_rare_changes_tested_on_the_way(adaptivity, rows):
    """The paper's 29K and 67K: a tenth of the rows differ, tolerance 0.01, 0.9999, 32 steps."""
    assert rows_for_rare_change(0.01, Promise(0.9999, 32, adaptivity), 0.1) == rows


def test_figures_of_the_published_contest():
    """SemEval-2019 task 3: 7 steps, 0.998; of 5,509 labels Bennett needs fewer, Hoeffding more."""
    none, full = (Promise(0.998, 7, how) for how in ("none", "full"))
    assert rows_for_difference(0.02, none) == 44_269
    assert rows_for_rare_change(0.02, none, 0.1) < 5_509
    assert rows_for_difference(0.02, full) == pytest.approx(58_799, abs=1)


def test_one_test():
    """The paper's 46K rows for one test."""
    assert rows_for_one(0.01, Promise(0.9999, 1, "none")) == pytest.approx(46_052, abs=1)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_hoeffding_keeps_its_promise_exactly(share):
    """The exact binomial chance of missing by more than the tolerance is within the risk."""
    rows = rows_for_one(0.1, ONCE)

    def missed(count: int) -> float:
        return float(binom.sf(math.floor(count * (share + 0.1) + 1e-9), count, share))

    assert missed(rows) <= 0.01
    if share == 0.5:
        assert missed(rows // 3) > 0.01, "a third of the rows must not do, or this shows nothing"


def test_bennett_keeps_its_promise_exactly():
    """With a tenth of the rows changed for better or worse alike, n - o misses within the risk."""
    changed, tolerance = 0.1, 0.05
    rows = rows_for_rare_change(tolerance, ONCE, changed)

    def missed(count: int) -> float:
        total = 0.0
        for differing in range(count + 1):
            # gains - losses > tolerance * count, of `differing` rows that are one or the other
            gains = math.floor((differing + tolerance * count) / 2 + 1e-9)
            beyond = binom.sf(gains, differing, 0.5)
            total += float(binom.pmf(differing, count, changed) * beyond)
        return 2 * total

    assert missed(rows) <= 0.01
    assert missed(rows // 3) > 0.01, "a third of the rows must not do, or this shows nothing"


@given(tolerances, promises)
def test_more_is_asked_for_more(tolerance, promise):
    """A finer tolerance, a higher reliability, more steps or clauses never need fewer rows."""
    surer = Promise((1 + promise.reliability) / 2, promise.steps, promise.adaptivity)
    longer = Promise(promise.reliability, promise.steps + 1, promise.adaptivity)
    for rows in (rows_for_one, rows_for_difference):
        plain = rows(tolerance, promise)
        assert rows(tolerance / 2, promise) >= 3 * plain
        assert rows(tolerance, surer) > plain
        assert rows(tolerance, longer) >= plain
        assert rows(tolerance, promise, clauses=3) > plain


@given(tolerances, promises, st.floats(0.01, 1.0))
def test_fewer_changes_need_fewer_rows(tolerance, promise, changed):
    """The rarer the changes the fewer rows."""
    rows = rows_for_rare_change(tolerance, promise, changed)
    assert rows >= rows_for_rare_change(tolerance, promise, changed / 2)


def test_long_lives_do_not_overflow():
    """2^steps is never formed: 100,000 adaptive steps give a number, linear in the steps."""
    once, twice = (rows_for_one(0.1, Promise(0.99, steps, "full")) for steps in (50_000, 100_000))
    assert twice == pytest.approx(2 * once, rel=1e-3)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Promise(1.0, 1, "none"), "reliability"),
        (lambda: Promise(0.0, 1, "none"), "reliability"),
        (lambda: Promise(math.nan, 1, "none"), "reliability"),
        (lambda: Promise(0.99, 0, "full"), "steps"),
        (lambda: Promise(0.99, 32, "some"), "none, full"),
        (lambda: rows_for_one(0.0, ONCE), "tolerance"),
        (lambda: rows_for_one(0.1, ONCE, clauses=0), "clauses"),
        (lambda: rows_for_difference(1.5, ONCE), "tolerance"),
        (lambda: rows_for_rare_change(-0.1, ONCE, 0.1), "tolerance"),
        (lambda: rows_for_rare_change(0.1, ONCE, 0.0), "changed rows"),
        (lambda: rows_for_rare_change(0.1, ONCE, 1.1), "changed rows"),
    ],
)
def test_impossible_settings_are_refused(make, word):
    """What is out of range is named in a sentence."""
    with told(UsageError, 2, word):
        make()
