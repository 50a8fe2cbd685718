"""Which rules every run must evaluate, on which tables: what main asks of a record of the checks.

The names stand here beside the rules that `suites` makes, since those take Great Expectations to
make, which the trusted half does without; a test holds the two against each other.
"""

import math
from collections.abc import Sequence

import numpy as np

from assay.settings import Settings

_ROWS = (
    *("row_id.present", "row_id.unique", "row_id.form"),
    *("formula.present", "formula.readable", "formula.missing", "formula.featurizable"),
)
_TRAIN = (
    *_ROWS,
    *("formula.reduced", "formula.oxidation", "systems.enough"),
    *("target.number", "target.finite", "target.varies", "duplicates.agree"),
)
# of train set and sealed inputs together, and so of the table that a change is in
LEAKAGE = ("leakage.composition", "leakage.near", "leakage.system")

_HISTORY = (
    *("history.ids", "history.renumbered", "history.duplicates", "history.formulas"),
    *("history.labels", "history.size"),
)

Demands = dict[str, tuple[str, ...]]


def demanded(settings: Settings) -> Demands:
    """The rules of train set, sealed inputs and pool, by the name of the table."""
    return {
        "train": (*_TRAIN, *_bounds(settings), *LEAKAGE),
        "sealed_inputs": (*_ROWS, "columns", "systems.enough"),
        "pool": (*_ROWS, "columns"),
    }


def demanded_of_changes(settings: Settings, labels: Sequence[float] | np.ndarray) -> Demands:
    """The further rules where the train set is not main's, whose labels (n,) are given."""
    low, high = np.nanquantile(labels, [0.25, 0.75])
    number = settings.target.kind == "number"
    by_number = ("history.rounded", "history.unit", "history.exchanged") if number else ()
    by_size = ("history.relabelled", "history.scale") if number and low != high else ()
    return {
        "train": (*_HISTORY, *by_number, *by_size),
        "main": ("history.rows",),
        "elements": ("history.elements", "history.chemistry"),
    }


def _bounds(settings: Settings) -> tuple[str, ...]:
    target = settings.target
    if target.kind == "class":
        return ("target.class",)
    bounded = not (math.isinf(target.lower) and math.isinf(target.upper))
    return ("target.bounds",) if bounded else ()
