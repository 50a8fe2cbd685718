"""A train set beside main's: corrections, rows, elements and new compositions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import great_expectations.expectations as gxe
import numpy as np

from assay.records import Severity
from assay.schema.corrections import FILE, Corrections, line_to_paste
from assay.schema.differences import ELEMENT, KEPT, SHIFT, SIZE, Pairing
from assay.schema.expectations import ExpectRowsToBeSpared
from assay.schema.formulas import symbols
from assay.schema.rules import FAILURE, FORMULA, ROW_ID, WARNING, Rule, Table
from assay.settings import Settings
from assay.texts import plural

RESTORE = "`git checkout main -- data/train.csv`"
FEW = 10
# so many lines to paste fit into one message
LISTED = 20


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

    def unlisted_removals(self) -> np.ndarray:
        """Places on main of rows that are gone and not among the corrections."""
        listed = self.corrections.gone_rows if self.corrections else frozenset[int]()
        return np.setdiff1d(self.pairing.removed, sorted(listed))

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
    return f"put it back; or, if main is wrong, {to_add([line])}"


def to_add(lines: Sequence[str]) -> str:
    """What lists corrections: these lines."""
    said = " and ".join(f"`{line}`" for line in lines)
    return f"add {'a line' if len(lines) == 1 else 'lines'} to {FILE}: {said}"


def allowed(share: float, rows: int) -> int:
    """How many of so many rows a share allows: one at least, or a small table never changes."""
    return max(int(share * rows + 1e-9), 1 if share else 0)


def removal_rules(settings: Settings, pairing: Pairing) -> list[Rule]:
    """Rule of main's train rows: few of them may be removed or get another label."""
    rows = len(pairing.main)
    most = allowed(settings.data.maximum_rows_removed, rows)
    return [
        Rule(
            "history.rows",
            gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(
                column=KEPT,
                min_value=1 - most / rows - 1e-9,
                description=f"At most {most} of main's {rows} rows are removed or relabelled.",
            ),
            f"of main's {rows:,} labelled rows {_lost(pairing)}; one pull request may do so to "
            f"{most:,}: put them back, make several of it, or raise data.maximum_rows_removed in "
            "assay.toml on main first.",
        )
    ]


def _lost(pairing: Pairing) -> str:
    gone, other = len(pairing.removed), int(pairing.relabelled.sum())
    said = [plural(gone, "is missing", "are missing")] if gone else []
    if other:
        said.append(plural(other, "has another label", "have another label"))
    if coarse := int((pairing.relabelled & pairing.rounded).sum()):
        farthest = float(pairing.moved[pairing.rounded].max())
        said[-1] += (
            f" ({coarse:,} of these were rounded, by up to {farthest:.1g}, when the table was "
            "saved: `git checkout main -- data/train.csv` and add your rows again)"
        )
    return " and ".join(said)


def element_rules(compared: Compared) -> list[Rule]:
    """Rules of main's elements: none is lost, and none becomes much rarer or more frequent."""
    largest = compared.settings.data.maximum_element_shift
    return [
        Rule(
            "history.elements",
            gxe.ExpectColumnValuesToNotBeNull(
                column=ELEMENT, description="Every element on main still occurs."
            ),
            "no row holds {value} any more, which main's train set has: put its rows back{hint}.",
            _withdrawals(compared),
        ),
        Rule(
            "history.chemistry",
            gxe.ExpectColumnValuesToBeBetween(
                column=SHIFT,
                max_value=largest,
                description=f"No element's share of the rows moves by more than {largest:.0%}.",
            ),
            "{element} is in {share here} of the rows, on main in {share on main}; the train set "
            "is another mixture of materials: say why.",
            severity=WARNING,
        ),
    ]


def _withdrawals(compared: Compared) -> dict[str, str]:
    """By element that is lost, the lines that list its rows as withdrawn."""
    main, here = compared.pairing.main, compared.pairing.here
    left = symbols(here.formulas)
    lines: dict[str, list[str]] = {}
    for place in map(int, compared.unlisted_removals()):
        if main.ids[place] in here.ids:  # it has another formula: `history.ids` has its line
            continue
        line = line_to_paste(main.ids[place], FORMULA, main.formulas[place], "")
        for symbol in symbols([main.formulas[place]]) - left:
            lines.setdefault(symbol, []).append(line)
    return {
        symbol: f"; or, if they must go, {to_add(found[:LISTED])}"
        + (f" and so for {len(found) - LISTED} more of its rows" if len(found) > LISTED else "")
        for symbol, found in lines.items()
    }


def new_row_rules(settings: Settings, fresh: Table, before: Table) -> list[Rule]:
    """Rule of the labels of new compositions: their usual size is main's, give or take a factor."""
    usual = float(before.frame[settings.target.column].abs().median())
    if len(fresh.frame) < FEW or not usual or settings.target.kind == "class":
        return []
    factor = settings.data.maximum_scale
    return [
        Rule(
            "history.new_scale",
            gxe.ExpectColumnMedianToBeBetween(
                column=SIZE,
                min_value=usual / factor,
                max_value=usual * factor,
                description=f"New labels are of main's usual size, within a factor of {factor:g}.",
            ),
            "the labels of new compositions have the usual size {observed:.4g}, on main "
            f"{usual:.4g}; check their unit (data.maximum_scale in assay.toml).",
        )
    ]
