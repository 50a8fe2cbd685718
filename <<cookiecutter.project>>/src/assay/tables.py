"""Strict reading of CSV tables: a bad cell is named, never guessed at."""

import csv
import difflib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from assay.errors import UsageError

MAXIMUM_BYTES = 2**30


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a UTF-8, comma-separated table as text; row i of the frame is line i + 2 of the file.

    Raises:
        UsageError: the file is missing, empty, too large, binary, not UTF-8, not separated by
            commas, lacks a named column or has a row of the wrong length.
    """
    text = _decoded(path)
    header = next(csv.reader([text.split("\n", 1)[0]]), [])
    _check_header(header, columns, path)
    rows = list(csv.reader(text.splitlines()))[1:]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise UsageError(
                f"{path}, line {number}: {len(row)} cells where the header has {len(header)}; "
                "quote text that holds a comma, and write decimals with a point."
            )
    if not rows:
        raise UsageError(f"{path} has a header but no rows: add some.")
    return pd.DataFrame(rows, columns=header, dtype=str)


def _decoded(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path} does not exist: run `assay init`, or name another file.")
    if path.stat().st_size > MAXIMUM_BYTES:
        raise UsageError(f"{path} is larger than {MAXIMUM_BYTES} bytes: split it.")
    content = path.read_bytes()
    if not content.strip():
        raise UsageError(f"{path} is empty: it must hold a header and rows.")
    if b"\0" in content:
        raise UsageError(f"{path} is a binary file, not a CSV: export it as CSV (UTF-8).")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: not UTF-8; save it as CSV (UTF-8).") from None


def _check_header(header: list[str], columns: Sequence[str], path: Path) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise UsageError(
            f"{path} is separated by semicolons: save it with commas, and decimals with a point."
        )
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise UsageError(f"{path}: the column {sorted(repeated)[0]!r} stands twice; remove one.")
    for column in columns:
        if column not in header:
            close = difflib.get_close_matches(column, header, n=1)
            hint = f"rename {close[0]!r}?" if close else f"it has {', '.join(header)[:200]}"
            raise UsageError(f"{path} has no column {column!r}: {hint}")


def read_numbers(frame: pd.DataFrame, column: str, path: Path) -> np.ndarray:
    """The column as finite floats, shape (n,).

    Raises:
        UsageError: a cell is empty, not a number (a decimal comma is named as such) or not finite.
    """
    numbers = np.empty(len(frame))
    for index, cell in enumerate(frame[column]):
        number = _number(cell)
        if number is None or not math.isfinite(number):
            hint = "write decimals with a point" if "," in cell else "give a finite number"
            raise UsageError(f"{path}, line {index + 2}: {column} is {cell[:40]!r}; {hint}.")
        numbers[index] = number
    return numbers


def _number(cell: str) -> float | None:
    # float() alone would take '1_000' and Arabic-Indic digits, which other readers refuse
    if not cell.isascii() or "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV with `\\n` line ends: to a temporary name, then renamed."""
    from assay.files import write_text

    write_text(path, frame.to_csv(index=False, lineterminator="\n"))
