"""Any other featurizer of matminer as a transformer: it runs through matminer, in processes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.compositions import parse
from assay.features.transformers import FormulaFeatures, column_of_formulas

# starting processes takes longer than fewer rows
FEW = 2_000


class MatminerFeatures(FormulaFeatures):
    """Features by one of matminer's composition featurizers, a call a formula.

    Args:
        featurizer: name of a class of `matminer.featurizers.composition`, such as `BandCenter`.
        preset: name of a preset of it, such as `deml` of `ElementProperty`, if it needs one.
        options: what else it is made with.
        jobs: processes for columns of 2,000 rows or more; all cores if None.
    """

    def __init__(
        self,
        featurizer: str,
        preset: str | None = None,
        options: Mapping[str, Any] | None = None,
        jobs: int | None = None,
    ) -> None:
        """Keep what it is made with, as scikit-learn wants it."""
        self.featurizer = featurizer
        self.preset = preset
        self.options = options
        self.jobs = jobs

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Features of the n formulas in `X`: (n, features) floats, never NaN.

        Raises:
            ValueError: a formula cannot be read, or matminer cannot featurise it.
            GapError: matminer gives NaN for formulas.
        """
        formulas = column_of_formulas(X)
        compositions = [parse(formula) for formula in formulas]
        source = self._source()  # after them: it reads its tables for a tenth of a second
        source.set_n_jobs(1 if len(formulas) < FEW else self.jobs)
        values = np.array(source.featurize_many(compositions, pbar=False), dtype=float)
        values = values.reshape(len(formulas), len(source.feature_labels()))
        self._require_no_gap(values, formulas)
        return values

    def _names(self) -> list[str]:
        return list(self._source().feature_labels())

    def _gap(self, formula: str) -> str:  # noqa: ARG002 (of any formula)
        return f"matminer's {self.featurizer} gives no number for it"

    def _source(self) -> Any:
        import matminer.featurizers.composition as known

        kind, options = getattr(known, self.featurizer), self.options or {}
        return kind.from_preset(self.preset, **options) if self.preset else kind(**options)
