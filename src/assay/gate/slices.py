"""What a candidate must hold, from `assay.toml`: metrics over all rows, and over slices of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from assay.errors import UsageError
from assay.gate.comparisons import Requirement, Slice
from assay.gate.metrics import METRICS
from assay.gate.policy import Slice as SliceRule
from assay.settings import FILE_NAME, Settings

Tables = Sequence[pd.DataFrame]

PNICTOGENS = 15  # their group
_WORDS = {"rare_earth_metal": "rare_earth"}  # what pymatgen calls it now


def requirements(settings: Settings, tables: Tables) -> list[Requirement]:
    """The primary metric, the further ones, and the primary one on every slice, in this order.

    Args:
        settings: all of `assay.toml`.
        tables: train rows, sealed inputs and pool, each with `formula` and the columns of slices.

    Raises:
        UsageError: a slice names an unknown element, or a column that a table lacks.
    """
    policy, primary = settings.gate, METRICS[settings.primary_metric]
    further = [
        Requirement(METRICS[key], margin, advisory=key in policy.advisory)
        for key, margin in policy.further.items()
    ]
    slices = [
        Requirement(
            primary,
            rule.margin or policy.margin,
            slice=_slice(rule, tables),
            advisory=rule.advisory,
        )
        for rule in policy.slices
    ]
    return [Requirement(primary, policy.margin, primary=True), *further, *slices]


def _slice(rule: SliceRule, tables: Tables) -> Slice:
    masks = [_mask(rule, table) for table in tables]
    return Slice(rule.name, *masks)


def _mask(rule: SliceRule, table: pd.DataFrame) -> np.ndarray:
    if rule.column:
        if rule.column not in table:
            raise UsageError(
                f"{FILE_NAME}: slice {rule.name!r} needs the column {rule.column!r} in train.csv, "
                "sealed_inputs.csv and pool.csv; add it, or take the slice out.",
                code="settings.slice-column",
            )
        return table[rule.column].isin(rule.values).to_numpy(dtype=bool)
    wanted = set(rule.elements) or family(str(rule.family))
    if unknown := wanted - _symbols():
        raise UsageError(
            f"{FILE_NAME}: slice {rule.name!r} names {min(unknown)!r}, which is no element.",
            code="settings.slice-element",
        )
    from assay.compositions import elements

    return np.array([not wanted.isdisjoint(elements(formula)) for formula in table["formula"]])


def _symbols() -> set[str]:
    from pymatgen.core import Element

    return {element.symbol for element in Element}


def family(name: str) -> set[str]:
    """The symbols of a family of elements, as pymatgen tells it; oxides are what holds oxygen."""
    from pymatgen.core import Element

    if name == "oxide":
        return {"O"}
    if name == "pnictogen":  # which pymatgen has no word for
        return {element.symbol for element in Element if element.group == PNICTOGENS}
    word = _WORDS.get(name, name)
    return {element.symbol for element in Element if getattr(element, f"is_{word}")}
