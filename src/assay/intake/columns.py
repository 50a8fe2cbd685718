"""Which columns hold the formulas and the target, and in which unit: found by content and name."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from assay.compositions import identity, problem
from assay.errors import UsageError
from assay.groups import COMPOSITION, SYSTEM
from assay.intake.choices import UndecidedError
from assay.intake.classes import is_class
from assay.intake.faults import Fault
from assay.intake.numbers import MISSING, NUMERIC, read_number
from assay.intake.raw import RawTable
from assay.intake.units import name_alone, split_unit, unit_of_cells

FORMULA_NAMES = (
    "formula", "composition", "pretty_formula", "reduced_formula", "chemical_formula",
    "chemical_composition", "formula_pretty", "full_formula", "compound", "material", "name",
)  # fmt: skip
# columns of these names number or name the rows, and are no target
_IDS = (
    "id", "row_id", "index", "no", "nr", "number", "#", "entry", "sample", "year", "doi", "ref",
    "reference",
)  # fmt: skip
SAMPLE = 300
NUMBERED = 10
# fewest groups that a column of them has, and its share of filled cells
FEWEST, FILLED = 10, 0.95


class Target(NamedTuple):
    """The column to learn as its file has it, its name without the unit, and the unit if known."""

    column: str
    name: str
    unit: str | None


def formula_column(table: RawTable, wanted: str | None, taken: str | None) -> str:
    """The column that holds the formulas, other than the column `taken`.

    Raises:
        UndecidedError: two columns hold different formulas.
        UsageError: none does, or the wanted one is not there.
    """
    names = [str(name) for name in table.cells]
    if wanted is not None:
        return _named(names, wanted, table, "--formula")
    full = [n for n in names if n != taken and _mostly(table.cells[n], _is_formula)]
    known = sorted((n for n in full if _key(n) in FORMULA_NAMES), key=_rank)
    found = known or full
    if not found:
        return _named_formula(names, table)
    others = [n for n in found[1:] if not _alike(table.cells[found[0]], table.cells[n])]
    if others and _key(found[0]) != "formula":
        raise UndecidedError(
            f"{table.name}: the columns {_listed([found[0], *others])} hold different formulas: "
            f"choose one, such as --formula {found[0]!r}.",
            code="intake.which-formula",
            option="formula",
            choices=[found[0], *others],
        )
    return found[0]


def _named_formula(names: Sequence[str], table: RawTable) -> str:
    """A column that is called so, although most of its cells cannot be read: all are faults."""
    for name in sorted(names, key=_rank):
        if _key(name) in FORMULA_NAMES[:-3]:
            return name
    raise UsageError(
        f"{table.name} has no column of formulas among {_listed(names)}: name it with --formula, "
        "or write the formulas, such as Fe2O3, into one.",
        code="table.no-formula-column",
    )


def target_column(
    table: RawTable,
    formula: str,
    wanted: str | None,
    usual: str | None,
    group: str | None = None,
) -> Target:
    """The column to learn: the wanted one, else the `usual` one, else the only one it can be.

    The column by which rows are grouped, `group`, is none that it can be.

    Raises:
        UndecidedError: several columns hold numbers or classes.
        UsageError: none does, or the wanted one is not there.
    """
    names = [str(name) for name in table.cells if name != formula]
    if wanted is not None:
        return _target(table, _named(names, wanted, table, "--target"), wanted)
    same = None if usual is None else _match(names, usual)
    if same is not None:
        return _target(table, same, usual)
    grouped = None if group is None else _match(names, group)
    found = candidates(table, [name for name in names if name != grouped])
    if len(found) == 1:
        return _target(table, found[0])
    if not found:
        counting = [name for name in names if _counts(list(table.cells[name]))]
        if counting:
            raise UsageError(
                f"{table.name}: {counting[0]!r} counts the rows, and no other column holds numbers "
                f"or classes: if it is measured, say so with --target {counting[0]!r}.",
                code="table.no-target",
            )
        raise UsageError(
            f"{table.name} has no column of numbers or classes beside {formula!r}, among "
            f"{_listed(names)}: name the column to learn with --target.",
            code="table.no-target",
        )
    raise UndecidedError(
        f"{table.name}: the column to learn may be {_listed(found)}: choose one, "
        f"such as --target {found[0]!r}.",
        code="intake.which-target",
        option="target",
        choices=found,
    )


def require_further(table: RawTable, names: Iterable[str]) -> None:
    """Insist on the columns by which slices are named.

    Raises:
        UsageError: the table lacks one.
    """
    for name in names:
        if name not in table.cells:
            raise UsageError(
                f"{table.name} has no column {name!r}, which assay.toml names a slice by: add it, "
                "or take the slice out.",
                code="table.no-column",
            )


def grouping(
    table: RawTable, taken: Sequence[str], wanted: str | None, *, joins: bool = False
) -> tuple[str, list[Fault]]:
    """What makes a group, `system` by default, and the rows that have none.

    Rows that join others may each have another.

    Raises:
        UsageError: the wanted column is not there, is taken, or is another in every row.
    """
    if wanted is None or wanted in {SYSTEM, COMPOSITION}:
        return wanted or SYSTEM, []
    names = [str(name) for name in table.cells]
    if joins and _match(names, wanted) is None:
        raise UsageError(
            f"{table.name} has no column {wanted!r}, by which split.group of assay.toml groups "
            "rows: add it.",
            code="table.no-column",
        )
    column = _named(names, wanted, table, "--group")
    cells = table.cells[column]
    alone = cells.is_unique and not joins
    if column in taken or column in {"formula", "row_id"} or alone:
        raise UsageError(
            f"{table.name}: the column {column!r} says of no two rows that they go together: "
            f"give --group {SYSTEM}, --group {COMPOSITION} or a column of papers, heats or series.",
            code="table.no-grouping",
        )
    return column, [
        Fault(int(line), column, cell, "group.missing", f"the row has no {column}", "fill it in")
        for line, cell in cells.items()
        if cell.strip().casefold() in {"", *MISSING}
    ]


def groupings(table: RawTable, taken: Sequence[str]) -> list[str]:
    """Columns that may say which rows go together: text or whole numbers that repeat."""
    names = [str(name) for name in table.cells if name not in {*taken, "formula", "row_id"}]
    return [name for name in names if _repeats(table.cells[name])]


def _repeats(cells: pd.Series) -> bool:
    filled = _filled(cells)
    several = FEWEST <= filled.nunique() <= len(cells) / 2
    if not several or len(filled) < FILLED * len(cells):
        return False
    sample = list(filled[:SAMPLE])
    broken = any(_is_number(cell) and not cell.strip().isdecimal() for cell in sample)
    return not (broken or _mostly(filled, _is_formula))


def candidates(table: RawTable, names: Iterable[str]) -> list[str]:
    """Columns that may be learnt: those of numbers, or, where there is none, those of classes."""
    free = [name for name in names if _key(split_unit(name)[0]).strip(".") not in _IDS]
    numbers = [name for name in free if _mostly(_filled(table.cells[name]), _is_number)]
    measured = [name for name in numbers if not _counts(list(table.cells[name]))]
    return measured or [name for name in free if is_class(list(table.cells[name]))]


def _filled(cells: pd.Series) -> pd.Series:
    return cells[[cell.strip().casefold() not in MISSING for cell in cells]]


def _counts(cells: Sequence[str]) -> bool:
    """Whether a column numbers the rows, as far as so few of them can tell."""
    whole = len(cells) >= NUMBERED and all(map(str.isdecimal, cells))
    return whole and [int(cell) - int(cells[0]) for cell in cells] == list(range(len(cells)))


def _target(table: RawTable, column: str, asked: str | None = None) -> Target:
    """The column with its unit; it keeps its whole name if a person asked for it by that."""
    name, unit = split_unit(column)
    name = column if column == asked else name
    at = list(table.cells).index(column)
    line = table.units[at] if at < len(table.units) else ""
    unit = unit or (line if line.strip("-") else None) or unit_of_cells(list(table.cells[column]))
    return Target(column, name, unit)


def _named(names: Sequence[str], wanted: str, table: RawTable, option: str) -> str:
    found = _match(names, wanted)
    if found is None:
        raise UsageError(
            f"{table.name} has no column {wanted!r}: give {option} one of {_listed(names)}.",
            code="table.no-column",
        )
    return found


def _match(names: Sequence[str], wanted: str) -> str | None:
    """The column of that name, or else the only one that differs by case or its unit alone."""
    if wanted in names:
        return wanted
    shapes = (_key, lambda name: _key(split_unit(name)[0]), lambda name: _key(name_alone(name)))
    for plain in shapes:
        same = [name for name in names if plain(name) == plain(wanted)]
        if len(same) == 1:
            return same[0]
    return None


def _key(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _rank(name: str) -> int:
    return FORMULA_NAMES.index(_key(name)) if _key(name) in FORMULA_NAMES else len(FORMULA_NAMES)


def _mostly(cells: pd.Series, test: Callable[[str], bool]) -> bool:
    filled = [cell for cell in cells if cell][:SAMPLE]
    return 2 * sum(map(test, filled)) > len(filled)


def _is_formula(cell: str) -> bool:
    return problem(cell) is None


def _is_number(cell: str) -> bool:
    value, kind = read_number(cell, None, ".")
    return value is not None or kind in NUMERIC


def _alike(first: pd.Series, second: pd.Series) -> bool:
    """Whether two columns name the same compositions, as far as a sample tells."""
    pairs = list(zip(first[:SAMPLE], second[:SAMPLE], strict=True))
    return all(identity(one) == identity(other) for one, other in pairs)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))[:300]
