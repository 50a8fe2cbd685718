"""Fitted estimators of many kinds, and rows that are hard to send the right way."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

COLUMNS = 5

REGRESSORS: dict[str, Callable[[int, int], Any]] = {
    "forest": lambda n, seed: RandomForestRegressor(n, max_features=1 / 3, random_state=seed),
    "pruned forest": lambda n, seed: RandomForestRegressor(n, max_depth=3, random_state=seed),
    "medians": lambda n, seed: RandomForestRegressor(
        n, criterion="absolute_error", random_state=seed
    ),
    "extra trees": lambda n, seed: ExtraTreesRegressor(n, random_state=seed),
    "subspaces": lambda n, seed: BaggingRegressor(
        DecisionTreeRegressor(), n, max_features=0.5, bootstrap=False, random_state=seed
    ),
    "bagged extra trees": lambda n, seed: BaggingRegressor(
        ExtraTreeRegressor(), n, bootstrap_features=True, random_state=seed
    ),
    "tree": lambda _, seed: DecisionTreeRegressor(random_state=seed),
    "extra tree": lambda _, seed: ExtraTreeRegressor(random_state=seed),
    "boosting": lambda n, seed: GradientBoostingRegressor(n_estimators=n, random_state=seed),
    "boosting from zero": lambda n, seed: GradientBoostingRegressor(
        n_estimators=n, init="zero", loss="huber", random_state=seed
    ),
    "histogram boosting": lambda n, seed: HistGradientBoostingRegressor(
        max_iter=n, min_samples_leaf=2, random_state=seed
    ),
    "histogram boosting of counts": lambda n, seed: HistGradientBoostingRegressor(
        loss="poisson", max_iter=n, min_samples_leaf=2, random_state=seed
    ),
}
CLASSIFIERS: dict[str, Callable[[int, int], Any]] = {
    "forest, yes or no": lambda n, seed: RandomForestClassifier(n, random_state=seed),
    "extra trees, yes or no": lambda n, seed: ExtraTreesClassifier(n, random_state=seed),
    "subspaces, yes or no": lambda n, seed: BaggingClassifier(
        DecisionTreeClassifier(), n, max_features=0.5, bootstrap=False, random_state=seed
    ),
    "tree, yes or no": lambda _, seed: DecisionTreeClassifier(random_state=seed),
    "boosting, yes or no": lambda n, seed: GradientBoostingClassifier(
        n_estimators=n, random_state=seed
    ),
    "exponential boosting, yes or no": lambda n, seed: GradientBoostingClassifier(
        n_estimators=n, loss="exponential", random_state=seed
    ),
    "histogram boosting, yes or no": lambda n, seed: HistGradientBoostingClassifier(
        max_iter=n, min_samples_leaf=2, random_state=seed
    ),
}
KINDS = REGRESSORS | CLASSIFIERS

seeds = st.integers(0, 2**32 - 1)
trees = st.integers(1, 12)
train_rows = st.integers(2, 60)


def samples(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows, 5) with many ties, and numbers of which each row has its own."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, COLUMNS)) * 10.0 ** generator.integers(-3, 4, COLUMNS)
    features[:, 0] = features[:, 0].round(3)
    return features, features[:, 0] + generator.normal(size=rows) + 10


def fitted(kind: str, rows: int, count: int, seed: int) -> Any:
    """An estimator of that kind, with so many trees, that has learned so many rows."""
    features, target = samples(rows, seed)
    if kind in CLASSIFIERS:
        target = (target > np.median(target)).astype(int)
        target[0], target[-1] = 0, 1
    elif "counts" in kind:
        target = np.abs(target)
    return KINDS[kind](count, seed % 1000).fit(features, target)


def hard_rows(estimator: Any, rows: int, seed: int) -> np.ndarray:
    """What it learned, rows like it, and rows that lie on, just over and just under thresholds."""
    known, _ = samples(rows, seed)
    new, _ = samples(200, seed + 1)
    thresholds = np.concatenate([*map(np.ravel, splits(estimator)), [0.0]])
    on = np.random.default_rng(seed).choice(thresholds, (150, COLUMNS))
    over, under = np.nextafter(on, np.inf), np.nextafter(on, -np.inf)
    single = on.astype(np.float32)
    beside = np.nextafter(single, np.float32(np.inf)).astype(float)
    return np.vstack([known, new, on, over, under, single.astype(float), beside])


def splits(estimator: Any) -> list[np.ndarray]:
    """The thresholds of all inner nodes, tree by tree."""
    if hasattr(estimator, "_predictors"):
        nodes = [tree.nodes for (tree,) in estimator._predictors]
        return [found["num_threshold"][found["is_leaf"] == 0] for found in nodes]
    fitted_trees = np.ravel(getattr(estimator, "estimators_", [estimator]))
    found = [one.tree_ for one in fitted_trees]
    return [tree.threshold[tree.children_left >= 0] for tree in found]
