"""A table as its file has it: cells as text, each row with its line, whatever the format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.errors import UsageError
from assay.intake.faults import Fault
from assay.texts import plural

# more rows than anybody labels, in about 3 GB; lists of candidates are read in parts elsewhere
MOST_ROWS = 2_500_000
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
    groups = _groups(rows, top)
    if groups:
        notes.append("a line of groups above the header")
        top += 1
    line, header = rows[top][0], rows[top][1]
    header = _grouped(header, groups) if groups else header
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


def require_length(rows: int, path: Path) -> None:
    """Insist on no more rows than memory holds.

    Raises:
        UsageError: there are more.
    """
    if rows > MOST_ROWS:
        raise UsageError(
            f"{path} has {rows:,} rows, more than {MOST_ROWS:,}: take a part of them.",
            code="table.too-large",
        )


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
    """Whether a row holds units, in columns that hold no formulas in the row `below`.

    Symbols of elements are units as well: K, C, V. Most must be known, or stand in brackets; others
    stand above numbers, and are none.
    """
    from assay.compositions import problem
    from assay.intake.units import is_unit

    if below >= len(rows):
        return False
    cells, first = rows[at][1], rows[below][1]
    filled = [place for place, cell in enumerate(cells) if cell.strip("-")]
    if not all(place < len(first) and problem(first[place]) for place in filled):
        return False
    known = [place for place in filled if is_unit(cells[place]) or _is_bracketed(cells[place])]
    others = [place for place in filled if place not in known]
    return len(known) > len(others) and all(
        _is_number(first[place]) and not _is_number(cells[place]) for place in others
    )


def _is_bracketed(cell: str) -> bool:
    return cell[:1] + cell[-1:] in {"()", "[]"} and not _is_number(cell[1:-1])


def _is_formula(cell: str) -> bool:
    from assay.compositions import problem

    return problem(cell) is None


def _is_number(cell: str) -> bool:
    from assay.intake.numbers import NUMERIC, read_number

    value, kind = read_number(cell, None, ".")
    return value is not None or kind in NUMERIC


def _groups(rows: Sequence[Line], top: int) -> list[str]:
    """The groups of columns in a line above the header, carried on to the right; none if it is one.

    Such a line has gaps where the line below has names, and formulas begin below those.
    """
    if top + 2 >= len(rows):
        return []
    above, names, first = (row for _, row in rows[top : top + 3])
    inner = above[: max(place for place, cell in enumerate(above) if cell)]
    if all(inner) or sum(map(bool, names)) <= sum(map(bool, above)):
        return []
    if any(map(_is_number, names)):
        return []
    pairs = [(_is_formula(one), _is_formula(two)) for one, two in zip(names, first, strict=False)]
    if (True, True) in pairs or (False, True) not in pairs:
        return []
    groups: list[str] = []
    for place in range(len(names)):
        cell = above[place] if place < len(above) else ""
        groups.append(cell or (groups[-1] if groups else ""))
    return groups


def _grouped(names: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Names of columns, those that stand in several groups with their group."""
    return [
        f"{group} {name}".strip() if names.count(name) > 1 else name
        for name, group in zip(names, groups, strict=True)
    ]


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
            f"{path}, line {line}: the column {again[0]!r:.80} occurs twice; rename one.",
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
