"""The rules of a train set that differs from main's: ids, labels, formulas, unit, scale and size."""

from collections.abc import Mapping
from dataclasses import dataclass

import great_expectations.expectations as gxe
import numpy as np

from assay.schema.accidents import beside, by_case_alone, exchanged, respelt
from assay.schema.corrections import FILE, Corrections, line_to_paste
from assay.schema.formulas import identity
from assay.schema.label_expectations import (
    ExpectColumnQuartilesToBeBetween,
    ExpectIdsToBeKept,
    ExpectRowsToBeSpared,
)
from assay.schema.pairing import Pairing
from assay.schema.rules import FAILURE, FORMULA, ROW_ID, WARNING, Rule, Table
from assay.schema.units import converted
from assay.settings import Settings
from assay.texts import plural

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
        severity: str = FAILURE,
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
            severity="failure" if severity == FAILURE else "warning",
        )


def history_rules(compared: Compared, before: Table) -> list[Rule]:
    """Rules of the train set given main's, `before`."""
    settings = compared.settings
    rules = [_ids(before), _renumbered(compared), _labels(compared), _duplicates(compared)]
    rules += [_formulas(compared), _size(settings, len(before.frame))]
    if compared.corrections and compared.corrections.added:
        rules.append(_unlisted(compared))
    if not compared.is_number:
        return rules
    rules += [_rounded(compared), _unit(compared), _exchanged(compared)]
    target = before.frame[settings.target.column]
    quartiles = [float(target.quantile(point)) for point in (0.25, 0.5, 0.75)]
    spread = quartiles[2] - quartiles[0]
    if spread:
        rules += [_relabelled(compared, spread), _scale(settings, quartiles, spread)]
    return rules


def _was(compared: Compared, place: int) -> str:
    """What the label of a row is, and what it was on main."""
    here, main = compared.pairing.here, compared.pairing.main
    old = main.cells[compared.pairing.mains[place]]
    name = compared.settings.target.column
    return f"{name} of {here.formulas[place]} is {here.cells[place]} here but {old} on main"


def _way_on(compared: Compared, place: int) -> str:
    here, main = compared.pairing.here, compared.pairing.main
    old = main.cells[compared.pairing.mains[place]]
    name = compared.settings.target.column
    line = line_to_paste(here.ids[place], name, old, here.cells[place])
    return f"put it back; or, if main is wrong, add a line to {FILE}: `{line}`"


def _ids(before: Table) -> Rule:
    known = dict(zip(before.cells[ROW_ID], before.cells[FORMULA].map(identity), strict=True))
    return Rule(
        "history.ids",
        ExpectIdsToBeKept(
            column_A=FORMULA,
            column_B=ROW_ID,
            formulas=known,
            description="No id stands for another composition than on main.",
        ),
        "row_id {value} stands for {hint} on main, not for {formula}: predictions that are on "
        "record go by it; put back what main has under this id. If this is a row of its own, give "
        f"it an id that is new; if main's formula is wrong, list that in {FILE} as well.",
        known,
    )


def _renumbered(compared: Compared) -> Rule:
    pairing, taken = compared.pairing, set(compared.pairing.main.ids)
    said = {
        int(place): (
            f"row_id {pairing.here.ids[place]} is new, but this row is "
            f"{pairing.main.ids[pairing.mains[place]]} on main: predictions that are on record go by "
            f"the id; give the row its id back, or all of them with {RESTORE}."
        )
        for place in np.flatnonzero(pairing.renumbered)
        if pairing.here.ids[place] not in taken
    }
    share = compared.settings.data.maximum_rows_removed
    many = len(said) > allowed(share, len(pairing.main))
    return compared.rule(
        "history.renumbered",
        "Rows keep the ids that they have on main.",
        said,
        ROW_ID,
        FAILURE if many else WARNING,
    )


def allowed(share: float, rows: int) -> int:
    """How many of so many rows a share allows: one at least, or a small table could never change."""
    return max(int(share * rows + 1e-9), 1 if share else 0)


def _labels(compared: Compared) -> Rule:
    pairing, unit = compared.pairing, compared.settings.target.unit
    rows = compared.unlisted(pairing.relabelled)
    done = converted(pairing.here.formulas, pairing.before, pairing.here.labels, unit, least=1)
    above = beside(pairing, rows) if compared.is_number else {}
    said = {}
    for place in map(int, np.flatnonzero(rows)):
        hint = f", {done[place]}" if done[place] and compared.is_number else ""
        if place in above:
            hint += f", which is main's label of {pairing.main.formulas[above[place]]} beside it"
        said[place] = f"{_was(compared, place)}{hint}; say in the pull request why it was changed."
    return compared.rule("history.labels", "No label was changed.", said, severity=WARNING)


def _duplicates(compared: Compared) -> Rule:
    """Of rows of one composition some went, and those that stay have another label."""
    pairing, gone = compared.pairing, {}
    for place in pairing.removed:
        gone.setdefault(pairing.main.identities[place], int(place))
    said = {}
    for place, name in enumerate(pairing.here.identities):
        if (other := gone.get(name)) is None:
            continue
        label = pairing.main.labels[other]
        if not np.isclose(label, pairing.here.labels[place], rtol=1e-9, atol=1e-12):
            said[place] = (
                f"of the rows of {name}, {pairing.main.ids[other]} with {pairing.main.cells[other]} "
                f"is gone and this one with {pairing.here.cells[place]} stays: say why this is the "
                "right one."
            )
    return compared.rule(
        "history.duplicates", "Where duplicates go, the right one stays.", said, severity=WARNING
    )


