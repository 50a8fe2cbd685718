"""From the file that somebody has to labelled rows, one a composition, with all that was found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError, UsageError
from assay.groups import COMPOSITION, SYSTEM
from assay.intake.choices import Choices, UndecidedError
from assay.intake.classes import DIGITS, is_class, labels_of, read_classes
from assay.intake.columns import (
    Target,
    formula_column,
    grouping,
    groupings,
    require_further,
    target_column,
)
from assay.intake.faults import Fault, kinds_text
from assay.intake.files import read_raw
from assay.intake.formulas import Unusable, read_formulas
from assay.intake.numbers import decimal_of, may_be_thousands, read_numbers
from assay.intake.policy import Rule
from assay.intake.raw import RawTable
from assay.intake.repeats import Merged, merge, relative_tolerance, require_rule

# a name with one of these is meant to be a file, whether it exists or not
SUFFIXES = frozenset(
    (".csv", ".tsv", ".txt", ".gz", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".json", ".jsonl",
     ".parquet")
)  # fmt: skip
Kind = Literal["number", "class"]


@dataclass(frozen=True)
class Intake:
    """Labelled rows and how they came about.

    `rows` are `formula` in reduced spelling, the target and further columns as text, one row a
    composition; the index holds the lines of the file. A class is 1 and 0, and `classes` names 0
    and 1. `faults` are all cells and rows that were set aside, without those of compositions whose
    values disagree, which `merged` has; `spellings` counts numbers that were not plainly written,
    `labels` the rows of each class as it stands in the table, `respelt` has formulas as they were
    written and as they are spelt now. `tolerance` is what repeated rows were compared with,
    `unusable` finds formulas that the features have no numbers for. `group` is what makes a group
    of rows; `groupings` are columns that might.
    """

    name: str
    rows: pd.DataFrame
    kind: Kind
    formula: str
    target: Target
    unit: str
    total: int
    faults: tuple[Fault, ...]
    readings: tuple[str, ...]
    merged: Merged
    tolerance: float
    duplicates: Rule
    classes: tuple[str, str] | None = None
    spellings: Mapping[str, int] = field(default_factory=Counter)
    labels: Mapping[str, int] = field(default_factory=Counter)
    respelt: tuple[tuple[str, str], ...] = ()
    unusable: Unusable | None = None
    group: str = SYSTEM
    groupings: tuple[str, ...] = ()

    def with_target(self, name: str) -> "Intake":
        """The same with the target under another name, that of a repository."""
        rows = self.rows.rename(columns={self.target.name: name})
        return replace(self, rows=rows, target=self.target._replace(name=name))

    @property
    def set_aside(self) -> int:
        """How many rows cannot be used."""
        return len({fault.line for fault in self.faults})

    @property
    def share_set_aside(self) -> float:
        """The share of all rows that cannot be used."""
        return self.set_aside / self.total


def take_in(source: str, choices: Choices, unusable: Unusable | None = None) -> Intake:
    """Read a file or a dataset of matminer whole, and find all that is amiss with it.

    Formulas that are `unusable` to the features are set aside.

    Raises:
        UndecidedError: a person has to choose.
        UsageError: the file cannot be read, or no row of it can be used.
        NotCarriedOutError: a dataset cannot be fetched.
    """
    path = Path(source)
    if path.exists() or path.suffix in SUFFIXES or len(path.parts) > 1:
        return take_in_table(read_raw(path, choices.sheet), choices, unusable)
    from assay.intake.structured import from_frame

    return take_in_table(from_frame(_load_matminer(source), source), choices, unusable)


def take_in_table(table: RawTable, choices: Choices, unusable: Unusable | None = None) -> Intake:
    """The same for a table that was read; see `take_in`."""
    formula, target = _columns(table, choices)
    read = read_formulas(table.cells[formula], unusable)
    labels = _labels(table, target, choices)
    rule = choices.duplicates or "refuse"
    require_rule(rule, labels.kind)
    joins = choices.kind is not None
    group, ungrouped = grouping(table, (formula, target.column), choices.group, joins=joins)
    amiss = [*table.faults, *read.faults, *labels.faults, *ungrouped]
    fine = np.isfinite(labels.numbers) & np.array([text is not None for text in read.spelt])
    if not fine.any():
        _refuse_all(table, amiss)
    rows = pd.DataFrame(
        {"formula": read.spelt, target.name: labels.numbers}, index=table.cells.index
    )
    require_further(table, choices.further)
    columns = groupings(table, (formula, target.column))
    rows[list(choices.further)] = table.cells[list(choices.further)]
    for name in sorted({group, *columns} - {SYSTEM, COMPOSITION, *choices.further, target.name}):
        rows[name] = table.cells[name].str.strip()
    rows = rows[fine & ~rows.index.isin([fault.line for fault in ungrouped])]
    if labels.kind == "class":
        rows[target.name] = rows[target.name].astype(int)
    if joins and choices.group and group != choices.group:  # the name that it has in the others
        rows, group = rows.rename(columns={group: choices.group}), choices.group
    tolerance = _tolerance(labels.kind, rows[target.name].to_numpy(), choices.tolerance)
    merged = merge(rows, target.name, rule, tolerance)
    return Intake(
        name=table.name,
        rows=merged.rows,
        kind=labels.kind,
        formula=formula,
        target=target,
        unit=_unit(table, target, labels.kind, choices),
        total=len(table.cells) + len(table.faults),
        faults=tuple(amiss),
        readings=table.readings,
        merged=merged,
        tolerance=tolerance,
        duplicates=rule,
        classes=labels.classes,
        spellings=labels.spellings,
        labels=labels.counts,
        respelt=read.respelt,
        unusable=unusable,
        group=group,
        groupings=tuple(columns),
    )


def _columns(table: RawTable, choices: Choices) -> tuple[str, Target]:
    formula = formula_column(table, choices.formula, choices.target)
    target = target_column(table, formula, choices.target, choices.usual, choices.group)
    if target.name in {"formula", "row_id"} or target.column == formula:
        raise UsageError(
            f"{table.name}: the column {target.column!r} holds ids or formulas: name another "
            "column with --target, or rename it.",
            code="table.no-target",
        )
    return formula, target


@dataclass(frozen=True)
class _Labels:
    kind: Kind
    numbers: np.ndarray
    faults: tuple[Fault, ...]
    classes: tuple[str, str] | None
    spellings: Mapping[str, int]
    counts: Mapping[str, int] = field(default_factory=Counter)


def _labels(table: RawTable, target: Target, choices: Choices) -> _Labels:
    cells, lines = list(table.cells[target.column]), list(table.cells.index)
    joins = choices.kind == "class" or choices.positive is not None
    digits = choices.kind == "number" and all(label in DIGITS for label in labels_of(cells))
    if joins or (is_class(cells) and not digits):
        found = read_classes(cells, lines, target.column, choices.positive, choices.classes)
        return _Labels("class", found.values, found.faults, found.names, {}, found.counts)
    decimal = choices.decimal or _decimal(table, target.column)
    if decimal is None:
        raise UndecidedError(
            f"{table.name}: commas or points in {target.column!r} may be decimal signs or separate "
            "thousands: name the decimal sign with --decimal ',' or --decimal '.'.",
            code="intake.which-decimal",
            option="decimal",
            choices=[",", "."],
        )
    unit = choices.unit or target.unit or choices.usual_unit
    said = choices.decimal is not None
    numbers = read_numbers(cells, lines, target.column, unit, decimal, grouped=said)
    return _Labels("number", numbers.values, numbers.faults, None, numbers.read)


def _decimal(table: RawTable, column: str) -> str | None:
    """The decimal sign of a column; None where points or commas may separate thousands.

    Of a text whose cells stand between other signs than commas, a column in which each point may
    separate thousands goes by the others, and is asked about if they tell nothing.
    """
    cells = list(table.cells[column])
    sign = decimal_of(cells)
    if sign != "." or table.separator == "," or not may_be_thousands(cells):
        return sign
    others = [decimal_of(list(table.cells[name])) for name in table.cells if name != column]
    if "," in others:
        return ","
    return None if any("." not in cell for cell in cells if cell.strip()) else "."


def _unit(table: RawTable, target: Target, kind: Kind, choices: Choices) -> str:
    """The unit that a person gave, that the table gives, or that was known for this very target."""
    if kind == "class":
        return "1"
    known = choices.usual_unit if choices.usual in {target.name, target.column} else None
    told = [unit for unit in (target.unit, known) if unit]
    if choices.unit or len(set(told)) == 1:
        return choices.unit or told[0]
    column = f"{table.name}: the unit of {target.column!r}"
    if told:
        sentence = f"{column} is {told[0]!r} there and {told[1]!r} in assay.toml: say which with"
    else:
        sentence = f"{column} is given nowhere: add it ('1' if there is none) with"
    raise UndecidedError(
        f"{sentence} --unit {told[0] if told else 'UNIT'}.",
        code="intake.which-unit",
        option="unit",
        choices=told,
    )


def _tolerance(kind: Kind, values: np.ndarray, given: float | None) -> float:
    if kind == "class":
        return 0.0
    return relative_tolerance(values) if given is None else given


def _refuse_all(table: RawTable, faults: Sequence[Fault]) -> None:
    first = faults[0]
    raise UsageError(
        f"{table.name}: no row can be used ({kinds_text(faults)}); line {first.line}, for "
        f"instance: {first.reason}; {first.advice}.",
        code="intake.no-rows",
    )


def _load_matminer(name: str) -> pd.DataFrame:
    from matminer.datasets import get_available_datasets, load_dataset

    known = get_available_datasets(print_format=None)
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}" if close else "see matminer's list of datasets"
        raise UsageError(
            f"{name!r} is neither a file nor a matminer dataset: {hint}.",
            code="data.unknown-source",
        )
    try:
        return load_dataset(name)
    except Exception as error:
        raise NotCarriedOutError(
            f"the dataset {name} could not be loaded ({type(error).__name__}): try again with an "
            "internet connection, or name a file.",
            code="data.not-loaded",
        ) from error
