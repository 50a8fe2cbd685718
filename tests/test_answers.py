"""Answers of models and featurizers are given to rows only if there is one for each, in order."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.batch.prediction import predict_rows
from assay.errors import NotCarriedOutError
from assay.features import MagpieFeatures, magpie
from assay.features.transformers import FormulaFeatures
from assay.model.inference import Inference, predict
from assay.predictions import MismatchedAnswerError, features_of, predictions_of, probabilities_of
from sentences import assert_sentence, told

# what no number may be taken from, for three rows
UNFIT = {
    "too few": np.array([1.0, 2.0]),
    "one for all": np.array([1.0]),
    "a single number": 1.0,
    "too many": np.arange(4.0),
    "none": None,
    "a column": np.ones((3, 1)),
    "two columns": np.ones((3, 2)),
    "a row": np.ones((1, 3)),
    "a generator": (value for value in (1.0, 2.0, 3.0)),
    "a set": {1.0, 2.0, 3.0},
    "unequal lists": [[1.0], [2.0, 3.0], [4.0]],
    "text": np.array(["1.5", "2.5", "3.5"]),
    "decimals": [Decimal("1.5"), Decimal("2.5"), Decimal("3.5")],
    "text among numbers": [1.0, "2.0", 3.0],
    "truth values": np.array([True, False, True]),
    "complex": np.array([1 + 1j, 2, 3]),
    "dates": np.array(["2020-01-01"] * 3, dtype="datetime64[D]"),
    "a series in another order": pd.Series([1.0, 2.0, 3.0], index=[2, 0, 1]),
    "a series with an index of its own": pd.Series([1.0, 2.0, 3.0], index=[1, 2, 3]),
    "a series named by formula": pd.Series([1.0, 2.0, 3.0], index=["NaCl", "MgO", "ZnO"]),
    "a table": pd.DataFrame({"one": [1.0, 2.0, 3.0], "two": 0.0}),
}
# what holds one number for each row, and which
FIT = {
    "doubles": (np.array([1.0, 2.5, -3.0]), [1, 2.5, -3]),
    "half precision": (np.array([1.0, 2.5, -3.0], dtype=np.float16), [1, 2.5, -3]),
    "whole numbers": (np.array([1, 2, 3]), [1, 2, 3]),
    "a list": ([1.0, 2, np.float32(3)], [1, 2, 3]),
    "a series": (pd.Series([1.0, 2.0, 3.0]), [1, 2, 3]),
    "objects": (np.array([1.0, None, 3], dtype=object), [1, np.nan, 3]),
    "masked": (np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), [1, np.nan, 3]),
    "not finite": (np.array([np.inf, np.nan, 1.0]), [np.inf, np.nan, 1]),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_answer_that_does_not_fit_gives_no_number(kind):
    """Whatever has not exactly one real number for each row, in order, is refused in a sentence."""
    with pytest.raises(MismatchedAnswerError) as caught:
        predictions_of(UNFIT[kind], 3, "the model (Ridge)")
    assert_sentence(str(caught.value), "the model (Ridge)", "3 formulas")
    assert caught.value.exit_code == NotCarriedOutError.exit_code


@pytest.mark.parametrize("kind", ["decimals", "text", "text among numbers"])
def test_values_of_another_type_are_not_called_disordered(kind):
    """The sentence asks for floats, and speaks of the order only where that is in doubt."""
    with pytest.raises(MismatchedAnswerError, match="dtype=float") as caught:
        predictions_of(UNFIT[kind], 3, "the model")
    assert "which number" not in str(caught.value)
    with pytest.raises(MismatchedAnswerError, match="which number"):
        predictions_of(UNFIT["too many"], 3, "the model")


@pytest.mark.parametrize("kind", FIT)
def test_an_answer_that_fits_keeps_its_numbers_and_order(kind):
    """Honest answers of any type come out as doubles; what is masked or missing is no number."""
    answer, wanted = FIT[kind]
    found = predictions_of(answer, 3, "the model")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.array(wanted, dtype=float))


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3), (2, 2), (4, 2)])
def test_probabilities_need_two_columns_and_all_rows(shape):
    """Of two columns the second is taken; anything else is refused, as the columns of one class."""
    good = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    assert probabilities_of(good, 3, "the model").tolist() == [0.1, 0.8, 0.5]
    with pytest.raises(MismatchedAnswerError):
        probabilities_of(np.ones(shape), 3, "the model")


@pytest.mark.parametrize(
    "answer",
    [
        np.ones((2, 5)),
        csr_matrix(np.ones((4, 2))),
        [[1.0], [2.0]],
        None,
        pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=[0, 2, 1]),
        np.ma.array(np.ones((3, 2)), mask=[[0, 0], [0, 1], [0, 0]]),
    ],
)
def test_features_have_a_row_for_each_formula(answer):
    """A featurizer that drops, adds or sorts rows, or masks numbers, hands nothing on."""
    for good in (np.ones((3, 0)), csr_matrix(np.ones((3, 2))), [[1.0]] * 3):
        assert features_of(good, 3, "x") is good
    with pytest.raises(MismatchedAnswerError):
        features_of(answer, 3, "the featurizer Mine")


class Dropping(TransformerMixin, BaseEstimator):
    """The featurizer that drops rows with gaps."""

    def fit(self, X, y=None):  # noqa: N803
        """Learn nothing."""
        self.fitted_ = True
        return self

    def transform(self, X):  # noqa: N803
        """Magpie features of the formulas that have all of them."""
        values = magpie(list(X["formula"]))
        return values[~np.isnan(values).any(axis=1)]


class Padding(RegressorMixin, BaseEstimator):
    """An estimator that says as much as was asked for, whatever features reach it."""

    def fit(self, X, y):  # noqa: N803
        """Keep the number of rows."""
        self.rows_ = 2
        return self

    def predict(self, X):  # noqa: N803
        """Two numbers."""
        return np.resize(X[:, 0], self.rows_)


class OwnKind(FormulaFeatures):
    """An author's own kind of assay's featurizers, one row short."""

    def _features(self, formulas):
        return magpie(formulas)[1:]


def fitted(*steps):
    """A model of good rows."""
    frame = pd.DataFrame({"formula": ["NaCl", "MgO", "ZnO", "GaAs"]})
    return make_pipeline(*steps).fit(frame, np.arange(4.0))


def test_a_featurizer_that_drops_a_row_stops_the_batch():
    """With one formula that has a gap nothing is predicted, and featurizer and formula are named.

    Planted: the list of which both rows got the one number that came back.
    """
    bundle = SimpleNamespace(predict=Inference(fitted(Dropping(), Ridge())).predict)
    for formulas in (["NaCl", "HHe"], ["HHe"], ["NaCl", "MgO", "ZnO"] * 3 + ["HHe"]):
        with told(NotCarriedOutError, 3, "Dropping", "'HHe'"):
            predict_rows(bundle, formulas)
    reasons, values, _ = predict_rows(bundle, ["NaCl", "MgO"])
    assert reasons == [None, None]
    assert np.isfinite(values).all()


def test_each_step_of_a_pipeline_answers_row_by_row():
    """Rows that a featurizer drops are missed even if the estimator makes up for their number."""
    model = fitted(Dropping(), Padding())
    assert len(predict(model, ["NaCl", "MgO"])) == 2
    with pytest.raises(MismatchedAnswerError, match="Dropping"):
        predict(model, ["NaCl", "HHe"])


def test_an_own_kind_of_featurizer_is_compared_too():
    """A kind that an author derives from assay's featurizers cannot lose a row, while training."""
    with pytest.raises(MismatchedAnswerError, match="OwnKind"):
        fitted(OwnKind(), Ridge())


@pytest.mark.parametrize("kind", UNFIT)
def test_no_batch_assigns_an_answer_that_does_not_fit(kind):
    """Whatever a model returns for a part, `predict` never gives a row a number of another."""
    model = SimpleNamespace(predict=lambda frame: UNFIT[kind])
    bundle = SimpleNamespace(predict=lambda formulas: predict(model, formulas))
    with pytest.raises(NotCarriedOutError) as caught:
        predict_rows(bundle, ["NaCl", "MgO", "ZnO"])
    assert type(caught.value) is NotCarriedOutError


def test_a_walked_forest_is_compared_as_well():
    """The compiled way asks the same featurizers, and refuses the same answers."""
    from sklearn.ensemble import RandomForestRegressor

    found = Inference(fitted(MagpieFeatures(), RandomForestRegressor(5, random_state=0)), worth=0)
    assert found.predict(["NaCl", "MgO"]).shape == (2,)
    found = Inference(fitted(Dropping(), RandomForestRegressor(5, random_state=0)), worth=0)
    with pytest.raises(MismatchedAnswerError, match="Dropping"):
        found.predict(["NaCl", "HHe"])
