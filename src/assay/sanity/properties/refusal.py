"""What cannot be read or featurised is refused, never answered with an invented number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sanity.assertions import Predict, batches, require_refusal
from assay.sanity.strategies import compositions, hostile
from assay.sanity.variations import Pairs, spelt


@given(data=st.data())
def test_unreadable_formulas_are_refused(
    data: st.DataObject, predict: Predict, elements: list[str]
) -> None:
    """Text that is no formula raises ValueError, alone and among good rows; no number is made."""
    for text in data.draw(batches(hostile(elements)), label="texts"):
        require_refusal(predict, [text], text)
        require_refusal(predict, [elements[0], text], text)


@given(data=st.data())
def test_elements_without_properties_are_refused(
    data: st.DataObject, predict: Predict, elements: list[str], unknown_elements: list[str]
) -> None:
    """A model that tells elements apart refuses those that no table and no row describes."""
    if not unknown_elements or np.ptp(predict([f"{symbol}2O3" for symbol in elements])) == 0:
        pytest.skip("the model sees stoichiometry alone, or every element is known")
    drawn: list[Pairs] = data.draw(batches(compositions(elements, 3)), label="compositions")
    unknown = data.draw(st.sampled_from(unknown_elements), label="unknown element")
    for pairs in drawn:
        formula = spelt((*pairs, (unknown, 1)))
        require_refusal(predict, [formula], formula)
