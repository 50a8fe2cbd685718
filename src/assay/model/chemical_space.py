"""A space in which alike compositions lie close, whatever features a model has."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assay.features.parsing import Amounts
from assay.features.tables import ELEMENTS, magpie_table

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from threadpoolctl import ThreadpoolController

DIMENSIONS = 8
DIGITS = 6
BLOCK = 128
# Two scores in single precision are off by at most this share of their terms' sizes: with nine
# terms, each rounded when it is made, multiplied and added, 12 times the distance of two numbers.
ROUNDING = 16 * float(np.finfo(np.float32).eps)


def fitted_space(content: Amounts) -> np.ndarray:
    """Where the pure elements lie: (119, dimensions) by atomic number.

    The means of the 22 Magpie properties (Ward et al., npj Comput. Mater. 2, 16028 (2016)) over
    the atoms of each composition are standardised and turned to their first principal components.
    A mean is linear in the shares of the elements, so all of it is folded into one table. A
    property that matminer lacks for an element is taken to be the mean over the elements of
    `content`: it makes nothing strange and nothing alike.
    """
    from sklearn.decomposition import PCA

    table = _without_gaps(np.unique(content.numbers))
    means = positions(table, content)
    spread = means.std(axis=0)
    spread[spread <= np.finfo(float).eps * np.abs(means).max(axis=0)] = np.inf
    table = (table - means.mean(axis=0)) / spread
    means = positions(table, content)
    dimensions = min(DIMENSIONS, int(np.linalg.matrix_rank(means)))
    if not dimensions:
        return np.zeros((len(table), 1))
    components = PCA(dimensions, svd_solver="full").fit(means).components_
    return rounded(table @ components.T)


def _without_gaps(present: np.ndarray) -> np.ndarray:
    _, table = magpie_table()
    known = ~np.isnan(table)
    filled = np.where(known, table, 0)
    counts = known[present].sum(axis=0)
    means = filled[present].sum(axis=0) / np.maximum(counts, 1)
    return np.where(known, table, means)


def rounded(values: np.ndarray) -> np.ndarray:
    """The same numbers with six digits, so that a last bit does not change a bundle's bytes."""
    texts = [f"{value:.{DIGITS - 1}e}" for value in np.ravel(values)]
    return np.array(texts, dtype=float).reshape(np.shape(values))


def positions(space: np.ndarray, content: Amounts) -> np.ndarray:
    """Where n compositions lie, (n, dimensions): the mean over their atoms."""
    return np.asarray(shares(content) @ space)


def shares(content: Amounts) -> "csr_array":
    """The share of each element, by atomic number, in each of n compositions: (n, 119)."""
    from scipy.sparse import csr_array

    bounds = np.append(content.starts, len(content.rows))
    parts = (content.fractions, content.numbers, bounds)
    return csr_array(parts, shape=(len(content.starts), ELEMENTS + 1))


def nearest(references: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which reference (m, dimensions) is nearest to each point (n, dimensions), and how far.

    Single precision settles nearly all points, and double precision those of which it cannot tell;
    of equal references it is the first. So no answer depends on another point or on the processor.

    Returns:
        indices (n,) and Euclidean distances (n,).
    """
    squares = (references**2).sum(axis=1)
    factors = np.vstack([-2 * references.T, squares]).astype(np.float32)
    extended = np.column_stack([points, np.ones(len(points))]).astype(np.float32)
    largest = np.sqrt(squares.max())
    slack = ROUNDING * largest * (largest + 2 * np.linalg.norm(points, axis=1))
    chosen = np.empty(len(points), dtype=np.int64)
    with _linear_algebra().limit(limits=1, user_api="blas"):  # threads only wait on blocks so small
        for start in range(0, len(points), BLOCK):
            block = slice(start, start + BLOCK)
            chosen[block], lead = _best(extended[block] @ factors)
            unsure = start + np.flatnonzero(lead <= slack[block])
            if len(unsure):
                chosen[unsure] = _nearest_exactly(references, points[unsure])
    return chosen, np.linalg.norm(points - references[chosen], axis=1)


@lru_cache(maxsize=1)
def _linear_algebra() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _best(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least of each row's scores (b, m), and its lead on the next; spoils the scores."""
    rows, best = np.arange(len(scores)), scores.argmin(axis=1)
    least = scores[rows, best]
    scores[rows, best] = np.inf
    return best, scores.min(axis=1) - least


def _nearest_exactly(references: np.ndarray, points: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, references).argmin(axis=1))
