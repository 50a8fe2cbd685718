"""What a model, or a featurizer in it, says of compositions, of which it may refuse some.

An author's code may raise anything. Golden rows record that as no answer; sanity judges it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.compositions import problem
from assay.features.transformers import FormulaFeatures, GapError
from assay.predictions import rounded
from assay.replies import features_of

# columns of a featurizer that are recorded at most
WIDEST = 10_000

Ask = Callable[[list[str]], np.ndarray]
Row = list[float] | None


def names_of(featurizer: FormulaFeatures) -> list[str]:
    """What its columns are called; none for one that cannot say, and so records no numbers."""
    try:
        names = [str(name) for name in featurizer.get_feature_names_out()]
    except Exception:  # noqa: BLE001 (one that was never fitted need not be sound)
        return []
    return names if len(names) <= WIDEST else []


def answers(ask: Ask, formulas: list[str], width: int) -> list[Row]:
    """Numbers (n, width) at nine digits, a row a composition, or None where there is none.

    Those with an answer are asked for together, as they will be when they are compared.
    """
    rows: list[Row] = [None] * len(formulas)
    readable = [place for place, text in enumerate(formulas) if problem(text) is None]
    others = sorted(set(range(len(formulas))) - set(readable))
    places = sorted(
        _answered(ask, formulas, readable, width) + _answered(ask, formulas, others, width)
    )
    if places:
        try:
            found = _numbers(ask([formulas[place] for place in places]), len(places), width)
        except Exception:  # noqa: BLE001 (what an author's code raises; sanity judges it)
            return rows
        for place, row in zip(places, found, strict=True):
            rows[place] = row
    return rows


def _answered(ask: Ask, formulas: list[str], places: list[int], width: int) -> list[int]:
    """The places that have an answer, in few calls: a forest takes as long for one as for all."""
    try:
        found = _numbers(ask([formulas[place] for place in places]), len(places), width)
    except GapError as error:
        parts = [[place for at, place in enumerate(places) if at not in error.gaps]]
    except Exception:  # noqa: BLE001 (what an author's code raises; sanity judges it)
        middle = len(places) // 2
        parts = [places[:middle], places[middle:]]
    else:
        return [place for place, row in zip(places, found, strict=True) if row is not None]
    smaller = [part for part in parts if 0 < len(part) < len(places)]
    return [place for part in smaller for place in _answered(ask, formulas, part, width)]


def is_answered(ask: Ask, formula: str, width: int) -> bool:
    """Whether there are `width` finite numbers for a composition."""
    try:
        return _numbers(ask([formula]), 1, width) != [None]
    except Exception:  # noqa: BLE001
        return False


def _numbers(values: Any, count: int, width: int) -> list[Row]:
    found = table(values, count)
    if not width or found.shape != (count, width):
        raise ValueError(f"{found.shape} numbers instead of {(count, width)}")
    return [rounded(row).tolist() if np.isfinite(row).all() else None for row in found]


def table(values: Any, count: int) -> np.ndarray:
    """Numbers of n compositions as (n, k) floats: a column where they were (n,).

    Raises:
        MismatchedAnswerError: there is not one row for each of `count` compositions.
    """
    array = np.asarray(features_of(values, count, "a featurizer or the model"), dtype=float)
    return array.reshape(count, -1) if array.size else array.reshape(count, 0)
