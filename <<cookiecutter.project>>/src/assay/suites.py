"""The expectations that a model repository's data must meet, as Great Expectations suites.

A rule is an expectation together with the sentence that tells a row's author what to do.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import great_expectations.expectations as gxe
import pandas as pd

from assay.compositions import elements, problem
from assay.expectations import (
    ExpectColumnCompositionsToNotBeInSet,
    ExpectColumnElementsToBeInSet,
    ExpectColumnSystemsToNotBeInSet,
    ExpectColumnValuesToBeCompositions,
    ExpectColumnValuesToBeFeaturizable,
    ExpectColumnValuesToBeReducedFormulas,
    ExpectDuplicateCompositionsToAgree,
    ExpectKnownLabelsToBeKept,
    identity,
    system,
)
from assay.settings import Settings

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

FORMULA, ROW_ID, SYSTEM, KEPT = "formula", "row_id", "chemical system", "kept"
WARNING = "warning"


@dataclass(frozen=True)
class Table:
    """A table to check: `cells` as they stand in the file, `frame` with the target as numbers.

    Row i of both is line i + 2 of the file; an empty cell is None in `frame`.
    """

    name: str
    file: str
    cells: pd.DataFrame
    frame: pd.DataFrame


@dataclass(frozen=True)
class Rule:
    """An expectation, its name, and a sentence with {value}, {formula}, {hint}, {observed}.

    `hints` maps a formula's identity or chemical system to what the sentence adds.
    """

    name: str
    expectation: "Expectation"
    sentence: str
    hints: Mapping[str, str] = field(default_factory=dict)


def table(name: str, file: str, cells: pd.DataFrame, target: str | None) -> Table:
    """Prepare a table of text cells: (n, k), of which `target`, if any, becomes numbers."""
    frame = cells.where(cells != "", None)
    if target is not None:
        frame = frame.assign(**{target: pd.to_numeric(cells[target], errors="coerce")})
    if name in {"train", "sealed_inputs"}:
        frame = frame.assign(**{SYSTEM: [system(formula) for formula in cells[FORMULA]]})
    return Table(name, file, cells, frame)


def train_rules(settings: Settings, before: Table | None) -> list[Rule]:
    """Rules of the train set; `before` is main's train set if it differs from this one."""
    rules = [
        *_row_id_rules("t"),
        *_formula_rules(""),
        _canonical(),
        *_target_rules(settings),
        _systems(settings.split.folds, "split.folds", ""),
    ]
    return rules if before is None else [*rules, *_history_rules(settings, before)]


def sealed_rules(settings: Settings, train: Table) -> list[Rule]:
    """Rules of the sealed inputs, of which leakage from the train set is the chief."""
    lines = range(2, len(train.frame) + 2)
    by_formula = dict(zip(train.cells[FORMULA].map(identity), lines, strict=True))
    by_system = dict(zip(train.frame[SYSTEM], lines, strict=True))
    return [
        *_row_id_rules("s"),
        _columns([ROW_ID, FORMULA], [SYSTEM]),
        *_formula_rules(""),
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
        _systems(settings.gate.minimum_groups, "gate.minimum_groups", WARNING),
    ]


def pool_rules() -> list[Rule]:
    """Rules of the pool of unlabelled compositions."""
    return [*_row_id_rules("p"), _columns([ROW_ID, FORMULA], []), *_formula_rules("")]


