"""Tells labels that were carried over into another unit from labels that were corrected."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from assay.compositions import identity
from assay.schema.formulas import atoms

# CODATA 2018: 1 eV = 96.48533 kJ/mol = 23.06055 kcal/mol; 1 hartree = 27.211386 eV = 2 rydberg
FACTORS = {
    96.48533: "as from eV to kJ/mol",
    23.06055: "as from eV to kcal/mol",
    4.184: "as from kcal to kJ",
    27.211386: "as from hartree to eV",
    13.605693: "as from rydberg to eV",
    1000.0: "as from eV to meV",
    100.0: "as from a share to percent",
    10.0: "as from nm to angstrom",
}
KELVIN = 273.15
TOLERANCE = 0.003
# One corrected label can stand near some factor of the old one by chance; three are no chance.
LEAST = 3


def converted(
    formulas: Sequence[str], values: Sequence[float], labels: Mapping[str, Sequence[float]]
) -> list[str | None]:
    """Say of each row (n,) what was done to the label that main has, or None.

    Args:
        formulas: formulas of the rows.
        values: labels of the rows; nan where there is none.
        labels: main's labels by reduced formula.

    Returns:
        words such as "multiplied by 96.49, as from eV to kJ/mol", where at least three rows were
        treated alike.
    """
    said = [
        _conversion(formula, value, labels.get(identity(formula), ()))
        for formula, value in zip(formulas, values, strict=True)
    ]
    counts = Counter(said)
    return [words if words and counts[words] >= LEAST else None for words in said]


def _conversion(formula: str, value: float, known: Sequence[float]) -> str | None:
    if not known or not np.isfinite(value) or any(np.isclose(value, known)):
        return None
    before = float(np.median(known))
    if np.isclose(abs(value - before), KELVIN, rtol=0, atol=0.02):
        return f"shifted by {KELVIN}, as between °C and K"
    if not before or not value:
        return None
    return _factor(value / before, atoms(formula))


def _factor(ratio: float, count: float) -> str | None:
    if _is(ratio, -1):
        return "given the other sign"
    for factor, words in FACTORS.items():
        if _is(ratio, factor):
            return f"multiplied by {factor:.4g}, {words}"
        if _is(ratio, 1 / factor):
            return f"divided by {factor:.4g}, the reverse of {words.removeprefix('as ')}"
    if count > 1 and _is(ratio, count):
        return "multiplied by the number of atoms, as from eV/atom to eV per formula"
    if count > 1 and _is(ratio, 1 / count):
        return "divided by the number of atoms, as from eV per formula to eV/atom"
    return None


def _is(ratio: float, factor: float) -> bool:
    return bool(np.isclose(ratio, factor, rtol=TOLERANCE, atol=0))
