"""Golden rows: what a model and its features said of fixed compositions when it was made.

A bundle carries them instead of the machinery. They are computed again before it predicts, so that
an update of assay that would change a prediction is refused, and any other one is not.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from assay.errors import RefusedError
from assay.features.interface import GOLDEN, INTERFACE
from assay.features.transformers import FormulaFeatures
from assay.files import write_text
from assay.model.inference import predict
from assay.predictions import DIGITS, rounded
from assay.records import Record, read_record

FILE = "golden.json"
# of the value, and near zero: as `assay verify` compares (docs/batches.md)
CLOSE, NOTHING = 10.0 ** (1 - DIGITS), 1e-9
REMEDY = (
    "predict from the commit that its certificate names, or certify the model again: `make check "
    "score` on main"
)

Ask = Callable[[list[str]], np.ndarray]
Row = list[float] | None
Rows = Annotated[list[Row], Field(max_length=1000)]
Formula = Annotated[str, Field(min_length=1, max_length=200)]


class Features(Record):
    """What one featurizer gives: `names` (k,) and for each composition k numbers, or null."""

    featurizer: str
    names: Annotated[list[str], Field(max_length=100_000)]
    rows: Rows


class GoldenRows(Record):
    """Compositions with features and predictions at nine significant digits; null: no number."""

    interface: int
    formulas: Annotated[list[Formula], Field(max_length=1000)]
    features: Annotated[list[Features], Field(max_length=100)]
    predictions: Rows

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        tables = [(one.rows, len(one.names)) for one in self.features]
        for rows, width in (*tables, (self.predictions, 1)):
            if len(rows) != len(self.formulas):
                raise ValueError("each composition must have a row, or null")
            if any(row is not None and len(row) != width for row in rows):
                raise ValueError("each row must have a number for each name")
        return self

    def write(self, path: Path) -> None:
        """Write it on one line."""
        write_text(path, self.model_dump_json() + "\n")


def golden_rows(model: Any, formulas: Sequence[str] = GOLDEN) -> GoldenRows:
    """Ask a fitted model, and the featurizers of assay in it, for the compositions."""
    texts = list(formulas)
    features = [
        Features(
            featurizer=type(one).__name__,
            names=[str(name) for name in one.get_feature_names_out()],
            rows=_answers(one.transform, texts),
        )
        for one in featurizers(model)
    ]
    predictions = _answers(_ask(model), texts)
    return GoldenRows(
        interface=INTERFACE, formulas=texts, features=features, predictions=predictions
    )


def require_unchanged(folder: Path, model: Any) -> None:
    """Insist that features and predictions are those of the day on which a bundle was made.

    Raises:
        RefusedError: the feature interface or a golden row is another one; the text names it.
        NotCarriedOutError: the bundle's golden rows cannot be read.
    """
    kept = read_record(GoldenRows, folder / FILE)
    found = next(differences(kept, model), None)
    if found is not None:
        raise RefusedError(f"this assay does not predict what it did: {found}; {REMEDY}.")


def require_interface(folder: Path) -> None:
    """Insist that a bundle has golden rows, of this version of the feature interface.

    Raises:
        RefusedError: it was made with another version, or before there were any.
        NotCarriedOutError: they cannot be read.
    """
    if not (folder / FILE).exists() and (folder / "code" / "assay").is_dir():
        raise RefusedError(
            "the bundle was made before assay 0.2.0, which cannot tell whether its features are "
            "still the same: certify the model again, by `make check score` on main or by merging "
            "a commit."
        )
    made = read_record(GoldenRows, folder / FILE).interface
    if made != INTERFACE:
        raise RefusedError(
            f"the bundle was made with version {made} of the feature interface, and this assay has "
            f"{INTERFACE}: {REMEDY}."
        )


def differences(kept: GoldenRows, model: Any) -> Iterator[str]:
    """What is not as it was, a clause each: features first, as predictions follow from them."""
    present = featurizers(model)
    if [type(one).__name__ for one in present] != [one.featurizer for one in kept.features]:
        yield "the model has other featurizers than its golden rows"
        return
    for one, was in zip(present, kept.features, strict=True):
        yield from _changed(kept.formulas, was.rows, one.transform, was.names)
    yield from _changed(kept.formulas, kept.predictions, _ask(model), ["the prediction"])


def featurizers(model: Any) -> list[FormulaFeatures]:
    """The featurizers of assay in a fitted model, wherever in it they are, each once."""
    found: list[FormulaFeatures] = []
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, FormulaFeatures):
            found.append(one)
        waiting.extend(reversed(_parts(one)))
    return found


def _parts(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return list(one.values())
    if isinstance(one, list | tuple):
        return list(one)
    if isinstance(one, type) or inspect.isroutine(one) or inspect.ismodule(one):
        return []
    return list(getattr(one, "__dict__", {}).values())


def _ask(model: Any) -> Ask:
    return lambda formulas: predict(model, formulas)


def _answers(ask: Ask, formulas: list[str]) -> list[Row]:
    """Numbers at nine digits, a row a composition, or None where there is none.

    Those with an answer are asked for together, as they will be when they are compared.
    """
    try:
        return _numbers(ask(formulas))
    except Exception:  # noqa: BLE001 (what an author's code raises; sanity judges it)
        answered = [place for place, text in enumerate(formulas) if _is_answered(ask, text)]
    rows: list[Row] = [None] * len(formulas)
    if answered:
        try:
            found = _numbers(ask([formulas[place] for place in answered]))
        except Exception:  # noqa: BLE001
            return rows
        for place, row in zip(answered, found, strict=True):
            rows[place] = row
    return rows


def _is_answered(ask: Ask, formula: str) -> bool:
    try:
        return bool(np.isfinite(ask([formula])).all())
    except Exception:  # noqa: BLE001
        return False


def _numbers(values: Any) -> list[Row]:
    table = _table(values)
    return [rounded(row).tolist() if np.isfinite(row).all() else None for row in table]


def _table(values: Any) -> np.ndarray:
    array = np.asarray(pd.DataFrame(np.asarray(values, dtype=float)), dtype=float)
    return array.reshape(len(array), -1)


def _changed(
    formulas: Sequence[str], rows: Sequence[Row], ask: Ask, names: Sequence[str]
) -> Iterator[str]:
    known = [place for place, row in enumerate(rows) if row is not None]
    try:
        now = (
            _table(ask([formulas[place] for place in known]))
            if known
            else np.empty((0, len(names)))
        )
    except Exception as error:  # noqa: BLE001 (what an author's code raises)
        yield f"a composition that had an answer has none ({error})"
        return
    was = np.array([rows[place] for place in known], dtype=float).reshape(len(known), len(names))
    if now.shape != was.shape:
        yield f"{len(was)} compositions have {now.shape} numbers, not {was.shape}"
        return
    same = np.isclose(now, was, rtol=CLOSE, atol=NOTHING)
    for row, column in np.argwhere(~same).tolist():
        name, formula = names[column] if column < len(names) else "a number", formulas[known[row]]
        yield f"{name} of {formula} is {now[row, column]:.9g}, and was {was[row, column]:.9g}"
    for place, answer in enumerate(rows):
        if answer is None and _is_answered(ask, formulas[place]):
            yield f"{formulas[place]}, which had no answer, has one"
