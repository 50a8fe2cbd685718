"""Element properties of matminer and pymatgen, and their statistics for columns of formulas."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, reduce

import numpy as np

from assay.compositions import parse
from assay.features.parsing import Amounts, amounts

ELEMENTS = 118
STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
NORMS = (0, 2, 3, 5, 7, 10)
ORBITALS = ("s", "p", "d", "f")
# the tolerances of numpy.isclose
CLOSE, CLOSE_BY = 1e-5, 1e-8
BLOCK = 1024


@lru_cache(maxsize=1)
def magpie_table() -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the 22 Magpie properties and their values (119, 22) by atomic number.

    Values that matminer's table lacks stay NaN: nothing is imputed.
    """
    from matminer.featurizers.composition import ElementProperty

    source = ElementProperty.from_preset("magpie", impute_nan=False)
    names = tuple(source.features)
    return names, _values(source.data_source, names)


@lru_cache(maxsize=1)
def electronegativities() -> np.ndarray:
    """Pauling's electronegativities (119,) as pymatgen has them."""
    return _values(_pymatgen(), ["X"])[:, 0]


def without_electronegativity(formula: str) -> list[str]:
    """The symbols in a formula of which pymatgen has no electronegativity."""
    found = electronegativities()
    return [element.symbol for element in parse(formula).elements if np.isnan(found[element.Z])]


@lru_cache(maxsize=1)
def oxidation_states() -> tuple[np.ndarray, np.ndarray]:
    """The states that pymatgen gives an element, one after another, and where they start (120,)."""
    from pymatgen.core import Element

    found = [_pymatgen().get_oxidation_states(Element.from_Z(z)) for z in range(1, ELEMENTS + 1)]
    starts = np.cumsum([0, 0, *map(len, found)])
    return np.array([state for states in found for state in states], float), starts


@lru_cache(maxsize=1)
def _pymatgen():  # type: ignore[no-untyped-def] # noqa: ANN202 (matminer has no types)
    from matminer.utils.data import PymatgenData

    return PymatgenData(impute_nan=False)


def _values(source, names: Sequence[str]) -> np.ndarray:  # type: ignore[no-untyped-def] # noqa: ANN001
    import warnings

    from pymatgen.core import Element

    elements = [Element.from_Z(number) for number in range(1, ELEMENTS + 1)]
    table = np.full((ELEMENTS + 1, len(names)), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a noble gas has no electronegativity is no news
        for column, name in enumerate(names):
            table[1:, column] = source.get_elemental_properties(elements, name)
    return table


def missing_properties(formula: str) -> list[str]:
    """What the Magpie table lacks for the elements of a formula: `Electronegativity of He`."""
    names, table = magpie_table()
    return [
        f"{names[column]} of {element.symbol}"
        for element in parse(formula).elements
        for column in np.flatnonzero(np.isnan(table[element.Z]))
    ]


@lru_cache(maxsize=1)
def element_symbols() -> tuple[str, ...]:
    """The symbols of the elements by atomic number; the first, of number 0, is empty."""
    from pymatgen.core import Element

    return ("", *(Element.from_Z(number).symbol for number in range(1, ELEMENTS + 1)))


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
