"""A table as its file has it: cells as text, each row with its line, whatever the format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.errors import UsageError
from assay.intake.faults import Fault
from assay.texts import plural

# more rows than anybody labels; lists of candidates are read in parts elsewhere
MOST_ROWS = 5_000_000
# columns of a table of labels: formulas, and what is to be learnt; of a list one is enough
LEAST, OF_A_LIST = 2, 1


@dataclass(frozen=True)
class RawTable:
    """The cells of a table (n rows) as text, before anything is made of them.

    `cells` has the columns of the header as they are called there, without spaces around; its
    index holds the line of each row in the file, or its number where a file has no lines.
    `readings` say in words how the file was read. `faults` are rows that are none. `sheet` is the
    worksheet that was read, `separator` what stands between the cells of a text.
    """

    path: Path
    cells: pd.DataFrame
    readings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    sheet: str | None = None
    units: tuple[str, ...] = ()
    separator: str = ","

    @property
    def name(self) -> str:
        """The file as reports call it."""
        return self.path.name if self.sheet is None else f"{self.path.name}, sheet {self.sheet!r}"


def from_grid(
    path: Path,
    grid: Sequence[Sequence[str]],
    lines: Sequence[int],
    readings: Sequence[str] = (),
    least: int = LEAST,
) -> RawTable:
    """Find the header among rows of cells, and make a table of what stands below it.

    Rows without any text are left out. Lines above the header, of one cell or behind `#`, are taken
    for remarks; a line of units above or below the header is kept as `units`.

    Raises:
        UsageError: there is no header of at least so many columns, or no row below it.
    """
    rows = [(line, [cell.strip() for cell in row]) for line, row in zip(lines, grid, strict=True)]
    rows = [(line, row) for line, row in rows if any(row)]
    top = _header_at(rows, path, least)
    notes = [*readings, *_remarks(rows, top)]
    line, header = rows[top][0], rows[top][1]
    while not header[-1] and not any(any(row[len(header) - 1 :]) for _, row in rows[top + 1 :]):
        header = header[:-1]
    names = [name or f"column {at}" for at, name in enumerate(header, start=1)]
    units, body = _units(rows, top, len(names))
    if units:
        notes.append("a line of units")
    _require_distinct(names, path, line)
    kept, faults = _rows(body, names, least)
    if not kept:
        raise UsageError(f"{path} has a header but no rows: add some.", code="table.no-rows")
    frame = pd.DataFrame(
        [row for _, row in kept], columns=names, index=[at for at, _ in kept], dtype=str
    )
    return RawTable(path, frame, tuple(notes), tuple(faults), units=units)


Line = tuple[int, list[str]]


def _header_at(rows: Sequence[Line], path: Path, least: int) -> int:
    """Where the header is: the first row of at least so many cells that is no remark."""
    for at, (_, row) in enumerate(rows):
        filled = sum(map(bool, row))
        if filled >= least and not row[0].startswith("#") and not _is_units(rows, at, at + 2):
            return at
    if not rows:
        raise UsageError(f"{path} is empty: it must hold a header and rows.", code="table.empty")
    raise UsageError(
        f"{path}, line {rows[0][0]}: there is one column; a table needs one of formulas and one to "
        "learn, with commas, semicolons or tabs between them.",
        code="table.one-column",
    )


def _remarks(rows: Sequence[Line], top: int) -> list[str]:
    remarks = top - (top > 0 and _is_units(rows, top - 1, top + 1))
    return [f"{plural(remarks, 'line')} of remarks above the header"] if remarks else []


def _is_units(rows: Sequence[Line], at: int, below: int) -> bool:
    """Whether a row holds units alone, in columns that hold no formulas in the row `below`.

    Symbols of elements are units as well: K, C, V.
    """
    from assay.compositions import problem
    from assay.intake.units import is_unit

    if below >= len(rows):
        return False
    filled = [place for place, cell in enumerate(rows[at][1]) if cell.strip("-")]
    cells, first = rows[at][1], rows[below][1]
    return bool(filled) and all(
        is_unit(cells[place]) and place < len(first) and problem(first[place]) for place in filled
    )


def _units(rows: Sequence[Line], top: int, width: int) -> tuple[tuple[str, ...], Sequence[Line]]:
    for at, below in ((top - 1, top + 1), (top + 1, top + 2)):
        if at >= 0 and _is_units(rows, at, below):
            cells = [cell.strip("[]()") for cell in rows[at][1][:width]]
            return tuple(cells + [""] * (width - len(cells))), rows[max(at, top) + 1 :]
    return (), rows[top + 1 :]


def _require_distinct(names: Sequence[str], path: Path, line: int) -> None:
    again = [name for at, name in enumerate(names) if name in names[:at]]
    if again:
        raise UsageError(
            f"{path}, line {line}: the column {again[0]!r:.80} stands twice; rename one.",
            code="table.repeated-column",
        )


def _rows(body: Sequence[Line], names: Sequence[str], least: int) -> tuple[list[Line], list[Fault]]:
    kept: list[Line] = []
    faults: list[Fault] = []
    width = len(names)
    for line, row in body:
        cells = row + [""] * (width - len(row)) if len(row) < width else row
        if any(cells[width:]) or len(row) < least:
            reason = f"{len(row)} cells where the header has {width}"
            faults.append(Fault(line, "", " | ".join(row)[:200], "row.wrong-width", reason))
        elif cells[:width] == list(names):
            faults.append(Fault(line, "", "", "row.header-again", "the header stands here again"))
        else:
            kept.append((line, cells[:width]))
    return kept, faults
