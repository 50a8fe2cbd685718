"""Predictions: compared with what was asked for, and the file that crosses to trusted ground.

Every answer of a model or a featurizer goes through `predictions_of`, `probabilities_of` or
`features_of` before a number of it is given to a row.
"""

import math
import numbers
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError, UsageError
from assay.files import write_text
from assay.texts import on_one_line, plural

MEANING = (
    "it is unknown which number belongs to which formula, so none is used: fix the code that "
    "drops, adds, sorts or reshapes rows, and run `assay train` again"
)
DOUBLES = (
    "predictions must be floats: end predict with np.asarray(values, dtype=float), and run "
    "`assay train` again"
)
HEADER = ["row_id", "prediction"]
BYTES_PER_ROW = 64
# Nine significant digits outlast every decision and leave room for the last bits in which
# two processors may differ.
DIGITS = 9
FORMAT = f".{DIGITS}g"
EXACT, HALFWAY = 1e22, 0.49999
LARGEST = 1e12

Bounds = tuple[float, float]

_ROW_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


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
        raise _mismatch(who, count, kind, DOUBLES)
    return array.astype(float)


def _number(value: Any, count: int, who: str) -> float:
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        told = f"{on_one_line(repr(value)):.60} among its numbers"
        raise _mismatch(who, count, told, DOUBLES)
    return float(value)


def _told(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return plural(shape[0], "number")
    return f"an array of shape {tuple(shape)}" if shape else "something that is no row of numbers"


def _mismatch(who: str, count: int, what: str, why: str = MEANING) -> MismatchedAnswerError:
    asked = plural(count, "formula")
    return MismatchedAnswerError(
        f"{who} was asked for {asked} and returned {what}: {why}.",
        code="model.mismatched-answer",
    )


def bounds_of(kind: Literal["number", "class"]) -> Bounds:
    """What a prediction may be: any number whose square can be summed, or a probability."""
    return (0.0, 1.0) if kind == "class" else (-LARGEST, LARGEST)


def rounded(values: np.ndarray) -> np.ndarray:
    """The values (n,) to the digits in which predictions are written, here and in batches.

    Each is the double that its text in `FORMAT` stands for.
    """
    with np.errstate(all="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        scaled = values * scale
        whole = np.rint(scaled)
        # Powers of ten up to 22 are exact, so the quotient is rounded once, as reading its text is.
        # All else, and what lies halfway, is spelt out.
        plain = (scale >= 1) & (scale <= EXACT) & (np.abs(scaled - whole) < HALFWAY)
        plain &= (np.abs(whole) >= 10 ** (DIGITS - 1)) & (np.abs(whole) < 10**DIGITS)
        found = whole / scale
    for place in np.flatnonzero(~plain):
        found[place] = float(f"{values[place]:{FORMAT}}")
    return found


def write_predictions(
    path: Path, row_ids: Sequence[str], values: np.ndarray, bounds: Bounds
) -> None:
    """Write `row_id, prediction`, one row an id, with nine significant digits.

    Raises:
        UsageError: a prediction is not within `bounds`, or an id would not survive a CSV.
    """
    for row, value in zip(row_ids, values, strict=True):
        if not bounds[0] <= value <= bounds[1]:
            raise UsageError(
                f"the model predicts {value} for row {row!r}, outside of {bounds[0]:g} to "
                f"{bounds[1]:g}: correct the model.",
                code="model.out-of-bounds",
            )
        if not _ROW_ID.fullmatch(row):
            raise UsageError(
                f"the row_id {row[:60]!r} must be at most 40 letters, digits, . _ -: rename it.",
                code="table.bad-row-id",
            )
    lines = [f"{row},{value:{FORMAT}}" for row, value in zip(row_ids, values, strict=True)]
    write_text(path, "\n".join([",".join(HEADER), *lines]) + "\n")


def read_predictions(path: Path, row_ids: Sequence[str], bounds: Bounds) -> dict[str, float]:
    """Read an untrusted predictions file that must hold exactly the given ids.

    Raises:
        NotCarriedOutError: the file is missing, a link, of the wrong size, not such a table, lacks
            or repeats or invents an id, or has a value that is not a number within `bounds`.
    """
    header, *lines = _text(path, len(row_ids)).removesuffix("\n").split("\n")
    if header != ",".join(HEADER):
        raise _unfit(path, 1, f"the header must be {','.join(HEADER)}")
    expected = set(row_ids)
    predictions: dict[str, float] = {}
    for number, line in enumerate(lines, start=2):
        row, _, cell = line.partition(",")
        if row not in expected:
            raise _unfit(path, number, f"the row_id {row[:40]!r} is not asked for")
        if row in predictions:
            raise _unfit(path, number, f"the row_id {row!r} is given twice")
        predictions[row] = _bounded(cell, bounds, path, number)
    missing = expected - predictions.keys()
    if missing:
        raise NotCarriedOutError(
            f"{path.name} lacks {len(missing)} of {len(expected)} rows, for instance "
            f"{min(missing)!r}: run `assay train` on the data of main.",
            code="handover.missing-rows",
        )
    return predictions


def _text(path: Path, rows: int) -> str:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(
            f"{path.name} is missing or not a regular file: run `assay train`.",
            code="handover.missing-file",
        )
    limit = (rows + 1) * BYTES_PER_ROW
    if path.stat().st_size > limit:
        raise NotCarriedOutError(
            f"{path.name} is larger than {limit} bytes, so it was not read: run `assay train` "
            "again.",
            code="handover.predictions-too-large",
        )
    try:
        return path.read_bytes().decode("ascii")
    except UnicodeDecodeError:
        raise NotCarriedOutError(
            f"{path.name} is not a text table (a pickle or other binary file is never read): "
            "run `assay train`.",
            code="handover.not-text",
        ) from None


def _bounded(cell: str, bounds: Bounds, path: Path, number: int) -> float:
    # float() alone would also take '1_000', 'nan', spaces and more than one reader agrees on
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not bounds[0] <= value <= bounds[1]:
        wanted = f"a finite number from {bounds[0]:g} to {bounds[1]:g}"
        raise _unfit(path, number, f"the prediction {cell[:40]!r} is not {wanted}")
    return value


def _unfit(path: Path, number: int, reason: str) -> NotCarriedOutError:
    return NotCarriedOutError(
        f"{path.name}, line {number}: {reason}; run `assay train` again.",
        code="handover.bad-prediction",
    )
