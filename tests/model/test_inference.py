"""Inference of a whole model: the same predictions by both ways, and a word where one is closed."""

import copy
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from assay.batch.prediction import predict_rows
from assay.errors import NotCarriedOutError
from assay.features import MagpieFeatures
from assay.model import inference, walks
from assay.model.bundle import digest_bundle
from assay.model.forests import lay_out
from assay.model.inference import Inference, predict
from assay.model.loading import load_bundle
from assay.model.saving import save_bundle
from forests import CLASSIFIERS, KINDS
from sentences import told
from toy import METADATA, domain_of, pool_formulas

FORMULAS = pool_formulas()[:300]


def model(*steps, target=None):
    """A fitted pipeline that begins with features of formulas."""
    target = np.sin(np.arange(100.0)) + 2 if target is None else target
    frame = pd.DataFrame({"formula": FORMULAS[:100]})
    return make_pipeline(MagpieFeatures(), *steps).fit(frame, target)


@pytest.fixture
def uncompiled(monkeypatch):
    """Any walk is an error."""

    def walk(*given):
        raise AssertionError("walked")

    monkeypatch.setattr(inference, "walk", walk)


@pytest.mark.parametrize("kind", KINDS)
def test_pipeline_with_a_scaler_is_the_same_both_ways(kind):
    """Whole models of every kind, classifiers too, predict formulas to the last bit alike."""
    target = (np.arange(100) % 3 > 0).astype(int) if kind in CLASSIFIERS else None
    fitted = model(StandardScaler(), KINDS[kind](8, 0), target=target)
    found = Inference(fitted, worth=0)
    assert np.array_equal(found.predict(FORMULAS), predict(fitted, FORMULAS))
    assert found.fallback is None


def test_worth_is_counted_over_all_calls(monkeypatch):
    """Compiled code walks from that row on whose trees make it worth while, not before."""
    walked = []
    real = walks.walk
    monkeypatch.setattr(inference, "walk", lambda *given: walked.append(given) or real(*given))
    fitted = model(RandomForestRegressor(10, random_state=0))
    found = Inference(fitted, worth=10 * 250)
    first = found.predict(FORMULAS[:200])
    assert not walked
    second = found.predict(FORMULAS[200:])
    assert walked
    assert np.array_equal(np.concatenate([first, second]), predict(fitted, FORMULAS))


def test_what_one_model_was_asked_counts_for_no_other(monkeypatch):
    """Each loaded model counts its own rows: what is compiled for one follows from it alone."""
    walked = []
    monkeypatch.setattr(inference, "walk", lambda *given: walked.append(1) or walks.walk(*given))
    fitted = model(RandomForestRegressor(10, random_state=0))
    Inference(fitted, worth=10 * 400).predict(FORMULAS)
    Inference(fitted, worth=10 * 400).predict(FORMULAS)
    assert not walked


def test_few_rows_are_walked_once_enough_of_them_agreed(monkeypatch):
    """Scikit-learn predicts the first thirty rows, too, then none; more at once are its own."""
    fitted = model(BaggingRegressor(DecisionTreeRegressor(), random_state=0))
    asked = []
    real = inference.by_scikit_learn
    monkeypatch.setattr(
        inference, "by_scikit_learn", lambda one, x: asked.append(len(x)) or real(one, x)
    )
    found = Inference(fitted)
    single = [found.predict([formula])[0] for formula in FORMULAS[:100]]
    assert asked == [1] * inference.ENOUGH
    again = found.predict(FORMULAS[: inference.FEW])
    assert len(asked) == inference.ENOUGH
    assert single == again.tolist() == found.predict(FORMULAS)[:100].tolist()
    assert asked[-1] == len(FORMULAS)


