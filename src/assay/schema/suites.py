"""The expectations that a model repository's data must meet, as suites of rules, by table."""

import great_expectations.expectations as gxe

from assay.compositions import identity, problem
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


def sealed_rules(settings: Settings, train: Table, sealed: Table) -> list[Rule]:
    """Rules of the sealed inputs, of which leakage from the train set is the chief."""
    return [
        *row_ids("s"),
        columns([ROW_ID, FORMULA, *settings.slice_columns], [SYSTEM]),
        *readable_formulas(),
        *_leakage_rules(train, sealed),
        enough_systems(settings.gate.minimum_groups, "gate.minimum_groups", WARNING),
    ]


def _leakage_rules(train: Table, sealed: Table) -> list[Rule]:
    lines = range(2, len(train.frame) + 2)
    by_formula = dict(zip(train.cells[FORMULA].map(identity), lines, strict=True))
    by_system = dict(zip(train.frame[SYSTEM], lines, strict=True))
    kinds: list[tuple[str, Kin, str, dict[str, int]]] = [
        ("composition", "identical", "composition", by_formula),
        ("near", "near", "composition within 1 %", _near_lines(train, sealed, by_formula)),
        ("system", "system", "chemical system", by_system),
    ]
    return [
        Rule(
            f"leakage.{name}",
            ExpectColumnCompositionsToBeUnrelated(
                column=FORMULA,
                relatives=list(train.cells[FORMULA]),
                kin=kin,
                description=f"No sealed {shared} stands in the train set.",
            ),
            f"{{formula}} is sealed, but its {shared} also stands in {{hint}}; "
            "remove that row, and others of its chemical system, from the train set.",
            {known: f"{train.file}, line {line}" for known, line in where.items()},
        )
        for name, kin, shared, where in kinds
    ]


def _near_lines(train: Table, sealed: Table, by_formula: dict[str, int]) -> dict[str, int]:
    """The train row that is nearest to each sealed composition, where one is near."""
    relatives = relatives_of(tuple(train.cells[FORMULA]))
    readable = (text for text in sealed.cells[FORMULA] if problem(text) is None)
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
