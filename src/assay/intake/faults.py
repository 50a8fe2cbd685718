"""What is amiss in a table: one fault a cell or row, with a stable code and its advice."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.files import write_text
from assay.tables import for_spreadsheets, table_text

# What to do about each kind; where a cell has advice of its own, that is said instead.
ADVICE = {
    "class.empty": "write the class, or leave the row out",
    "class.unknown": "write one of the classes, or leave the row out",
    "composition.disagrees": "keep the right values, or choose a rule with --duplicates",
    "formula.no-features": (
        "leave the row out, or take features that have values for all its elements"
    ),
    "formula.empty": "write the formula; of merged cells a program reads the first alone",
    "formula.unreadable": "write the formula with symbols and amounts alone, such as Fe2O3",
    "number.above": "a bound is no value: leave the row out, or write what was measured",
    "number.approximate": "write the number alone if it was measured, or leave the row out",
    "number.below": "a bound is no value: leave the row out, or write what was measured",
    "number.empty": (
        "write the value, or leave the row out; in a workbook a formula that failed, or was never "
        "computed, reads as empty"
    ),
    "number.missing": "leave the row out, or write the value",
    "number.not-finite": "write a finite number, or leave the row out",
    "number.other-decimal-sign": "write the decimal sign as the other rows do",
    "number.other-unit": "convert the value to the unit of the column",
    "number.placeholder": "leave the row out: the value stands for a missing one",
    "number.range": "a range is no value: write one number, or leave the row out",
    "number.spreadsheet-error": "correct the formula in the spreadsheet, and save it again",
    "number.thousands": "name the decimal sign with --decimal: the other one separates thousands",
    "number.unreadable": "write a number such as 3.5 or 1.2e-3",
    "row.header-again": "take the repeated header out",
    "row.wrong-width": "quote text that holds a separator, so that there is one cell a column",
}
TOLD = 3


@dataclass(frozen=True)
class Fault:
    """A cell or row that cannot be used: its line in the file, and the column, if it is a cell."""

    line: int
    column: str
    value: str
    code: str
    reason: str
    suggestion: str = ""

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.suggestion or ADVICE[self.code]


def faults_table(faults: Iterable[Fault], file: str) -> pd.DataFrame:
    """One row a fault: `file, line, column, value, code, reason, suggestion`, by line."""
    rows = [
        (file, f.line, f.column, f.value, f.code, f.reason, f.advice)
        for f in sorted(faults, key=lambda fault: (fault.line, fault.column))
    ]
    names = ["file", "line", "column", "value", "code", "reason", "suggestion"]
    return pd.DataFrame(rows, columns=names)


def write_faults(faults: Iterable[Fault], file: str, path: Path) -> None:
    """Write all faults as CSV, with nothing in it that a spreadsheet would execute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, table_text(for_spreadsheets(faults_table(faults, file))))


def first_of_rows(faults: Iterable[Fault]) -> list[Fault]:
    """The first fault of each row, by line: so many rows are set aside."""
    first: dict[int, Fault] = {}
    for fault in faults:
        first.setdefault(fault.line, fault)
    return sorted(first.values(), key=lambda fault: fault.line)


def kinds_text(faults: Iterable[Fault]) -> str:
    """How many rows there are of each kind of first fault: `2 number.empty, 1 number.below`."""
    kinds = Counter(fault.code for fault in first_of_rows(faults))
    return ", ".join(f"{times:,} {code}" for code, times in kinds.most_common())


def faults_text(faults: Sequence[Fault]) -> str:
    """The kinds of faults with their rows, the most frequent first, and the first of each.

    A row is counted under its first fault alone, so that the numbers add up; further ones are said.
    """
    first = first_of_rows(faults)
    kinds: dict[str, list[Fault]] = {}
    for fault in first:
        kinds.setdefault(fault.code, []).append(fault)
    ordered = sorted(kinds.items(), key=lambda kind: -len(kind[1]))
    lines = [line for code, found in ordered for line in _kind(code, found)]
    further = Counter(fault.code for fault in faults) - Counter(fault.code for fault in first)
    if further:
        told = ", ".join(f"{times:,} {code}" for code, times in further.most_common())
        lines.append(f"          further faults of these rows: {told}")
    return "\n".join(lines)


def _kind(code: str, found: Sequence[Fault]) -> list[str]:
    advice = {fault.advice for fault in found}
    alike = len(advice) == 1
    lines = [f"  {len(found):>6,}  {code}" + (f": {advice.pop()}" if alike else "")]
    for fault in found[:TOLD]:
        own = "" if alike else f"; {fault.advice}"
        lines.append(f"          line {fault.line}: {fault.reason}{own}")
    if len(found) > TOLD:
        lines.append(f"          and {len(found) - TOLD:,} more")
    return lines
