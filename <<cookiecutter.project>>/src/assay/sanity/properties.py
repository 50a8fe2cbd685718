"""What must hold for any model of compositions, as property-based tests against a bundle.

pytest runs this file beside the repository's own tests; see `assay.sanity.plugin` for the
fixtures. One example is a batch of compositions: a forest answers a hundred as fast as one.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sanity.strategies import (
    Pairs,
    compositions,
    formulas,
    hostile,
    hydroxides,
    near,
    spelt,
    subscripted,
)
from assay.settings import Settings

BATCH = 12

Predict = Callable[[Sequence[str]], np.ndarray]


class FalsifiedError(AssertionError):
    """A property does not hold for `formula`, where the model gave `value`."""

    def __init__(self, message: str, formula: str, value: object = "") -> None:
        """Keep what the report shows beside the message."""
        super().__init__(message)
        self.formula = formula
        self.value = str(value)


def batches(each: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of 1 to `BATCH` distinct draws."""
    return st.lists(each, min_size=1, max_size=BATCH, unique=True)


def require_equal(
    predict: Predict, ours: Sequence[str], theirs: Sequence[str], tolerance: float
) -> None:
    """Predict both lists of formulas, pairwise the same composition, and compare.

    Raises:
        FalsifiedError: a pair differs by more than `tolerance` (times the size of the value, if
            that is above one).
    """
    both = predict([*ours, *theirs])
    require_close(ours, both[: len(ours)], both[len(ours) :], tolerance, theirs)


def require_close(
    names: Sequence[str],
    first: np.ndarray,
    second: np.ndarray,
    tolerance: float,
    others: Sequence[str] | None = None,
) -> None:
    """Compare two predictions (n,) of the formulas `names`, the second perhaps as `others`."""
    allowed = tolerance * np.maximum(1, np.abs(first))
    for index in map(int, np.flatnonzero(~(np.abs(first - second) <= allowed))):
        one, two = float(first[index]), float(second[index])
        other = others[index] if others is not None else "the same formula"
        raise FalsifiedError(
            f"{names[index]} gives {one:.9g}, but {other} gives {two:.9g}", names[index], two
        )


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
    drawn: list[Pairs] = data.draw(batches(compositions(elements)), label="compositions")
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


@given(data=st.data())
def test_a_row_does_not_depend_on_its_batch(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """A formula gets the same prediction alone, in a batch, in a permuted batch, and again."""
    drawn: list[str] = data.draw(batches(formulas(elements)), label="formulas")
    order = data.draw(st.permutations(range(len(drawn))), label="order")
    first = predict(drawn)
    require_close(drawn, first, predict(drawn), tolerance)
    permuted = np.empty_like(first)
    permuted[list(order)] = predict([drawn[index] for index in order])
    require_close(drawn, first, permuted, tolerance)
    require_close(drawn[:1], first[:1], predict(drawn[:1]), tolerance)


@given(data=st.data())
def test_predictions_are_finite_and_within_bounds(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    training_formulas: list[str],
    bounds: tuple[float, float],
) -> None:
    """Predictions are finite numbers within the physical bounds, near the train set and far."""
    drawn: list[str] = data.draw(
        batches(near(training_formulas, elements) | formulas(elements, most=8)), label="formulas"
    )
    values = predict(drawn)
    if values.shape != (len(drawn),):
        raise FalsifiedError(
            f"{len(drawn)} formulas got predictions of shape {values.shape}", drawn[0]
        )
    lower, upper = bounds
    for formula, value in zip(drawn, values, strict=True):
        if not (np.isfinite(value) and lower <= value <= upper):
            raise FalsifiedError(
                f"{formula} is predicted as {value:.6g}, outside of {lower:g} to {upper:g}",
                formula,
                f"{value:.6g}",
            )


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


def require_refusal(predict: Predict, batch: list[str], text: str) -> None:
    """Require a ValueError with a message.

    Raises:
        FalsifiedError: a number came back, or another error.
    """
    try:
        values = predict(batch)
    except ValueError as error:
        if str(error):
            return
        raise FalsifiedError(f"{text!r} is refused without a message", text) from error
    except Exception as error:
        kind = type(error).__name__
        raise FalsifiedError(f"{text!r} raises {kind}, not ValueError", text, kind) from error
    value = np.asarray(values).reshape(-1)[-1]
    raise FalsifiedError(f"{text!r} should be refused, but is predicted as {value}", text, value)


@given(data=st.data())
def test_prediction_has_no_side_effects(
    data: st.DataObject, bundle: Any, elements: list[str]
) -> None:
    """Predicting changes neither its input nor the global random generators."""
    drawn: list[str] = data.draw(batches(formulas(elements)), label="formulas")
    frame = pd.DataFrame({"formula": drawn})
    before, python, numpy = frame.copy(), random.getstate(), np.random.get_state()  # noqa: NPY002
    answer = getattr(bundle.model, "predict_proba", bundle.model.predict)
    answer(frame)
    if not (frame.equals(before) and list(frame.columns) == ["formula"]):
        raise FalsifiedError("predicting changed the table it was given", drawn[0])
    now = np.random.get_state()  # noqa: NPY002
    moved = any(not np.array_equal(a, b) for a, b in zip(numpy, now, strict=True))
    if moved or python != random.getstate():
        raise FalsifiedError("predicting moved a global random generator", drawn[0])


def test_threads_agree(predict: Predict, training_formulas: list[str], tolerance: float) -> None:
    """Several threads that share the bundle get the predictions that one thread gets."""
    batch = training_formulas[:200]
    alone = predict(batch)
    with ThreadPoolExecutor(4) as threads:
        for together in threads.map(predict, [batch] * 4):
            require_close(batch, alone, together, tolerance)


def test_elements_have_their_known_value(
    predict: Predict,
    settings: Settings,
    elements: list[str],
    training_targets: np.ndarray,
    record_property: Callable[[str, object], None],
) -> None:
    """Pure elements come out near `target.element_value`, within one spread of the train set."""
    known = settings.target.element_value
    if known is None:
        pytest.skip("target.element_value is not set in assay.toml")
    off = np.abs(predict(elements) - known)
    worst = int(off.argmax())
    if off[worst] > np.std(training_targets):
        record_property("formula", elements[worst])
        record_property(
            "warning",
            f"{elements[worst]} is predicted {off[worst]:.3g} away from {known:g}, which is more "
            "than the standard deviation of the train set",
        )
