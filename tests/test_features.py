"""Features of whole columns against matminer's own featurizers, one formula at a time."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matminer.featurizers.composition import ElementProperty, Stoichiometry
from pymatgen.core import Composition, Element
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from assay import features
from assay.features import (
    MagpieFeatures,
    StoichiometryFeatures,
    column_of_formulas,
    magpie,
    magpie_table,
    missing_properties,
    stoichiometry,
)
from assay.sanity.strategies import compositions
from assay.sanity.variations import spelt

ALL = [Element.from_Z(number).symbol for number in range(1, 104)]
MAGPIE = ElementProperty.from_preset("magpie", impute_nan=False)
NORMS = Stoichiometry()
few = settings(max_examples=60, deadline=None)


def by_matminer(featurizer, formulas):
    """Values by matminer itself, one call a formula."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([featurizer.featurize(Composition(formula)) for formula in formulas], float)


def compare_with_matminer(formulas):
    """Assert that the vectorised Magpie features equal matminer's."""
    expected = by_matminer(MAGPIE, formulas)
    np.testing.assert_allclose(magpie(formulas), expected, rtol=1e-9, atol=1e-9, equal_nan=True)


decimal = st.tuples(
    *[st.tuples(st.sampled_from(ALL), st.decimals("0.01", 20, places=2)) for _ in range(4)]
).map(lambda pairs: tuple((symbol, float(amount)) for symbol, amount in dict(pairs).items()))


@few
@given(st.lists(st.one_of(compositions(ALL), decimal).map(spelt), min_size=1, max_size=8))
@example(["He", "HeNe", "FeCo", "Fe2O3", "U"])
def test_magpie(formulas):
    """All 132 values equal matminer's to 1e-9, and are NaN where matminer's are."""
    compare_with_matminer(formulas)


@few
@given(st.lists(st.one_of(compositions(ALL), decimal).map(spelt), min_size=1, max_size=8))
def test_stoichiometry(formulas):
    """The six norms equal matminer's to 1e-9."""
    expected = by_matminer(NORMS, formulas)
    np.testing.assert_allclose(stoichiometry(formulas), expected, rtol=1e-9, atol=1e-9)


def test_every_element():
    """Each element alone has matminer's values, gaps included; the check sees some of either."""
    values, expected = magpie(ALL), by_matminer(MAGPIE, ALL)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert 0 < np.isnan(expected).any(axis=1).sum() < len(ALL) / 2


def test_names():
    """Columns are named and ordered as matminer names and orders them."""
    assert list(MagpieFeatures().get_feature_names_out()) == MAGPIE.feature_labels()
    assert list(StoichiometryFeatures().get_feature_names_out()) == NORMS.feature_labels()


def test_planted_error(monkeypatch):
    """The comparison sees one property of one element that is off by one part in ten million."""
    names, table = magpie_table()
    changed = table.copy()
    changed[8, 2] *= 1 + 1e-7
    monkeypatch.setattr(features, "magpie_table", lambda: (names, changed))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        compare_with_matminer(["Fe2O3"])
    compare_with_matminer(["NaCl"])


@few
@given(compositions(ALL), st.integers(2, 60), st.randoms(use_true_random=False))
def test_spelling(pairs, times, shuffler):
    """Order of elements and multiples of the formula change no bit of any feature."""
    shuffled = [(symbol, amount * times) for symbol, amount in pairs]
    shuffler.shuffle(shuffled)
    spellings = [spelt(pairs), spelt(shuffled), f"({spelt(pairs)}){times}"]
    for compute in (magpie, stoichiometry):
        first, *others = compute(spellings)
        for other in others:
            np.testing.assert_array_equal(first, other)


@few
@given(st.lists(compositions(ALL).map(spelt), min_size=2, max_size=10))
def test_rows_are_independent(formulas):
    """A row's features do not depend on the rows beside it."""
    for compute in (magpie, stoichiometry):
        together = compute(formulas)
        for row, formula in zip(together, formulas, strict=True):
            np.testing.assert_array_equal(row, compute([formula])[0])


def test_no_rows():
    """No formulas give no rows, with all columns."""
    assert MagpieFeatures().fit_transform(pd.DataFrame({"formula": []})).shape == (0, 132)
    assert stoichiometry([]).shape == (0, 6)


@pytest.mark.parametrize("transformer", [MagpieFeatures(), StoichiometryFeatures()])
def test_transformers(transformer):
    """They are ready unfitted, can be cloned, and take a frame, a series, a list or an array."""
    check_is_fitted(transformer)
    texts = ["Fe2O3", "NaCl"]
    frame = pd.DataFrame({"other": [1, 2], "formula": texts}, index=[7, 3])
    expected = clone(transformer).fit(frame).transform(frame)
    assert expected.shape == (2, len(transformer.get_feature_names_out()))
    assert np.isfinite(expected).all()
    for given_as in (frame["formula"], texts, np.array(texts), np.array(texts, dtype=object)):
        assert column_of_formulas(given_as) == texts
        np.testing.assert_array_equal(transformer.transform(given_as), expected)


@pytest.mark.parametrize("formula", ["HeNe", "Og2O"])
def test_gaps_are_refused(formula):
    """The transformer imputes nothing: it names the formula and what the table lacks."""
    with pytest.raises(ValueError, match="no ") as caught:
        MagpieFeatures().transform(pd.DataFrame({"formula": ["NaCl", formula]}))
    assert repr(formula) in str(caught.value)
    assert missing_properties(formula)[0] in str(caught.value)
    assert not missing_properties("NaCl")


@pytest.mark.parametrize("transformer", [MagpieFeatures(), StoichiometryFeatures()])
def test_bad_formula(transformer):
    """A formula that cannot be read is never featurised."""
    with pytest.raises(ValueError, match="'Xx'"):
        transformer.transform(pd.DataFrame({"formula": ["NaCl", "XxO"]}))
