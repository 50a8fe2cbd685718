"""Tables that were written, cell by cell against the same tables made again."""

from typing import Any

import numpy as np
import pandas as pd

from assay.errors import RefusedError

# Tables hold nine significant digits, and two processors may differ in the last bits of a sum.
# Near zero these are no share of the value: there they are measured by the width of an interval.
SAME, NOTHING = 1e-8, 1e-9


def is_same(one: Any, other: Any, nothing: float = NOTHING) -> Any:
    """Which numbers (n,) are the same, but for digits that a table does not hold."""
    return np.isclose(one, other, rtol=SAME, atol=nothing)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as a CSV holds it, but that numbers stay numbers, to be compared as such."""
    return frame.map(lambda cell: cell if isinstance(cell, float) else str(cell))


def require_same(
    name: str,
    written: pd.DataFrame,
    made: pd.DataFrame,
    nothing: float = NOTHING,
    start: int = 0,
) -> None:
    """Insist that a table holds the columns and rows that were made again, in any column order.

    Args:
        name: the file; one that ends with `.csv` holds its numbers as text.
        written: what the file holds.
        made: what it must hold; where a number is missing, only an empty cell is the same.
        nothing: the difference of two numbers that is none however small they are, in their unit.
        start: how many rows of the file come before these.

    Raises:
        RefusedError: it does not; the first column, row or cell that differs is named.
    """
    others = list(written.columns)
    for column in made.columns:
        if column not in others:
            raise RefusedError(f"{name} has no column {column}: predict again.")
        others.remove(column)
    if others:
        raise RefusedError(
            f"{name} has a column {str(others[0])[:60]!r} that does not belong there: predict "
            "again."
        )
    if len(written) != len(made):
        raise RefusedError(
            f"{name} has {start + len(written)} rows, not {start + len(made)}: predict again."
        )
    for column in made.columns:
        _require_column(name, written[column], made[column], nothing, start)


def _require_column(
    name: str, written: "pd.Series[Any]", made: "pd.Series[Any]", nothing: float, start: int
) -> None:
    text = name.endswith(".csv")
    if pd.api.types.is_float_dtype(made):
        same = _same_numbers(written, made, nothing, text=text)
    else:
        pairs = zip(written, made, strict=True)
        # a type first: what else a Parquet file may hold need not be comparable with text
        same = np.array([type(a) is type(b) and a == b for a, b in pairs], dtype=bool)
    differing = np.flatnonzero(~same)
    if differing.size:
        row = int(differing[0])
        place = f"line {start + row + 2}" if text else f"row {start + row + 1}"
        raise RefusedError(
            f"{name}, {place}: {made.name} is {written.iloc[row]!r:.80}, but it must be "
            f"{made.iloc[row]!s:.80} ({differing.size} such rows): predict again."
        )


def _same_numbers(
    written: "pd.Series[Any]", made: "pd.Series[Any]", nothing: float, *, text: bool
) -> np.ndarray:
    if not text and not pd.api.types.is_float_dtype(written):
        return np.zeros(len(made), dtype=bool)
    numbers = pd.to_numeric(written, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = (written == "" if text else written.isna()).to_numpy(dtype=bool)
    wanted = made.to_numpy(dtype=float)
    close = is_same(numbers, wanted, nothing)
    return np.where(np.isnan(wanted), empty, close)
