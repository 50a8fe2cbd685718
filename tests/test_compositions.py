"""Formulas: what is read, what is refused, and the one spelling of each composition."""

import math
import random
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Element

from assay.compositions import (
    MAXIMUM_LENGTH,
    chemical_system,
    elements,
    parse,
    problem,
    reduced_formula,
)
from assay.readings import certain
from assay.sanity.strategies import compositions, hostile, hydroxides, spelt, subscripted

CANDIDATES = (
    Path(__file__).parents[1] / "<<cookiecutter.project>>" / "data" / "candidates" / "transport.csv"
)
ELEMENTS = [Element.from_Z(number).symbol for number in (*range(1, 31), 63, 65, 70, 89, 92, 118)]


@pytest.mark.parametrize(
    ("formula", "amounts"),
    [
        ("Li7La3Zr2O12", {"Li": 7, "La": 3, "Zr": 2, "O": 12}),
        ("Ca(OH)2", {"Ca": 1, "O": 2, "H": 2}),
        ("H₂O", {"H": 2, "O": 1}),
        ("K4[Fe(CN)6]", {"K": 4, "Fe": 1, "C": 6, "N": 6}),
        ("{[(Na2)3]2}0.5", {"Na": 6}),
        ("YBa2Cu3O6.5", {"Y": 1, "Ba": 2, "Cu": 3, "O": 6.5}),
        ("Na0.5Cl", {"Na": 0.5, "Cl": 1}),
        ("CoCO", {"Co": 1, "C": 1, "O": 1}),
        ("FeOFe2", {"Fe": 3, "O": 1}),
        ("CuSO4(H2O)5", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
    ],
)
def test_parse(formula, amounts):
    """Brackets, subscripts, decimals and repeated symbols are read as a chemist does."""
    assert {e.symbol: n for e, n in parse(formula).items()} == amounts
    assert elements(formula) == set(amounts)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("", "empty"),
        (" ", "not a chemical formula"),
        ("Na Cl", "not a chemical formula"),
        ("NaCl\n", "not a chemical formula"),
        ("Nа2O", "not a chemical formula"),
        ("na2o", "not a chemical formula"),
        ("12", "not a chemical formula"),
        ("Na1e3", "not a chemical formula"),
        ("Fe3+", "not a chemical formula"),
        ("Na-1O", "not a chemical formula"),
        ("CuSO4·5H2O", "not a chemical formula"),
        ("Na[Cl)", "not a chemical formula"),
        ("Na)2(O", "not a chemical formula"),
        ("(Na2O", "not a chemical formula"),
        ("=HYPERLINK(1)", "not a chemical formula"),
        ("2NaCl", "behind no element"),
        ("Na()2", "behind no element"),
        ("Na2.5.1", "full stop"),
        ("Xx2O", "'Xx'"),
        ("NaJ", "'J'"),
        ("D2O", "isotope"),
        ("Na0O", "zero"),
        ("Na0.00O", "zero"),
        ("Na0.000000001O", "outside 1e-06 to 1e+06"),
        ("Na10000000O", "outside 1e-06 to 1e+06"),
        ("(Na10000)10000O", "outside 1e-06 to 1e+06"),
        ("CuSO4.5H2O", "hydrate"),
        ("NaCl" * 51, f"longer than {MAXIMUM_LENGTH}"),
        ("((" * 99 + "Na", "not a chemical formula"),
    ],
)
def test_refused(formula, reason):
    """What is no formula, or only perhaps one, is refused with the reason."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse(formula)
    assert reason in str(caught.value)
    assert problem(formula) == str(caught.value)
    assert "\n" not in str(caught.value)


@given(hostile(ELEMENTS))
def test_hostile_text(text):
    """Whatever is no formula gives one printable line, never another exception."""
    sentence = problem(text)
    assert sentence
    assert sentence.isprintable()


@given(st.text("NaClO()[]{}.0123456789", max_size=14))
@example("Na[Cl)")
def test_nothing_is_lost(text):
    """A formula that is accepted keeps every element it names, each with a positive amount."""
    if problem(text) is None:
        amounts = {e.symbol: n for e, n in parse(text).items()}
        assert set(amounts) == set(re.findall("[A-Z][a-z]?", text))
        assert all(0 < n < math.inf for n in amounts.values())


@given(
    compositions(ELEMENTS).filter(lambda pairs: len(pairs) > 1),
    st.integers(2, 50),
    st.randoms(use_true_random=False),
)
@example((("Eu", 1), ("Tb", 1), ("Yb", 1)), 2, random.Random(0))
def test_one_spelling(pairs, times, shuffler):
    """Order, multiples, brackets and subscripts make no difference to the reduced formula."""
    shuffled = list(pairs)
    shuffler.shuffle(shuffled)
    multiplied = spelt([(symbol, amount * times) for symbol, amount in shuffled])
    spellings = [multiplied, f"({spelt(shuffled)}){times}", subscripted(spelt(shuffled))]
    assert {reduced_formula(s) for s in spellings} == {reduced_formula(spelt(pairs))}
    assert {chemical_system(s) for s in spellings} == {"-".join(sorted(dict(pairs)))}


@given(
    st.lists(st.sampled_from(ELEMENTS), unique=True, min_size=1, max_size=5),
    st.lists(st.decimals("0.00001", 900, places=5), min_size=5, max_size=5),
)
@example(["Na", "O"], [0.00001, 1, 1, 1, 1])
def test_reduced_formula_is_a_formula(symbols, amounts):
    """The reduced formula is read again as the same composition, and is its own reduced formula."""
    formula = "".join(f"{s}{n:f}" for s, n in zip(symbols, map(float, amounts), strict=False))
    assume(problem(formula) is None)  # an element alone with many atoms is a name
    reduced = reduced_formula(formula)
    assert reduced_formula(reduced) == reduced
    assert parse(reduced).get_atomic_fraction(symbols[0]) == pytest.approx(
        parse(formula).get_atomic_fraction(symbols[0]), abs=1e-7
    )


PLAIN = st.lists(
    st.tuples(
        st.sampled_from([e.symbol for e in Element if e.symbol not in "DT"]),
        st.sampled_from(["", "1", "2", "3", "4", "6", "12", "999", "9999"]),
    ),
    min_size=1,
    max_size=6,
)


@given(PLAIN)
@settings(max_examples=500)
@example([("H", ""), ("O", "")])
@example([("He", "2"), ("Ne", "4"), ("Ar", "4")])
@example([("Fe", ""), ("S", "2"), ("O", "8"), ("S", "")])
@example([("Ca", ""), ("O", "2"), ("H", "2")])
def test_plain_formulas_are_reduced_as_pymatgen_does(pairs):
    """What is read without pymatgen's Composition has its reduced formula."""
    formula = "".join(f"{symbol}{amount}" for symbol, amount in pairs)
    assume(problem(formula) is None)
    assert reduced_formula(formula) == certain(Composition(formula).reduced_formula)


