"""What is the same composition gets the same prediction, however it is spelt."""

from hypothesis import given
from hypothesis import strategies as st

from assay.sanity.assertions import Predict, batches, require_equal
from assay.sanity.strategies import charge_balanced, compositions, hydroxides
from assay.sanity.variations import Pairs, pairs_of, spelt, subscripted


@given(data=st.data())
def test_order_of_elements_does_not_matter(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """The order in which a formula names its elements does not change the prediction."""
    drawn: list[Pairs] = data.draw(batches(compositions(elements)), label="compositions")
    plain = [spelt(pairs) for pairs in drawn]
    reversed_ = [spelt(pairs[::-1]) for pairs in drawn]
    rotated = [spelt(pairs[1:] + pairs[:1]) for pairs in drawn]
    require_equal(predict, plain + plain, reversed_ + rotated, tolerance)


@given(data=st.data())
def test_multiples_of_a_formula_agree(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """A formula and its multiples, such as Li2O and Li6O3, get the same prediction."""
    kinds = compositions(elements) | charge_balanced(elements).map(pairs_of)
    drawn: list[Pairs] = data.draw(batches(kinds), label="compositions")
    times = data.draw(st.integers(2, 7), label="times")
    multiplied = [spelt([(symbol, n * times) for symbol, n in pairs]) for pairs in drawn]
    require_equal(predict, [spelt(pairs) for pairs in drawn], multiplied, tolerance)


@given(data=st.data())
def test_equivalent_spellings_agree(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """Brackets and subscripts, as in Ca(OH)2, CaO2H2 and CaO₂H₂, do not change the prediction."""
    drawn = data.draw(batches(hydroxides(elements)), label="spellings")
    bracketed, flat = [pair[0] for pair in drawn], [pair[1] for pair in drawn]
    subscripts = [subscripted(formula) for formula in flat]
    require_equal(predict, bracketed + bracketed, flat + subscripts, tolerance)
