"""Training: folds that share no chemistry, honest figures, the same again for the same commit."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from assay import provenance
from assay.compositions import chemical_system, elements
from assay.datasets import Dataset, read_dataset
from assay.errors import UsageError
from assay.features import StoichiometryFeatures
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.machinery import installed_version, machinery_digest
from assay.model import tracking
from assay.model.bundle import digest_bundle
from assay.model.domain import DOMAIN, DomainRecord, fit_domain, out_of_fold_difficulty
from assay.model.intervals import interval_coverage
from assay.model.loading import load_bundle
from assay.model.metrics import public_metrics
from assay.model.training import fit_out_of_fold, train
from assay.records import read_record
from assay.repository import read_repository
from assay.settings import Settings
from assay.splits import grouped_folds
from toy import PACKAGE, assay, commit, git, pool_formulas, predictions_of, read_card

FORMULAS = pool_formulas()[:60]


def settings(kind: str = "number") -> Settings:
    """Settings of a small case."""
    return Settings.model_validate(
        {
            "project": {"name": "toy", "package": "toy"},
            "target": {"column": "y", "kind": kind},
            "gate": {"margin": 0.1},
        }
    )


def dataset() -> Dataset:
    """60 train rows, whose target is whether there are three elements or more."""
    rows = pd.DataFrame({"row_id": [f"t{n}" for n in range(60)], "formula": FORMULAS})
    target = np.array([float(len(elements(formula)) > 2) for formula in FORMULAS])
    return Dataset(rows, target, rows, rows)


class Recorder(DummyRegressor):
    """Predicts the mean, and remembers the chemical systems it was fitted on and asked for."""

    seen: list[set[str]] = []  # noqa: RUF012 (shared on purpose: every fit adds to it)

    def fit(self, X, y):  # noqa: N803
        """Remember the systems."""
        self.systems_ = {chemical_system(formula) for formula in X["formula"]}
        self.seen.append(self.systems_)
        return super().fit(X, y)

    def predict(self, X):  # noqa: N803
        """Refuse a row whose system was fitted on."""
        asked = {chemical_system(formula) for formula in X["formula"]}
        assert not asked & self.systems_, "a chemical system stands on both sides of a fold"
        return super().predict(X)


def test_no_chemical_system_stands_on_both_sides_of_a_fold():
    """Each fold's model is asked for systems that it never saw; the last one is fitted on all."""
    Recorder.seen.clear()
    data = dataset()
    found = fit_out_of_fold(lambda _: Recorder(), data, settings())
    assert max(map(len, Recorder.seen)) == len(set(data.groups))
    assert len(Recorder.seen) == 6
    with pytest.raises(AssertionError, match="both sides"):
        found.model.predict(data.train)


def test_out_of_fold_predictions_are_those_of_the_other_folds():
    """Each row's prediction comes from the model that did not see its fold."""
    data = dataset()
    found = fit_out_of_fold(lambda _: DummyRegressor(), data, settings())
    folds = grouped_folds(data.groups, 5, 0)
    expected = [data.target[folds != fold].mean() for fold in folds]
    assert found.out_of_fold == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "model", "wanted"),
    [("class", Ridge(), "classifier"), ("number", LogisticRegression(), "regressor")],
)
def test_estimator_must_go_with_the_kind_of_the_target(kind, model, wanted):
    """A regressor for yes/no, or a classifier for a number, is a usage error that says so."""
    calls = []

    def builder(seed: int):
        calls.append(seed)
        return make_pipeline(StoichiometryFeatures(), model)

    with pytest.raises(UsageError, match=f"{type(model).__name__}.*return a {wanted}"):
        fit_out_of_fold(builder, dataset(), settings(kind))
    assert len(calls) == 1, "it is known before anything is fitted"


def test_class_is_predicted_as_a_probability():
    """A classifier's out-of-fold predictions are probabilities of yes, and here they are good."""
    data = dataset()
    found = fit_out_of_fold(
        lambda _: make_pipeline(StoichiometryFeatures(), LogisticRegression(C=100)),
        data,
        settings("class"),
    )
    assert ((found.out_of_fold >= 0) & (found.out_of_fold <= 1)).all()
    scores = public_metrics("class", data.target, found.out_of_fold)
    assert set(scores) == {"brier", "error_rate"}
    assert scores["brier"] < 0.1


