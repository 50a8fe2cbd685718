"""What was done to labels is named by the target's own unit, or by none."""

import pytest

from assay.schema.formulas import atoms
from assay.schema.units import converted

FORMULAS = ["Li2Fe2O6", "Na3PO4F2", "Ca3Ti2O5", "K2O3S5", "NaCl", "Fe2O3"]
LABELS = [-1.7, -2.1, -2.0, -3.4, -3.3, -0.8]


def said(factors: list[float], unit: str) -> set[str | None]:
    """What is said of labels that were multiplied."""
    after = [label * factor for label, factor in zip(LABELS, factors, strict=True)]
    return set(converted(FORMULAS, LABELS, after, unit))


@pytest.mark.parametrize(
    ("factor", "unit", "words"),
    [
        (96.485, "eV/atom", "as from eV to kJ/mol"),
        (0.0433641, "eV/atom", "as from kcal/mol to eV"),
        (27.2114, "eV", "as from hartree to eV"),
        (1000, "eV per atom", "as from eV to meV"),
        (1000, "GPa", "as from GPa to MPa"),
        (0.1, "angstrom", "as from Å to nm"),
        (100, "S/cm", "as from S/cm to S/m"),
        (4.184, "kcal/mol", "as from kcal/mol to kJ/mol"),
        (-1, "GPa", "other sign"),
        (10, "eV/atom", "decimal point"),
        (96.485, "1", "a usual factor"),
    ],
)
def test_a_factor_is_named_in_the_units_of_the_target(factor: float, unit: str, words: str) -> None:
    """All rows were multiplied alike, and the pair of units has the target's own."""
    [found] = said([factor] * 6, unit)
    assert found is not None
    assert words in found


def test_the_number_of_atoms_is_looked_for_row_by_row() -> None:
    """Ten atoms and a factor of ten are a formula's energy, and no length; other units too."""
    counts = [atoms(formula) for formula in FORMULAS]
    assert counts[:4] == [10.0] * 4
    assert said(counts, "eV/atom") == {
        "multiplied by the number of atoms, as from eV/atom to eV per formula"
    }
    [both] = said([96.485 * count for count in counts], "eV/atom")
    assert both is not None
    assert both.endswith("as from eV/atom to kJ/mol per formula")
    [back] = said([1 / count for count in counts], "eV")
    assert back is not None
    assert back.endswith("as from eV per formula to eV/atom")


def test_no_unit_of_another_dimension_is_named() -> None:
    """Factors of energies say nothing of pressures, and numbers of atoms nothing of lengths."""
    assert said([96.485] * 6, "GPa") == {None}
    assert said([atoms(formula) for formula in FORMULAS[4:]] * 3, "Å") == {None}


def test_few_of_many_changed_rows_agree_by_chance() -> None:
    """Three rows of two hundred that stand near a factor are no change of unit."""
    before = [1.0] * 200
    after = [2.0, 2.0, 2.0, *(1.1 + n / 2000 for n in range(197))]
    assert set(converted(["NaCl"] * 200, before, after, "eV/atom")) == {None}
    assert converted(["NaCl"] * 20, before[:20], after[:20], "eV/atom")[0] is not None
