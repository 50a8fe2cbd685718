"""What cannot be read or featurised is refused, never answered with an invented number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.predictions import MismatchedAnswerError
from assay.sanity.assertions import (
    FalsifiedError,
    Predict,
    answered,
    batches,
    require_close,
    require_refusal,
)
from assay.sanity.strategies import Pairs, compositions, foreign, formulas, hostile, spelt


@given(data=st.data())
def test_unreadable_formulas_are_refused(
    data: st.DataObject, predict: Predict, elements: list[str]
) -> None:
    """Text that is no formula raises ValueError, alone and among good rows; no number is made."""
    for text in data.draw(batches(hostile(elements)), label="texts"):
        require_refusal(predict, [text], text)
        require_refusal(predict, [elements[0], text], text)


@given(data=st.data())
def test_good_rows_keep_their_numbers_among_unusable_ones(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    unknown_elements: list[str],
    tolerance: float,
) -> None:
    """Unusable rows shift no number: a batch is refused, or each good row keeps its own."""
    good, alone = answered(predict, data.draw(batches(formulas(elements)), label="good rows"))
    kinds = hostile(elements)
    if unknown_elements:
        kinds = foreign(elements, unknown_elements) | kinds
    drawn = data.draw(st.lists(kinds, min_size=1, max_size=3), label="unusable rows")
    texts = data.draw(st.permutations([*good, *drawn]), label="batch")
    if not good:
        return
    try:
        values = predict(texts)
    except MismatchedAnswerError as error:
        raise FalsifiedError(str(error), drawn[0]) from error
    except Exception:  # noqa: BLE001 (how a batch is refused is a property of its own)
        return
    if values.shape != (len(texts),):
        raise FalsifiedError(
            f"{len(texts)} formulas, some of them unusable, get predictions of shape "
            f"{values.shape}",
            drawn[0],
        )
    places = [texts.index(formula) for formula in good]
    require_close(good, alone, values[places], tolerance)


@given(data=st.data())
def test_elements_without_properties_are_refused(
    data: st.DataObject, predict: Predict, elements: list[str], unknown_elements: list[str]
) -> None:
    """A model that tells elements apart refuses those that no table and no row describes."""
    if not unknown_elements or _is_blind(predict, elements):
        pytest.skip("the model sees stoichiometry alone, or every element is known")
    drawn: list[Pairs] = data.draw(batches(compositions(elements, 3)), label="compositions")
    unknown = data.draw(st.sampled_from(unknown_elements), label="unknown element")
    for pairs in drawn:
        formula = spelt((*pairs, (unknown, 1)))
        require_refusal(predict, [formula], formula)


def _is_blind(predict: Predict, elements: list[str]) -> bool:
    values = answered(predict, [f"{symbol}2O3" for symbol in elements])[1]
    return not len(values) or bool(np.ptp(values) == 0)
