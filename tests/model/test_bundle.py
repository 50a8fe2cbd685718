"""The bundle: one unit, without pickle, the same digest for the same training, loadable alone."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.errors import NotCarriedOutError, UsageError
from assay.features import StoichiometryFeatures
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.model.bundle import (
    INFERENCE,
    digest_bundle,
    predict,
    save_bundle,
)
from assay.model.loading import load_bundle
from toy import METADATA, TEMPLATE, assay, commit, domain_of, read_card, toy_bundle  # noqa: F401 (a fixture)

FORMULAS = ["NaCl", "Li2O", "Fe2O3"]


class Doubled(TransformerMixin, BaseEstimator):
    """A transformer that nobody has called trusted."""

    def fit(self, X, y=None):  # noqa: N803
        """Learn nothing."""
        return self

    def transform(self, X):  # noqa: N803
        """Two times the features."""
        return 2 * X


def small_model(*more: object):
    """A fitted pipeline on stoichiometry."""
    model = make_pipeline(StoichiometryFeatures(), *more, Ridge())

    return model.fit(pd.DataFrame({"formula": FORMULAS}), [1.0, 2.0, 3.0])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An author's package."""
    folder = tmp_path / "src" / "toy_author"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Empty."""\n')
    return folder


def test_two_processes_train_the_same_digest(toy):
    """Training twice from one commit, with other hash seeds, gives the same bytes everywhere."""
    handover = Handover(Layout(toy).out)
    before = read_card(handover)
    content = handover.predictions.read_bytes()
    done = assay(toy, "train", PYTHONHASHSEED="12345")
    assert done.returncode == 0, done.stderr
    after = read_card(handover)
    assert after.bundle_digest == before.bundle_digest == digest_bundle(handover.bundle)
    assert handover.predictions.read_bytes() == content
    assert "Failed to resolve" not in done.stderr


def test_digest_is_what_a_shell_computes(bundle):
    """Anybody can recompute the digest with find, sort and sha256sum."""
    command = (
        "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    )
    done = subprocess.run(
        ["sh", "-c", command], cwd=bundle, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == digest_bundle(bundle)


def test_nothing_in_it_is_a_pickle(bundle):
    """No file of the bundle is a pickle, by name or by content."""
    for path in filter(Path.is_file, bundle.rglob("*")):
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pyc"}
        assert not path.read_bytes().startswith(b"\x80"), path
    assert b"skops" in (bundle / "MLmodel").read_bytes()


@pytest.mark.parametrize(
    "name", ["model.skops", "MLmodel", "assay.json", "domain.json", "code/toy_model/model.py"]
)
def test_altered_byte_changes_the_digest(bundle, name):
    """One bit anywhere in the bundle is another bundle."""
    before = digest_bundle(bundle)
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    assert digest_bundle(bundle) != before


def test_added_or_renamed_file_changes_the_digest(bundle):
    """A planted file, even compiled code beside its source, is not overlooked."""
    before = digest_bundle(bundle)
    planted = bundle / "code" / "toy_model" / "__pycache__" / "model.cpython-311.pyc"
    planted.parent.mkdir()
    planted.write_bytes(b"x")
    assert digest_bundle(bundle) != before
    shutil.rmtree(planted.parent)
    assert digest_bundle(bundle) == before
    (bundle / "MLmodel").rename(bundle / "MLmodel2")
    assert digest_bundle(bundle) != before


def test_link_is_refused(bundle, tmp_path):
    """A symbolic link in a bundle could point anywhere: no digest, no prediction."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    (bundle / "code" / "link").symlink_to(secret)
    with pytest.raises(NotCarriedOutError, match="not a regular file"):
        digest_bundle(bundle)


def test_missing_folder_says_what_to_do(tmp_path):
    """Without a bundle the message names the verb that makes one."""
    with pytest.raises(NotCarriedOutError, match="assay train"):
        digest_bundle(tmp_path / "none")


class Keeping(Doubled):
    """A transformer that keeps the table it transformed last."""

    def transform(self, X):  # noqa: N803
        """The features; a table of them stays on the object."""
        self.last_ = pd.DataFrame(X)
        return X


def test_what_predicting_leaves_in_a_model_is_judged_as_well(tmp_path, package):
    """A model that keeps its last input is refused in one sentence, not by an error of MLflow."""
    model, target = small_model(Keeping()), tmp_path / "bundle"
    del model[1].last_
    with pytest.raises(UsageError, match=r"not trusted.*DataFrame"):
        save_bundle(model, target, METADATA, domain_of(FORMULAS), package, [f"{__name__}.Keeping"])
    assert not target.exists()


def test_untrusted_type_is_refused_with_what_to_do(tmp_path, package):
    """A type that nobody named is not saved; the message says where to name it."""
    target = tmp_path / "bundle"
    with pytest.raises(UsageError, match=r"Doubled.*model\.trusted_types in assay\.toml"):
        save_bundle(small_model(Doubled()), target, METADATA, domain_of(FORMULAS), package)
    assert not target.exists()
    names = [f"{__name__}.Doubled"]
    save_bundle(small_model(Doubled()), target, METADATA, domain_of(FORMULAS), package, names)
    assert load_bundle(target, package.name, names).predict(["NaCl"]) == pytest.approx(1.0, abs=1.5)
    with pytest.raises(NotCarriedOutError, match="Doubled"):
        load_bundle(target, package.name)


def test_code_of_the_author_travels_and_leaves_no_trace(toy, laptop):
    """Loading a bundle with the author's own transformer does not change its digest."""
    package = toy / "src" / "toy_model"
    (package / "features.py").write_text(
        "from sklearn.base import BaseEstimator, TransformerMixin\n\n\n"
        "class Tripled(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, X, y=None):\n        return self\n\n"
        "    def transform(self, X):\n        return 3 * X\n"
    )
    model = package / "model.py"
    model.write_text(
        model.read_text()
        .replace("from assay", "from .features import Tripled\n\nfrom assay")
        .replace("StandardScaler(), Ridge", "Tripled(), StandardScaler(), Ridge")
    )
    settings = toy / "assay.toml"
    settings.write_text(
        settings.read_text() + '\n[model]\ntrusted_types = ["toy_model.features.Tripled"]\n'
    )
    commit(toy, "Add a transformer")
    done = assay(toy, "train")
    assert done.returncode == 0, done.stderr
    out = Layout(toy).out
    digest = digest_bundle(out / "bundle")
    shutil.rmtree(toy / "src")
    few = str(Layout(toy).candidates / "few.csv")
    done = assay(toy, "predict", few, "--uncertified", PYTHONDONTWRITEBYTECODE="")
    assert done.returncode == 0, done.stderr
    assert digest_bundle(out / "bundle") == digest


def test_probability_of_yes_is_the_prediction_of_a_class():
    """For a classifier the second column of predict_proba is what is predicted."""

    class Coin:
        def predict_proba(self, frame):
            return np.array([[0.25, 0.75]] * len(frame))

    assert list(predict(Coin(), FORMULAS)) == [0.75] * 3


def test_bundle_carries_the_inference_code_of_the_machinery(bundle):
    """The code in the bundle is the machinery's own, byte for byte."""
    machinery = TEMPLATE / "src" / "assay"
    features = machinery.joinpath("features").glob("*.py")
    assert {f"features/{path.name}" for path in features} < set(INFERENCE)
    for name in INFERENCE:
        own = machinery / name
        assert digest_file(bundle / "code" / "assay" / name) == digest_file(own)
