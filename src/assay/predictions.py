"""The predictions file: the one table that crosses from untrusted to trusted ground."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from assay.errors import NotCarriedOutError, UsageError
from assay.files import write_text

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
            raise UsageError(f"the model predicts {value} for row {row!r}: mend the model.")
        if not _ROW_ID.fullmatch(row):
            raise UsageError(f"the row_id {row[:60]!r} must be at most 40 letters, digits, . _ -.")
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
        predictions[row] = _number(cell, bounds, path, number)
    missing = expected - predictions.keys()
    if missing:
        raise NotCarriedOutError(
            f"{path.name} lacks {len(missing)} of {len(expected)} rows, for instance "
            f"{min(missing)!r}: run `assay train` on the data of main."
        )
    return predictions


def _text(path: Path, rows: int) -> str:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(
            f"{path.name} is missing or not a regular file: run `assay train`."
        )
    limit = (rows + 1) * BYTES_PER_ROW
    if path.stat().st_size > limit:
        raise NotCarriedOutError(
            f"{path.name} is larger than {limit} bytes and not read: run `assay train`."
        )
    try:
        return path.read_bytes().decode("ascii")
    except UnicodeDecodeError:
        raise NotCarriedOutError(
            f"{path.name} is not a text table (a pickle or other binary file is never read): "
            "run `assay train`."
        ) from None


def _number(cell: str, bounds: Bounds, path: Path, number: int) -> float:
    # float() alone would also take '1_000', 'nan', spaces and more than one reader agrees on
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not bounds[0] <= value <= bounds[1]:
        wanted = f"a finite number from {bounds[0]:g} to {bounds[1]:g}"
        raise _unfit(path, number, f"the prediction {cell[:40]!r} is not {wanted}")
    return value


def _unfit(path: Path, number: int, reason: str) -> NotCarriedOutError:
    return NotCarriedOutError(f"{path.name}, line {number}: {reason}; run `assay train` again.")
