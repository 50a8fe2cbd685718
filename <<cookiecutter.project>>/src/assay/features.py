"""Composition features for whole columns of formulas at once.

The values are those of matminer's featurizers (Magpie: Ward et al., npj Comput. Mater. 2,
16028 (2016)), computed with one sparse composition matrix instead of one call a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from assay.compositions import parse

STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
NORMS = (0, 2, 3, 5, 7, 10)


@dataclass(frozen=True)
class Amounts:
    """The compositions of n formulas in compressed-row form.

    `starts` (n,) is where each formula begins; `rows`, `numbers` and `fractions` (nnz,) give
    for each element present its formula, its atomic number and its share of the atoms.
    """

    starts: np.ndarray
    rows: np.ndarray
    numbers: np.ndarray
    fractions: np.ndarray


def amounts(formulas: Iterable[str]) -> Amounts:
    """Parse formulas into atomic fractions, elements sorted by atomic number.

    Sorting makes every later sum exactly independent of how the formula was spelt.

    Raises:
        ValueError: a formula cannot be read.
    """
    pairs = [sorted((e.Z, float(n)) for e, n in parse(text).items()) for text in formulas]
    lengths = np.fromiter(map(len, pairs), dtype=np.intp, count=len(pairs))
    flat = np.array([pair for row in pairs for pair in row], dtype=float).reshape(-1, 2)
    starts = np.cumsum(lengths) - lengths
    rows = np.repeat(np.arange(len(pairs)), lengths)
    totals = np.add.reduceat(flat[:, 1], starts) if pairs else np.empty(0)
    return Amounts(starts, rows, flat[:, 0].astype(np.intp), flat[:, 1] / totals[rows])


@lru_cache(maxsize=1)
def magpie_table() -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the 22 Magpie properties and their values (119, 22) by atomic number.

    Values that matminer's table lacks stay NaN: nothing is imputed.
    """
    from matminer.featurizers.composition import ElementProperty
    from pymatgen.core import Element

    source = ElementProperty.from_preset("magpie", impute_nan=False)
    elements = [Element.from_Z(number) for number in range(1, 119)]
    table = np.full((119, len(source.features)), np.nan)
    for column, name in enumerate(source.features):
        table[1:, column] = source.data_source.get_elemental_properties(elements, name)
    return tuple(source.features), table


def magpie(formulas: Iterable[str]) -> np.ndarray:
    """The six statistics of the 22 Magpie properties: (n, 132), in matminer's order.

    NaN where the table lacks a value that the statistic needs, as in matminer with
    `impute_nan=False`.
    """
    content = amounts(formulas)
    names, table = magpie_table()
    if not len(content.starts):
        return np.empty((0, len(names) * len(STATISTICS)))
    columns = _statistics(content, table[content.numbers])
    return np.stack(columns, axis=2).reshape(len(content.starts), -1)


def _statistics(content: Amounts, values: np.ndarray) -> list[np.ndarray]:
    starts, rows = content.starts, content.rows
    weights = content.fractions[:, None]
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    mean = np.add.reduceat(values * weights, starts)
    deviation = np.add.reduceat(np.abs(values - mean[rows]) * weights, starts)
    top = np.maximum.reduceat(content.fractions, starts)[rows]
    # matminer calls the most frequent whatever numpy.isclose finds equal to the largest share
    frequent = np.isclose(content.fractions, top)[:, None]
    mode = np.minimum.reduceat(np.where(frequent, values, np.inf), starts)
    return [low, high, high - low, mean, deviation, mode]


def stoichiometry(formulas: Iterable[str]) -> np.ndarray:
    """The p-norms of the atomic fractions for p = 0, 2, 3, 5, 7, 10: (n, 6)."""
    content = amounts(formulas)
    if not len(content.starts):
        return np.empty((0, len(NORMS)))
    counts = np.bincount(content.rows).astype(float)
    norms = [
        np.add.reduceat(content.fractions**p, content.starts) ** (1 / p) if p else counts
        for p in NORMS
    ]
    return np.stack(norms, axis=1)


class _FormulaFeatures(TransformerMixin, BaseEstimator):
    """A stateless transformer from a column of formulas to an array of floats."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803, ARG002 (scikit-learn's names)
        """Learn nothing; there for scikit-learn."""
        self.n_features_in_ = 1
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Stateless: always ready."""
        return True


class MagpieFeatures(_FormulaFeatures):
    """Magpie features (132 columns) of a column of formulas."""

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Features of the formulas in `X`: (n, 132) floats, never NaN.

        Raises:
            ValueError: a formula cannot be read, or holds an element for which matminer's
                Magpie table has gaps: predicting it would need an invented number.
        """
        formulas = column_of_formulas(X)
        values = magpie(formulas)
        gaps = np.isnan(values).any(axis=1)
        if gaps.any():
            formula = formulas[int(gaps.argmax())]
            raise ValueError(
                f"{formula!r} cannot be featurised: matminer's Magpie table has no "
                f"{missing_properties(formula)[0]}"
            )
        return values

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002
        """Names of the columns, as matminer gives them."""
        names, _ = magpie_table()
        return np.array([f"MagpieData {s} {name}" for name in names for s in STATISTICS])


class StoichiometryFeatures(_FormulaFeatures):
    """p-norms of the atomic fractions (6 columns) of a column of formulas."""

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Features of the formulas in `X`: (n, 6) floats.

        Raises:
            ValueError: a formula cannot be read.
        """
        return stoichiometry(column_of_formulas(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:  # noqa: ARG002
        """Names of the columns, as matminer gives them."""
        return np.array([f"{p}-norm" for p in NORMS])


def column_of_formulas(X: Any) -> list[str]:  # noqa: N803
    """The formulas in a DataFrame with a column `formula`, a Series, or a sequence of text."""
    column = X["formula"] if isinstance(X, pd.DataFrame) else X
    return [str(text) for text in np.asarray(column, dtype=object).reshape(-1)]


def missing_properties(formula: str) -> list[str]:
    """What the Magpie table lacks for the elements of a formula: `Electronegativity of He`."""
    names, table = magpie_table()
    return [
        f"{names[column]} of {element.symbol}"
        for element in parse(formula).elements
        for column in np.flatnonzero(np.isnan(table[element.Z]))
    ]
