"""A train set beside main's and what it lists as corrections, and how a rule speaks of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assay.records import Severity
from assay.schema.corrections import FILE, Corrections, line_to_paste
from assay.schema.label_expectations import ExpectRowsToBeSpared
from assay.schema.pairing import Pairing
from assay.schema.rules import FAILURE, ROW_ID, Rule
from assay.settings import Settings

RESTORE = "`git checkout main -- data/train.csv`"


@dataclass(frozen=True)
class Compared:
    """A train set beside main's, and what a change lists as corrections of it."""

    settings: Settings
    pairing: Pairing
    corrections: Corrections | None

    @property
    def is_number(self) -> bool:
        """Whether the target is a number, of which more can be asked than of a class."""
        return self.settings.target.kind == "number"

    def unlisted(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows (n,) whose label is not among the corrections."""
        listed = self.corrections.labels if self.corrections else frozenset[int]()
        return np.array([one and place not in listed for place, one in enumerate(rows)], dtype=bool)

    def rule(
        self,
        name: str,
        description: str,
        said: Mapping[int, str],
        column: str = "",
        severity: Severity = FAILURE,
    ) -> Rule:
        """The rule that nothing is to be said of any row; `said` has what is, by its place here."""
        return Rule(
            name,
            ExpectRowsToBeSpared(
                column_A=ROW_ID,
                column_B=column or self.settings.target.column,
                rows=sorted(said),
                description=description,
            ),
            "{hint}",
            {f"line {place + 2}": words for place, words in said.items()},
            severity,
        )


def was(compared: Compared, place: int) -> str:
    """What the label of a row is, and what it was on main."""
    here, main = compared.pairing.here, compared.pairing.main
    old = main.cells[compared.pairing.mains[place]]
    name = compared.settings.target.column
    return f"{name} of {here.formulas[place]} is {here.cells[place]} here but {old} on main"


def way_on(compared: Compared, place: int) -> str:
    """What to do about a label that is not main's, with the line that lists it as a correction."""
    here, main = compared.pairing.here, compared.pairing.main
    old = main.cells[compared.pairing.mains[place]]
    name = compared.settings.target.column
    line = line_to_paste(here.ids[place], name, old, here.cells[place])
    return f"put it back; or, if main is wrong, add a line to {FILE}: `{line}`"


def allowed(share: float, rows: int) -> int:
    """How many of so many rows a share allows: one at least, or a small table never changes."""
    return max(int(share * rows + 1e-9), 1 if share else 0)
