"""Walking a forest: the very bits of scikit-learn, whatever the rows, their number and threads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from assay.model.forests import lay_out
from assay.model.inference import as_rows, by_scikit_learn
from assay.model.walks import ROWS, cores, walk, walk_few
from forests import KINDS, fitted, hard_rows, seeds, train_rows, trees

few = effort(max_examples=12, deadline=None)


@pytest.mark.parametrize("kind", KINDS)
@given(rows=train_rows, count=trees, seed=seeds)
@few
def test_walk_gives_the_bits_of_scikit_learn(kind, rows, count, seed):
    """Each prediction equals the estimator's own, on, beside and far from every threshold."""
    estimator = fitted(kind, rows, count, seed)
    features, forest = hard_rows(estimator, rows, seed), lay_out(estimator)
    for way in (walk, walk_few):
        walked = way(forest, as_rows(forest, features))
        assert np.array_equal(walked, by_scikit_learn(estimator, features))


def test_a_threshold_a_bit_further_is_noticed():
    """Rows that lie on thresholds tell a forest from one whose thresholds are a bit smaller."""
    estimator = fitted("forest", 60, 10, 3)
    forest, features = lay_out(estimator), hard_rows(estimator, 60, 3)
    forest.thresholds[:] = np.nextafter(forest.thresholds, np.float32(-np.inf))
    for way in (walk, walk_few):
        walked = way(forest, as_rows(forest, features))
        assert not np.array_equal(walked, by_scikit_learn(estimator, features))


@given(cut=st.integers(1, 3 * ROWS), threads=st.integers(1, 5), seed=seeds)
@few
def test_neighbours_and_threads_change_no_row(cut, threads, seed):
    """A row's prediction is the same in one piece, in two, and on several threads."""
    estimator = fitted("forest", 30, 5, seed)
    forest = lay_out(estimator)
    rows = as_rows(forest, np.tile(hard_rows(estimator, 30, seed), (2, 1)))
    whole = walk(forest, rows)
    parts = [walk(forest, part) for part in (rows[:cut], rows[cut:])]
    assert np.array_equal(whole, np.concatenate(parts))
    assert np.array_equal(whole, walk(forest, rows, threads))
    assert np.array_equal(whole[:cut], walk_few(forest, rows[:cut]))


def test_threads_are_what_a_scheduler_allows(monkeypatch):
    """OMP_NUM_THREADS bounds the threads; without it, or if it is odd, all cores work."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = cores()
    for told, expected in {"1": 1, "9999": every, "0": every, "two": every, "": every}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert cores() == expected
