"""Cells disarmed, so that no spreadsheet takes what a list holds for a formula of its own."""

import re
from typing import Any

import pandas as pd

# Cells that a spreadsheet would execute begin with one of these (OWASP, CSV injection); the last
# four are the full-width forms of the first.
EXECUTABLE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where a comma is the decimal point a cell ends at a semicolon, quoted or not; in some at a tab.
_INNER = re.compile(r'([;\t\r\n][\s"]*)(?=[=+@\uff1d\uff0b\uff0d\uff20-])')


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