def candidate_rules(train: Table) -> list[Rule]:
    """Rules of a list to screen: all are warnings, since bad rows go to quarantine."""
    readable = {formula for formula in train.cells[FORMULA] if problem(formula) is None}
    known = sorted(set().union(*map(elements, readable)))
    return [
        *_formula_rules(WARNING),
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


def _columns(names: list[str], derived: list[str]) -> Rule:
    return Rule(
        "columns",
        gxe.ExpectTableColumnsToMatchSet(
            column_set=[*names, *derived],
            exact_match=True,
            description=f"The columns are {', '.join(names)} and no other: no label beside them.",
        ),
        f"the columns are {{observed}}; keep {', '.join(names)} alone, above all no label.",
    )


def _row_id_rules(prefix: str) -> list[Rule]:
    example = f"{prefix}00001"
    return [
        Rule(
            "row_id.present",
            gxe.ExpectColumnValuesToNotBeNull(column=ROW_ID, description="Every row has an id."),
            f"the row has no row_id; give it one such as {example}.",
        ),
        Rule(
            "row_id.unique",
            gxe.ExpectColumnValuesToBeUnique(column=ROW_ID, description="No id stands twice."),
            "row_id {value!r} stands more than once; give every row its own.",
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


def _formula_rules(severity: str) -> list[Rule]:
    level = {"severity": severity} if severity else {}
    return [
        Rule(
            "formula.present",
            gxe.ExpectColumnValuesToNotBeNull(
                column=FORMULA, description="Every row has a formula.", **level
            ),
            "the row has no formula; add it or remove the row.",
        ),
        Rule(
            "formula.readable",
            ExpectColumnValuesToBeCompositions(
                column=FORMULA, description="Every formula can be read.", **level
            ),
            "{problem}; correct the formula or remove the row.",
        ),
        Rule(
            "formula.featurizable",
            ExpectColumnValuesToBeFeaturizable(
                column=FORMULA,
                severity=WARNING,
                description="matminer's Magpie table is complete for every formula.",
            ),
            "{formula} holds an element for which matminer's Magpie table has gaps; "
            "a model on Magpie features refuses it.",
        ),
    ]


def _canonical() -> Rule:
    return Rule(
        "formula.reduced",
        ExpectColumnValuesToBeReducedFormulas(
            column=FORMULA, severity=WARNING, description="Formulas are in reduced spelling."
        ),
        "{formula} is not in reduced spelling; consider writing {reduced}.",
    )


def _target_rules(settings: Settings) -> list[Rule]:
    target, largest = settings.target, float.fromhex("0x1.fffffffffffffp+1023")
    name, unit = target.column, "" if target.unit == "1" else f" {_literal(target.unit)}"
    rules = [
        Rule(
            "target.number",
            gxe.ExpectColumnValuesToNotBeNull(
                column=name, description="Every target is a number."
            ),
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


def _literal(text: str) -> str:
    # neither a field of str.format nor a parameter of the templates of Data Docs
    return text.translate(str.maketrans("", "", "{}$"))


def _systems(minimum: int, key: str, severity: str) -> Rule:
    level = {"severity": severity} if severity else {}
    return Rule(
        "systems.enough",
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column=SYSTEM,
            min_value=minimum,
            description=f"There are at least {minimum} chemical systems.",
            **level,
        ),
        f"there are {{observed}} chemical systems, but {key} asks for {minimum}; add data.",
    )


def _history_rules(settings: Settings, before: Table) -> list[Rule]:
    target = settings.target.column
    values = before.frame[target].groupby(before.cells[FORMULA].map(identity)).agg(list)
    labels = {str(name): known for name, known in values.items()}
    rules = [
        Rule(
            "history.labels",
            ExpectKnownLabelsToBeKept(
                column_A=FORMULA,
                column_B=target,
                labels=labels,
                severity=WARNING,
                description="No label that stands on main was changed.",
            ),
            "{column} of {formula} is {value} here but {hint} on main; "
            "say in the pull request why it was changed.",
            {name: ", ".join(f"{x:g}" for x in known) for name, known in labels.items()},
        )
    ]
    return rules if settings.target.kind == "class" else [*rules, _scale(settings, before)]


def _scale(settings: Settings, before: Table) -> Rule:
    column, points = settings.target.column, [0.25, 0.5, 0.75]
    quartiles = [float(before.frame[column].quantile(point)) for point in points]
    slack = settings.data.maximum_shift * (quartiles[2] - quartiles[0])
    return Rule(
        "history.scale",
        gxe.ExpectColumnQuantileValuesToBeBetween(
            column=column,
            quantile_ranges={
                "quantiles": points,
                "value_ranges": [[q - slack, q + slack] for q in quartiles],
            },
            description="The quartiles of the target lie near those on main.",
        ),
        "the quartiles of {column} are {observed}, on main "
        + ", ".join(f"{q:.4g}" for q in quartiles)
        + "; check that the unit is the same (data.maximum_shift in assay.toml).",
    )


def removal_rules(settings: Settings) -> list[Rule]:
    """Rule of main's train set: few of its rows may be removed or get another label."""
    share = settings.data.maximum_rows_removed
    return [
        Rule(
            "history.rows",
            gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(
                column=KEPT,
                min_value=1 - share,
                description=f"At most {share:.1%} of main's rows are removed or relabelled.",
            ),
            "only {observed:.1%} of main's labelled rows still stand; "
            "put them back, or raise data.maximum_rows_removed in assay.toml on main first.",
        )
    ]
