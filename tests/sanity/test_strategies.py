"""The strategies draw what they promise."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.compositions import elements, parse, problem, reduced_formula
from assay.sanity.strategies import (
    compositions,
    formulas,
    hostile,
    hydroxides,
    in_space,
    near,
    pairs_of,
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
@given(formula=in_space(["Li", "Fe", "O"]))
def test_a_space_has_all_its_elements(formula: str) -> None:
    """Every formula of a chemical space holds every one of its elements."""
    assert elements(formula) == {"Li", "Fe", "O"}


@quick
@given(formula=near(TRAINING, SYMBOLS))
def test_doping_is_slight(formula: str) -> None:
    """A doped formula keeps at least nine tenths of every element of a training formula."""

    def keeps(parent: str) -> bool:
        mother, child = parse(parent), parse(formula)
        return all(child[e] >= 0.9 * n - 1e-6 for e, n in mother.items())

    assert any(keeps(parent) for parent in TRAINING)


@quick
@given(pair=hydroxides(SYMBOLS))
def test_spellings_are_equivalent(pair: tuple[str, str]) -> None:
    """With and without brackets it is one composition, in two texts."""
    bracketed, flat = pair
    assert "(" in bracketed
    assert "(" not in flat
    assert reduced_formula(bracketed) == reduced_formula(flat)


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