UNWALKED = {
    "Ridge is no forest": lambda: model(StandardScaler(), Ridge()),
    r"order that varies \(n_jobs=2\)": lambda: model(RandomForestRegressor(3, n_jobs=2)),
    "Ridge is no pipeline": lambda: Ridge().fit([[1.0], [2.0]], [1, 2]),
    "Pipeline is no pipeline whose last": lambda: make_pipeline(MagpieFeatures()),
    "does not predict one number": lambda: model(
        RandomForestClassifier(3), target=np.arange(100) % 3
    ),
}


@pytest.mark.parametrize("reason", UNWALKED)
def test_what_is_not_walked_is_said_in_one_sentence(reason):
    """A model that cannot be walked says what stands in its way."""
    found = Inference(UNWALKED[reason](), worth=0)
    assert re.fullmatch(rf"scikit-learn itself predicts, as [^.]*{reason}[^.]*\.", found.fallback)


@pytest.mark.usefixtures("uncompiled")
def test_ridge_predicts_as_ever():
    """Where there are no trees, the pipeline predicts as a whole."""
    fitted = model(StandardScaler(), Ridge())
    assert np.array_equal(Inference(fitted, worth=0).predict(FORMULAS), predict(fitted, FORMULAS))


@pytest.mark.parametrize("worth", [0, inference.WORTH])
def test_a_forest_that_differs_in_one_bit_is_left(worth, monkeypatch):
    """If one leaf is off by its last bit, scikit-learn predicts, and the sentence says why."""
    fitted = model(RandomForestRegressor(5, random_state=0))
    laid = lay_out(fitted[-1])
    wrong = replace(laid, values=np.nextafter(laid.values, np.inf))
    monkeypatch.setattr(inference, "lay_out", lambda _: wrong)
    found = Inference(fitted, worth=worth)
    assert found.fallback is None
    assert np.array_equal(found.predict(FORMULAS[:20]), predict(fitted, FORMULAS[:20]))
    assert "as RandomForestRegressor would get other last digits" in found.fallback


def test_without_numba_scikit_learn_predicts(monkeypatch):
    """An environment without numba predicts the same, and says that it could be faster."""
    walks.compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    fitted = model(RandomForestRegressor(5, random_state=0))
    found = Inference(fitted, worth=0)
    assert np.array_equal(found.predict(FORMULAS), predict(fitted, FORMULAS))
    assert "numba" in found.fallback


def without(estimator, attribute):
    """A copy of an estimator, or of one with trees, that lacks what is read of it."""
    other = copy.copy(estimator)
    if attribute == "tree_":
        other.estimators_ = [copy.copy(tree) for tree in estimator.estimators_]
        for tree in other.estimators_:
            del tree.tree_
    elif attribute in vars(other):
        delattr(other, attribute)
    else:
        setattr(other, attribute, None)  # a method
    return other


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        ("forest", "tree_"),
        ("boosting", "_raw_predict_init"),
        ("boosting, yes or no", "_loss"),
        ("histogram boosting", "_predictors"),
        ("histogram boosting", "_baseline_prediction"),
        ("histogram boosting of counts", "_loss"),
        ("histogram boosting, yes or no", "_loss"),
    ],
)
def test_trees_kept_elsewhere_are_no_error(kind, attribute, monkeypatch):
    """Where a version of scikit-learn has no such attribute, it predicts itself, and this is said.

    That without it nothing can be laid out is the planted change; the numbers are the same.
    """
    target = (np.arange(100) % 3 > 0).astype(int) if kind in CLASSIFIERS else None
    fitted = model(KINDS[kind](5, 0), target=target)
    monkeypatch.setattr(inference, "lay_out", lambda known: lay_out(without(known, attribute)))
    found = Inference(fitted, worth=0)
    assert np.array_equal(found.predict(FORMULAS), predict(fitted, FORMULAS))
    assert "cannot be laid out" in found.fallback


def circular(nodes: np.ndarray) -> None:
    """Lead the first inner node back to itself."""
    nodes["left_child"][0] = 0


