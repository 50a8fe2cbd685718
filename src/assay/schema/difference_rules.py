"""The rules of what differs between a train set and main's: rows, elements, new compositions."""

import great_expectations.expectations as gxe

from assay.schema.comparison import allowed
from assay.schema.differences import ELEMENT, KEPT, SHIFT, SIZE
from assay.schema.pairing import Pairing
from assay.schema.rules import WARNING, Rule, Table
from assay.settings import Settings
from assay.texts import plural

FEW = 10


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


def element_rules(settings: Settings) -> list[Rule]:
    """Rules of main's elements: none is lost, and none becomes much rarer or more frequent."""
    largest = settings.data.maximum_element_shift
    return [
        Rule(
            "history.elements",
            gxe.ExpectColumnValuesToNotBeNull(
                column=ELEMENT, description="Every element on main still occurs."
            ),
            "no row holds {value} any more, which main's train set has; put its rows back.",
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
