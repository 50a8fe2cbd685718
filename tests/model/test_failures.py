"""What goes wrong in the author's code is one sentence with file, line and reason."""

import shutil
import sys
from pathlib import Path

import pytest

import toy
from assay.cli import main
from assay.errors import UsageError
from assay.features import GapError
from assay.model.builder import of_author, place_of
from assay.repository import Repository
from assay.settings import parse_settings
from sentences import told

FEATURES = """
from assay.features import magpie
from sklearn.base import BaseEstimator, TransformerMixin


class Mine(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        formulas = list(X["formula"])
        {body}
"""
BUILDER = """
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.features import MatminerFeatures
from {package}.own import Mine


def build_model(seed):
    return make_pipeline({first}, Ridge({arguments}))
"""


@pytest.fixture
def root(trained_toy, tmp_path):
    """A copy of the toy, as if nothing had been trained."""
    copied = toy.copy(trained_toy, tmp_path)
    shutil.rmtree(copied / "out")
    return copied


@pytest.fixture
def train(root, laptop, monkeypatch, capfd):
    """Train in this process: gives the exit code, and what is said."""

    def run():
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", ["assay", "train"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capfd.readouterr().err

    return run


def plant(root: Path, body: str = "return magpie(formulas)", first="Mine()", arguments="") -> None:
    """Give a repository's model a featurizer of its own."""
    package = root / "src" / toy.PACKAGE
    (package / "own.py").write_text(FEATURES.format(body=body))
    text = BUILDER.format(package=toy.PACKAGE, first=first, arguments=arguments)
    (package / "model.py").write_text(text)
    with (root / "assay.toml").open("a") as stream:
        stream.write(f'\n[model]\ntrusted_types = ["{toy.PACKAGE}.own.Mine"]\n')


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"body": "return missing"}, ("src/toy_model/own.py, line 13", "NameError", "'missing'")),
        ({"body": "return {}[formulas[0]]"}, ("src/toy_model/own.py, line 13", "KeyError")),
        ({"body": "return magpie(formulas)[1:]"}, ("src/toy_model/model.py",)),
        ({"arguments": "alpha=-1.0"}, ("src/toy_model/model.py", "InvalidParameterError")),
        (
            {"first": "MatminerFeatures('WenAlloys')"},
            ("src/toy_model/model.py", "'Weight Fraction'"),
        ),
    ],
)
def test_a_mistake_in_training_is_one_sentence(root, train, change, parts):
    """Whatever the author's model raises, `train` ends with 2, one line, and a traceback in a file.

    Planted: each was said to be a defect of assay.
    """
    plant(root, **change)
    code, said = train()
    assert code == 2
    (line,) = [line for line in said.splitlines() if line.strip()]
    assert "Traceback" not in line
    for part in parts:
        assert part in line
    assert "Traceback" in (root / "out" / "traceback.txt").read_text()


def test_a_traceback_is_printed_when_asked_for(root):
    """`train --verbose` prints it as well."""
    plant(root, body="return missing")
    assert "Traceback" in toy.assay(root, "train", "--verbose").stderr


def test_a_formula_that_cannot_be_featurised_is_named_with_its_line(root):
    """One row that matminer raises a KeyError for ends `train` in one sentence, not a traceback."""
    plant(root, first="MatminerFeatures('ElementProperty', 'matscholar_el')")
    path = root / "data" / "train.csv"
    lines = path.read_text().splitlines()
    lines[40] = "t90000,OgF2,1.5"
    path.write_text("\n".join([*lines, ""]))
    done = toy.assay(root, "train")
    assert done.returncode == 2
    (line,) = toy.spoken(done.stderr)
    assert "data/train.csv, line 41: 'OgF2'" in line
    assert "KeyError" in line
    assert "on_gap" in line


def test_a_place_is_found_through_a_bundle_and_another_process(tmp_path):
    """The author's file is named by its path in the repository, also from a bundle's copy of it."""
    error = RuntimeError("x")
    error.__cause__ = RuntimeError(
        'Traceback:\n  File "/tmp/assay-bundle-abc/code/toy/own.py", line 7, in transform\n'
        f'  File "{tmp_path}/src/assay/cli.py", line 1, in main\n'
    )
    assert place_of(tmp_path, error) == "src/toy/own.py, line 7"
    assert place_of(tmp_path, RuntimeError("y")) == ""


def test_an_expected_error_stays_what_it_is(tmp_path):
    """An error of assay's own keeps its sentence and code; a gap names no line if it has none."""
    repository = Repository(tmp_path, parse_settings(toy.SETTINGS))
    with told(UsageError, 2, "stay"), of_author(repository, "it stops", []):
        raise UsageError("data: stay.")
    with told(UsageError, 2, "'HeO'"), of_author(repository, "it stops", []):
        raise GapError({0: ("HeO", "'HeO' has a gap")})
