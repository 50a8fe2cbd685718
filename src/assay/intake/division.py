"""Which rows are sealed, and the pool beside them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from assay.clustering import clusters, joined
from assay.errors import UsageError
from assay.gate.statistics import Grouping
from assay.groups import CLUSTERS, COMPOSITION, SYSTEM, counted, group_names
from assay.intake.intake import Intake
from assay.intake.pools import neighbourhood, pool_rows
from assay.layout import Layout
from assay.settings import Settings
from assay.splits import Parts, numbered, split_by_system, undivided
from assay.tables import write_table

# of all rows: larger groups stay in the train set where no number of rows says which are large
LARGEST = 0.05


@dataclass(frozen=True)
class GroupedTable:
    """The rows of a table with a column for their groups, if they do not follow from formulas."""

    name: str
    target: str
    group: str
    rows: pd.DataFrame

    @cached_property
    def names(self) -> list[str]:
        """The group of each row."""
        return group_names(self.rows, self.group)

    @cached_property
    def units(self) -> list[str]:
        """What may not be divided: groups, joined where rows are too near."""
        return undivided(self.rows, self.group)

    @property
    def noun(self) -> str:
        """What one group is called."""
        return "chemical system" if self.group == SYSTEM else "group"


def grouped(settings: Settings, found: Intake) -> GroupedTable:
    """The rows of a table, in groups as `split.group` of `assay.toml` says."""
    rows, group = found.rows, settings.split.group
    if group == COMPOSITION:
        names = clusters(list(rows["formula"]), settings.split.extent)
        rows = rows.assign(**{CLUSTERS: names})
    return GroupedTable(found.name, found.target.name, group, rows)


def evidence(rows: pd.DataFrame, settings: Settings) -> Grouping:
    """The groups of the rows that count as evidence."""
    names = group_names(rows, settings.split.group)
    chosen = counted(list(rows["formula"]), names, settings.gate.rows_per_group)
    return Grouping.of(np.asarray(names)[chosen])


def unlabelled(settings: Settings, found: Intake) -> pd.DataFrame:
    """The rows of a table without their labels: `formula` and the columns that slices need."""
    return found.rows[["formula", *settings.slice_columns]]


def divided(
    settings: Settings, found: Intake, table: GroupedTable, pool: pd.DataFrame | None
) -> Parts:
    """The rows divided by groups, with a pool of the table's chemistry if none is given.

    Where public rows decide, all are to train on.

    Raises:
        UsageError: there are too few groups to divide.
    """
    parts = whole(settings, table) if settings.public else split(settings, table)
    if pool is None:
        wanted = pool_rows(len(parts.train if settings.public else parts.held_out))
        pool = neighbourhood(unlabelled(settings, found), wanted, settings.split.seed)
    if table.group == COMPOSITION:
        names = joined(list(pool["formula"]), table.names, settings.split.extent)
        pool = pool.assign(**{CLUSTERS: names})
    made = numbered(pool, "p", 1)
    return replace(parts, pool=made[["row_id", "formula", *settings.pool_columns]])


def write_public(layout: Layout, parts: Parts) -> None:
    """Write what everybody may see: train set, sealed inputs if any, and a pool that was made."""
    write_table(parts.public, layout.train)
    if len(parts.held_out):
        write_table(parts.inputs, layout.sealed_inputs)
    else:
        for path in (layout.sealed_inputs, layout.open_labels):  # of what was divided before
            path.unlink(missing_ok=True)
    if parts.pool is not None:
        write_table(parts.pool, layout.pool)


def whole(settings: Settings, table: GroupedTable) -> Parts:
    """All rows to train on, and nothing held out."""
    rows = numbered(table.rows, "t", 1)
    return Parts(table.target, rows, rows.iloc[:0], settings.kept_columns)


def split(settings: Settings, table: GroupedTable) -> Parts:
    """The rows divided, large groups to the train set where some are left out of the draw.

    Raises:
        UsageError: there are too few groups to divide.
    """
    sealed = _drawn(settings, table)
    units = pd.Series(table.units)
    left, folds = units[~sealed].nunique(), settings.split.folds
    if left < folds:
        raise UsageError(
            f"{table.name} leaves {left} {table.noun}s to train on, too few for {folds} folds: "
            "give more rows, group them otherwise (--group), decide by public evidence with "
            "--evidence public, or lower split.folds in assay.toml.",
            code="split.too-few-systems",
        )
    train, held_out = (
        numbered(table.rows[side], letter, 1) for letter, side in (("t", ~sealed), ("s", sealed))
    )
    return Parts(table.target, train, held_out, settings.kept_columns)


def _drawn(settings: Settings, table: GroupedTable) -> np.ndarray:
    sizes = pd.Series(table.units).value_counts()
    if len(sizes) < 2:  # noqa: PLR2004 (one for each side)
        raise UsageError(
            f"{table.name} holds 1 {table.noun}: give rows of more, group them otherwise "
            "(--group), or decide by public evidence with --evidence public.",
            code="split.one-system",
        )
    most = settings.gate.rows_per_group
    if most is None and table.group != SYSTEM:
        most = max(int(LARGEST * len(table.rows)), int(sizes.median()))
    try:
        return split_by_system(
            table.units, settings.split.sealed_fraction, settings.split.seed, most
        )
    except ValueError:
        raise UsageError(
            f"{table.name} has no {table.noun} of {most} rows or fewer to seal: raise "
            "gate.rows_per_group in assay.toml, or give rows of smaller groups.",
            code="split.no-small-group",
        ) from None
