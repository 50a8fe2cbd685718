"""Golden rows: what a model and its features said of fixed compositions when it was made.

A bundle carries them instead of the machinery. They are computed again before it predicts, so that
an update of assay that would change a prediction is refused, and any other one is not. An author's
code may raise anything: golden rows record that as no answer.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from assay.compositions import problem
from assay.errors import NotCarriedOutError, RefusedError
from assay.features.interface import GOLDEN, INTERFACE
from assay.features.transformers import FormulaFeatures, GapError
from assay.files import write_text
from assay.model.inference import predict
from assay.predictions import DIGITS, features_of, rounded
from assay.records import Record, read_record
from assay.texts import on_one_line

# columns of a featurizer that are recorded at most
WIDEST = 10_000

Ask = Callable[[list[str]], np.ndarray]
Row = list[float] | None
FILE = "golden.json"
# of the value, and near zero: as `assay verify` compares
CLOSE, NOTHING = 10.0 ** (1 - DIGITS), 1e-9
# what a bundle records at most; predictions follow from the rest, too
MOST = 100
# a model that calculates in single precision has no more digits, and processors differ in the last
SINGLE = 1e-5
SMALL = (
    " (all differ by less than 1 in 100,000, as on another processor where a model calculates in "
    "float32: predict on one like that of the certified run, or certify one in float64)"
)
REMEDY = (
    "predict from the commit that its certificate names, or certify the model again: `make check "
    "score` on main"
)

Rows = Annotated[list[Row], Field(max_length=1000)]
Formula = Annotated[str, Field(min_length=1, max_length=200)]


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
    asked = [formulas[place] for place in places]
    try:
        found = _numbers(ask(asked), len(places), width)
    except Exception as error:  # noqa: BLE001 (what an author's code raises; sanity judges it)
        gaps = error.reasons(asked) if isinstance(error, GapError) else {}
        middle = len(places) // 2
        halves = [places[:middle], places[middle:]]
        parts = [[place for at, place in enumerate(places) if at not in gaps]] if gaps else halves
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


class Features(Record):
    """What one featurizer gives: `names` (k,) and for each composition k numbers, or null."""

    featurizer: str
    names: Annotated[list[str], Field(max_length=WIDEST)]
    rows: Rows


class GoldenRows(Record):
    """Compositions with features and predictions at nine significant digits; null: no number."""

    interface: int
    formulas: Annotated[list[Formula], Field(max_length=1000)]
    features: Annotated[list[Features], Field(max_length=MOST)]
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
    features = []
    for one in featurizers(model):
        names = names_of(one)
        rows = answers(one.transform, texts, len(names))
        features.append(Features(featurizer=type(one).__name__, names=names, rows=rows))
    predictions = answers(_ask(model), texts, 1)
    return GoldenRows(
        interface=INTERFACE, formulas=texts, features=features, predictions=predictions
    )


def require_unchanged(folder: Path, model: Any, width: float | None = None) -> None:
    """Insist that features and predictions are those of the day on which a bundle was made.

    Args:
        folder: the bundle.
        model: what was loaded from it.
        width: half the width of its prediction interval, in the target's unit; None for a class.

    Raises:
        RefusedError: the feature interface or a golden row is another one; the text names it.
        NotCarriedOutError: the golden rows cannot be read, or the model cannot predict here.
    """
    kept = read_record(GoldenRows, folder / FILE)
    found = next(differences(kept, model, width), None)
    if found is not None:
        raise RefusedError(
            f"this version of assay predicts other values with this model: {found}; {REMEDY}.",
            code="golden.changed",
        )


def require_interface(folder: Path) -> None:
    """Insist that a bundle has golden rows, of this version of the feature interface.

    Raises:
        RefusedError: it was made with another version, or before there were any.
        NotCarriedOutError: they cannot be read.
    """
    if not (folder / FILE).exists() and (folder / "code" / "assay").is_dir():
        raise RefusedError(
            "the bundle was made before assay 0.2.0, so it cannot be checked whether its features "
            "are still the same: certify the model again, by `make check score` on main.",
            code="golden.none",
        )
    made = read_record(GoldenRows, folder / FILE).interface
    if made != INTERFACE:
        raise RefusedError(
            f"the bundle was made with version {made} of the feature interface, and this assay has "
            f"{INTERFACE}: {REMEDY}.",
            code="golden.other-interface",
        )


def differences(kept: GoldenRows, model: Any, width: float | None = None) -> Iterator[str]:
    """What is not as it was, a clause each: features first, as predictions follow from them.

    `width` is half that of the model's prediction interval: near zero, predictions are measured by
    it, since nobody knows how large their unit is.

    Raises:
        NotCarriedOutError: a library, a file or memory is missing, so nothing can be compared.
    """
    nothing = NOTHING if width is None else NOTHING * min(1, width)
    present = featurizers(model)
    if [type(one).__name__ for one in present] != [one.featurizer for one in kept.features]:
        yield "the model has other featurizers than its golden rows"
        return
    for one, was in zip(present, kept.features, strict=True):
        yield from _changed(kept.formulas, was.rows, one.transform, was.names, NOTHING)
    yield from _changed(kept.formulas, kept.predictions, _ask(model), ["the prediction"], nothing)


def featurizers(model: Any) -> list[FormulaFeatures]:
    """The featurizers of assay in a fitted model, wherever in it they are, each once.

    Two of the same kind and parameters are one, as they learn nothing: an ensemble holds hundreds.
    An author's own kinds may, so each of those counts; at most `MOST` are found.
    """
    found: dict[Any, FormulaFeatures] = {}
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, FormulaFeatures):
            ours = type(one).__module__.startswith("assay.")
            found.setdefault((type(one), repr(one.get_params())) if ours else id(one), one)
        waiting.extend(reversed(_parts(one)))
    return list(found.values())[:MOST]


def _parts(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return list(one.values())
    if isinstance(one, list | tuple):
        return list(one)
    if isinstance(one, np.ndarray):
        return list(one.flat) if one.dtype == object else []
    if isinstance(one, type) or inspect.isroutine(one) or inspect.ismodule(one):
        return []
    return list(getattr(one, "__dict__", {}).values())


def _ask(model: Any) -> Ask:
    return lambda formulas: predict(model, formulas)


def _changed(
    formulas: Sequence[str], rows: Sequence[Row], ask: Ask, names: Sequence[str], nothing: float
) -> Iterator[str]:
    known = [place for place, row in enumerate(rows) if row is not None]
    try:
        now = (
            table(ask([formulas[place] for place in known]), len(known))
            if known
            else np.empty((0, len(names)))
        )
    except (ImportError, OSError, MemoryError) as error:  # of this machine, not of a value
        raise NotCarriedOutError(
            f"the model cannot predict here ({_short(repr(error))}), whatever the rows: fix the "
            "environment (`make setup`) or the machine, and run the same command again.",
            code="model.cannot-predict",
        ) from None
    except Exception as error:  # noqa: BLE001 (what an author's code raises)
        yield f"a composition that had an answer has none ({_short(str(error))})"
        return
    was = np.array([rows[place] for place in known], dtype=float).reshape(len(known), len(names))
    if now.shape != was.shape:
        yield f"{len(was)} compositions have {now.shape} numbers, not {was.shape}"
        return
    same = np.isclose(now, was, rtol=CLOSE, atol=nothing)
    small = SMALL if np.isclose(now, was, rtol=SINGLE, atol=nothing).all() else ""
    for row, column in np.argwhere(~same).tolist():
        name, formula = _short(names[column]), _short(formulas[known[row]])
        values = f"{now[row, column]:.9g}, and was {was[row, column]:.9g}"
        yield f"{name} of {formula} is {values}{small}"
    for place, answer in enumerate(rows):
        if answer is None and is_answered(ask, formulas[place], len(names)):
            yield f"{_short(formulas[place])}, which had no answer, has one"


def _short(text: str) -> str:
    """What a bundle says, such that it can be shown."""
    return on_one_line(text)[:200]
