"""The strategies draw what they promise."""

import re
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from pymatgen.core import Element

from assay.compositions import elements, parse, problem
from assay.sanity.lookalikes import lookalikes
from assay.sanity.strategies import (
    charge_balanced,
    compositions,
    crowded,
    doped,
    exchanged,
    formulas,
    holding,
    hostile,
    hydroxides,
    in_space,
    moved,
    near,
    on_line,
    pairs_of,
    shifted,
    spelt,
    subscripted,
)

SYMBOLS = ["Li", "O", "Na", "Cl", "Fe", "H", "C", "N"]
TRAINING = ["LiFeO2", "NaCl", "Fe0.947O", "Ca10(PO4)6(OH)2"]

quick = settings(derandomize=True, database=None, deadline=None, max_examples=50)


@quick
@given(pairs=compositions(SYMBOLS))
def test_a_composition_is_spelt_and_read_back(pairs: tuple[tuple[str, float], ...]) -> None:
    """Writing a composition and parsing it gives the same amounts."""
    assert dict(pairs_of(spelt(pairs))) == dict(pairs)
    assert parse(subscripted(spelt(pairs))) == parse(spelt(pairs))


@quick
@given(formula=formulas(SYMBOLS, most=3))
def test_formulas_keep_to_their_elements(formula: str) -> None:
    """A formula holds at most as many elements as asked for, and only those allowed."""
    assert elements(formula) <= set(SYMBOLS)
    assert len(elements(formula)) <= 3


@quick
@given(formula=crowded([*SYMBOLS, "K", "Ca", "Mg", "S"]))
def test_crowded_formulas_have_many_elements(formula: str) -> None:
    """Seven elements to twelve, in a text that can be read."""
    assert 7 <= len(elements(formula)) <= 12
    assert problem(formula) is None


def test_lookalikes_agree_at_two_decimals_and_in_their_beginnings() -> None:
    """They are other compositions all the same; one element has none."""
    for one, other in lookalikes([*SYMBOLS, "K", "Ca", "Mg", "S"], 0):
        shares = [
            {e.symbol: round(n, 2) for e, n in parse(text).fractional_composition.items()}
            for text in (one, other)
        ]
        assert shares[0] == shares[1]
        assert parse(one) != parse(other)
        assert one[:15] == other[:15]
    assert lookalikes(["Li"], 0) == []


@quick
@given(formula=in_space(["Li", "Fe", "O"]))
def test_a_space_has_all_its_elements(formula: str) -> None:
    """Every formula of a chemical space holds every one of its elements."""
    assert elements(formula) == {"Li", "Fe", "O"}


@quick
@given(formula=charge_balanced(SYMBOLS))
def test_charges_balance(formula: str) -> None:
    """Some common oxidation states of the elements add up to exactly nothing."""
    pairs = [(Element(symbol).common_oxidation_states, n) for symbol, n in pairs_of(formula)]
    assert all(n == int(n) for _, n in pairs)
    charges = product(*(states for states, _ in pairs))
    assert any(
        sum(q * n for q, (_, n) in zip(chosen, pairs, strict=True)) == 0 for chosen in charges
    )
    assert len(pairs) >= 2


@quick
@given(formula=charge_balanced(["Li", "Na"]))
def test_without_anions_anything_is_drawn(formula: str) -> None:
    """Elements that cannot make a neutral compound still give formulas."""
    assert elements(formula) <= {"Li", "Na"}


def kept(formula: str, parent: str) -> float:
    """The smallest part that is left of an element of the parent."""
    child = parse(formula)
    return min(child[element] / n for element, n in parse(parent).items())


@quick
@given(formula=near(TRAINING, SYMBOLS))
def test_near_is_near(formula: str) -> None:
    """What is near the train set keeps nine tenths of every element of one of its formulas."""
    assert max(kept(formula, parent) for parent in TRAINING) >= 0.9 - 1e-6


@quick
@given(formula=doped(TRAINING, SYMBOLS))
def test_doping_is_slight_and_new(formula: str) -> None:
    """A doped formula has one more element than its parent, at most a tenth of what it replaces."""
    child = parse(formula)
    sizes = {parse(parent).num_atoms: parent for parent in TRAINING}
    parent = sizes[min(sizes, key=lambda size: abs(size - child.num_atoms))]
    assert child.num_atoms == pytest.approx(parse(parent).num_atoms)
    [dopant] = elements(formula) - elements(parent)
    assert 0 < child[dopant] <= 0.1 * max(parse(parent).values()) + 1e-6
    assert kept(formula, parent) >= 0.9 - 1e-6


def test_doping_needs_a_dopant() -> None:
    """A formula that has all dopants already is drawn as it is."""
    assert find(doped(["NaCl"], ["Na", "Cl"]), lambda formula: True) == "NaCl"


