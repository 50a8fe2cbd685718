"""What the properties require of predictions, and how they say which composition breaks them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

# One example is a batch of compositions: a forest answers a hundred as fast as one.
BATCH = 12

Predict = Callable[[Sequence[str]], np.ndarray]


class FalsifiedError(AssertionError):
    """A property does not hold for `formula` (if one is to blame), where the model gave `value`."""

    def __init__(self, message: str, formula: str = "", value: object = "") -> None:
        """Keep what the report shows beside the message."""
        super().__init__(message)
        self.formula = formula
        self.value = str(value)


def batches(each: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of 1 to `BATCH` distinct draws."""
    return st.lists(each, min_size=1, max_size=BATCH, unique=True)


def require_equal(
    predict: Predict, ours: Sequence[str], theirs: Sequence[str], tolerance: float
) -> None:
    """Predict both lists of formulas, pairwise the same composition, and compare.

    Raises:
        FalsifiedError: a pair differs by more than `tolerance` (times the size of the value, if
            that is above one).
    """
    both = predict([*ours, *theirs])
    require_close(ours, both[: len(ours)], both[len(ours) :], tolerance, theirs)


def require_close(
    names: Sequence[str],
    first: np.ndarray,
    second: np.ndarray,
    tolerance: float,
    others: Sequence[str] | None = None,
) -> None:
    """Compare two predictions (n,) of the formulas `names`, the second perhaps as `others`.

    Raises as `require_equal` does.
    """
    if first.shape != second.shape:
        raise FalsifiedError(
            f"{len(names)} formulas get predictions of the shapes {first.shape} and {second.shape}"
        )
    allowed = tolerance * np.maximum(1, np.abs(first))
    for index in map(int, np.flatnonzero(~(np.abs(first - second) <= allowed))):
        one, two = float(first[index]), float(second[index])
        other = others[index] if others is not None else "the same formula"
        raise FalsifiedError(
            f"{names[index]} gives {one:.9g}, but {other} gives {two:.9g}", names[index], two
        )


def require_within(
    names: Sequence[str], changes: np.ndarray, most: float, reason: str, values: np.ndarray
) -> None:
    """Require that no change (n,) is larger than `most`, in the target's unit.

    Raises:
        FalsifiedError: one is larger, or is no number; the largest is told, with `reason`.
    """
    sizes = np.where(np.isnan(changes), np.inf, np.abs(changes))
    worst = int(sizes.argmax())
    if sizes[worst] > most:
        raise FalsifiedError(
            f"{names[worst]} {reason} by {sizes[worst]:.4g}, more than {most:.4g}",
            names[worst],
            f"{values[worst]:.6g}",
        )


def require_refusal(predict: Predict, batch: list[str], text: str) -> None:
    """Require a ValueError with a message.

    Raises:
        FalsifiedError: a number came back, or another error.
    """
    try:
        values = predict(batch)
    except ValueError as error:
        if str(error):
            return
        raise FalsifiedError(f"{text!r} is refused without a message", text) from error
    except Exception as error:
        kind = type(error).__name__
        raise FalsifiedError(f"{text!r} raises {kind}, not ValueError", text, kind) from error
    value = np.asarray(values).reshape(-1)[-1]
    raise FalsifiedError(f"{text!r} should be refused, but is predicted as {value}", text, value)
