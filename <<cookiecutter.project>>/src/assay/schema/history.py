"""Compares the train set with main's: labels, rows and scale."""

from pathlib import Path

import great_expectations.expectations as gxe
import pandas as pd

from assay.errors import UsageError
from assay.provenance import file_on_main
from assay.schema.expectations import (
    ExpectColumnQuartilesToBeBetween,
    ExpectKnownLabelsToBeKept,
    identity,
)
from assay.schema.rules import FORMULA, WARNING, Rule, Table, table
from assay.settings import Settings
from assay.tables import parse_table

KEPT = "kept"


def train_on_main(root: Path, train: Path, target: str) -> Table | None:
    """Main's train set, or None: no git, no main, the same content, or not readable there."""
    content = file_on_main(root, train)
    if content is None or content == train.read_bytes():
        return None
    return _parsed(content, train, target)


def _parsed(content: bytes, path: Path, target: str) -> Table | None:
    try:
        cells = parse_table(content, ["row_id", "formula", target], path)
    except UsageError:
        return None
    before = table("before", "data/train.csv", cells, target)
    labelled = before.frame[target].notna()
    if not labelled.any():
        return None
    return Table(before.name, before.file, cells[labelled], before.frame[labelled])


def kept_rows(train: Table, before: Table, target: str) -> Table:
    """Main's labelled rows, each with True where composition and label still stand."""

    def pairs(table: Table) -> list[tuple[str, float]]:
        values = table.frame[target].astype(float).round(9)
        return list(zip(table.cells["formula"].map(identity), values, strict=True))

    now = set(pairs(train))
    kept = pd.DataFrame({KEPT: [True if pair in now else None for pair in pairs(before)]})
    return Table("main", train.file, kept, kept)


def history_rules(settings: Settings, before: Table) -> list[Rule]:
    """Rules of the train set given main's, `before`: labels and scale."""
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
    points = [0.25, 0.5, 0.75]
    quartiles = [float(before.frame[target].quantile(point)) for point in points]
    if settings.target.kind == "class" or quartiles[0] == quartiles[2]:
        return rules
    return [*rules, _scale(settings, points, quartiles)]


def _scale(settings: Settings, points: list[float], quartiles: list[float]) -> Rule:
    column = settings.target.column
    slack = settings.data.maximum_shift * (quartiles[2] - quartiles[0])
    return Rule(
        "history.scale",
        ExpectColumnQuartilesToBeBetween(
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
