"""What a bundle makes of a part of a list: a prediction with its account, or a reason, per row."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assay.batch.lists import free_names
from assay.errors import NotCarriedOutError
from assay.features.parsing import Amounts, readable
from assay.features.spelling import keys
from assay.features.transformers import GapError
from assay.misspellings import AMBIGUOUS, NITRIDE
from assay.model.intervals import interval_ends
from assay.model.loading import LoadedBundle
from assay.predictions import MismatchedAnswerError, predictions_of, rounded
from assay.texts import on_one_line

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 5_000
NUMBERS = ("prediction", "lower", "upper")
OURS = (
    *("formula", "prediction", "unit", "lower", "upper", "in_domain", "domain_reason"),
    *("evidence", "model_id", "batch_id", "prediction_id"),
)
PREDICTED_CLASS = "predicted_class"
EVEN = 0.5
LINE, REASON = "line", "reason"
Classes = tuple[str, str] | None


def columns_of(classes: Classes) -> tuple[str, ...]:
    """Our columns of a table of predictions; with named classes the predicted one among them."""
    behind = OURS.index("prediction") + 1
    named = () if classes is None else (PREDICTED_CLASS,)
    return (*OURS[:behind], *named, *OURS[behind:])


def probability_of(classes: tuple[str, str]) -> str:
    """What the column `prediction` holds for a class."""
    return f"probability of {classes[1]}"


def predict_table(
    bundle: LoadedBundle, table: pd.DataFrame, first: int, accounts: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of predictions and of the quarantine of a part of a list.

    Args:
        bundle: the model.
        table: the part, as text, with a column `formula`.
        first: the line of its first row in the list.
        accounts: `evidence`, `model_id` and `batch_id`, which every row bears.
    """
    reasons, values, content = predict_rows(bundle, list(table["formula"]))
    good = np.array([reason is None for reason in reasons], dtype=bool)
    rows = prediction_rows(table[good], content, values[good], bundle, accounts)
    return rows, quarantine_rows(table, reasons, first)


def predict_rows(
    bundle: LoadedBundle, formulas: Sequence[str]
) -> tuple[list[str | None], np.ndarray, Amounts]:
    """Predict what can be predicted, of n formulas that are parsed once.

    Returns:
        reasons (n,), None where there is a prediction; values (n,), NaN where there is none; and
        the amounts of the formulas that were predicted.

    Raises:
        NotCarriedOutError: the model is damaged, or the environment: something that it imports or
            reads is not there, or there is not memory enough. No row is to blame. A model is
            damaged, too, if it once does not answer row by row: smaller parts, whose number of
            answers fits, might be in another order all the same.
    """
    content, reasons = _set_apart(formulas)
    found = np.full(len(content), np.nan)
    told: list[str | None] = [None] * len(content)
    for start in range(0, len(content), CHUNK):
        part = range(start, min(start + CHUNK, len(content)))
        _predict_part(bundle, content, part, found, told)
    places = _without_reason(reasons)
    values = np.full(len(formulas), np.nan)
    values[places] = found
    for place, reason in zip(places.tolist(), told, strict=True):
        reasons[place] = reason
    return reasons, values, content.take(_without_reason(told))


def _set_apart(formulas: Sequence[str]) -> tuple[Amounts, list[str | None]]:
    """The amounts of the formulas to predict, and for each of all why it is not one of them."""
    content, reasons = readable(formulas)
    if NITRIDE not in content.formulas:
        return content, reasons
    kept = np.flatnonzero([formula != NITRIDE for formula in content])
    told = [
        AMBIGUOUS if formula == NITRIDE else reason
        for formula, reason in zip(formulas, reasons, strict=True)
    ]
    return content.take(kept), told


def _without_reason(reasons: Sequence[str | None]) -> np.ndarray:
    return np.flatnonzero([reason is None for reason in reasons])


def _predict_part(
    bundle: LoadedBundle,
    formulas: Amounts,
    part: Sequence[int],
    values: np.ndarray,
    reasons: list[str | None],
) -> None:
    asked = formulas.take(part)
    try:
        predicted = predictions_of(bundle.predict(asked), len(asked), "the model")
    except MismatchedAnswerError as error:
        raise NotCarriedOutError(
            _with_culprit(bundle, asked, str(error)), code="model.mismatched-answer"
        ) from None
    except NotCarriedOutError:  # of the whole model, not of a row
        raise
    except (ImportError, OSError, MemoryError) as error:
        raise NotCarriedOutError(
            f"the model cannot predict here ({on_one_line(repr(error)):.300}), whatever the rows: "
            "fix the environment (`make setup`) or the machine, and run the same command again.",
            code="model.cannot-predict",
        ) from None
    except Exception as error:  # noqa: BLE001 (the author's features may raise anything)
        for place, reason in _reasons(error, asked).items():
            reasons[part[place]] = reason
        for smaller in _left(part, reasons):
            _predict_part(bundle, formulas, smaller, values, reasons)
        return
    values[part] = predicted
    for index in np.flatnonzero(~np.isfinite(predicted)).tolist():
        row = part[index]
        reasons[row] = f"the model gave {predicted[index]} for {formulas[row]!r}"


