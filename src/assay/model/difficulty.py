"""How hard a composition is for a model: the size of its errors nearby, and the distance.

Both follow from the composition alone, for every kind of model. docs/appendix/interval-benchmark.md
has what other measures of difficulty are worth.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from assay.model.chemical_space import rounded
from assay.records import Record

# training rows whose errors are averaged around one of them
NEIGHBOURS = 30
# of the mean error: nothing is taken to be easier
FLOOR = 0.1

Size = Annotated[float, Field(ge=0)]


class Difficulty(Record):
    """The absolute error to expect, in the target's unit.

    It is the one of `scales` (m,) that belongs to the nearest of m references, and `slope` for each
    unit of distance from it, up to the `farthest` at which errors were known.
    """

    scales: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
    slope: Size
    farthest: Size

    def at(self, nearest: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """The difficulty (n,) at distances (n,) from the references numbered `nearest` (n,)."""
        return np.asarray(self.scales)[nearest] + self.slope * np.minimum(distances, self.farthest)


def fit_difficulty(  # noqa: PLR0913 (a row has six properties)
    points: np.ndarray,
    folds: np.ndarray,
    sizes: np.ndarray,
    nearest: np.ndarray,
    distances: np.ndarray,
    references: np.ndarray,
) -> tuple[Difficulty, np.ndarray]:
    """Fit the difficulty to absolute out-of-fold errors.

    Args:
        points: where the train rows lie, (n, dimensions).
        folds: number of each row's fold, (n,); at least two differ.
        sizes: absolute out-of-fold errors, (n,).
        nearest: number of the nearest row of the other folds, (n,).
        distances: how far that is, (n,).
        references: numbers of the rows that distances will be measured from, (m,).

    Returns:
        The difficulty, and that of each train row (n,) as the rows of the other folds give it.
    """
    largest = float(sizes.max()) or 1.0
    parts = sizes / largest  # sums of them cannot overflow
    around = np.empty(len(parts))
    for fold in np.unique(folds):
        own = folds == fold
        around[own] = _mean_around(points[~own], parts[~own], points[nearest[own]])
    base, share, slope = _weights(around, distances, parts)
    least = FLOOR * float(parts.mean()) or 1.0

    def scales(means: np.ndarray) -> np.ndarray:
        return largest * np.maximum(base + share * means, least)

    found = Difficulty(
        scales=rounded(scales(_mean_around(points, parts, points[references]))).tolist(),
        slope=float(rounded(largest * slope)),
        farthest=float(rounded(distances.max())),
    )
    return found, scales(around) + largest * slope * distances


def _mean_around(points: np.ndarray, sizes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The mean size (m,) of the points (n, dimensions) nearest to each of the places (m, ...)."""
    from scipy.spatial import KDTree

    _, found = KDTree(points).query(places, range(1, min(NEIGHBOURS, len(points)) + 1))
    return np.asarray(sizes[found].mean(axis=1))


def _weights(around: np.ndarray, distances: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """What the size grows by with the sizes around and with the distance, none below 0: (3,)."""
    from scipy.optimize import nnls

    columns = np.column_stack([np.ones(len(sizes)), around, distances])
    return np.asarray(nnls(columns, sizes)[0])
