"""What models and featurizers answer, compared with what they were asked: a row for each row.

Every answer goes through here before a number of it is given to a row.
"""

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError
from assay.texts import on_one_line, plural

MEANING = (
    "it cannot be known which number belongs to which formula, so none is used: fix the code that "
    "drops, adds, sorts or reshapes rows, train the model again and have it certified"
)


class MismatchedAnswerError(NotCarriedOutError):
    """The answer of a model or a featurizer cannot be assigned to the rows that it was asked for.

    After one such answer the order of its other answers is not to be trusted either.
    """


def predictions_of(answer: Any, count: int, who: str) -> np.ndarray:
    """The predictions (n,) of `count` rows as 64-bit floats, in the order asked.

    Args:
        answer: what the model `who` returned: an array, a Series, or a list of n real numbers. A
            masked or missing number becomes NaN.
        count: how many rows were asked for.
        who: what is named if the answer does not fit.

    Raises:
        MismatchedAnswerError: it has another shape or order, or holds something else than numbers.
    """
    _require_order(answer, count, who)
    array = _as_array(answer)
    if array.shape != (count,):
        raise _mismatch(who, count, _told(array.shape))
    return _as_doubles(array, count, who)


def probabilities_of(answer: Any, count: int, who: str) -> np.ndarray:
    """The probability of yes (n,): the second of two columns (n, 2); else as `predictions_of`."""
    _require_order(answer, count, who)
    array = _as_array(answer)
    if array.shape != (count, 2):
        raise _mismatch(who, count, f"{_told(array.shape)} where two columns are needed")
    return _as_doubles(array[:, 1], count, who)


def features_of(answer: Any, count: int, who: str) -> Any:
    """The answer of a featurizer as it is, if it has one row for each of `count` rows, in order.

    Raises:
        MismatchedAnswerError: it has other rows.
    """
    _require_order(answer, count, who)
    if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
        raise _mismatch(who, count, "an array in which some numbers are masked")
    # a sparse matrix has a shape, and is no sequence
    shape = getattr(answer, "shape", None)
    if shape is None:
        shape = (len(answer),) if isinstance(answer, list | tuple) else ()
    if not shape or shape[0] != count:
        rows = plural(shape[0], "row") if shape else "something that has no rows"
        raise _mismatch(who, count, rows)
    return answer


def _require_order(answer: Any, count: int, who: str) -> None:
    if not isinstance(answer, pd.Series | pd.DataFrame):
        return
    if len(answer) == count and not answer.index.equals(pd.RangeIndex(count)):
        raise _mismatch(who, count, "rows with another index than 0, 1, 2, ... in this order")


def _as_array(answer: Any) -> np.ndarray:
    if isinstance(answer, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(answer.astype(float), np.nan))
    try:
        return np.asarray(answer)
    except ValueError:  # rows of unequal lengths
        return np.empty((), dtype=object)


def _as_doubles(array: np.ndarray, count: int, who: str) -> np.ndarray:
    if array.dtype.kind == "O":
        array = np.array([_number(value, count, who) for value in array.tolist()], dtype=float)
    if array.dtype.kind not in "fiu":
        kind = "complex numbers" if array.dtype.kind == "c" else f"values of type {array.dtype}"
        raise _mismatch(who, count, kind)
    return array.astype(float)


def _number(value: Any, count: int, who: str) -> float:
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _mismatch(who, count, f"{on_one_line(repr(value)):.60} among its numbers")
    return float(value)


def _told(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return plural(shape[0], "number")
    return f"an array of shape {tuple(shape)}" if shape else "something that is no row of numbers"


def _mismatch(who: str, count: int, what: str) -> MismatchedAnswerError:
    asked = plural(count, "formula")
    return MismatchedAnswerError(f"{who} was asked for {asked} and returned {what}: {MEANING}.")
