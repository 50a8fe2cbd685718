"""`data/corrections.csv`: which labels and formulas of main a change corrects, and why.

A change that is listed there is not held against the limits of single labels. It is shown to the
reviewer, and still counts among main's rows of which few may be relabelled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import great_expectations.expectations as gxe
import numpy as np
import pandas as pd

from assay.compositions import identity
from assay.errors import UsageError
from assay.records import Severity
from assay.schema.differences import Pairing
from assay.schema.expectations import ExpectRowsToBeSpared
from assay.schema.rules import FAILURE, FORMULA, ROW_ID, WARNING, Rule, Table, table
from assay.settings import Settings
from assay.tables import parse_table

COLUMN, OLD, NEW, REASON, SOURCE = "column", "old", "new", "reason", "source"
COLUMNS = [ROW_ID, COLUMN, OLD, NEW, REASON, SOURCE]
FILE = "data/corrections.csv"
SHORTEST = 10


@dataclass(frozen=True)
class Corrections:
    """The lines that a change adds to `data/corrections.csv`.

    `amiss` says of a line (by its place in the table) what is wrong with it; `labels` and
    `formulas` are the places of train rows that a sound line is about.
    """

    table: Table
    added: Sequence[int]
    gone: int
    amiss: Mapping[int, str]
    labels: frozenset[int]
    formulas: frozenset[int]


def read_corrections(content: bytes, main: bytes | None) -> tuple[Table, list[int], int]:
    """The list, the places of the lines that main does not have, and how many of main's are gone.

    Raises:
        UsageError: it is no table with the columns `COLUMNS`.
    """
    cells = parse_table(content, COLUMNS, Path(FILE), empty=True) if content else _mains(None)
    known = Counter(_lines(_mains(main)))
    added = []
    for place, line in enumerate(_lines(cells)):
        if known[line]:
            known[line] -= 1
        else:
            added.append(place)
    return table("corrections", FILE, cells, None), added, known.total()


def _mains(content: bytes | None) -> pd.DataFrame:
    try:
        return parse_table(content or b"", COLUMNS, Path(FILE), empty=True)
    except UsageError:
        return pd.DataFrame(columns=COLUMNS)


def _lines(cells: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(cells[COLUMNS].itertuples(index=False, name=None))


def judged(
    listed: Table, added: Sequence[int], gone: int, pairing: Pairing, target: str
) -> Corrections:
    """Hold each added line against the rows: it must say just what was done to one of them."""
    places: dict[str, int] = {name: place for place, name in enumerate(pairing.here.ids)}
    amiss: dict[int, str] = {}
    found: dict[str, set[int]] = {target: set(), FORMULA: set()}
    for line in added:
        cells = listed.cells.iloc[line]
        place = places.get(cells[ROW_ID])
        said = _amiss(cells, place, pairing, target)
        if said is None and place in found[cells[COLUMN]]:
            said = "says a second time what another line says"
        if said is not None:
            amiss[line] = said
        elif place is not None:
            found[cells[COLUMN]].add(place)
    return Corrections(
        listed, added, gone, amiss, frozenset(found[target]), frozenset(found[FORMULA])
    )


def _amiss(cells: pd.Series, place: int | None, pairing: Pairing, target: str) -> str | None:
    if len(cells[REASON].strip()) < SHORTEST:
        return f"gives no reason: say in at least {SHORTEST} characters why main is wrong"
    if place is None:
        return f"names row_id {cells[ROW_ID]!r}, which train.csv does not have"
    if cells[COLUMN] == target:
        return _label_amiss(cells, place, pairing)
    if cells[COLUMN] == FORMULA:
        return _formula_amiss(cells, place, pairing)
    return f"names the column {cells[COLUMN]!r}; only {target} and formula are corrected"


def _label_amiss(cells: pd.Series, place: int, pairing: Pairing) -> str | None:
    for name, value, where in (
        (OLD, pairing.before[place], "on main"),
        (NEW, pairing.here.labels[place], "in train.csv"),
    ):
        if not np.isfinite(value):
            return f"is about a row that has no label {where}"
        if not _is(cells[name], float(value)):
            return f"says that the label {where} is {cells[name]!r}, but it is {value:.12g}"
    return None if pairing.changed[place] else "is about a label that is as on main"


def _formula_amiss(cells: pd.Series, place: int, pairing: Pairing) -> str | None:
    if pairing.here.formulas[place] != cells[NEW]:
        return (
            f"says that the formula is {cells[NEW]!r}, but it is {pairing.here.formulas[place]!r}"
        )
    if place not in pairing.added:
        return "is about a formula that is as on main"
    gone = [one for one in pairing.removed if pairing.main.identities[one] == identity(cells[OLD])]
    if not gone:
        return f"says that main's formula is {cells[OLD]!r}, but no such row of main is gone"
    own = pairing.here.labels[place]
    if not any(np.isclose(own, pairing.main.labels[one], rtol=1e-9, atol=1e-12) for one in gone):
        return "corrects a formula whose label is another one than main's: correct one at a time"
    return None


def _is(text: str, value: float) -> bool:
    try:
        return bool(np.isclose(float(text), value, rtol=1e-9, atol=1e-12))
    except ValueError:
        return False


def correction_rules(settings: Settings, found: Corrections) -> list[Rule]:
    """Rules of the list itself: what it says was done, and is no more than people can look at."""
    most, lines = settings.data.maximum_corrections, len(found.table.cells)
    shown = {
        line: _shown(found.table.cells.iloc[line])
        for line in found.added
        if line not in found.amiss
    }
    wrong = {line: f"the line {words}." for line, words in found.amiss.items()}
    return [
        *_lines_rules("corrections.exact", "Each new line says just what was done.", wrong),
        *_lines_rules("corrections.shown", "A person approves each correction.", shown, WARNING),
        _count_rule(
            "corrections.few",
            f"At most {most} corrections come in one pull request.",
            f"{len(found.added)} corrections come in one pull request, but a reviewer looks at "
            f"each of at most {most} (data.maximum_corrections in assay.toml): make several of it.",
            held=len(found.added) <= most,
            lines=lines,
        ),
        _count_rule(
            "corrections.kept",
            "The corrections that main lists still stand.",
            f"{found.gone} of main's lines are gone or changed: put them back, and add lines only.",
            held=not found.gone,
            lines=lines,
        ),
    ]


def _lines_rules(
    name: str, description: str, said: Mapping[int, str], severity: Severity = FAILURE
) -> list[Rule]:
    if not said:
        return []
    expectation = ExpectRowsToBeSpared(
        column_A=ROW_ID, column_B=NEW, rows=sorted(said), description=description
    )
    hints = {f"line {place + 2}": words for place, words in said.items()}
    return [Rule(name, expectation, "{hint}", hints, severity, listed=len(said))]


def _count_rule(name: str, description: str, sentence: str, *, held: bool, lines: int) -> Rule:
    expectation = gxe.ExpectTableRowCountToBeBetween(
        min_value=lines if held else lines + 1, description=description
    )
    return Rule(name, expectation, sentence)


def _shown(cells: pd.Series) -> str:
    source = f" ({cells[SOURCE]})" if cells[SOURCE].strip() else ""
    return (
        f"{cells[COLUMN]} of {cells[ROW_ID]} was {cells[OLD]} and is {cells[NEW]}: "
        f"{cells[REASON]}{source}. Approve the pull request only if this is right."
    )


def line_to_paste(row_id: str, column: str, old: str, new: str) -> str:
    """The line that lists a correction, for its author to complete."""
    return f"{row_id},{column},{old},{new},WHY,SOURCE"
