"""Rows of one composition: whether their values agree, and which one stands for them."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from assay.errors import UsageError
from assay.features.parsing import amounts
from assay.features.spelling import groups
from assay.intake.faults import Fault
from assay.intake.policy import Rule

RULES: tuple[str, ...] = get_args(Rule)
# of the interquartile range of the labels, or of their range where that is zero
TOLERANCE = 0.05
# lines that are named
SHOWN = 4


@dataclass(frozen=True)
class Merged:
    """One row a composition; `repeated` rows went into `compositions` that stood several times.

    `disagreeing` compositions have values further apart than the tolerance, `spread` at most.
    """

    rows: pd.DataFrame
    repeated: int
    compositions: int
    disagreeing: int
    spread: float
    faults: tuple[Fault, ...]


def relative_tolerance(values: np.ndarray) -> float:
    """How far values of one composition may lie apart, in the unit of `values` (n,)."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(TOLERANCE * ((high - low) or np.ptp(values)))


def merge(rows: pd.DataFrame, target: str, rule: Rule, tolerance: float) -> Merged:
    """Let one row stand for each composition, which are one where their atomic shares are.

    Args:
        rows: `formula`, the target as numbers, and further columns; the index holds lines.
        target: the column to learn.
        rule: which value stands for several; under `refuse` the first of those that agree.
        tolerance: how far values may lie apart and agree, in the unit of the target.
    """
    names = pd.Series(groups(amounts(list(rows["formula"]))), index=rows.index)
    values = rows.groupby(names)[target]
    apart = values.transform("max") - values.transform("min")
    several = values.transform("size") > 1
    wide = apart > tolerance
    faults = _disagreements(rows[wide], names[wide], target) if rule == "refuse" else ()
    return Merged(
        _kept(rows, names, target, rule),
        int(several.sum() - names[several].nunique()),
        int(names[several].nunique()),
        int(names[wide].nunique()),
        float(apart.max()),
        faults,
    )


def _kept(rows: pd.DataFrame, names: pd.Series, target: str, rule: Rule) -> pd.DataFrame:
    values = rows.groupby(names, sort=False)[target]
    if rule in {"lowest", "highest"}:
        at = values.idxmin() if rule == "lowest" else values.idxmax()
        return rows.loc[sorted(at)]
    kept = rows[~names.duplicated()]
    if rule in {"median", "mean"}:
        found = values.median() if rule == "median" else values.mean()
        kept = kept.assign(**{target: found.loc[names[kept.index]].to_numpy()})
    return kept


def _disagreements(rows: pd.DataFrame, names: pd.Series, target: str) -> tuple[Fault, ...]:
    values = rows.groupby(names)[target]
    spans = [values.transform(what) for what in ("min", "max")]
    lines = {name: _lines(at) for name, at in rows.groupby(names).groups.items()}
    return tuple(
        Fault(
            int(line),
            target,
            f"{value:.12g}",
            "composition.disagrees",
            f"{formula} stands in {lines[name]}, with values from {low:g} to {high:g}",
        )
        for line, formula, name, value, low, high in zip(
            rows.index, rows["formula"], names, rows[target], *spans, strict=True
        )
    )


def _lines(at: pd.Index) -> str:
    if len(at) > SHOWN:
        return f"{len(at)} lines"
    return f"lines {', '.join(map(str, at[:-1]))} and {at[-1]}"


def require_rule(rule: str, kind: str) -> None:
    """Insist on a rule that the kind of target has.

    Raises:
        UsageError: there is no such rule, or it would make a class of two.
    """
    known = [one for one in RULES if kind == "number" or one not in {"mean", "median"}]
    if rule not in known:
        raise UsageError(
            f"--duplicates is {rule!r}, but for a {kind} there are {', '.join(known)}.",
            code="intake.no-rule",
        )
