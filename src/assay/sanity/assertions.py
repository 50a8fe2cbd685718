"""What the properties require of predictions, and how they say which composition breaks them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from assay.model.builder import place_of, told
from assay.predictions import MismatchedAnswerError

# One example is a batch of compositions: a forest answers a hundred as fast as one.
BATCH = 12
# Predictions of an honest model are narrower than the labels, which hold noise as well.
WIDER = 1.5

PARSE = (
    "read formulas with assay.compositions.parse, which knows all spellings and refuses the rest"
)

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


def answered(predict: Predict, formulas: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The formulas that a model predicts, and their predictions.

    Left out are those that it refuses, as it may: a feature of it may not exist for them.

    Raises:
        FalsifiedError: it raises anything but a ValueError for one, refuses only all together, or
            gives not one number for each.
    """
    try:
        return list(formulas), _one_each(formulas, predict(formulas))
    except MismatchedAnswerError as error:
        raise FalsifiedError(str(error), formulas[0]) from error
    except Exception as error:
        kept = [formula for formula in formulas if _refusal(predict, formula) is None]
        if len(kept) == len(formulas):
            raise FalsifiedError(
                f"{len(formulas)} formulas are predicted each alone, but not together "
                f"({told(error)})",
                formulas[0],
            ) from error
        return kept, _one_each(kept, predict(kept)) if kept else np.empty(0)


def _one_each(formulas: Sequence[str], values: np.ndarray) -> np.ndarray:
    if values.shape != (len(formulas),):
        raise FalsifiedError(
            f"{len(formulas)} formulas get predictions of shape {values.shape}", formulas[0]
        )
    return values


def answered_pairs(
    predict: Predict, pairs: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray]:
    """The pairs of formulas of which a model predicts both, with both predictions (n,).

    Raises as `answered`.
    """
    asked = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    usual, values = answered(predict, asked)
    if len(usual) == len(asked):
        return list(pairs), values[: len(pairs)], values[len(pairs) :]
    known = set(usual)
    kept = [pair for pair in pairs if known.issuperset(pair)]
    by_formula = dict(zip(usual, values.tolist(), strict=True))
    both = np.array([[by_formula[one] for one in pair] for pair in kept]).reshape(-1, 2)
    return kept, both[:, 0], both[:, 1]


def _refusal(predict: Predict, formula: str) -> str | None:
    """What a model says when it refuses a formula that can be read; None if it does not.

    Raises:
        FalsifiedError: it raises anything but a ValueError.
    """
    try:
        predict([formula])
    except ValueError as error:
        return told(error)
    except Exception as error:
        place = place_of(Path.cwd(), error)
        raise FalsifiedError(
            f"{formula!r} raises {told(error)}{f' in {place}' if place else ''}, where a "
            "ValueError would refuse it",
            formula,
            type(error).__name__,
        ) from error
    return None


def require_equal(
    predict: Predict, ours: Sequence[str], theirs: Sequence[str], tolerance: float
) -> None:
    """Predict both lists of formulas, pairwise the same composition, and compare.

    Raises:
        FalsifiedError: a pair differs by more than `tolerance` (times the size of the value, if
            that is above one), or one spelling is refused and the other is not.
    """
    asked = list(zip(ours, theirs, strict=True))
    pairs, first, second = answered_pairs(predict, asked)
    for one, other in [] if len(pairs) == len(asked) else set(asked) - set(pairs):
        refused = [text for text in (one, other) if _refusal(predict, text) is not None]
        if len(refused) == 1:
            known = one if refused == [other] else other
            raise FalsifiedError(
                f"{refused[0]!r} is refused ({_refusal(predict, refused[0])}), but {known!r}, the "
                f"same composition, is predicted: {PARSE}",
                refused[0],
            )
    names, others = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    require_close(names, first, second, tolerance, others)


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
    if not len(names):
        return
    sizes = np.where(np.isnan(changes), np.inf, np.abs(changes))
    worst = int(sizes.argmax())
    if sizes[worst] > most:
        raise FalsifiedError(
            f"{names[worst]} {reason} by {sizes[worst]:.4g}, more than {most:.4g}",
            names[worst],
            f"{values[worst]:.6g}",
        )


def require_same_scale(predictions: np.ndarray, labels: np.ndarray, which: str) -> None:
    """Require that predictions (n,) lie on the scale of the labels (n,), in the target's unit.

    Raises:
        FalsifiedError: their median lies outside the labels' quartiles (and mean), or both their
            interquartile range and their standard deviation are over `WIDER` times the labels'.
    """
    low, _, high = np.quantile(labels, (0.25, 0.5, 0.75))
    first, median, last = np.quantile(predictions, (0.25, 0.5, 0.75))
    # the mean is what a model that knows nothing predicts, also far from the quartiles
    slack = 0.05 * (high - low) + 1e-6 * abs(float(labels.mean()))
    bottom, top = min(low, labels.mean()) - slack, max(high, labels.mean()) + slack
    told_labels = f"the labels' lie at {low:.4g} and {high:.4g}"
    if not bottom <= median <= top:
        raise FalsifiedError(
            f"half of the predictions {which} lie beyond {median:.4g}, which is outside of the "
            f"middle half of the labels ({told_labels}): are they in the target's unit, and not "
            "standardised or a logarithm?",
            value=f"{median:.4g}",
        )
    wide, spread = last - first, float(np.std(predictions))
    if wide > WIDER * (high - low) and spread > WIDER * float(np.std(labels)):
        raise FalsifiedError(
            f"the quartiles of the predictions {which} lie at {first:.4g} and {last:.4g}, and "
            f"{told_labels}: {wide / max(high - low, 1e-300):.3g} times as wide, more than "
            f"{WIDER:g}; are they on the labels' scale?",
            value=f"{wide:.4g}",
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
    except MismatchedAnswerError as error:
        raise FalsifiedError(f"{text!r} should be refused, but {error}", text) from error
    except Exception as error:
        kind = type(error).__name__
        raise FalsifiedError(
            f"{text!r} raises {kind}, not ValueError: {PARSE}", text, kind
        ) from error
    value = next(iter(np.asarray(values).reshape(-1)[::-1]), "no number at all")
    raise FalsifiedError(
        f"{text!r} should be refused, but is predicted as {value}: {PARSE}", text, value
    )
