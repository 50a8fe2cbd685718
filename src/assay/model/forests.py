"""Fitted trees of scikit-learn laid out to be walked quickly, leaf by leaf the same.

What a forest adds up is kept, and the order in which it does; what cannot be laid out so that the
sum is the same to the last bit is refused, with the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class NotLaidOutError(Exception):
    """Why an estimator cannot be laid out: the rest of a sentence that begins with its name."""


class BrokenTreesError(NotLaidOutError):
    """Walking the trees would not end, or read what is not theirs, by whatever code."""


class Tree(NamedTuple):
    """A binary tree: where `left` is negative a leaf, elsewhere x <= `threshold` goes left."""

    left: np.ndarray
    right: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Forest:
    """Trees end to end: the sum of `start` and of one value a tree, in order, given to `finish`.

    A node's `children` are its left child's place, which the right one's follows; a leaf's is its
    own. Thresholds have the type that features are compared in.
    """

    columns: np.ndarray
    thresholds: np.ndarray
    children: np.ndarray
    values: np.ndarray
    roots: np.ndarray
    features: int
    start: float
    finish: Callable[[np.ndarray], np.ndarray]


def lay_out(estimator: Any) -> Forest:
    """Lay out a fitted estimator that gives a number, or the probability of its second class.

    Raises:
        BrokenTreesError: its nodes are no trees, or ask for columns that there are none of.
        NotLaidOutError: it is of another kind, or does not add up its trees in a fixed order.
    """
    import sklearn.ensemble as ensembles
    import sklearn.tree as trees

    # types as such: a subclass may predict in its own way
    known: dict[type, Callable[[Any], Forest]] = {
        trees.DecisionTreeRegressor: _single,
        trees.DecisionTreeClassifier: _single,
        trees.ExtraTreeRegressor: _single,
        trees.ExtraTreeClassifier: _single,
        ensembles.RandomForestRegressor: _averaged,
        ensembles.RandomForestClassifier: _averaged,
        ensembles.ExtraTreesRegressor: _averaged,
        ensembles.ExtraTreesClassifier: _averaged,
        ensembles.BaggingRegressor: _bagged,
        ensembles.BaggingClassifier: _bagged,
        ensembles.GradientBoostingRegressor: _boosted,
        ensembles.GradientBoostingClassifier: _boosted,
        ensembles.HistGradientBoostingRegressor: _histogram_boosted,
        ensembles.HistGradientBoostingClassifier: _histogram_boosted,
    }
    if type(estimator) not in known:
        raise NotLaidOutError("is no forest that could be walked faster")
    if getattr(estimator, "n_outputs_", 1) != 1 or len(getattr(estimator, "classes_", "01")) != 2:  # noqa: PLR2004 (yes and no)
        raise NotLaidOutError("does not predict one number")
    return known[type(estimator)](estimator)


def _single(estimator: Any) -> Forest:
    return _forest([_fitted_tree(estimator)], estimator.n_features_in_)


def _averaged(estimator: Any) -> Forest:
    return _mean(estimator, map(_fitted_tree, estimator.estimators_))


def _bagged(estimator: Any) -> Forest:
    """Trees that each see some of the columns, whose numbers are put in the place of their own."""
    import sklearn.tree as trees

    fitted = estimator.estimators_
    single = (
        *(trees.DecisionTreeRegressor, trees.DecisionTreeClassifier),
        *(trees.ExtraTreeRegressor, trees.ExtraTreeClassifier),
    )
    if any(type(tree) not in single for tree in fitted):
        raise NotLaidOutError("averages other estimators than single trees")
    if any(tree.n_outputs_ != 1 or len(getattr(tree, "classes_", "01")) != 2 for tree in fitted):  # noqa: PLR2004 (yes and no)
        raise NotLaidOutError("has trees that do not predict one number")
    return _mean(estimator, map(_widened, fitted, estimator.estimators_features_))


def _widened(estimator: Any, features: np.ndarray) -> Tree:
    tree = _fitted_tree(estimator)
    inner = np.where(tree.left < 0, 0, tree.column)
    if ((inner < 0) | (inner >= len(features))).any():
        raise BrokenTreesError("asks for columns that it has not")
    return tree._replace(column=np.asarray(features)[inner])


def _mean(estimator: Any, trees: Iterator[Tree]) -> Forest:
    count = len(estimator.estimators_)
    # first, since broken trees are broken in any order
    laid = _forest(trees, estimator.n_features_in_, finish=lambda total: total / count)
    if estimator.n_jobs not in {None, 1}:
        raise NotLaidOutError(
            f"adds up its trees in an order that varies (n_jobs={estimator.n_jobs})"
        )
    return laid


def _fitted_tree(estimator: Any) -> Tree:
    tree = estimator.tree_
    value = tree.value[:, 0, 1 if hasattr(estimator, "classes_") else 0]
    threshold = rounded_down(tree.threshold)
    return Tree(tree.children_left, tree.children_right, tree.feature, threshold, value)


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds (n,) in single precision that part single-precision numbers as the doubles do.

    scikit-learn compares a float32 with a double. The largest float32 that is no larger gives the
    same answer, as no float32 lies between the two.
    """
    with np.errstate(over="ignore"):
        single = thresholds.astype(np.float32)
        below = np.nextafter(single, np.float32(-np.inf))
    return np.where(single.astype(np.float64) > thresholds, below, single)


