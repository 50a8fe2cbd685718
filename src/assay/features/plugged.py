"""Any other featurizer of matminer as a transformer: it runs through matminer, a call a formula."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assay.compositions import parse
from assay.features.transformers import FormulaFeatures, GapError, column_of_formulas
from assay.processes import end_with_parent, pool_of, safe_path
from assay.texts import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

# starting processes takes longer than fewer rows
FEW = 2_000
CHUNK = 200
IMPUTE = "impute_nan"

# the features of one formula, or a clause on why there are none
Found = list[Any] | str


class MatminerFeatures(FormulaFeatures):
    """Features by one of matminer's composition featurizers, a call a formula.

    Nothing is imputed unless `options` has `impute_nan=True`, which is matminer's own default: an
    element that a table lacks would get the mean of all others.

    Args:
        featurizer: name of a class of `matminer.featurizers.composition`, such as `BandCenter`.
        preset: name of a preset of it, such as `deml` of `ElementProperty`, if it needs one.
        options: what else it is made with.
        jobs: processes for columns of 2,000 rows or more (default: 1, as most featurizers take
            less time than processes take to start).
        on_gap: what to do with a formula for which matminer has no number or raises an error:
            `raise` a GapError (default), or give `nan` for an imputer further on in the pipeline.
    """

    def __init__(
        self,
        featurizer: str,
        preset: str | None = None,
        options: Mapping[str, Any] | None = None,
        jobs: int = 1,
        on_gap: Literal["raise", "nan"] = "raise",
    ) -> None:
        """Keep what it is made with, as scikit-learn wants it."""
        self.featurizer = featurizer
        self.preset = preset
        self.options = options
        self.jobs = jobs
        self.on_gap = on_gap

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Features of the n formulas in `X`: (n, features) floats; NaN only if `on_gap` says so.

        Raises:
            GapError: matminer has no number for formulas, or raises an error for them.
            ValueError: a formula cannot be read, or a feature is no number.
        """
        formulas = column_of_formulas(X)
        for formula in formulas:
            parse(formula)
        source = self._source()  # after them: it reads its tables for a tenth of a second
        names = list(source.feature_labels())
        values, gaps = np.full((len(formulas), len(names)), np.nan), {}
        for place, found in enumerate(self._found(source, formulas)):
            if isinstance(found, str):
                gaps[place] = found
            else:
                values[place] = self._numbers(found, names, formulas[place])
        values[~np.isfinite(values)] = np.nan
        for place in np.flatnonzero(np.isnan(values).any(axis=1)).tolist():
            gaps.setdefault(place, _lacking(names, values[place]))
        if gaps and self.on_gap != "nan":
            raise GapError({place: self._said(formulas[place], gaps[place]) for place in gaps})
        return values

    def _found(self, source: Any, formulas: Sequence[str]) -> "Iterable[Found]":
        one = partial(_featurized, source)
        # one that was saved before may have None, which was the default
        jobs = self.jobs or 1
        if jobs == 1 or len(formulas) < FEW:
            return map(one, formulas)
        return _side_by_side(one, formulas, jobs)

    def _numbers(self, found: list[Any], names: list[str], formula: str) -> list[float]:
        if len(found) != len(names):
            raise ValueError(
                f"matminer's {self.featurizer} gives {len(found)} values for {formula!r} and names "
                f"{len(names)}: take another featurizer."
            )
        for name, value in zip(names, found, strict=True):
            if isinstance(value, str | bytes):
                raise ValueError(  # noqa: TRY004 (of a featurizer, not of an argument)
                    f"the feature {name!r} of matminer's {self.featurizer} is text ({value!r:.40} "
                    f"for {formula!r}), which no estimator can use: take another featurizer."
                )
        return [np.nan if value is None else float(value) for value in found]

    def _said(self, formula: str, reason: str) -> tuple[str, str]:
        return formula, f"{formula!r} cannot be featurised: matminer's {self.featurizer} {reason}"

    def _names(self) -> list[str]:
        return list(self._source().feature_labels())

    def _source(self) -> Any:
        import matminer.featurizers.composition as known

        kind = getattr(known, self.featurizer)
        make: Callable[..., Any] = partial(kind.from_preset, self.preset) if self.preset else kind
        options = dict(self.options or {})
        if IMPUTE in inspect.signature(kind.from_preset if self.preset else kind).parameters:
            options.setdefault(IMPUTE, False)
        return make(**options)


def _featurized(source: Any, formula: str) -> Found:
    """What a featurizer of matminer says of one formula."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a missing value becomes a gap, which is reported
            return list(source.featurize(parse(formula)))
    except (ImportError, OSError, MemoryError):  # of this machine, not of a formula
        raise
    except Exception as error:  # noqa: BLE001 (matminer raises KeyError, TypeError and others)
        said = on_one_line(str(error)).strip()
        return f"raises {type(error).__name__}{': ' if said else ''}{said:.200}"


def _lacking(names: Sequence[str], values: np.ndarray) -> str:
    return f"has no number for its feature {names[int(np.flatnonzero(np.isnan(values))[0])]!r}"


def _side_by_side(one: Callable[[str], Found], formulas: Sequence[str], jobs: int) -> list[Found]:
    with safe_path():
        pool = pool_of(jobs, end_with_parent)
        found = pool.map(one, formulas, chunksize=CHUNK)
    try:
        return list(found)
    finally:
        pool.shutdown(cancel_futures=True)