def _with_culprit(bundle: LoadedBundle, asked: Sequence[str], sentence: str) -> str:
    """The sentence with a formula for which it holds alone, if halving finds one."""
    while len(asked) > 1:
        middle = len(asked) // 2
        halves = (asked[:middle], asked[middle:])
        found = next((half for half in halves if not _fits(bundle, half)), None)
        if found is None:
            return sentence
        asked = found
    return f"{sentence[:-1]} (the first formula that shows it: {on_one_line(asked[0])!r:.80})."


def _fits(bundle: LoadedBundle, asked: Sequence[str]) -> bool:
    try:
        predictions_of(bundle.predict(asked), len(asked), "the model")
    except MismatchedAnswerError:
        return False
    except Exception:  # noqa: BLE001 (the author's features may raise anything)
        return True
    return True


def _reasons(error: Exception, asked: Sequence[str]) -> dict[int, str]:
    """The rows that an error is about, by their places, where it can be known."""
    if len(asked) == 1:
        told = str(error) if isinstance(error, ValueError) else repr(error)
        return {0: on_one_line(told) or type(error).__name__}
    found = error.reasons(asked) if isinstance(error, GapError) else {}
    return {place: on_one_line(reason) for place, reason in found.items()}


def _left(part: Sequence[int], reasons: Sequence[str | None]) -> list[Sequence[int]]:
    """What is to be tried again: the rows without a reason, or halves where none has one yet.

    Halving finds the rows that the model refuses in a few calls, whatever its features are.
    """
    rest = [index for index in part if reasons[index] is None]
    if len(rest) < len(part):
        return [rest] if rest else []
    middle = len(part) // 2
    return [part[:middle], part[middle:]]


def prediction_ids(content: Amounts, model: str) -> list[str]:
    """An id a row, which all spellings of a composition share: 16 digits of a SHA-256.

    It is that of the model's id, and of atomic numbers and shares as 64-bit integers: formulas have
    one id if they have one `compositions.identity`.
    """
    opened, ids = hashlib.sha256(model.encode()), []
    for key in keys(content):
        found = opened.copy()
        found.update(key)
        ids.append(found.hexdigest()[:16])
    return ids


def prediction_rows(
    table: pd.DataFrame,
    content: Amounts,
    values: np.ndarray,
    bundle: LoadedBundle,
    accounts: dict[str, str],
) -> pd.DataFrame:
    """The table of predictions; what stood beside the formulas is carried along at its end.

    Numbers have nine significant digits, as those that the model was scored on.

    Args:
        table: the n candidates that were predicted, as text, with a column `formula`.
        content: the amounts of their formulas.
        values: their predictions (n,), in the unit of the bundle.
        bundle: what predicted them.
        accounts: `evidence`, `model_id` and `batch_id`, which every row bears.
    """
    metadata, values = bundle.metadata, rounded(values)
    reasons, strange = bundle.domain.judge(content)
    lower, upper = interval_ends(metadata, values, bundle.domain.difficulty(strange))
    columns = {
        "formula": list(content.formulas),
        "prediction": values,
        "unit": metadata.unit,
        "lower": rounded(lower),
        "upper": rounded(upper),
        "in_domain": np.array([not reason for reason in reasons], dtype=bool),
        "domain_reason": reasons,
        **accounts,
        "prediction_id": prediction_ids(content, accounts["model_id"]),
    }
    if metadata.classes is not None:
        columns[PREDICTED_CLASS] = np.array(metadata.classes, dtype=object)[
            (values >= EVEN).astype(int)
        ]
    names = columns_of(metadata.classes)
    # tables of older batches have no `evidence`
    ours = pd.DataFrame(columns, index=table.index)[[name for name in names if name in columns]]
    others = table.drop(columns="formula")
    return ours.join(others.set_axis(free_names(list(others.columns), names), axis="columns"))


def quarantine_rows(
    table: pd.DataFrame, reasons: Sequence[str | None], first: int = 2
) -> pd.DataFrame:
    """The candidates with a reason, as they were given, with their line and the reason.

    `first` is the line of the table's first row.
    """
    bad = [index for index, reason in enumerate(reasons) if reason is not None]
    columns = {
        LINE: [index + first for index in bad],
        REASON: [reasons[index] for index in bad],
    }
    names = free_names(list(table.columns), (LINE, REASON))
    return table.iloc[bad].set_axis(names, axis="columns").assign(**columns)


def schema(others: Sequence[str], classes: Classes = None) -> "pa.Schema":
    """The types of a table of predictions with the columns `others` of a list."""
    import pyarrow as pa

    kinds = dict.fromkeys(NUMBERS, pa.float64()) | {"in_domain": pa.bool_()}
    ours = columns_of(classes)
    names = [*ours, *free_names(others, ours)]
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])
