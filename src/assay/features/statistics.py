"""Statistics of the elements in each formula of a column, as matminer defines them."""

from collections.abc import Iterable, Iterator
from functools import reduce

import numpy as np

from assay.features.parsing import Amounts, amounts
from assay.features.tables import magpie_table

STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
NORMS = (0, 2, 3, 5, 7, 10)
ORBITALS = ("s", "p", "d", "f")
# the tolerances of numpy.isclose
CLOSE, CLOSE_BY = 1e-5, 1e-8
BLOCK = 1024


def magpie(formulas: Iterable[str]) -> np.ndarray:
    """The six statistics of the 22 Magpie properties: (n, 132), in matminer's order.

    NaN where the table lacks a value that the statistic needs, as in matminer with
    `impute_nan=False`. Magpie: Ward et al., npj Comput. Mater. 2, 16028 (2016).

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    names, table = magpie_table()
    found = np.empty((len(content.starts), len(names), len(STATISTICS)))
    for rows, places in _blocks(content):
        values, weights = table[content.numbers[places]], content.fractions[places]
        for place, column in enumerate(_statistics(values, weights[:, :, None])):
            found[rows, :, place] = column
    return found.reshape(len(found), len(names) * len(STATISTICS))


def _blocks(content: Amounts) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Formulas of the same number of elements, few enough for the processor's cache.

    Their rows (m,), and where their first, second, ... element is (k, m).
    """
    lengths = np.diff(content.starts, append=len(content.rows))
    for elements in np.flatnonzero(np.bincount(lengths)).tolist():
        alike = np.flatnonzero(lengths == elements)
        for start in range(0, len(alike), BLOCK):
            rows = alike[start : start + BLOCK]
            yield rows, content.starts[rows] + np.arange(elements)[:, None]


def _statistics(values: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Each statistic (m, properties) of values (k, m, properties) with weights (k, m, 1).

    Sums go from the first element to the last, whatever stands in the other rows.
    """
    low, high = reduce(np.minimum, values), reduce(np.maximum, values)
    mean = reduce(np.add, values * weights)
    deviation = reduce(np.add, np.abs(values - mean) * weights)
    top = weights.max(axis=0)
    # matminer calls the most frequent whatever numpy.isclose finds equal to the largest share
    frequent = np.abs(weights - top) <= CLOSE_BY + CLOSE * top
    mode = reduce(np.minimum, np.where(frequent, values, np.inf))
    return [low, high, high - low, mean, deviation, mode]


def stoichiometry(formulas: Iterable[str]) -> np.ndarray:
    """The p-norms of the atomic fractions for p = 0, 2, 3, 5, 7, 10: (n, 6).

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    if not len(content.starts):
        return np.empty((0, len(NORMS)))
    counts = np.bincount(content.rows).astype(float)
    norms = [
        np.add.reduceat(content.fractions**p, content.starts) ** (1 / p) if p else counts
        for p in NORMS
    ]
    return np.stack(norms, axis=1)


def valence_orbitals(formulas: Iterable[str]) -> np.ndarray:
    """Mean number, and share, of the valence electrons in s, p, d and f orbitals: (n, 8).

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    if not len(content.starts):
        return np.empty((0, 2 * len(ORBITALS)))
    names, table = magpie_table()
    wanted = [names.index(f"N{orbital}Valence") for orbital in ORBITALS]
    held = table[:, [*wanted, names.index("NValence")]][content.numbers]
    means = np.add.reduceat(held * content.fractions[:, None], content.starts)
    return np.hstack([means[:, :-1], means[:, :-1] / means[:, -1:]])
