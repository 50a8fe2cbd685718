"""The expectations that a model repository's data must meet, as suites of rules, by table."""

import great_expectations.expectations as gxe

from assay.compositions import identity, problem
from assay.records import MAXIMUM_FINDINGS
from assay.schema.differences import COLUMN, CORRELATION
from assay.schema.expectations import (
    ExpectColumnCompositionsToBeUnrelated,
    ExpectColumnElementsToBeInSet,
)
from assay.schema.formulas import Kin, relatives_of, symbols
from assay.schema.rules import (
    FORMULA,
    ROW_ID,
    SYSTEM,
    WARNING,
    Rule,
    Table,
    balanced_charges,
    columns,
    enough_systems,
    readable_formulas,
    reduced_spelling,
    row_ids,
)
from assay.schema.target_rules import target_rules
from assay.settings import Settings


def train_rules(settings: Settings) -> list[Rule]:
    """Rules of the train set by itself."""
    return [
        *row_ids("t"),
        *readable_formulas(),
        reduced_spelling(),
        balanced_charges(settings),
        *target_rules(settings),
        enough_systems(settings.split.folds, "split.folds"),
    ]


def sealed_rules(settings: Settings) -> list[Rule]:
    """Rules of the sealed inputs by themselves."""
    return [
        *row_ids("s"),
        columns([ROW_ID, FORMULA, *settings.slice_columns], [SYSTEM]),
        *readable_formulas(),
        enough_systems(settings.gate.minimum_groups, "gate.minimum_groups", WARNING),
    ]


def leakage_rules(rows: Table, others: Table) -> list[Rule]:
    """Rules of the train set or the sealed inputs, which must not know each other.

    Args:
        rows: the table whose rows are named: the one that the change is in.
        others: the other one.
    """
    lines = range(2, len(others.frame) + 2)
    by_formula = dict(zip(others.cells[FORMULA].map(identity), lines, strict=True))
    by_system = dict(zip(others.frame[SYSTEM], lines, strict=True))
    sealed = others.name != "train"
    what = "stands in the train set, but its" if sealed else "is sealed, but its"
    also = "is sealed" if sealed else "also stands in the train set"
    todo = "this row" if sealed else "that row"
    kinds: list[tuple[str, Kin, str, dict[str, int]]] = [
        ("composition", "identical", "composition", by_formula),
        ("near", "near", "composition within 1 %", _near_lines(rows, others, by_formula)),
        ("system", "system", "chemical system", by_system),
    ]
    return [
        Rule(
            f"leakage.{name}",
            ExpectColumnCompositionsToBeUnrelated(
                column=FORMULA,
                relatives=list(others.cells[FORMULA]),
                kin=kin,
                description=f"No sealed {shared} stands in the train set.",
            ),
            f"{{formula}} {what} {shared} {also} ({{hint}}); take {todo} out of the train set.",
            {known: f"{others.file}, line {line}" for known, line in where.items()},
            listed=MAXIMUM_FINDINGS,
        )
        for name, kin, shared, where in kinds
    ]


def _near_lines(rows: Table, others: Table, by_formula: dict[str, int]) -> dict[str, int]:
    """The other row that is nearest to each composition, where one is near."""
    relatives = relatives_of(tuple(others.cells[FORMULA]))
    readable = (text for text in rows.cells[FORMULA] if problem(text) is None)
    found = ((identity(text), relatives.nearest(text)) for text in readable)
    return {text: by_formula[other] for text, other in found if other is not None}


def column_rules(settings: Settings) -> list[Rule]:
    """Rule of a train set's further columns: none of them tells the target."""
    return [
        Rule(
            "leakage.column",
            gxe.ExpectColumnValuesToBeBetween(
                column=CORRELATION,
                max_value=settings.data.maximum_correlation,
                description="No further column follows the target.",
            ),
            f"the column {{{COLUMN}}} carries the target (rank correlation {{value}}); take it "
            "out, or a model that reads it knows the answer.",
        )
    ]


def pool_rules(settings: Settings) -> list[Rule]:
    """Rules of the pool of unlabelled compositions."""
    names = [ROW_ID, FORMULA, *settings.slice_columns]
    return [*row_ids("p"), columns(names, []), *readable_formulas()]


def candidate_rules(train: Table) -> list[Rule]:
    """Rules of a list to screen: all are warnings, since bad rows go to quarantine."""
    return [
        *readable_formulas(WARNING),
        Rule(
            "formula.elements",
            ExpectColumnElementsToBeInSet(
                column=FORMULA,
                value_set=sorted(symbols(train.cells[FORMULA])),
                description="Every element of a candidate occurs in the train set.",
            ),
            "{formula} holds an element that the train set never shows; "
            "its prediction will be marked as out of domain.",
            severity=WARNING,
        ),
    ]
