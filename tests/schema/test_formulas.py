"""What is asked of one formula: kinship and charge."""

import pytest

from assay.schema.formulas import Relatives, is_charge_balanced


@pytest.mark.parametrize(
    ("formula", "kin"),
    [
        ("O3Fe2", "identical"),
        ("Fe4O6", "identical"),
        ("Fe2O3.03", "near"),
        ("Fe2O2.99S0.01", "near"),
        ("Fe2O2.9S0.1", None),
        ("Fe3O4", "system"),
        ("FeS", None),
        ("no formula", None),
    ],
)
def test_a_formula_is_kin_in_the_nearest_way(formula: str, kin: str | None) -> None:
    """The same composition, one within 1 %, the same system, or none of it."""
    assert Relatives(["Fe2O3", "NaCl", "Xx"]).kin(formula) == kin


def test_nothing_is_kin_of_no_compositions() -> None:
    """Without a readable relative every formula is a stranger."""
    assert Relatives(["Xx"]).kin("NaCl") is None


@pytest.mark.parametrize(
    ("formula", "balanced"),
    [
        ("NaCl", True),
        ("Fe3O4", True),
        ("NaCl7", False),
        ("LiO9", False),
        ("Ni3Al", True),  # an intermetallic: not judged
        ("O2", True),
        ("Na0.97Cl", True),  # amounts that are not whole: not judged
        ("Xx", True),
    ],
)
def test_charges_are_judged_where_there_are_anions(formula: str, balanced: bool) -> None:
    """Oxidation states that cannot add up are found, and what has none is left alone."""
    assert is_charge_balanced(formula) is balanced
