"""The same row gets the same prediction: alone, in any batch, later, elsewhere; with no trace."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from assay.sanity.assertions import FalsifiedError, Predict, answered, batches, require_close
from assay.sanity.strategies import crowded, formulas, hostile
from assay.sanity.subprocess_model import Answer, unrefused

SHARE = 200  # rows a thread
FEW, MANY = 40, 1000  # rows of a small batch, and of all of them
LARGE = 5000  # as many as `assay predict` asks for at once
# multiples of what people choose for a part; smaller parts have so many ends that a draw meets one
PARTS = (100, 128, 250)


@given(data=st.data())
def test_a_row_does_not_depend_on_its_batch(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """A formula gets the same prediction alone, in a batch, in a permuted batch, and again.

    One of them has seven elements or more, and a long text.
    """
    few: list[str] = data.draw(batches(formulas(elements)), label="formulas")
    drawn, first = answered(predict, [*few, data.draw(crowded(elements), label="long formula")])
    order = data.draw(st.permutations(range(len(drawn))), label="order")
    if not drawn:
        return
    require_close(drawn, first, predict(drawn), tolerance)
    permuted = np.empty_like(first)
    permuted[list(order)] = predict([drawn[index] for index in order])
    require_close(drawn, first, permuted, tolerance)
    require_close(drawn[:1], first[:1], predict(drawn[:1]), tolerance)
    require_close(drawn[-1:], first[-1:], predict(drawn[-1:]), tolerance)


def test_large_batches_change_nothing(
    predict: Predict, training_formulas: list[str], tolerance: float
) -> None:
    """Training rows get the same prediction in batches of forty and in one of 5,000."""
    draw = np.random.default_rng(0)
    order = np.resize(draw.permutation(len(training_formulas)), LARGE)
    large = [training_formulas[index] for index in order]
    together = predict(large)
    if together.shape != (LARGE,):
        raise FalsifiedError(f"{LARGE} formulas get predictions of the shape {together.shape}")
    for places in np.split(_compared(draw), MANY // FEW):
        few = [large[place] for place in places]
        require_close(few, predict(few), together[places], tolerance)


def _compared(draw: np.random.Generator) -> np.ndarray:
    """The places of a large batch that are compared: the ends of its parts, and any others.

    What a batch does to its outermost rows may concern one row in fifty.
    """
    ends = {
        end + step for part in PARTS for end in range(0, LARGE + 1, part) for step in (-1, 0, 1)
    }
    sure = sorted(ends & set(range(LARGE)))
    others = np.setdiff1d(np.arange(LARGE), sure)
    return draw.permutation([*sure, *draw.choice(others, MANY - len(sure), replace=False)])


@given(data=st.data())
def test_earlier_batches_leave_no_trace(
    data: st.DataObject, predict: Predict, elements: list[str], tolerance: float
) -> None:
    """A formula gets the same prediction after another batch, and after one that was refused."""
    batch: list[str] = data.draw(batches(formulas(elements)), label="formulas")
    others: list[str] = data.draw(batches(formulas(elements)), label="other batch")
    refused: str = data.draw(hostile(elements), label="refused text")
    drawn, first = answered(predict, batch)
    if not drawn:
        return
    with suppress(ValueError):
        predict(others)
    require_close(drawn, first, predict(drawn), tolerance)
    with suppress(Exception):  # whether and how it is refused is a property of its own
        predict([*others, refused])
    require_close(drawn, first, predict(drawn), tolerance)


@given(data=st.data())
def test_prediction_has_no_side_effects(
    data: st.DataObject, bundle: Any, elements: list[str]
) -> None:
    """Predicting changes neither its input nor the global random generators."""
    drawn: list[str] = data.draw(batches(formulas(elements)), label="formulas")
    frame = pd.DataFrame({"formula": drawn})
    # away from the state that hypothesis sets, which is that of the seed 0
    random.random()  # noqa: S311
    np.random.random_sample()  # noqa: NPY002
    before, python, numpy = frame.copy(), random.getstate(), np.random.get_state()  # noqa: NPY002
    given_list = list(drawn)
    with suppress(ValueError):  # what it may refuse, it may not change either
        bundle.predict(given_list)
    if model := getattr(bundle, "model", None):
        with suppress(ValueError):
            getattr(model, "predict_proba", model.predict)(frame)
    if given_list != drawn or not frame.equals(before) or list(frame.columns) != ["formula"]:
        raise FalsifiedError("predicting changed the table it was given", drawn[0])
    now = np.random.get_state()  # noqa: NPY002
    moved = any(not np.array_equal(a, b) for a, b in zip(numpy, now, strict=True))
    if moved or python != random.getstate():
        raise FalsifiedError("predicting moved a global random generator", drawn[0])


def test_threads_agree(predict: Predict, training_formulas: list[str], tolerance: float) -> None:
    """Threads that share the bundle, each with rows of its own, get what one thread gets."""
    # unlike rows: threads that mix up equal ones would not show it
    shares = [training_formulas[first : 4 * SHARE : 4] for first in range(4)]
    alone = [predict(share) for share in shares]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(predict, shares))
    for share, first, again in zip(shares, alone, together, strict=True):
        require_close(share, first, again, tolerance)


def test_processes_agree(predict: Predict, elsewhere: Answer, tolerance: float) -> None:
    """A process of its own, with other hashes, date, language and no files, agrees."""
    if elsewhere.lacked:
        raise FalsifiedError(
            "the model predicts only where the repository's files lie: put what it needs into the "
            f"model or the package ({elsewhere.lacked})"
        )
    here, there = predict(elsewhere.formulas), np.array(elsewhere.predictions)
    require_close(elsewhere.formulas, here, there, tolerance)
    # in the opposite order, so that a cache that takes one for another keeps the other one here
    _require_alike(predict, elsewhere.lookalikes[::-1], elsewhere.alike[::-1], tolerance)


def _require_alike(
    predict: Predict, names: list[str], there: list[float | None], tolerance: float
) -> None:
    pairs = zip(names, unrefused(predict, names), there, strict=True)
    both = [(name, one, two) for name, one, two in pairs if one is not None and two is not None]
    for name, one, two in both:
        try:
            require_close([name], np.array([one]), np.array([two]), tolerance)
        except FalsifiedError as error:
            told = (
                f"{error} in another process, where formulas like it were asked for before: keep "
            )
            raise FalsifiedError(
                f"{told}all of a formula in the key of a cache", name, two
            ) from None


def test_the_date_changes_nothing(elsewhere: Answer, tolerance: float) -> None:
    """Hours, days and years later a model predicts the same."""
    first = np.array(elsewhere.predictions)
    for days, predictions in elsewhere.later.items():
        again = np.array(predictions)
        if first.shape != again.shape or not np.allclose(
            first, again, rtol=tolerance, atol=tolerance, equal_nan=True
        ):
            worst = int(np.argmax(~np.isclose(first, again, rtol=tolerance, atol=tolerance)))
            formula = elsewhere.formulas[worst]
            raise FalsifiedError(
                f"{formula} gives {first[worst]:.9g}, and {again[worst]:.9g} when the clock is "
                f"{days} days ahead: a prediction must not depend on date or time",
                formula,
                f"{again[worst]:.9g}",
            )
