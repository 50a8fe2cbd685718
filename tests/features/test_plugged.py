"""Featurizers of matminer that are not computed for whole columns."""

import numpy as np
import pytest
from matminer.featurizers.composition import BandCenter, ElementProperty
from sklearn.base import clone

from assay.features import MatminerFeatures, plugged
from features.oracles import by_matminer

FORMULAS = ["Fe2O3", "NaCl", "MgO", "LiFeO2", "Al2O3"]


@pytest.mark.parametrize(
    ("transformer", "featurizer"),
    [
        (MatminerFeatures("BandCenter"), BandCenter()),
        (
            MatminerFeatures("ElementProperty", "magpie", {"impute_nan": False}),
            ElementProperty.from_preset("magpie", impute_nan=False),
        ),
    ],
)
def test_values_and_names_are_matminers(transformer, featurizer):
    """Values, order and names are those of the featurizer, in a clone, too."""
    values = clone(transformer).fit_transform(FORMULAS)
    np.testing.assert_array_equal(values, by_matminer(featurizer, FORMULAS))
    assert list(transformer.get_feature_names_out()) == featurizer.feature_labels()


def test_processes_change_nothing(monkeypatch):
    """Long columns are spread over processes, and have the same values in the same order."""
    alone = MatminerFeatures("BandCenter").transform(FORMULAS)
    monkeypatch.setattr(plugged, "FEW", 2)
    spread = MatminerFeatures("BandCenter", jobs=2).transform(FORMULAS)
    np.testing.assert_array_equal(spread, alone)


@pytest.mark.parametrize(
    ("formula", "words"), [("XxO", "'Xx'"), ("HeO", "'HeO' cannot be featurised")]
)
def test_what_has_no_number_is_refused(formula, words):
    """A formula that cannot be read, and one that matminer has no value for, is named."""
    plugin = MatminerFeatures("ElementProperty", "magpie", {"impute_nan": False})
    with pytest.raises(ValueError, match=words):
        plugin.transform(["NaCl", formula])
