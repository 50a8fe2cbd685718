"""A fitted model becomes a bundle with all that it needs, or is refused with what to do."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.errors import NotCarriedOutError, UsageError
from assay.features import MatminerFeatures, StoichiometryFeatures
from assay.layout import Layout
from assay.model.bundle import digest_bundle
from assay.model.loading import load_bundle
from assay.model.saving import save_bundle
from toy import (
    METADATA,
    PACKAGE,
    assay,
    commit,
    domain_of,
    toy_bundle,  # noqa: F401 (a fixture)
)

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


def test_bundle_carries_the_authors_package_alone(bundle):
    """No line of the machinery is in a bundle, nor a requirement that an index could answer."""
    assert [path.name for path in (bundle / "code").iterdir()] == [PACKAGE]
    for path in bundle.rglob("*"):
        assert not path.is_file() or b"assay-materials" not in path.read_bytes(), path


def test_a_model_of_alloys_alone_is_saved(tmp_path, package):
    """A model whose features exist for no salt has its own training rows as the example.

    Planted: the example was always NaCl, which such a model refuses.
    """
    formulas = ["AlCo", "CuZn", "FeNi", "CaMg2"]
    model = make_pipeline(MatminerFeatures("YangSolidSolution"), Ridge())
    model.fit(pd.DataFrame({"formula": formulas}), [1.0, 2.0, 3.0, 4.0])
    folder = tmp_path / "bundle"
    save_bundle(model, folder, METADATA, domain_of(formulas), package)
    loaded = load_bundle(folder, package.name)
    assert list(loaded.predict(formulas)) == list(
        model.predict(pd.DataFrame({"formula": formulas}))
    )