def test_card_tells_what_was_trained(trained_toy):
    """Every field of the card agrees with the files and with the commit."""
    layout, handover = Layout(trained_toy), Handover(Layout(trained_toy).out)
    card = read_card(handover)
    data = read_dataset(read_repository(trained_toy))
    recorded = predictions_of(handover)
    error = np.array([recorded[row] for row in data.train["row_id"]]) - data.target
    assert card.metrics["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-6)
    assert (card.rows, card.groups) == (len(data.target), len(set(data.groups)))
    assert card.bundle_digest == digest_bundle(handover.bundle)
    assert card.predictions_digest == digest_file(handover.predictions)
    assert card.train_digest == digest_file(layout.train)
    assert card.sealed_inputs_digest == digest_file(layout.sealed_inputs)
    assert card.pool_digest == digest_file(layout.pool)
    assert card.commit == git(trained_toy, "rev-parse", "HEAD")
    assert (card.estimator, card.target, card.unit) == ("Ridge", "energy", "eV/atom")
    assert card.features == 132  # all of Magpie
    assert (card.machinery, card.machinery_version) == (machinery_digest(), installed_version())
    assert card.correlation_id == provenance.correlation_id(
        card.bundle_digest, card.train_digest, card.lock_digest, card.commit
    )


def test_bundle_knows_its_domain(trained_toy, laptop):
    """The bundle holds the interval of the training, and the domain of its rows and folds."""
    repository = read_repository(trained_toy)
    handover, settings = repository.handover, repository.settings
    metadata = load_bundle(handover.bundle, settings.project.package).metadata
    data = read_dataset(repository)
    domain = read_record(DomainRecord, handover.bundle / DOMAIN)
    assert set(domain.partners) == set().union(*map(elements, data.train["formula"]))
    folds = grouped_folds(data.groups, settings.split.folds, settings.split.seed)
    told = predictions_of(handover)
    sizes = np.abs(data.target - [told[row_id] for row_id in data.train["row_id"]])
    again = fit_domain(list(data.train["formula"]), folds, sizes)
    assert domain.model_copy(update={"difficulty": None}) == again.model_copy(
        update={"difficulty": None}
    )
    assert domain.difficulty.scales == pytest.approx(again.difficulty.scales, rel=1e-4)
    card = read_card(handover)
    assert metadata.interval_half_width == card.interval_half_width
    assert card.metrics["mae"] < card.interval_half_width < 1


def test_card_says_how_many_rows_the_interval_holds(trained_toy, laptop):
    """Both coverages are those of the train rows out of fold, at the level of assay.toml."""
    repository = read_repository(trained_toy)
    handover, settings = repository.handover, repository.settings
    data = read_dataset(repository)
    told = predictions_of(handover)
    own = np.array([told[row_id] for row_id in data.train["row_id"]])
    found = read_card(handover).interval_coverage
    sizes, folds = np.abs(data.target - own), grouped_folds(data.groups, 5, 0)
    difficulty = out_of_fold_difficulty(list(data.train["formula"]), folds, sizes)
    again = interval_coverage(sizes / difficulty, data.groups, settings.model.interval_level)
    assert found.level == settings.model.interval_level
    assert found.grouped == pytest.approx(again.grouped, abs=0.002)
    assert found.random == pytest.approx(again.random, abs=0.002)
    assert abs(found.grouped - found.level) < 0.05


def test_training_again_removes_what_was_said_of_the_earlier_model(toy, laptop, monkeypatch):
    """A verdict and a certificate of another candidate do not stay beside the new one."""
    monkeypatch.setattr(tracking, "log_candidate", lambda *_: None)
    handover = Handover(Layout(toy).out)
    before = read_card(handover)
    handover.verdict.write_text("{}")
    handover.certificate.write_text("{}")
    model = toy / "src" / "toy_model" / "model.py"
    model.write_text(model.read_text().replace("alpha=1.0", "alpha=9.0"))
    commit(toy, "Regularise\n\nAssay-Claim: improvement")
    card = train(read_repository(toy))
    assert not handover.verdict.exists()
    assert not handover.certificate.exists()
    assert card.claim == "improvement"
    assert before.claim == "no-regression"
    assert card.bundle_digest != before.bundle_digest


FORGETFUL = '''"""A model that keeps outside itself what it needs to predict."""

from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.features import StoichiometryFeatures

KNOWN = []


class Forgetful(Ridge):
    """Off by fifty wherever it was not fitted."""

    def fit(self, X, y):
        """Fit, and remember it in the module."""
        KNOWN.append(1)
        return super().fit(X, y)

    def predict(self, X):
        """Predict."""
        return super().predict(X) + (0 if KNOWN else 50)


def build_model(seed):
    """Make it."""
    return make_pipeline(StoichiometryFeatures(), Forgetful())
'''


def test_scored_is_what_the_saved_bundle_predicts(toy):
    """A model that is good only where it was fitted is scored on what it predicts elsewhere."""
    (toy / "src" / "toy_model" / "model.py").write_text(FORGETFUL)
    with (toy / "assay.toml").open("a") as stream:
        stream.write('\n[model]\ntrusted_types = ["toy_model.model.Forgetful"]\n')
    done = assay(toy, "train")
    assert done.returncode == 0, done.stderr
    values = predictions_of(Handover(Layout(toy).out))
    assert min(value for row, value in values.items() if row[0] in "sp") > 40
    assert max(value for row, value in values.items() if row[0] == "t") < 40


def test_training_after_loading_a_bundle_uses_the_whole_machinery(toy, laptop, monkeypatch):
    """The part of assay that a loaded bundle carries never stands in for the whole of it."""
    monkeypatch.setattr(tracking, "log_candidate", lambda *_: None)
    folder = Handover(Layout(toy).out).bundle
    kept = folder.parent / "kept"
    shutil.copytree(folder, kept)
    load_bundle(kept, PACKAGE)
    assert train(read_repository(toy)).bundle_digest == digest_bundle(kept)
