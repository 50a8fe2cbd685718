"""The features as scikit-learn's transformers of a column of formulas, to be part of a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from assay.features.ionic import ion_property
from assay.features.statistics import (
    NORMS,
    ORBITALS,
    STATISTICS,
    magpie,
    stoichiometry,
    valence_orbitals,
)
from assay.features.tables import magpie_table, missing_properties, without_electronegativity
from assay.replies import features_of


class GapError(ValueError):
    """Formulas that cannot be featurised: `gaps` has each and a sentence on it, by its place."""

    def __init__(self, gaps: Mapping[int, tuple[str, str]]) -> None:
        """Say of the first what is said of it."""
        super().__init__(next(iter(gaps.values()))[1])
        self.gaps = dict(gaps)

    def __reduce__(self) -> tuple[type[Self], tuple[dict[int, tuple[str, str]]]]:
        """Be the same in another process."""
        return type(self), (self.gaps,)


class FormulaFeatures(TransformerMixin, BaseEstimator):
    """A stateless transformer from a column of formulas to an array of floats."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803, ARG002 (scikit-learn's names)
        """Learn nothing; there for scikit-learn."""
        self.n_features_in_ = 1
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Stateless: always ready."""
        return True

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Features of the n formulas in `X`: (n, features) floats, never NaN.

        Raises:
            ValueError: a formula cannot be read.
            GapError: formulas hold an element for which a table has gaps: predicting them would
                need an invented number.
            MismatchedAnswerError: there is not one row of features for each formula.
        """
        formulas = column_of_formulas(X)
        who = f"the featurizer {type(self).__name__}"
        values: np.ndarray = features_of(self._features(formulas), len(formulas), who)
        self._require_no_gap(values, formulas)
        return values

    def _require_no_gap(self, values: np.ndarray, formulas: Sequence[str]) -> None:
        places = np.flatnonzero(np.isnan(values).any(axis=1)).tolist()
        if places:
            found = {place: formulas[place] for place in places}
            raise GapError({place: (text, self._sentence(text)) for place, text in found.items()})

    def _sentence(self, formula: str) -> str:
        return f"{formula!r} cannot be featurised: {self._gap(formula)}"

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002
        """Names of the columns, as matminer gives them."""
        return np.array(self._names())

    def _features(self, formulas: Sequence[str]) -> np.ndarray:
        raise NotImplementedError

    def _names(self) -> list[str]:
        raise NotImplementedError

    def _gap(self, formula: str) -> str:
        return f"matminer's Magpie table has no {missing_properties(formula)[0]}"


class MagpieFeatures(FormulaFeatures):
    """Magpie features (132 columns) of a column of formulas."""

    def _features(self, formulas: Sequence[str]) -> np.ndarray:
        return magpie(formulas)

    def _names(self) -> list[str]:
        names, _ = magpie_table()
        return [f"MagpieData {statistic} {name}" for name in names for statistic in STATISTICS]


class StoichiometryFeatures(FormulaFeatures):
    """p-norms of the atomic fractions (6 columns) of a column of formulas."""

    def _features(self, formulas: Sequence[str]) -> np.ndarray:
        return stoichiometry(formulas)

    def _names(self) -> list[str]:
        return [f"{p}-norm" for p in NORMS]


class ValenceOrbitalFeatures(FormulaFeatures):
    """Mean number and share of valence electrons in s, p, d, f (8 columns)."""

    def _features(self, formulas: Sequence[str]) -> np.ndarray:
        return valence_orbitals(formulas)

    def _names(self) -> list[str]:
        return [f"{what} {one} valence electrons" for what in ("avg", "frac") for one in ORBITALS]


class IonFeatures(FormulaFeatures):
    """Whether a compound is possible, and its ionic character (3 columns)."""

    def _features(self, formulas: Sequence[str]) -> np.ndarray:
        return ion_property(formulas)

    def _names(self) -> list[str]:
        return ["compound possible", "max ionic char", "avg ionic char"]

    def _gap(self, formula: str) -> str:
        return f"pymatgen has no electronegativity of {without_electronegativity(formula)[0]}"


def column_of_formulas(X: Any) -> list[str]:  # noqa: N803
    """The formulas in a DataFrame with a column `formula`, a Series, or a sequence of text."""
    column = X["formula"] if isinstance(X, pd.DataFrame) else X
    return [str(text) for text in np.asarray(column, dtype=object).reshape(-1)]
