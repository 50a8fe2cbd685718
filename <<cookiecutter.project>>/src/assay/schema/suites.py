"""The expectations that a model repository's data must meet, as suites of rules, by table."""

import math

import great_expectations.expectations as gxe

from assay.compositions import elements, problem
from assay.schema.expectations import (
    ExpectColumnCompositionsToNotBeInSet,
    ExpectColumnElementsToBeInSet,
    ExpectColumnSystemsToNotBeInSet,
    ExpectDuplicateCompositionsToAgree,
    identity,
)
from assay.schema.history import history_rules
from assay.schema.rules import (
    FORMULA,
    ROW_ID,
    SYSTEM,
    WARNING,
    Rule,
    Table,
    columns,
    enough_systems,
    literal,
    readable_formulas,
    reduced_spelling,
    row_ids,
)
from assay.settings import Settings


def train_rules(settings: Settings, before: Table | None) -> list[Rule]:
    """Rules of the train set; `before` is main's train set if it differs from this one."""
    rules = [
        *row_ids("t"),
        *readable_formulas(""),
        reduced_spelling(),
        *_target_rules(settings),
        enough_systems(settings.split.folds, "split.folds", ""),
    ]
    return rules if before is None else [*rules, *history_rules(settings, before)]


def sealed_rules(settings: Settings, train: Table) -> list[Rule]:
    """Rules of the sealed inputs, of which leakage from the train set is the chief."""
    lines = range(2, len(train.frame) + 2)
    by_formula = dict(zip(train.cells[FORMULA].map(identity), lines, strict=True))
    by_system = dict(zip(train.frame[SYSTEM], lines, strict=True))
    return [
        *row_ids("s"),
        columns([ROW_ID, FORMULA, *settings.slice_columns], [SYSTEM]),
        *readable_formulas(""),
        Rule(
            "leakage.composition",
            ExpectColumnCompositionsToNotBeInSet(
                column=FORMULA,
                value_set=list(by_formula),
                description="No sealed composition stands in the train set.",
            ),
            "{formula} is sealed, but its composition also stands in {hint}; "
            "remove that row from the train set.",
            {name: f"{train.file}, line {line}" for name, line in by_formula.items()},
        ),
        Rule(
            "leakage.system",
            ExpectColumnSystemsToNotBeInSet(
                column=FORMULA,
                value_set=list(by_system),
                description="No sealed chemical system stands in the train set.",
            ),
            "{formula} is sealed, but its chemical system also stands in {hint}; "
            "remove that system's rows from the train set.",
            {name: f"{train.file}, line {line}" for name, line in by_system.items()},
        ),
        enough_systems(settings.gate.minimum_groups, "gate.minimum_groups", WARNING),
    ]


def pool_rules(settings: Settings) -> list[Rule]:
    """Rules of the pool of unlabelled compositions."""
    names = [ROW_ID, FORMULA, *settings.slice_columns]
    return [*row_ids("p"), columns(names, []), *readable_formulas("")]


def candidate_rules(train: Table) -> list[Rule]:
    """Rules of a list to screen: all are warnings, since bad rows go to quarantine."""
    readable = {formula for formula in train.cells[FORMULA] if problem(formula) is None}
    known = sorted(set().union(*map(elements, readable)))
    return [
        *readable_formulas(WARNING),
        Rule(
            "formula.elements",
            ExpectColumnElementsToBeInSet(
                column=FORMULA,
                value_set=known,
                severity=WARNING,
                description="Every element of a candidate occurs in the train set.",
            ),
            "{formula} holds an element that the train set never shows; "
            "its prediction will be marked as out of domain.",
        ),
    ]


def _target_rules(settings: Settings) -> list[Rule]:
    target, largest = settings.target, float.fromhex("0x1.fffffffffffffp+1023")
    name, unit = target.column, "" if target.unit == "1" else f" {literal(target.unit)}"
    rules = [
        Rule(
            "target.number",
            gxe.ExpectColumnValuesToNotBeNull(column=name, description="Every target is a number."),
            "{column} is {value!r}, not a number; "
            "write it with a decimal point, or remove the row.",
        ),
        Rule(
            "target.finite",
            gxe.ExpectColumnValuesToBeBetween(
                column=name,
                min_value=-largest,
                max_value=largest,
                description="Every target is finite.",
            ),
            "{column} is {value}, which is not finite; correct or remove the row.",
        ),
        Rule(
            "target.varies",
            gxe.ExpectColumnUniqueValueCountToBeBetween(
                column=name, min_value=2, description="The target is not constant."
            ),
            "{column} has {observed} distinct value; a model needs at least two.",
        ),
        Rule(
            "duplicates.agree",
            ExpectDuplicateCompositionsToAgree(
                column_A=FORMULA,
                column_B=name,
                tolerance=settings.data.duplicate_tolerance,
                description="Rows of one composition agree in the target.",
            ),
            "{formula} has {value} here, and another row of the same composition differs by more "
            f"than {settings.data.duplicate_tolerance:g}{unit}; keep the right one.",
        ),
    ]
    return [*rules, *_bound_rules(settings, unit)]


def _bound_rules(settings: Settings, unit: str) -> list[Rule]:
    target = settings.target
    if target.kind == "class":
        expectation = gxe.ExpectColumnValuesToBeInSet(
            column=target.column, value_set=[0, 1], description="A class is 0 or 1."
        )
        return [Rule("target.class", expectation, "{column} is {value}; a class is 0 or 1.")]
    if math.isinf(target.lower) and math.isinf(target.upper):
        return []
    bounds = f"{target.lower:g} to {target.upper:g}{unit}"
    expectation = gxe.ExpectColumnValuesToBeBetween(
        column=target.column,
        min_value=None if math.isinf(target.lower) else target.lower,
        max_value=None if math.isinf(target.upper) else target.upper,
        description=f"Every target lies in {bounds}.",
    )
    return [
        Rule(
            "target.bounds",
            expectation,
            f"{{column}} is {{value}}, outside of {bounds}; "
            "check its unit, or target.lower and target.upper in assay.toml.",
        )
    ]