@quick
@given(pair=shifted(TRAINING, SYMBOLS))
def test_neighbours_differ_by_a_hundredth_of_an_element(pair: tuple[str, str]) -> None:
    """One element loses 1 %, another of the formula gains it, the rest stays."""
    before, after = map(parse, pair)
    changes = {e: after[e] - n for e, n in before.items() if abs(after[e] - n) > 1e-9}
    assert set(after) == set(before)
    (loser, less), (_, more) = sorted(changes.items(), key=lambda item: item[1])
    assert less == pytest.approx(-0.01 * before[loser], abs=1e-8)
    assert more == pytest.approx(-less, abs=1e-8)


@quick
@given(formula=holding(["Ti", "Fe"], TRAINING, SYMBOLS))
def test_holding_holds(formula: str) -> None:
    """One of the two elements is in every formula."""
    assert elements(formula) & {"Ti", "Fe"}


@quick
@given(formula=holding(["Ti", "Fe"], TRAINING, SYMBOLS))
def test_exchanging_twice_is_nothing(formula: str) -> None:
    """Exchanging two elements moves their amounts, and back."""
    once = exchanged(formula, ("Ti", "Fe"))
    assert parse(once)["Ti"] == parse(formula)["Fe"]
    assert parse(exchanged(once, ("Ti", "Fe"))) == parse(formula)


@quick
@given(percent=st.integers(0, 100))
def test_a_line_leads_to_more_of_its_element(percent: int) -> None:
    """The share along the line grows evenly, whichever end is named first."""
    for ends in (("FeO", "Fe2O3"), ("Fe2O3", "FeO")):
        shares = parse(on_line("O", ends, percent / 100))
        assert shares.get_atomic_fraction("O") == pytest.approx(0.5 + 0.1 * percent / 100)


@quick
@given(pair=hydroxides(SYMBOLS))
def test_spellings_are_equivalent(pair: tuple[str, str]) -> None:
    """With and without brackets it is one composition, in two texts."""
    bracketed, flat = pair
    assert set("([{") & set(bracketed)
    assert flat.isalnum()
    assert parse(bracketed).almost_equals(parse(flat))


@pytest.mark.parametrize(
    "form",
    [
        r"[A-Z]\w*\(\w+\)\d",  # Ca(OH)2
        r"\(\w+\)\d[A-Z]\w*",  # (NH4)2S
        r"\[[A-Z]\w*\(\w+\)\d\]\d",  # [Co(NH3)6]2
        r"[A-Z]\w*\{[A-Z]\w*\[\w+\]\d\}\d",  # Ca{Al[OH]4}2
        r"\((\(\w+\)\d[A-Z]\w*)\)\d",  # ((NH4)2S)2
    ],
)
def test_brackets_stand_anywhere(form: str) -> None:
    """Groups come last, first and in one another, in brackets of all kinds."""
    patient = settings(quick, max_examples=5000, phases=[Phase.generate])
    pairs = hydroxides(SYMBOLS)
    bracketed, _ = find(pairs, lambda pair: bool(re.fullmatch(form, pair[0])), settings=patient)
    assert problem(bracketed) is None


def test_brackets_shrink_to_one_plain_group() -> None:
    """What is reported has one group, in round brackets and repeated twice."""
    pairs = hydroxides(SYMBOLS)
    assert find(pairs, lambda pair: True, settings=quick) == ("Li(Li)2", "LiLi2")
    three, _ = find(pairs, lambda pair: len(elements(pair[1])) == 3, settings=quick)
    assert re.fullmatch(r"([A-Z][a-z]?)*\(([A-Z][a-z]?)+\)2([A-Z][a-z]?)*", three)


@settings(quick, suppress_health_check=[HealthCheck.filter_too_much])
@given(text=hostile(SYMBOLS))
def test_hostile_text_is_no_formula(text: str) -> None:
    """Nothing hostile can be read, so a model that answers it made its number up."""
    assert problem(text) is not None


@quick
@given(data=st.data())
def test_draws_are_repeatable(data: st.DataObject) -> None:
    """Amounts are spelt without exponents, so every draw is a formula again."""
    formula = data.draw(near(TRAINING, SYMBOLS))
    assert "e-" not in formula
    assert problem(formula) is None


STEEL = "Fe0.62Ni0.192Co0.146Ti0.0185Mo0.0176Al0.00318C0.000953Nb0.0000616"


@quick
@given(pair=shifted([STEEL, "Fe999999B"], ["Fe", "Ni", "Nb"]))
def test_traces_of_traces_can_be_read(pair: tuple[str, str]) -> None:
    """A percent of an element of which there is next to nothing still leaves a formula."""
    assert [problem(formula) for formula in pair] == [None, None]


def test_a_percent_of_a_trace_keeps_all_shares() -> None:
    """Where amounts are written a thousandfold the composition is the one that was meant."""
    other = moved(STEEL, 7, "N", 1)
    before, after = (parse(formula).fractional_composition for formula in (STEEL, other))
    assert after["N"] == pytest.approx(before["Nb"] / 100, rel=1e-6)
    assert after["Fe"] == pytest.approx(before["Fe"], rel=1e-9)
