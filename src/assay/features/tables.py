"""What matminer and pymatgen know of each element, by atomic number; gaps stay NaN."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from assay.compositions import parse

ELEMENTS = 118


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
