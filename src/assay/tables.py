"""Strict reading of tables, and what spreadsheets do to them.

A bad cell is named, never guessed at. Cells are written so that no spreadsheet takes one for a
formula of its own, and numbers that a program rounded on saving are recognised.
"""

import difflib
import io
import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assay.errors import UsageError
from assay.files import write_text
from assay.text_tables import OpenTable, read_header, read_rows

if TYPE_CHECKING:
    from assay.settings import Settings

MAXIMUM_BYTES = 2**30
LONGEST_LINE = 2**17  # of a table whose cells stand in reports
# Cells that a spreadsheet would execute begin with one of these (OWASP, CSV injection); the last
# four are the full-width forms of the first.
EXECUTABLE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where a comma is the decimal point a cell ends at a semicolon, quoted or not; in some at a tab.
_INNER = re.compile(r'([;\t\r\n][\s"]*)(?=[=+@\uff1d\uff0b\uff0d\uff20-])')
SINGLE = 2.0**-23  # the last bit of single precision, relative to the number


# labels that are rounded by this part of the gate's margin move no verdict
SAFE = 10


def read_table(path: Path, columns: Sequence[str], *, empty: bool = False) -> pd.DataFrame:
    """Read a UTF-8, comma-separated table as text; row i of the frame is line i + 2 of the file.

    Only where it may be `empty` can it have a header alone.

    Raises:
        UsageError: the file is missing, empty, too large, binary, not UTF-8, not separated by
            commas, lacks a named column, or has a row of the wrong length or a broken quote.
    """
    if not path.is_file():
        own = path.parent.name == "data"
        hint = "run `assay init`, or restore it from git" if own else "check its name and folder"
        raise UsageError(f"{path} does not exist: {hint}.", code="table.missing")
    if path.stat().st_size > MAXIMUM_BYTES:
        raise UsageError(
            f"{path} is larger than {MAXIMUM_BYTES} bytes: split it.", code="table.too-large"
        )
    return parse_table(path.read_bytes(), columns, path, empty=empty)


def parse_table(
    content: bytes, columns: Sequence[str], path: Path, *, empty: bool = False
) -> pd.DataFrame:
    """Parse the content of a table as `read_table` does; `path` is only named in errors."""
    import pyarrow as pa

    table = OpenTable(io.BytesIO(content), path, LONGEST_LINE)
    header = read_header(table, columns)
    rows = pa.concat_tables([part for _, part in read_rows(table, len(header))]).slice(1)
    if not rows.num_rows and not empty:
        raise UsageError(f"{path} has a header but no rows: add some.", code="table.no-rows")
    cells = (column.to_pylist() for column in rows.columns)
    return pd.DataFrame(dict(zip(header, cells, strict=True)), dtype=str)


def read_labelled(path: Path, columns: Sequence[str], target: str) -> pd.DataFrame:
    """Read a table as `read_table` does that holds the column to learn, too.

    Raises:
        UsageError: as `read_table`; without `target` the sentence names the key of `assay.toml`.
    """
    frame = read_table(path, columns)
    require_target(list(frame.columns), target, path)
    return frame


def require_target(
    header: Sequence[str], target: str, path: Path, key: str = "assay.toml: target.column"
) -> None:
    """Insist that the column to learn, which `key` names, is among those of a table.

    Raises:
        UsageError: it is not; the columns that may be meant, and the likely one, are named.
    """
    if target in header:
        return
    others = {name.casefold(): name for name in header if name not in {"row_id", "formula"}}
    close = difflib.get_close_matches(target.casefold(), others, n=1) or list(others)
    likely = repr(others[close[0]]) if len(close) == 1 else "the column to learn"
    named = ", ".join(map(repr, others.values()))[:200] or "no column but row_id and formula"
    raise UsageError(
        f"{key} is {target!r}, but {path} has {named}: set it to {likely}, or rename the column.",
        code="table.no-target",
    )


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
            raise UsageError(
                f"{path}, line {index + 2}: {column} is {cell[:40]!r}; {hint}.",
                code="table.bad-number",
            )
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


def table_text(frame: pd.DataFrame) -> str:
    """The frame as the text of a CSV with Unix line ends."""
    return str(frame.to_csv(index=False, lineterminator="\n"))


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV: to a temporary name, then renamed."""
    write_text(path, table_text(frame))


def for_spreadsheets(rows: pd.DataFrame) -> pd.DataFrame:
    """The same table, with nothing in it that a spreadsheet would execute.

    What is disarmed already stays as it is.
    """
    texts = rows.select_dtypes("object")
    safe = {name: [harmless(cell) for cell in column] for name, column in texts.items()}
    return rows.assign(**safe).rename(columns=harmless)


def harmless(cell: Any) -> Any:
    """The cell with an apostrophe before what a spreadsheet would execute of it."""
    if not isinstance(cell, str):
        return cell
    if ";" in cell or not cell.isprintable():
        cell = _INNER.sub(r"\1'", cell)
    if not cell.startswith(EXECUTABLE):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def harmless_rounding(settings: "Settings") -> float:
    """By how much labels may be rounded on saving; by nothing where they are classes."""
    return settings.gate.margin / SAFE if settings.target.kind == "number" else 0.0


def is_rounded(before: float, cell: str) -> bool:
    """Whether the number in a cell is `before`, to the digits that stand there or as a float32."""
    try:
        written = Decimal(cell.strip()).normalize()
        after = float(written)
    except (InvalidOperation, OverflowError):
        return False
    places = written.as_tuple().exponent
    if not isinstance(places, int):  # nan, or infinite
        return False
    digits = places if written else _places(cell)
    apart = abs(after - before)
    return apart <= SINGLE * abs(before) or apart <= 0.5 * 10.0**digits * (1 + 1e-9)


def _places(cell: str) -> int:
    """The last decimal place of a zero as it is written: -4 of `0.0000`."""
    exponent = Decimal(cell.strip()).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
