"""A figure beside its bar."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from benchmarks.gate.bars import STANDARD_ERRORS

Sense = Literal["at most", "at least"]


@dataclass(frozen=True)
class Finding:
    """One measured figure.

    Attributes:
        item: the item of the protocol.
        group: what it is an instance of; a summary tells the worst of each group.
        name: under which circumstances it was measured.
        value: the figure: a rate, or a mean in MAE of the reference.
        error: its standard error, or None where nothing is random.
        runs: on how many independent runs it rests.
        bar: what it is held against, or None where it is published only.
        sense: on which side of the bar it must stay.
        allowed: the bar with the allowance for chance that was fixed beforehand.
        key: what tables and figures look it up by.
    """

    item: str
    group: str
    name: str
    value: float
    error: float | None
    runs: int
    bar: float | None = None
    sense: Sense = "at most"
    allowed: float | None = None
    key: tuple[Any, ...] = field(default=())

    @property
    def holds(self) -> bool | None:
        """Whether the bar is kept; None without a bar. NaN keeps none."""
        if self.bar is None:
            return None
        limit = self.bar if self.allowed is None else self.allowed
        return bool(self.value <= limit if self.sense == "at most" else self.value >= limit)

    def as_record(self) -> dict[str, Any]:
        """Plain values for JSON, rounded to what the runs can tell; NaN becomes None."""
        record = {**asdict(self), "key": list(self.key), "holds": self.holds}
        for name in ("value", "error", "allowed"):
            value = record[name]
            known = value is not None and math.isfinite(value)
            # rounding leaves a little below nothing where nothing was learned
            record[name] = float(f"{round(value, 9):.6g}") + 0.0 if known else None
        return record


def rate(
    item: str,
    group: str,
    name: str,
    hits: Sequence[float],
    bar: float | None = None,
    key: tuple[Any, ...] = (),
) -> Finding:
    """A share of runs; at most `bar` plus three standard errors of a share that is `bar`."""
    runs, value = len(hits), float(np.mean(hits))
    error = math.sqrt(value * (1 - value) / runs)
    allowed = None
    if bar is not None:
        allowed = bar + STANDARD_ERRORS * math.sqrt(bar * (1 - bar) / runs)
    return Finding(item, group, name, value, error, runs, bar, "at most", allowed, key)


def mean(
    item: str,
    group: str,
    name: str,
    values: Sequence[float],
    bar: float | None = None,
    sense: Sense = "at most",
    key: tuple[Any, ...] = (),
) -> Finding:
    """A mean over runs."""
    runs = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(runs) if runs > 1 else None
    value = float(np.mean(values))
    return Finding(item, group, name, value, error, runs, bar, sense, None, key)


def upper_bound(count: int, runs: int) -> float:
    """Exact upper 95 % bound of a rate that was seen `count` times in so many runs.

    Source: Clopper and Pearson, Biometrika 26, 404 (1934); 3 / runs for none.
    """
    from scipy.stats import beta

    return float(beta.ppf(0.95, count + 1, runs - count)) if count < runs else 1.0
