"""Which rows are sealed, whether the gate can decide on them, and the pool beside them."""

from dataclasses import replace

import pandas as pd

from assay.compositions import chemical_system
from assay.errors import RefusedError, UsageError
from assay.gate.public_evidence import MINIMUM_PUBLIC_GROUPS
from assay.gate.statistics import Grouping
from assay.intake.intake import Intake
from assay.intake.pools import neighbourhood, pool_rows
from assay.layout import Layout
from assay.settings import Settings
from assay.splits import Parts, linked_systems, numbered, split_by_system
from assay.tables import write_table

# larger shares of the systems that a small table may seal
FRACTIONS = (0.3, 0.35, 0.4, 0.45, 0.5)


def unlabelled(settings: Settings, found: Intake) -> pd.DataFrame:
    """The rows of a table without their labels: `formula` and the columns that slices need."""
    return found.rows[["formula", *settings.slice_columns]]


def divided(settings: Settings, found: Intake, pool: pd.DataFrame | None) -> Parts:
    """The rows divided by chemical system, with a pool of the table's chemistry if none is given.

    Where public rows decide, all are to train on.

    Raises:
        UsageError: there are too few chemical systems to divide.
    """
    parts = _whole(settings, found) if settings.public else _split(settings, found)
    if pool is None:
        wanted = pool_rows(len(parts.train if settings.public else parts.held_out))
        pool = neighbourhood(unlabelled(settings, found), wanted, settings.split.seed)
    table = numbered(pool, "p", 1)
    return replace(parts, pool=table[["row_id", "formula", *settings.slice_columns]])


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


class CannotDecideError(RefusedError):
    """No part of a table that could be sealed lets the gate decide anything."""


def _whole(settings: Settings, found: Intake) -> Parts:
    """All rows to train on, and nothing held out."""
    rows = numbered(found.rows, "t", 1)
    return Parts(found.target.name, rows, rows.iloc[:0], settings.slice_columns)


def _split(settings: Settings, found: Intake) -> Parts:
    rows, source, target = found.rows, found.name, found.target.name
    systems = rows.assign(group=linked_systems(list(rows["formula"])))["group"]
    if systems.nunique() < 2:  # noqa: PLR2004 (one for each side)
        raise UsageError(
            f"{source} holds 1 chemical system: give rows of more, to seal some.",
            code="split.one-system",
        )
    sealed = split_by_system(list(systems), settings.split.sealed_fraction, settings.split.seed)
    left, folds = systems[~sealed].nunique(), settings.split.folds
    if left < folds:
        raise UsageError(
            f"{source} leaves {left} chemical systems to train on, too few for {folds} folds: give "
            "more rows, seal nothing with --evidence public, or lower split.folds in assay.toml.",
            code="split.too-few-systems",
        )
    train, held_out = (
        numbered(part, letter, 1) for letter, part in (("t", rows[~sealed]), ("s", rows[sealed]))
    )
    return Parts(target, train, held_out, settings.slice_columns)


def require_decidable(settings: Settings, found: Intake, parts: Parts) -> None:
    """Refuse a division by which the gate could never say anything but INCONCLUSIVE.

    Raises:
        CannotDecideError: no set that is sealed could decide.
        RefusedError: a larger sealed set could, or not even all rows together can.
    """
    if settings.public:
        _require_public(found, parts)
        return
    least = settings.gate.minimum_groups
    groups = _effective(parts.held_out)
    if groups >= least:
        return
    told = (
        f"{found.name}: the {len(parts.held_out)} rows to seal are {groups:.0f} effective groups "
        f"(rows of one chemical system count together), and the gate decides nothing below {least}"
    )
    for fraction in FRACTIONS:
        split = settings.split.model_copy(update={"sealed_fraction": fraction})
        wider = _split(settings.model_copy(update={"split": split}), found)
        if fraction > settings.split.sealed_fraction and _effective(wider.held_out) >= least:
            raise RefusedError(
                f"{told}: seal more of the systems with --sealed-fraction {fraction}.",
                code="data.cannot-decide",
            )
    raise CannotDecideError(
        f"{told}, whatever part is sealed: run the same command with --evidence public, which "
        "seals nothing and decides by cross-validation, add rows of more chemical systems, or go "
        "on without a verdict by --anyway.",
        code="data.cannot-decide",
    )


def _require_public(found: Intake, parts: Parts) -> None:
    groups = _effective(parts.train)
    if groups < MINIMUM_PUBLIC_GROUPS:
        raise RefusedError(
            f"{found.name}: the {len(parts.train)} rows are {groups:.1f} effective groups (rows of "
            "one chemical system count together), and cross-validation on public rows decides "
            f"nothing below {MINIMUM_PUBLIC_GROUPS}: add rows of more chemical systems.",
            code="data.too-few-public",
        )


def _effective(rows: pd.DataFrame) -> float:
    return Grouping.of(rows["formula"].map(chemical_system)).effective