def _formulas(compared: Compared) -> Rule:
    pairing, here, main = compared.pairing, compared.pairing.here, compared.pairing.main
    listed = compared.corrections.formulas if compared.corrections else frozenset[int]()
    chosen = np.array([place not in listed for place in range(len(here))], dtype=bool)
    said = {}
    # of classes many rows have the same label, so that it tells nothing
    for place, gone in respelt(pairing, chosen, by_label=compared.is_number).items():
        case = by_case_alone(here.formulas[place], main.formulas[gone])
        how = "differs by case alone from" if case else "has the label of"
        line = line_to_paste(here.ids[place], FORMULA, main.formulas[gone], here.formulas[place])
        said[place] = (
            f"{here.formulas[place]} {how} {main.formulas[gone]} ({main.ids[gone]} on main, which is "
            f"gone), and is another compound: put {main.formulas[gone]} back under its id; or, if "
            f"main is wrong, add a line to {FILE}: `{line}`."
        )
    return compared.rule(
        "history.formulas", "No row of main became that of another compound.", said, FORMULA
    )


def _unlisted(compared: Compared) -> Rule:
    rows = np.flatnonzero(compared.unlisted(compared.pairing.relabelled))
    said = {
        int(place): f"{_was(compared, place)}, and {FILE} lists other changes but not this one: "
        f"{_way_on(compared, place)}."
        for place in rows
    }
    return compared.rule("corrections.complete", "The list of corrections is complete.", said)


def _rounded(compared: Compared) -> Rule:
    pairing = compared.pairing
    rows = np.flatnonzero(pairing.kept)
    farthest = float(pairing.moved[rows].max()) if len(rows) else 0.0
    said = {
        int(place): (
            f"{_was(compared, place)}: {plural(len(rows), 'label differs', 'labels differ')} from "
            f"main's by {farthest:.1g} at most, rounded when the table was saved. Digits are lost: "
            f"{RESTORE} and add your rows again, with a program that keeps all digits."
        )
        for place in rows
    }
    return compared.rule(
        "history.rounded", "Labels have all the digits that main has.", said, severity=WARNING
    )


def _unit(compared: Compared) -> Rule:
    pairing, unit = compared.pairing, compared.settings.target.unit
    rows = compared.unlisted(pairing.relabelled)
    known = np.where(rows, pairing.before, np.nan)
    done = converted(pairing.here.formulas, known, pairing.here.labels, unit)
    said = {
        place: f"{_was(compared, place)}, {words}: convert it back, or {_listed(compared, place)}."
        for place, words in enumerate(done)
        if words
    }
    return compared.rule("history.unit", "No label was carried over into another unit.", said)


def _listed(compared: Compared, place: int) -> str:
    return _way_on(compared, place).removeprefix("put it back; or, ")


def _exchanged(compared: Compared) -> Rule:
    pairing, main = compared.pairing, compared.pairing.main
    rows = compared.unlisted(pairing.relabelled)
    donors = exchanged(pairing, rows)
    said = {
        place: (
            f"{_was(compared, place)}, and {main.cells[donor]} is main's label of "
            f"{main.formulas[donor]} ({main.ids[donor]}, line {main.lines[donor]} there): "
            f"{plural(len(donors), 'label is', 'labels are')} exchanged, sorted, filled down or have "
            f"slipped by a row; {_way_on(compared, place)}."
        )
        for place, donor in donors.items()
    }
    return compared.rule("history.exchanged", "No row got the label of another row.", said)


def _relabelled(compared: Compared, spread: float) -> Rule:
    pairing, farthest = compared.pairing, compared.settings.data.maximum_relabel * spread
    rows = compared.unlisted(pairing.relabelled & ~(pairing.moved <= farthest))
    said = {
        int(place): f"{_was(compared, place)}, farther than {farthest:.4g} "
        "(data.maximum_relabel times the quartiles' distance); "
        f"{_way_on(compared, int(place))}."
        for place in np.flatnonzero(rows)
    }
    description = f"No label that stands on main moved by more than {farthest:.4g}."
    return compared.rule("history.relabelled", description, said)


def _scale(settings: Settings, quartiles: list[float], spread: float) -> Rule:
    column, slack = settings.target.column, settings.data.maximum_shift * spread
    return Rule(
        "history.scale",
        ExpectColumnQuartilesToBeBetween(
            column=column,
            quantile_ranges={
                "quantiles": [0.25, 0.5, 0.75],
                "value_ranges": [[q - slack, q + slack] for q in quartiles],
            },
            description="The quartiles of the target lie near those on main.",
        ),
        "the quartiles of {column} are {observed}, on main "
        + ", ".join(f"{q:.4g}" for q in quartiles)
        + "; check that the unit is the same (data.maximum_shift in assay.toml).",
    )


def _size(settings: Settings, rows: int) -> Rule:
    largest = int(rows * settings.data.maximum_growth)
    return Rule(
        "history.size",
        gxe.ExpectTableRowCountToBeBetween(
            max_value=largest,
            description=f"The train set has at most {largest} rows ({rows} on main).",
        ),
        f"the train set has {{observed}} rows, on main {rows}; say where the new ones come from.",
        severity=WARNING,
    )
