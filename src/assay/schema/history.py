"""The rules of a train set that differs from main's: ids, labels, unit, scale and size."""

import great_expectations.expectations as gxe

from assay.compositions import identity
from assay.schema.label_expectations import (
    ExpectColumnQuartilesToBeBetween,
    ExpectIdsToBeKept,
    ExpectKnownLabelsToBeKept,
    ExpectUnitToBeKept,
)
from assay.schema.rules import FORMULA, ROW_ID, WARNING, Rule, Table
from assay.schema.units import converted
from assay.settings import Settings


def history_rules(settings: Settings, train: Table, before: Table) -> list[Rule]:
    """Rules of the train set given main's, `before`: labels, unit, scale and size."""
    target = settings.target.column
    values = before.frame[target].groupby(before.cells[FORMULA].map(identity)).agg(list)
    labels = {str(name): known for name, known in values.items()}
    rules = [_ids(before), _labels(target, labels), _size(settings, len(before.frame))]
    if settings.target.kind == "class":
        return rules
    quartiles = [float(before.frame[target].quantile(point)) for point in (0.25, 0.5, 0.75)]
    spread = quartiles[2] - quartiles[0]
    rules.append(_unit(target, train, labels))
    return (
        rules
        if not spread
        else [
            *rules,
            _relabelled(settings, labels, spread),
            _scale(settings, quartiles, spread),
        ]
    )


def _told(labels: dict[str, list[float]]) -> dict[str, str]:
    return {name: ", ".join(f"{value:g}" for value in known) for name, known in labels.items()}


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
        "record go by it; give this row an id that is new.",
        known,
    )


def _labels(target: str, labels: dict[str, list[float]]) -> Rule:
    return Rule(
        "history.labels",
        ExpectKnownLabelsToBeKept(
            column_A=FORMULA,
            column_B=target,
            labels=labels,
            tolerance=0.0,
            description="No label that stands on main was changed.",
        ),
        "{column} of {formula} is {value} here but {hint} on main; "
        "say in the pull request why it was changed.",
        _told(labels),
        severity=WARNING,
    )


def _relabelled(settings: Settings, labels: dict[str, list[float]], spread: float) -> Rule:
    farthest = settings.data.maximum_relabel * spread
    return Rule(
        "history.relabelled",
        ExpectKnownLabelsToBeKept(
            column_A=FORMULA,
            column_B=settings.target.column,
            labels=labels,
            tolerance=farthest,
            description=f"No label that stands on main moved by more than {farthest:.4g}.",
        ),
        "{column} of {formula} is {value} here but {hint} on main, farther than "
        f"{farthest:.4g} (data.maximum_relabel times the quartiles' distance); put it back, or "
        "change it in a pull request of its own that raises the limit on main first.",
        _told(labels),
    )


def _unit(target: str, train: Table, labels: dict[str, list[float]]) -> Rule:
    formulas = list(train.cells[FORMULA])
    said = converted(formulas, list(train.frame[target]), labels)
    hints = {identity(f): words for f, words in zip(formulas, said, strict=True) if words}
    return Rule(
        "history.unit",
        ExpectUnitToBeKept(
            column_A=FORMULA,
            column_B=target,
            labels=labels,
            description="No label that stands on main was carried over into another unit.",
        ),
        "{column} of {formula} is {value}: main's label was {hint}; convert it back.",
        hints,
    )


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
