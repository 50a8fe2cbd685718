"""The predictions file: the one table that crosses from untrusted to trusted ground."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.errors import NotCarriedOutError
from assay.files import write_text

HEADER = ["row_id", "prediction"]
BYTES_PER_ROW = 64
# Nine significant digits outlast every decision and leave room for the last bits in which
# two processors may differ.
FORMAT = ".9g"


def write_predictions(path: Path, row_ids: Sequence[str], values: np.ndarray) -> None:
    """Write `row_id, prediction`, one row an id, with nine significant digits."""
    lines = [f"{row},{value:{FORMAT}}" for row, value in zip(row_ids, values, strict=True)]
    write_text(path, "\n".join([",".join(HEADER), *lines]) + "\n")


def read_predictions(path: Path, row_ids: Sequence[str]) -> dict[str, float]:
    """Read an untrusted predictions file that must hold exactly the given ids.

    Raises:
        NotCarriedOutError: the file is missing, a link, of the wrong size, not such a table, lacks
            or repeats or invents an id, or has a value that is not a finite number.
    """
    rows = list(csv.reader(_text(path, len(row_ids)).splitlines(), strict=True))
    if not rows or rows[0] != HEADER:
        raise _unfit(path, 1, f"the header must be {','.join(HEADER)}")
    expected = set(row_ids)
    predictions: dict[str, float] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(HEADER):
            raise _unfit(path, number, f"it has {len(row)} cells, not 2")
        if row[0] not in expected:
            raise _unfit(path, number, f"the row_id {row[0][:40]!r} is not asked for")
        if row[0] in predictions:
            raise _unfit(path, number, f"the row_id {row[0]!r} is given twice")
        predictions[row[0]] = _finite(row[1], path, number)
    missing = expected - predictions.keys()
    if missing:
        raise NotCarriedOutError(
            f"{path.name} lacks {len(missing)} of {len(expected)} rows, for instance "
            f"{min(missing)!r}: run `assay train` on the data of main."
        )
    return predictions


def _text(path: Path, rows: int) -> str:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(f"{path.name} is missing or not a regular file: not read.")
    limit = (rows + 1) * BYTES_PER_ROW
    if path.stat().st_size > limit:
        raise NotCarriedOutError(f"{path.name} is larger than {limit} bytes: not read.")
    try:
        return path.read_bytes().decode("ascii")
    except UnicodeDecodeError:
        raise NotCarriedOutError(
            f"{path.name} is not a text table (a pickle or other binary file is never read)."
        ) from None


def _finite(cell: str, path: Path, number: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise _unfit(path, number, f"{cell[:40]!r} is not a number") from None
    if "_" in cell or not math.isfinite(value):
        raise _unfit(path, number, f"{cell[:40]!r} is not a finite number")
    return value


def _unfit(path: Path, number: int, reason: str) -> NotCarriedOutError:
    return NotCarriedOutError(f"{path.name}, line {number}: {reason}; not scored.")
