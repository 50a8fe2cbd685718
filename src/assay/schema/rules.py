"""The rules that several tables share: ids, formulas, columns, chemical systems.

A rule is an expectation together with the sentence that tells a row's author what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import great_expectations.expectations as gxe
import pandas as pd

from assay.errors import UsageError
from assay.misspellings import NITRIDE
from assay.records import Severity
from assay.schema.expectations import (
    ExpectColumnValuesToBeChargeBalanced,
    ExpectColumnValuesToBeCompositions,
    ExpectColumnValuesToBeFeaturizable,
    ExpectColumnValuesToBeReducedFormulas,
)
from assay.schema.formulas import system
from assay.settings import Settings

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

FORMULA, ROW_ID, SYSTEM = "formula", "row_id", "chemical system"
FAILURE: Severity = "failure"
WARNING: Severity = "warning"


@dataclass(frozen=True)
class Table:
    """A table to check: `cells` as they stand in the file, `frame` with the target as numbers.

    Row i of both is line i + 2 of the file, if the rows are `located` in one; an empty cell is None
    in `frame`. Of a `settled` table, which is main's own, what main finds, too, is only counted.
    """

    name: str
    file: str
    cells: pd.DataFrame
    frame: pd.DataFrame
    located: bool = True
    settled: bool = False


@dataclass(frozen=True)
class Rule:
    """An expectation, its name, and a sentence with {value}, {formula}, {hint}, {observed}.

    The sentence may also name the row's own columns. `hints` maps the value, the formula's identity
    or its chemical system, or the row itself (`line 5`), to what the sentence adds. `severity` is
    what a finding is unless `assay.toml` says otherwise. So many rows are `listed` as findings of
    their own; the others are counted.
    """

    name: str
    expectation: "Expectation"
    sentence: str
    hints: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = FAILURE
    listed: int | None = None


def table(
    name: str, file: str, cells: pd.DataFrame, target: str | None, *, settled: bool = False
) -> Table:
    """Prepare a table of text cells: (n, k), of which `target`, if any, becomes numbers.

    Raises:
        UsageError: a column has the name of the one that is derived here, and would be hidden.
    """
    if SYSTEM in cells:
        raise UsageError(
            f"{file} has a column {SYSTEM!r}, a name that assay uses itself: rename it.",
            code="table.derived-column",
        )
    frame = cells.where(cells != "", None)
    if target is not None:
        frame = frame.assign(**{target: pd.to_numeric(cells[target], errors="coerce")})
    if name in {"train", "sealed_inputs"}:
        frame = frame.assign(**{SYSTEM: [system(formula) for formula in cells[FORMULA]]})
    return Table(name, file, cells, frame, settled=settled)


def columns(names: list[str], derived: list[str]) -> Rule:
    """The file's columns are exactly `names`; `derived` are those that `table` adds."""
    return Rule(
        "columns",
        gxe.ExpectTableColumnsToMatchSet(
            column_set=[*names, *derived],
            exact_match=True,
            description=f"The columns are {', '.join(names)} and no other: no label beside them.",
        ),
        f"the columns are {{observed}}; keep {', '.join(names)} alone, above all no label.",
    )


def row_ids(prefix: str) -> list[Rule]:
    """Ids are there, unique, and of the form `prefix` and five or more digits."""
    example = f"{prefix}00001"
    return [
        Rule(
            "row_id.present",
            gxe.ExpectColumnValuesToNotBeNull(column=ROW_ID, description="Every row has an id."),
            f"the row has no row_id; give it one such as {example}.",
        ),
        Rule(
            "row_id.unique",
            gxe.ExpectColumnValuesToBeUnique(column=ROW_ID, description="No id occurs twice."),
            "row_id {value!r} occurs more than once; give every row its own id.",
        ),
        Rule(
            "row_id.form",
            gxe.ExpectColumnValuesToMatchRegex(
                column=ROW_ID,
                regex=rf"^{prefix}[0-9]{{5,}}\Z",
                description=f"Ids look like {example}.",
            ),
            f"row_id {{value!r}} is not of the form {example}; rename it.",
        ),
    ]


def readable_formulas(severity: Severity = FAILURE) -> list[Rule]:
    """Formulas are there, readable, and (as warnings) no gaps, and have Magpie features."""
    return [
        Rule(
            "formula.present",
            gxe.ExpectColumnValuesToNotBeNull(
                column=FORMULA, description="Every row has a formula."
            ),
            "the row has no formula; add it or remove the row.",
            severity=severity,
        ),
        Rule(
            "formula.readable",
            ExpectColumnValuesToBeCompositions(
                column=FORMULA, description="Every formula can be read."
            ),
            "{problem}; correct the formula or remove the row.",
            severity=severity,
        ),
        Rule(
            "formula.missing",
            gxe.ExpectColumnValuesToNotBeInSet(
                column=FORMULA,
                value_set=[NITRIDE],
                description="No formula is NaN, which may be a missing value.",
            ),
            "NaN is read as a nitride of sodium, but it is also how pandas writes a missing value, "
            "and is not predicted from a list; remove the row, or write Na1N1 for the nitride.",
            severity=WARNING,
        ),
        Rule(
            "formula.featurizable",
            ExpectColumnValuesToBeFeaturizable(
                column=FORMULA,
                description="matminer's Magpie table is complete for every formula.",
            ),
            "{formula} holds an element for which matminer's Magpie table has gaps; "
            "a model on Magpie features refuses it.",
            severity=WARNING,
        ),
    ]


def reduced_spelling() -> Rule:
    """Formulas are in reduced spelling; a warning."""
    return Rule(
        "formula.reduced",
        ExpectColumnValuesToBeReducedFormulas(
            column=FORMULA, description="Formulas are in reduced spelling."
        ),
        "{formula} is not in reduced spelling; consider writing {reduced}.",
        severity=WARNING,
    )


def balanced_charges(settings: Settings) -> Rule:
    """Oxidation states explain most of the formulas that have anions; a warning with a share."""
    share = settings.data.maximum_unbalanced
    return Rule(
        "formula.oxidation",
        ExpectColumnValuesToBeChargeBalanced(
            column=FORMULA,
            mostly=1 - share,
            description=f"Oxidation states add up to zero in all but {share:.0%} of the formulas.",
        ),
        "no oxidation states of {formula} add up to zero, nor in {share:.1%} of all rows "
        "(data.maximum_unbalanced in assay.toml); check its amounts.",
        severity=WARNING,
    )


def literal(text: str) -> str:
    """Text that neither str.format nor the templates of Data Docs take for a field."""
    return text.translate(str.maketrans("", "", "{}$"))


def enough_groups(minimum: int, key: str, column: str | None, severity: Severity = FAILURE) -> Rule:
    """There are at least `minimum` groups (chemical systems, or those of a column).

    `key` of `assay.toml` asks for them.
    """
    what = "chemical systems" if column is None else "groups"
    return Rule(
        "systems.enough",
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column=column or SYSTEM,
            min_value=minimum,
            description=f"There are at least {minimum} {what}.",
        ),
        f"there are {{observed}} {what}, but {key} asks for {minimum}; add data.",
        severity=severity,
    )
