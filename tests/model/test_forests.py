"""Laid out forests: thresholds that part the same numbers, and what is refused."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression

from assay.model.forests import (
    BrokenTreesError,
    NotLaidOutError,
    Tree,
    _forest,
    lay_out,
    rounded_down,
)
from forests import fitted, samples

doubles = st.floats(allow_nan=False)
singles = st.floats(width=32, allow_nan=False)


class Own(RandomForestRegressor):
    """A forest that may predict in its own way."""


@given(doubles, singles)
@example(0.1, float(np.float32(0.1)))
@example(1e300, float(np.finfo(np.float32).max))
@example(-1e300, -np.inf)
@example(1e-320, 0.0)
def test_rounded_threshold_parts_single_precision_numbers_alike(threshold, x):
    """A float32 is over the rounded threshold exactly if it is over the double."""
    rounded = rounded_down(np.array([threshold]))
    assert rounded.dtype == np.float32
    assert (x <= threshold) == bool(np.float32(x) <= rounded[0])


def test_rounding_to_the_nearest_would_not_do():
    """The threshold 0.1 is one that a plain conversion gets wrong."""
    nearest = np.float32(0.1)
    assert not float(nearest) <= 0.1
    assert nearest <= np.float32(0.1)
    assert not nearest <= rounded_down(np.array([0.1]))[0]


def test_every_node_has_its_place():
    """Node counts and the values of all leaves are the estimator's own."""
    forest = fitted("forest", 40, 7, 0)
    laid = lay_out(forest)
    own = [one.tree_ for one in forest.estimators_]
    assert list(np.diff([*laid.roots, len(laid.values)])) == [tree.node_count for tree in own]
    assert sorted(laid.values) == sorted(np.concatenate([tree.value.ravel() for tree in own]))


REFUSED = {
    "is no forest": lambda x, y: LinearRegression().fit(x, y),
    "is no forest that": lambda x, y: Own(3).fit(x, y),
    "does not predict one number": lambda x, y: RandomForestClassifier(3).fit(x, y.round() % 3),
    "not predict one number": lambda x, _: RandomForestRegressor(3).fit(x, x[:, :2]),
    "in an order that varies": lambda x, y: RandomForestRegressor(3, n_jobs=2).fit(x, y),
    "starts from a model of its own": lambda x, y: GradientBoostingRegressor(
        init=LinearRegression(), n_estimators=3
    ).fit(x, y),
    "has columns of categories": lambda x, y: HistGradientBoostingRegressor(
        max_iter=3, categorical_features=[0]
    ).fit(np.abs(x).round() % 5, y),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_the_same_is_refused_with_the_reason(reason):
    """An estimator that adds up otherwise is not laid out."""
    estimator = REFUSED[reason](*samples(30, 0))
    with pytest.raises(NotLaidOutError, match=reason):
        lay_out(estimator)


@pytest.mark.parametrize(
    ("left", "right", "column"),
    [
        ([1, 0, -1], [2, 2, -1], [0, 0, -2]),  # a circle
        ([1, -1, -1], [1, -1, -1], [0, -2, -2]),  # a node with two parents, one without
        ([1, -1], [7, -1], [0, -2]),  # a node that is not there
        ([1, -1, -1], [-2, -1, -1], [0, -2, -2]),  # before the first
        ([1, -1, -1], [2, -1, -1], [9, -2, -2]),  # a column that is not there
        ([1, -1, -1], [2, -1, -1], [-3, -2, -2]),
    ],
)
def test_nodes_that_lead_astray_are_refused(left, right, column):
    """A damaged tree is not walked: no step would end or read outside the arrays."""
    numbers = np.zeros(len(left))
    tree = Tree(*map(np.array, (left, right, column)), numbers, numbers)
    with pytest.raises(BrokenTreesError):
        _forest([tree], 5)


def test_threshold_that_is_no_number_is_left_to_scikit_learn():
    """The walk would go left where scikit-learn goes right; that alone is no damage."""
    tree = Tree(*map(np.array, ([1, -1, -1], [2, -1, -1], [0, -2, -2])), *_numbers(np.nan))
    with pytest.raises(NotLaidOutError, match="no numbers") as caught:
        _forest([tree], 5)
    assert not isinstance(caught.value, BrokenTreesError)
    leaf = Tree(*map(np.array, ([1, -1, -1], [2, -1, -1], [0, -2, -2])), *_numbers(0.5))
    assert len(_forest([leaf], 5).roots) == 1


def _numbers(threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds and values of three nodes; those of leaves do not count."""
    return np.array([threshold, np.nan, np.nan]), np.zeros(3)
