"""Builders of models with a planted fault in their training, importable in any process."""

import itertools
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.features import MagpieFeatures
from toy import target_of

counter = itertools.count()


def ridge(seed: int, alpha: float = 1.0) -> Pipeline:
    """A sound linear model."""
    return make_pipeline(MagpieFeatures(), StandardScaler(), Ridge(alpha, random_state=seed))


def forest(seed: int | None) -> Pipeline:
    """A sound forest of few trees."""
    return make_pipeline(MagpieFeatures(), RandomForestRegressor(8, random_state=seed))


def unseeded(seed: int) -> Pipeline:
    """A forest that nobody handed the seed to."""
    return forest(None)


def counting(seed: int) -> Pipeline:
    """A model that is another one each time it is built."""
    return ridge(seed, 1.0 + next(counter))


def hashing(seed: int) -> Pipeline:
    """A model that is another one in every process."""
    return ridge(seed, 1.0 + hash("formula") % 1000)


class Peeking(Ridge):
    """Knows the true labels of all rows, whatever it is given."""

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Learn nothing."""
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Look the labels up, as from a file beside the code."""
        return target_of(list(X["formula"]))


class Remembering(Ridge):
    """Remembers the labels of all rows that any model was ever fitted to."""

    labels: ClassVar[dict[str, float]] = {}

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Write the labels down."""
        self.labels.update(zip(X["formula"], np.asarray(y), strict=True))
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Read them again."""
        return np.array([self.labels.get(formula, 0.0) for formula in X["formula"]])


class Hasty(Ridge):
    """Learns from the first rows that it is given, and leaves the others out."""

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Fit a third of the rows."""
        return super().fit(X[: len(X) // 3], y[: len(X) // 3])


def peeking(seed: int) -> Peeking:
    """A model that reads labels elsewhere."""
    return Peeking()


def remembering(seed: int) -> Remembering:
    """A model with a memory outside itself."""
    return Remembering()


def hasty(seed: int) -> Pipeline:
    """A model that depends on the order of rows."""
    return make_pipeline(MagpieFeatures(), StandardScaler(), Hasty())