def outside(nodes: np.ndarray) -> None:
    """Lead the first inner node to where there is none."""
    nodes["right_child"][0] = 2**40


def columnless(nodes: np.ndarray) -> None:
    """Ask for a column far beyond the features."""
    nodes["feature"][0] = 2**40


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("damage", [circular, outside, columnless])
def test_broken_trees_end_the_prediction_in_one_sentence(damage, n_jobs):
    """What would crash scikit-learn, or never end, is told before any row is predicted."""
    fitted = model(RandomForestRegressor(3, random_state=0, n_jobs=n_jobs))
    tree = fitted[-1].estimators_[1].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    damage(state["nodes"])
    tree.__setstate__(state)
    loaded = SimpleNamespace(predict=Inference(fitted).predict)
    with told(NotCarriedOutError, 3, "RandomForestRegressor", "damaged", "fetch or train it again"):
        predict_rows(loaded, FORMULAS[:1])


def holed(features):
    """Features of which some are missing."""
    return np.where(features > 30, np.nan, features)


def test_missing_values_go_the_way_of_scikit_learn():
    """Trees that know missing values get them through scikit-learn, and its prediction."""
    fitted = model(FunctionTransformer(holed), RandomForestRegressor(5, random_state=0))
    assert np.isnan(fitted[:-1].transform(pd.DataFrame({"formula": FORMULAS}))).any()
    found = Inference(fitted, worth=0)
    assert np.array_equal(found.predict(FORMULAS), predict(fitted, FORMULAS))


@pytest.mark.parametrize("spoil", [lambda x: x[:, :9], lambda x: x * 1e39, lambda x: x[:, 0]])
def test_features_that_do_not_fit_are_refused_by_scikit_learn(spoil):
    """Too few columns, or too large numbers, meet the error that they always met."""
    step = FunctionTransformer()
    fitted = model(step, RandomForestRegressor(5, random_state=0))
    step.func = spoil
    with pytest.raises(ValueError, match=r".") as expected:
        predict(fitted, FORMULAS)
    with pytest.raises(ValueError, match=re.escape(str(expected.value))):
        Inference(fitted, worth=0).predict(FORMULAS)


def test_bundle_of_a_forest_walks_the_trees_that_were_digested(tmp_path):
    """A saved and loaded forest is walked to the same bits, and nothing is added to the bundle."""
    fitted = model(RandomForestRegressor(5, random_state=0))
    package = tmp_path / "author"
    package.mkdir()
    (package / "__init__.py").write_text("")
    digest = save_bundle(fitted, tmp_path / "bundle", METADATA, domain_of(FORMULAS), package)
    loaded = load_bundle(tmp_path / "bundle", "author")
    walked = Inference(loaded.model, worth=0).predict(FORMULAS)
    assert np.array_equal(walked, predict(fitted, FORMULAS))
    assert np.array_equal(walked, loaded.predict(FORMULAS))
    assert loaded.inference.fallback is None
    assert digest_bundle(tmp_path / "bundle") == digest


def test_rows_that_are_expected_again_are_not_counted_again(monkeypatch):
    """As many shards as there may be, each told of the same rows, compile nothing for few rows."""
    asked = Inference(model(RandomForestRegressor(5, random_state=0)), worth=1_000)
    walked = []
    monkeypatch.setattr(inference, "walk", lambda *given: walked.append(1) or walks.walk(*given))
    for _ in range(50):
        asked.expect(30)
    asked.predict(FORMULAS[:2])
    assert not walked
    asked.expect(200)
    asked.predict(FORMULAS[:2])
    assert walked


def test_probability_of_yes_is_the_prediction_of_a_class():
    """For a classifier the second column of predict_proba is what is predicted."""

    class Coin:
        def predict_proba(self, frame):
            return np.array([[0.25, 0.75]] * len(frame))

    assert list(predict(Coin(), FORMULAS[:3])) == [0.75] * 3
