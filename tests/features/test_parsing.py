"""Formulas read many at once: what `compositions.parse` reads one by one, and nothing else."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.compositions import MAXIMUM_LENGTH, parse, problem
from assay.features import parsing
from assay.features.parsing import amounts, problems, readable
from assay.sanity.strategies import (
    compositions,
    doped,
    formulas,
    hostile,
    hydroxides,
    spelt,
    subscripted,
)

SYMBOLS = ["Li", "O", "Na", "Cl", "Fe", "H", "C", "N", "Og", "Ts"]
PIECES = ["Li", "O", "C", "o", "Xx", "D", "(", ")", "[", "]", "{", "}", ".", "0", "1", "2", "12"]
few = settings(max_examples=300, deadline=None)

spellings = st.one_of(
    formulas(SYMBOLS),
    compositions(SYMBOLS).map(spelt).map(subscripted),
    hydroxides(SYMBOLS).map(lambda pair: pair[0]),
    doped(["LiFeO2", "NaCl"], SYMBOLS),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)


def as_parsed(texts):
    """Rows, atomic numbers and amounts as `parse` reads them one by one."""
    return [
        (row, number, amount)
        for row, text in enumerate(texts)
        for number, amount in sorted((e.Z, float(n)) for e, n in parse(text).items())
    ]


def together(texts):
    """The same of all texts at once."""
    found = amounts(texts)
    return list(
        zip(found.rows.tolist(), found.numbers.tolist(), found.amounts.tolist(), strict=True)
    )


@few
@given(st.lists(st.one_of(spellings, hostile(SYMBOLS)), max_size=6))
@example(["", "\n", "Li\nO", "LiO"])
@example(["O" * (MAXIMUM_LENGTH + 1), "Li" * 100, "CuSO4.5H2O", "CuSO4.H2O", "CuS1.5H2O"])
@example(["Fe0", "Fe0.0", "Fe.", "Fe.5", "Fe1.", "Fe1.2.3", "Fe1e3", "Fe1000001", "Fe0.0000001"])
@example(["(Li)0", "(Li0)2", "()2", "(LiO)2.5", "((LiO)2)3", "(LiO]2", "Li(O", "(OH)2O", "2Li"])
@example(
    ["Fe0000000000000001", "Fe0.333333333333333333", "Li\u2082O", "T", "Nh", "li", "LI", "LIO"]
)
def test_the_same_formulas_are_refused_in_the_same_words(texts):
    """Whatever stands in a cell, it is read, or refused with the same sentence, as one by one."""
    assert problems(texts) == [problem(text) for text in texts]


@few
@given(st.lists(spellings.filter(lambda text: problem(text) is None), max_size=6))
@example(["Ca(OH)2", "Mg(OH)2O", "Ca{Al[OH]4}2", "Li0.1O0.2Li0.3", "(Fe0.1O)3"])
def test_amounts_are_those_of_parse(texts):
    """Elements and amounts are the same to the last bit, in order of atomic number."""
    assert together(texts) == as_parsed(texts)
    found = amounts(texts)
    assert found.starts.tolist() == [found.rows.tolist().index(row) for row in range(len(texts))]
    sums = [found.fractions[found.rows == row].sum() for row in range(len(texts))]
    assert sums == pytest.approx([1.0] * len(texts))


def test_plain_spellings_are_not_parsed_one_by_one(monkeypatch):
    """Whole and decimal amounts, and brackets, are read at once; an element named twice is not."""
    asked = []
    monkeypatch.setattr(parsing, "parse", lambda text: asked.append(text) or parse(text))
    amounts(["Fe2O3", "Ca(OH)2", "Li0.5CoO2", "[Co(NH3)6]Cl3", "CH3OH", "Fe\u2082O3"])
    assert asked == ["CH3OH", "Fe\u2082O3"]


def test_planted_error(monkeypatch):
    """The comparison sees one symbol that is taken for another element."""
    table = parsing._symbols().copy()
    table[ord("F") - ord("A"), ord("e") - ord("a") + 1] = 27
    monkeypatch.setattr(parsing, "_symbols", lambda: table)
    assert together(["Fe2O3"]) != as_parsed(["Fe2O3"])
    assert together(["NaCl"]) == as_parsed(["NaCl"])


READABLE = spellings.filter(lambda text: problem(text) is None)


def bits(content):
    """All that an `Amounts` holds, as text and bytes."""
    parts = (content.starts, content.rows, content.numbers, content.amounts, content.fractions)
    return content.formulas, [(part.dtype.kind, part.tobytes()) for part in parts]


@few
@given(st.lists(READABLE, min_size=1, max_size=6), st.data())
def test_some_rows_are_what_their_formulas_would_be(texts, data):
    """`take` gives, to the last bit, what parsing the formulas at these places gives."""
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    content = amounts(texts)
    assert bits(content.take(places)) == bits(amounts([texts[place] for place in places]))
    assert list(content) == texts
    assert content.take(range(len(texts))) is content


@few
@given(st.lists(st.one_of(spellings, hostile(SYMBOLS)), max_size=6))
@example(["Xx", "NaCl", "CH3COOH", "D2O", "Fe2O3"])
@example(["Xx"])
def test_what_can_be_read_is_parsed_beside_what_cannot(texts):
    """`readable` gives the reasons of `problems`, and the amounts of all other formulas."""
    content, reasons = readable(texts)
    assert reasons == problems(texts)
    good = [text for text, reason in zip(texts, reasons, strict=True) if reason is None]
    assert bits(content) == bits(amounts(good))


def test_what_is_handed_on_cannot_be_changed():
    """The arrays are read only, and what is parsed is given back as it is: all see the same."""
    found = amounts(["Fe2O3"])
    assert amounts(found) is found
    with pytest.raises(ValueError, match="read-only"):
        found.fractions[0] = 2.0
    assert np.array_equal(found.fractions, [0.6, 0.4])
