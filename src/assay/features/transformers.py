"""The features as scikit-learn's transformers of a column of formulas, to be part of a model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from assay.features.parsing import Amounts, amounts
from assay.features.tables import (
    NORMS,
    ORBITALS,
    STATISTICS,
    electronegativities,
    magpie,
    magpie_table,
    missing_properties,
    oxidation_states,
    stoichiometry,
    valence_orbitals,
    without_electronegativity,
)
from assay.predictions import features_of

# numpy.isclose to zero, by which matminer calls a sum of charges neutral
NEUTRAL = 1e-8
# sums of charges from which on equal ones are joined, as their number grows with each element
MANY = 1_000_000
# decimals of sums that are joined: finer than NEUTRAL, coarser than what rounding leaves of a sum
DECIMALS = 10


def ion_property(formulas: Iterable[str]) -> np.ndarray:
    """What matminer's `IonProperty(fast=True)` gives: (n, 3).

    Whether the charges can add up to zero with one oxidation state an element (1 or 0), and the
    largest and the mean ionic character of a pair of elements, `1 - exp(-(X_A - X_B)^2 / 4)`.

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    if not len(content.starts):
        return np.empty((0, 3))
    return np.column_stack([_can_be_neutral(content), *_characters(content)])


def _lengths(content: Amounts) -> np.ndarray:
    return np.diff(content.starts, append=len(content.rows))


def _can_be_neutral(content: Amounts) -> np.ndarray:
    """Try all states of the first elements, of these sums all states of the second, and so on."""
    states, first = oxidation_states()
    lengths = _lengths(content)
    neutral = lengths == 1
    rows = np.flatnonzero(lengths > 1)
    sums = np.zeros(len(rows))
    for place in range(int(lengths.max())):
        going = lengths[rows] > place
        rows, sums = rows[going], sums[going]
        at = content.starts[rows] + place
        begin = first[content.numbers[at]]
        many = first[content.numbers[at] + 1] - begin
        which = np.repeat(np.arange(len(rows)), many)
        within = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
        sums = sums[which] + states[begin[which] + within] * content.amounts[at][which]
        rows = rows[which]
        if len(rows) > MANY:
            rows, sums = _distinct(rows, sums)
        last = lengths[rows] == place + 1
        neutral[rows[last & (np.abs(sums) <= NEUTRAL)]] = True
    return neutral


def _distinct(rows: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums of each row, those that are equal but for rounding once."""
    numbers = np.round(sums, DECIMALS) + 0.0  # no negative zero, which would be another value
    pairs = np.unique(np.column_stack([rows, numbers]), axis=0)
    return pairs[:, 0].astype(int), pairs[:, 1]


def _characters(content: Amounts) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the mean ionic character (n,) over all pairs of elements of a formula."""
    lengths = _lengths(content)
    largest, mean = np.zeros(len(lengths)), np.zeros(len(lengths))
    affinity = electronegativities()[content.numbers]
    for apart in range(1, int(lengths.max())):
        one = np.arange(len(content.rows) - apart)
        one = one[content.rows[one] == content.rows[one + apart]]
        other, rows = one + apart, content.rows[one]
        ionic = 1.0 - np.exp(-0.25 * (affinity[one] - affinity[other]) ** 2)
        with np.errstate(invalid="ignore"):  # NaN where an electronegativity is
            np.maximum.at(largest, rows, ionic)
        np.add.at(mean, rows, content.fractions[one] * content.fractions[other] * ionic)
    return largest, mean


class GapError(ValueError):
    """Formulas that cannot be featurised: `gaps` has each and a sentence on it, by its place."""

    def __init__(self, gaps: Mapping[int, tuple[str, str]]) -> None:
        """Say of the first what is said of it."""
        super().__init__(next(iter(gaps.values()))[1])
        self.gaps = dict(gaps)

    def __reduce__(self) -> tuple[type[Self], tuple[dict[int, tuple[str, str]]]]:
        """Be the same in another process."""
        return type(self), (self.gaps,)

    def reasons(self, asked: Sequence[str]) -> dict[int, str]:
        """The sentences by their places in `asked`, or none if the gaps are of another list.

        An author's code may ask a featurizer for parts of what it was asked for.
        """
        own = all(
            place < len(asked) and asked[place] == text for place, (text, _) in self.gaps.items()
        )
        return {place: reason for place, (_, reason) in self.gaps.items()} if own else {}


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
        formulas = parsed_column(X)
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


class ParsedFrame(pd.DataFrame):
    """A DataFrame with one column `formula` that carries the amounts of its formulas.

    scikit-learn hands it through a pipeline as any other. Whatever is made of it, a copy or some of
    its rows, is a plain DataFrame.
    """

    _metadata: ClassVar[list[str]] = ["amounts"]
    amounts: Amounts | None = None

    @classmethod
    def of(cls, content: Amounts) -> Self:
        """The frame of n formulas."""
        frame = cls({"formula": list(content.formulas)})
        frame.amounts = content
        return frame


def parsed_column(X: Any) -> Sequence[str]:  # noqa: N803
    """The formulas in `X`: its `Amounts` if it has them and its text is still theirs."""
    texts = column_of_formulas(X)
    carried = X.amounts if isinstance(X, ParsedFrame) else X
    if isinstance(carried, Amounts) and carried.formulas == tuple(texts):
        return carried
    return texts
