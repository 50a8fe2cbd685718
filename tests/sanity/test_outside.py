"""The kit serves a model that knows nothing of this template."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import assay

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly("test_package.py runs the kit on another model, sound and not"),
]

MODEL = """
import numpy as np
from assay.compositions import parse

class Model:
    def predict(self, formulas):
        return np.array([{value} for formula in formulas])

def build(seed):
    from assay.features import StoichiometryFeatures
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    return make_pipeline(StoichiometryFeatures(), Ridge(random_state=seed))

def load(path):
    assert path.read_text() == "weights"
    return Model()
"""
CONFTEST = """
import pandas as pd
import pytest

pytest_plugins = ["assay.sanity.plugin"]

@pytest.fixture(scope="session")
def training_rows():
    formulas = ["NaCl", "H2O", "NaOH", "HCl", "CaO", "CaH2", "MgO", "MgCl2", "NaH", "CaCO3"]
    masses = [29.2, 6.0, 13.3, 18.2, 28.0, 14.0, 20.2, 31.7, 12.0, 20.0]
    return pd.DataFrame({"formula": formulas, "mass": masses})

@pytest.fixture(scope="session")
def builder():
    from my_model import build
    return build

@pytest.fixture(scope="session")
def bounds():
    return 0.0, float("inf")
"""
TESTS = """
from assay.sanity.properties.physics import test_predictions_are_finite_and_within_bounds
from assay.sanity.properties.repetition import *
from assay.sanity.properties.spelling import *
"""


@pytest.mark.parametrize(
    ("value", "failed"),
    [
        ("parse(formula).weight / parse(formula).num_atoms", set()),
        ("parse(formula).weight", {"test_multiples_of_a_formula_agree"}),
    ],
)
def test_the_kit_serves_any_model(tmp_path: Path, value: str, failed: set[str]) -> None:
    """With a loader and the training rows, a model elsewhere is tested; a mistake is found."""
    for name, text in (
        ("my_model.py", MODEL.replace("{value}", value)),
        ("weights.txt", "weights"),
        ("conftest.py", CONFTEST),
        ("test_kit.py", TESTS),
        ("test_training_kit.py", "from assay.sanity.properties.training import *"),
        ("pytest.ini", "[pytest]\npythonpath = .\n"),
    ):
        (tmp_path / name).write_text(text)
    source = str(Path(assay.__file__).parents[1])
    model = ["--assay-loader=my_model:load", "--assay-bundle=weights.txt"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rf", "-p", "no:cacheprovider", *model],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(re.findall(r"^FAILED test_kit\.py::(\w+)", done.stdout, re.MULTILINE)) == failed
    training = "11 passed, 4 skipped" if failed else "16 passed"
    assert training in done.stdout, done.stdout
