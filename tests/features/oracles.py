"""matminer's own featurizers, one formula at a time, and formulas to compare on."""

import warnings

import numpy as np
from hypothesis import strategies as st
from matminer.featurizers.composition import ElementProperty, Stoichiometry, ValenceOrbital
from matminer.featurizers.composition.ion import IonProperty
from pymatgen.core import Composition, Element

from assay.sanity.strategies import compositions, spelt

ALL = [Element.from_Z(number).symbol for number in range(1, 104)]
MAGPIE = ElementProperty.from_preset("magpie", impute_nan=False)
NORMS = Stoichiometry()
VALENCE = ValenceOrbital(impute_nan=False)
IONIC = IonProperty(fast=True, impute_nan=False)

_decimal = st.tuples(
    *[st.tuples(st.sampled_from(ALL), st.decimals("0.01", 20, places=2)) for _ in range(4)]
).map(lambda pairs: tuple((symbol, float(amount)) for symbol, amount in dict(pairs).items()))
columns = st.lists(st.one_of(compositions(ALL), _decimal).map(spelt), min_size=1, max_size=8)


def by_matminer(featurizer, formulas):
    """Values by matminer itself, one call a formula."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([featurizer.featurize(Composition(formula)) for formula in formulas], float)


def compare(computed, featurizer, formulas):
    """Assert that features equal matminer's to 1e-9, and are NaN where matminer's are."""
    expected = by_matminer(featurizer, formulas)
    np.testing.assert_allclose(computed, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