def _boosted(estimator: Any) -> Forest:
    if type(estimator.init_).__module__ != "sklearn.dummy" and estimator.init_ != "zero":
        raise NotLaidOutError("starts from a model of its own (init)")
    features, rate = estimator.n_features_in_, estimator.learning_rate
    steps = (_fitted_tree(stage) for stage in estimator.estimators_[:, 0])
    fitted = (step._replace(value=rate * step.value) for step in steps)
    start = estimator._raw_predict_init(np.zeros((1, features)))[0, 0]  # noqa: SLF001
    finish = _second_class(estimator) if hasattr(estimator, "classes_") else _unchanged
    return _forest(fitted, features, start, finish)


def _histogram_boosted(estimator: Any) -> Forest:
    if estimator.is_categorical_ is not None:
        raise NotLaidOutError("has columns of categories")
    regressor = not hasattr(estimator, "classes_")
    finish = estimator._loss.link.inverse if regressor else _second_class(estimator)  # noqa: SLF001
    fitted = (_histogram_tree(stage.nodes) for (stage,) in estimator._predictors)  # noqa: SLF001
    start = estimator._baseline_prediction.item()  # noqa: SLF001
    return _forest(fitted, estimator.n_features_in_, start, finish)


def _histogram_tree(nodes: np.ndarray) -> Tree:
    inner = nodes["is_leaf"] == 0
    left, right = (np.where(inner, nodes[side].astype(np.int64), -1) for side in ("left", "right"))
    return Tree(left, right, nodes["feature_idx"], nodes["num_threshold"], nodes["value"])


def _second_class(estimator: Any) -> Callable[[np.ndarray], np.ndarray]:
    probabilities = estimator._loss.predict_proba  # noqa: SLF001 (asked for before any row is walked)
    return lambda total: probabilities(total)[:, 1]


def _unchanged(total: np.ndarray) -> np.ndarray:
    return total


def _forest(
    trees: Iterator[Tree] | Sequence[Tree],
    features: int,
    start: float = 0.0,
    finish: Callable[[np.ndarray], np.ndarray] = _unchanged,
) -> Forest:
    parts, roots, place = [], [], 0
    for tree in trees:
        parts.append(_by_level(tree, features, place))
        roots.append(place)
        place += len(tree.left)
    columns, thresholds, children, values = map(np.concatenate, zip(*parts, strict=True))
    starts = np.array(roots, dtype=np.int32)
    return Forest(columns, thresholds, children, values, starts, features, start, finish)


def _by_level(tree: Tree, features: int, place: int) -> tuple[np.ndarray, ...]:
    """Nodes level by level, siblings side by side, the first of them at `place`.

    Raises:
        BrokenTreesError: it is no tree, or asks for a column that there is none of, so that walking
            it would not end, or read what is no feature.
        NotLaidOutError: it has a threshold that is no number.
    """
    order = _level_order(tree)
    leaf = tree.left[order] < 0
    column = np.where(leaf, 0, tree.column[order])
    if ((column < 0) | (column >= features)).any():
        raise BrokenTreesError("asks for columns that it has not")
    # x <= NaN is false and so is x > NaN: scikit-learn would go the other way
    if np.isnan(tree.threshold[order][~leaf]).any():
        raise NotLaidOutError("has thresholds that are no numbers")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    children = place + np.where(leaf, np.arange(len(order)), places[tree.left[order]])
    return (
        column.astype(np.int32),
        np.where(leaf, np.inf, tree.threshold[order]).astype(tree.threshold.dtype),
        children.astype(np.int32),
        np.asarray(tree.value[order], dtype=np.float64),
    )


def _level_order(tree: Tree) -> np.ndarray:
    nodes = len(tree.left)
    levels, level, seen = [], np.zeros(1, dtype=np.int64), 0
    while level.size and seen <= nodes:
        levels.append(level)
        seen += level.size
        inner = level[tree.left[level] >= 0]
        level = np.column_stack([tree.left[inner], tree.right[inner]]).reshape(-1)
        if ((level < 0) | (level >= nodes)).any():
            break
    order = np.concatenate(levels)
    if not np.array_equal(np.sort(order), np.arange(nodes)):
        raise BrokenTreesError("holds nodes that are no tree")
    return order
