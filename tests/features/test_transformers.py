"""The transformers: names, forms of input, and what they refuse."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_union
from sklearn.utils.validation import check_is_fitted

from assay.features import (
    IonFeatures,
    MagpieFeatures,
    StoichiometryFeatures,
    ValenceOrbitalFeatures,
    column_of_formulas,
    magpie,
    missing_properties,
    parsing,
)
from assay.features.parsing import amounts
from assay.features.transformers import ParsedFrame, parsed_column
from features.oracles import IONIC, MAGPIE, NORMS, VALENCE

TRANSFORMERS = {
    MagpieFeatures(): MAGPIE,
    StoichiometryFeatures(): NORMS,
    ValenceOrbitalFeatures(): VALENCE,
    IonFeatures(): IONIC,
}


@pytest.mark.parametrize(("transformer", "featurizer"), TRANSFORMERS.items())
def test_names(transformer, featurizer):
    """Columns are named and ordered as matminer names and orders them."""
    assert list(transformer.get_feature_names_out()) == featurizer.feature_labels()


def test_no_rows():
    """No formulas give no rows, with all columns."""
    assert MagpieFeatures().fit_transform(pd.DataFrame({"formula": []})).shape == (0, 132)


@pytest.mark.parametrize("transformer", TRANSFORMERS)
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


@pytest.mark.parametrize("jobs", [None, 2])
def test_amounts_go_through_a_pipeline(monkeypatch, jobs):
    """A frame that carries its amounts gives the bits of a plain one, and none is parsed again."""
    texts = ["Fe2O3", "NaCl", "CH3COOH", "La0.7Sr0.3MnO3"]
    union = make_union(*TRANSFORMERS, n_jobs=jobs)
    expected = union.transform(pd.DataFrame({"formula": texts}))
    content = amounts(texts)
    monkeypatch.setattr(parsing, "_scanned", None)
    assert union.transform(ParsedFrame.of(content)).tobytes() == expected.tobytes()
    assert parsed_column(content) is content


def test_amounts_of_other_text_are_not_believed():
    """A step that changes the formulas in place has them parsed; a part or a copy is plain."""
    frame = ParsedFrame.of(amounts(["Fe2O3", "NaCl"]))
    for made in (frame[1:], frame.copy(), frame.assign(other=1), frame[["formula"]]):
        assert type(made) is pd.DataFrame
    assert MagpieFeatures().transform(frame[1:]).tobytes() == magpie(["NaCl"]).tobytes()
    frame["formula"] = ["MgO", "NaCl"]
    assert parsed_column(frame) == ["MgO", "NaCl"]
    assert MagpieFeatures().transform(frame).tobytes() == magpie(["MgO", "NaCl"]).tobytes()
    loaded = pickle.loads(pickle.dumps(ParsedFrame.of(amounts(["NaCl"]))))
    assert list(loaded.amounts) == ["NaCl"]


@pytest.mark.parametrize("formula", ["HeNe", "Og2O"])
def test_gaps_are_refused(formula):
    """The transformer imputes nothing: it names the formula and what the table lacks."""
    with pytest.raises(ValueError, match="no ") as caught:
        MagpieFeatures().transform(pd.DataFrame({"formula": ["NaCl", formula]}))
    assert repr(formula) in str(caught.value)
    assert missing_properties(formula)[0] in str(caught.value)
    assert not missing_properties("NaCl")


def test_unknown_affinity_is_refused():
    """An element without an electronegativity has no ionic character, and is named."""
    with pytest.raises(ValueError, match=r"'HeO' .* electronegativity of He"):
        IonFeatures().transform(["NaCl", "HeO"])


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_bad_formula(transformer):
    """A formula that cannot be read is never featurised."""
    with pytest.raises(ValueError, match="'Xx'"):
        transformer.transform(pd.DataFrame({"formula": ["NaCl", "XxO"]}))
