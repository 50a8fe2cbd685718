"""The rules of labels: numbers within bounds, and duplicates that agree."""

import math
import sys

import great_expectations.expectations as gxe

from assay.schema.label_expectations import ExpectDuplicateCompositionsToAgree
from assay.schema.rules import FORMULA, Rule, literal
from assay.settings import Settings


def target_rules(settings: Settings) -> list[Rule]:
    """Rules of the target of a train set."""
    target = settings.target
    unit = "" if target.unit == "1" else f" {literal(target.unit)}"
    return [
        *_number_rules(target.column),
        _varies(target.column),
        _agreement(target.column, settings.data.duplicate_tolerance, unit),
        *_bound_rules(settings, unit),
    ]


def _number_rules(name: str) -> list[Rule]:
    return [
        Rule(
            "target.number",
            gxe.ExpectColumnValuesToNotBeNull(column=name, description="Every target is a number."),
            "{column} is {value!r}, not a number; "
            "write it with a decimal point and without separators of thousands, or remove the row.",
        ),
        Rule(
            "target.finite",
            gxe.ExpectColumnValuesToBeBetween(
                column=name,
                min_value=-sys.float_info.max,
                max_value=sys.float_info.max,
                description="Every target is finite.",
            ),
            "{column} is {value}, which is not finite; correct or remove the row.",
        ),
    ]


def _varies(name: str) -> Rule:
    return Rule(
        "target.varies",
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column=name, min_value=2, description="The target is not constant."
        ),
        "{column} has {observed} distinct value; a model needs at least two.",
    )


def _agreement(name: str, tolerance: float, unit: str) -> Rule:
    return Rule(
        "duplicates.agree",
        ExpectDuplicateCompositionsToAgree(
            column_A=FORMULA,
            column_B=name,
            tolerance=tolerance,
            description="Rows of one composition agree in the target.",
        ),
        "{formula} has {value} here, and another row of the same composition differs by more "
        f"than {tolerance:g}{unit}; keep the right one.",
    )


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