def test_the_candidates_that_ship_are_reduced_as_pymatgen_does():
    """The distinct formulas of the transport database have pymatgen's reduced formulas."""
    listed = pd.read_csv(CANDIDATES, keep_default_na=False)["formula"].iloc[::7]
    assert [reduced_formula(f) for f in listed] == [Composition(f).reduced_formula for f in listed]


@given(hydroxides(ELEMENTS))
def test_brackets(both):
    """A bracketed group stands for its atoms."""
    bracketed, flat = both
    assert parse(bracketed) == parse(flat)


def test_spaces_are_blamed_only_where_they_are_the_fault():
    """The hint to take them out stands where that gives a formula, and nowhere else."""
    assert problem("Na Cl").endswith("take out the spaces: NaCl")
    assert "spaces" not in problem('=HYPERLINK("x", 1)')
    assert "spaces" not in problem(" ")
    assert "H2O)5" in problem("CuSO4 5H2O")  # without the space it would be O45


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("fe2o3", "did you mean Fe2O3?"),
        ("FE2O3", "did you mean Fe2O3?"),
        ("NaCL", "did you mean NaCl?"),
        ("licoo2", "did you mean LiCoO2?"),
        ("co2", "did you mean CO2?"),
        ("na", "did you mean Na?"),
        ("Fe3+", "leave charges out: Fe"),
        ("SO4 2-", "leave charges out: SO4"),
        ("SO4-2", "leave charges out: SO4"),
        ("SO\u2084\u00b2\u207b", "leave charges out: SO4"),
        ("[Fe(CN)6]4-", "leave charges out: [Fe(CN)6]"),
        ("CuSO4\u00b75H2O", "write CuSO4(H2O)5"),
        ("CaSO4 \u00b7 0.5H2O", "write CaSO4(H2O)0.5"),
        ("CaSO4*H2O", "write CaSO4(H2O)"),
        ("NaCl (s)", "leave the phase out: NaCl"),
        ("MgCl2(aq)", "leave the phase out: MgCl2"),
        ("nan", "leave the row out"),
        ("NA", "leave the row out"),
        ("None", "leave the row out"),
        ("La2Sr0Cu0.8Zn0.2O4", "La2Cu0.8Zn0.2O4"),
        ("Ba0.00YBa2Cu3O7", "YBa2Cu3O7"),
    ],
)
def test_what_was_probably_meant_is_told(text, hint):
    """The usual slips get a hint, and the formula that it names can be read."""
    sentence = problem(text)
    assert sentence.endswith(hint)
    for formula in re.findall(r"(?:mean|or|write|out:) ([A-Z[]\S*[^\s?])", hint):
        assert problem(formula) is None


@pytest.mark.parametrize("text", ["Xx2O", "Na-1O", "(Na2O", "12", "hello", "q" * 30, "+" * 200])
def test_no_hint_is_guessed(text):
    """What is no usual slip gets the message alone."""
    assert ";" not in problem(text)


def test_the_azide_and_the_nitride_of_sodium_are_formulas():
    """`NaN3` and `NaN` are read as they are spelt: that the second may be a gap is a warning."""
    assert (reduced_formula("NaN3"), reduced_formula("NaN")) == ("NaN3", "NaN")


def test_systems_tell_compositions_apart():
    """Other amounts share a system, other elements do not."""
    assert chemical_system("Li3PO4") == chemical_system("LiPO3") == "Li-O-P"
    assert chemical_system("Na3PO4") != chemical_system("Li3PO4")
