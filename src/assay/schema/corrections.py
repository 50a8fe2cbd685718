"""`data/corrections.csv`: which labels and formulas of main a change corrects, and why.

A change that is listed there is not held against the limits of single labels, nor against the rules
that a row id keeps its composition and that no element is lost. It is shown to the
reviewer, and still counts among main's rows of which few may be relabelled.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
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
    `formulas` are the places of train rows that a sound line is about, and `gone_rows` the places
    on main of rows that were withdrawn, or whose formula was corrected.
    """

    table: Table
    added: Sequence[int]
    gone: int
    amiss: Mapping[int, str]
    labels: frozenset[int]
    formulas: frozenset[int]
    gone_rows: frozenset[int]


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
    changes = _Changes(pairing, target, listed.cells.iloc[list(added)])
    amiss: dict[int, str] = {}
    found: dict[str, set[int]] = {target: set(), FORMULA: set()}
    withdrawn: set[int] = set()
    for line in added:
        cells = listed.cells.iloc[line]
        place = changes.places.get(cells[ROW_ID])
        row = place if place is not None else changes.on_main.get(cells[ROW_ID])
        known = found.get(cells[COLUMN], set()) if place is not None else withdrawn
        said = changes.amiss(cells)
        if said is None and row in known:
            said = "says a second time what another line says"
        if said is not None:
            amiss[line] = said
        elif row is not None:
            known.add(row)
    corrected = {changes.sources[place] for place in found[FORMULA]}
    labels, formulas = frozenset(found[target]), frozenset(found[FORMULA])
    gone_rows = frozenset(withdrawn | corrected)
    return Corrections(listed, added, gone, amiss, labels, formulas, gone_rows)


class _Changes:
    """What was done to the rows, for lines to be held against.

    `sources` has the place on main of each row here whose formula a line says was another one.
    """

    def __init__(self, pairing: Pairing, target: str, lines: pd.DataFrame) -> None:
        self.pairing, self.target = pairing, target
        self.places = {name: place for place, name in enumerate(pairing.here.ids)}
        self.on_main = {name: place for place, name in enumerate(pairing.main.ids)}
        self.relabelled = set(lines.loc[lines[COLUMN] == target, ROW_ID])
        self.sources: dict[int, int] = {}
        for cells in lines[lines[COLUMN] == FORMULA].to_dict("records"):
            place = self.places.get(cells[ROW_ID])
            if place is not None and (source := self._source(place, cells[OLD])) is not None:
                self.sources[place] = source

    def _source(self, place: int, old: str) -> int | None:
        """The removed row of main with that formula: the one of the same id, or of the label."""
        main, own = self.pairing.main, self.pairing.here.labels[place]
        known = self.on_main.get(self.pairing.here.ids[place])
        gone = [
            int(one)
            for one in self.pairing.removed
            if main.identities[one] == identity(old) and known in (None, one)
        ]
        return min(gone, key=lambda one: abs(main.labels[one] - own), default=None)

    def before(self, place: int) -> float:
        """Main's label of a row here, nan where there is none."""
        if place in self.sources:
            return float(self.pairing.main.labels[self.sources[place]])
        return float(self.pairing.before[place])

    def amiss(self, cells: pd.Series) -> str | None:
        """What is wrong with a line."""
        place = self.places.get(cells[ROW_ID])
        if len(cells[REASON].strip()) < SHORTEST:
            return f"gives no reason: say in at least {SHORTEST} characters why main is wrong"
        if cells[COLUMN] not in (self.target, FORMULA):
            return (
                f"names the column {cells[COLUMN]!r}; only {self.target} and formula are corrected"
            )
        if cells[COLUMN] == FORMULA and not cells[NEW].strip():
            return self._withdrawal_amiss(cells)
        if place is None:
            return f"names row_id {cells[ROW_ID]!r}, which train.csv does not have"
        if cells[COLUMN] == FORMULA:
            return self._formula_amiss(cells, place)
        return self._label_amiss(cells, place)

    def _withdrawal_amiss(self, cells: pd.Series) -> str | None:
        name = cells[ROW_ID]
        if name in self.places:
            return f"says that row {name!r} is withdrawn, but train.csv has it"
        row = self.on_main.get(name)
        if row is None or self.pairing.main.identities[row] != identity(cells[OLD]):
            return f"withdraws {cells[OLD]!r} with row_id {name!r}, which main does not have"
        if row not in self.pairing.removed:
            return f"says that row {name!r} is withdrawn, but it stands under another id"
        return None

    def _label_amiss(self, cells: pd.Series, place: int) -> str | None:
        before, after = self.before(place), float(self.pairing.here.labels[place])
        for name, value, where in ((OLD, before, "on main"), (NEW, after, "in train.csv")):
            if not np.isfinite(value):
                return f"is about a row that has no label {where}"
            if not _is(cells[name], value):
                return f"says that the label {where} is {cells[name]!r}, but it is {value:.12g}"
        return "is about a label that is as on main" if _equal(before, after) else None

    def _formula_amiss(self, cells: pd.Series, place: int) -> str | None:
        here, main = self.pairing.here, self.pairing.main
        if here.formulas[place] != cells[NEW]:
            return f"says that the formula is {cells[NEW]!r}, but it is {here.formulas[place]!r}"
        if place not in self.pairing.added:
            return "is about a formula that is as on main"
        source = self.sources.get(place)
        if source is None:
            return f"says that main's formula is {cells[OLD]!r}, but no such row of main is gone"
        if here.ids[place] in self.relabelled or _equal(self.before(place), here.labels[place]):
            return None
        line = line_to_paste(here.ids[place], self.target, main.cells[source], here.cells[place])
        return f"corrects a formula whose label changed, too; list that, too: `{line}`"


def _equal(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-9, atol=1e-12))


def _is(text: str, value: float) -> bool:
    try:
        return _equal(float(text), value)
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
    now = f"is {cells[NEW]}" if cells[NEW].strip() else "is withdrawn"
    return (
        f"{cells[COLUMN]} of {cells[ROW_ID]} was {cells[OLD]} and {now}: "
        f"{cells[REASON]}{source}. Approve the pull request only if this is right."
    )


def line_to_paste(row_id: str, column: str, old: str, new: str) -> str:
    """The line that lists a correction, for its author to complete; no new formula: withdrawn."""
    line = StringIO()
    csv.writer(line, lineterminator="").writerow([row_id, column, old, new, "WHY", "SOURCE"])
    return line.getvalue()
