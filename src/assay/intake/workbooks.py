"""Spreadsheets: `.xlsx`, `.xlsm`, `.xlsb`, `.xls` and `.ods`, read by calamine."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import UsageError
from assay.intake.choices import UndecidedError
from assay.intake.columns import formula_column
from assay.intake.raw import LEAST, RawTable, from_grid

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

# a sheet of more cells is no table of measurements, or is a file made to fill memory
MOST_CELLS = 50_000_000


def read_workbook(path: Path, sheet: str | None, least: int = LEAST) -> RawTable:
    """Read the worksheet of that name, or else the first that holds a table.

    Raises:
        UsageError: the file is protected or damaged, or there is no such sheet or no table.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_path(path) as book:
            return _sheet(book, path, sheet, least)
    except PasswordError:
        raise UsageError(
            f"{path} is protected by a password: save a copy without one.", code="table.protected"
        ) from None
    except CalamineError as error:
        raise UsageError(
            f"{path} cannot be read as a workbook ({type(error).__name__}): save it again, or "
            "export it as CSV.",
            code="table.damaged-workbook",
        ) from None


def _sheet(book: "CalamineWorkbook", path: Path, sheet: str | None, least: int) -> RawTable:
    names = list(book.sheet_names)
    if sheet is not None and sheet not in names:
        raise UsageError(
            f"{path} has no sheet {sheet!r}: give --sheet one of {', '.join(names)[:200]}.",
            code="table.no-sheet",
        )
    tables, refusal = [], None
    for name in names if sheet is None else [sheet]:
        try:
            tables.append(_table(book, path, name, least))
        except UsageError as error:
            refusal = refusal or error
    if not tables:
        raise refusal or UsageError(f"{path} has no sheets: it is empty.", code="table.empty")
    found = next((one for one in tables if _has_formulas(one)), tables[0])
    others = "" if len(names) == 1 else f", of {len(names)}: --sheet chooses another"
    return replace(found, readings=(f"sheet {found.sheet!r}{others}", *found.readings))


def _has_formulas(table: RawTable) -> bool:
    try:
        formula_column(table, None, None)
    except UndecidedError:
        return True
    except UsageError:
        return False
    return True


def _table(book: "CalamineWorkbook", path: Path, name: str, least: int) -> RawTable:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise UsageError(
            f"{path}, sheet {name!r} spans {sheet.total_height:,} rows and {sheet.total_width:,} "
            "columns: delete the empty ones, or export it as CSV.",
            code="table.too-large",
        )
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    # only the first cell of merged ones has a value
    covered = [top + 2 for (top, _), (end, _) in sheet.merged_cell_ranges or () if end > top]
    told = "merged cells, which have a value in their first line alone"
    readings = [f"{told} (line {min(covered)})"] if covered else []
    made = from_grid(path, rows, range(1, len(rows) + 1), readings, least=least)
    return replace(made, sheet=name)


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)  # noqa: PLR2004
    if isinstance(cell, dt.datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    return str(cell)
