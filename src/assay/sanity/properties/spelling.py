"""What is the same composition gets the same prediction, however it is spelt."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.compositions import reduced_formula
from assay.sanity.assertions import (
    FalsifiedError,
    Predict,
    answered_pairs,
    batches,
    require_close,
    require_equal,
)
from assay.sanity.strategies import (
    Pairs,
    case_pairs,
    charge_balanced,
    compositions,
    hydroxides,
    pairs_of,
    spelt,
    subscripted,
)

# amounts that are exact in few decimals, and small ones
DECIMALS = (0.2, 0.1, 0.05, 0.01, 0.002, 0.0005)
# fewer pairs that happen to be alike tell nothing
ENOUGH = 8


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
    """A formula and its multiples, as Fe2O3, Fe4O6 and Fe0.4O0.6, get the same prediction."""
    kinds = compositions(elements) | charge_balanced(elements).map(pairs_of)
    drawn: list[Pairs] = data.draw(batches(kinds), label="compositions")
    times = data.draw(st.integers(2, 7), label="times")
    part = data.draw(st.sampled_from(DECIMALS), label="decimals")
    plain = [spelt(pairs) for pairs in drawn]
    whole = [spelt([(symbol, n * times) for symbol, n in pairs]) for pairs in drawn]
    decimal = [spelt([(symbol, n * part) for symbol, n in pairs]) for pairs in drawn]
    require_equal(predict, plain + plain, whole + decimal, tolerance)


def test_letters_of_another_case_are_other_elements(
    predict: Predict, elements: list[str], tolerance: float
) -> None:
    """CoCl2 and COCl2 do not get each other's prediction, whichever is asked for first."""
    drawn = [
        (spelt(pair[number % 2]), spelt(pair[1 - number % 2]))
        for number, pair in enumerate(case_pairs(elements))
    ]
    if not drawn:
        return
    pairs, first, second = answered_pairs(predict, drawn)
    # in another order, in which no text differs from another by case alone
    for names, values in zip(zip(*pairs, strict=True), (first, second), strict=False):
        respelt = [_respelt(one) for one in names]
        require_close(names, values, predict(respelt), tolerance, respelt)
    reduced = [[reduced_formula(one).lower() for one in pair] for pair in pairs]
    for alike in (np.ones(len(pairs), bool), np.array([one == two for one, two in reduced], bool)):
        _require_apart(pairs, first, second, alike, tolerance)


def _require_apart(
    pairs: Sequence[tuple[str, str]],
    first: np.ndarray,
    second: np.ndarray,
    chosen: np.ndarray,
    tolerance: float,
) -> None:
    """Require that some chosen pair has two predictions, if the pairs have several."""
    same = (np.abs(first - second) <= tolerance)[chosen]
    if len(same) < ENOUGH or not same.all() or np.ptp(first[chosen]) <= tolerance:
        return
    place = int(np.flatnonzero(chosen)[0])
    one, other = pairs[place]
    raise FalsifiedError(
        f"{one} and {other} both give {first[place]:.9g}, as do all {len(same)} such pairs of "
        "formulas that differ by case alone: keep the case of letters",
        one,
        f"{first[place]:.9g}",
    )


def _respelt(formula: str) -> str:
    return spelt(pairs_of(formula)[::-1])


@given(data=st.data())
def test_equivalent_spellings_agree(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """Brackets and subscripts, as in Ca(OH)2, CaO2H2 and CaO₂H₂, do not change the prediction."""
    drawn = data.draw(batches(hydroxides(elements)), label="spellings")
    bracketed, flat = [pair[0] for pair in drawn], [pair[1] for pair in drawn]
    subscripts = [subscripted(formula) for formula in flat]
    require_equal(predict, bracketed + bracketed, flat + subscripts, tolerance)
