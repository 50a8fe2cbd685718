"""Changes of code: refactorings that change nothing, additions, and other models."""

from pathlib import Path

from gauntlet.cases import Change, all_of, appended, substituted
from honest.edits import PACKAGE, written

MODEL, FEATURES = f"src/{PACKAGE}/model.py", f"src/{PACKAGE}/features.py"
TESTS = "tests/test_my_model.py"
RETURN = "    return make_pipeline(build_features(), forest)"
NOTEBOOK = """{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {},
 "outputs": [], "source": ["import pandas as pd\\n",
 "pd.read_csv('data/train.csv').describe()"], "id": "a1"}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
UNION = """FeatureUnion(
        [
            ("magpiefeatures", MagpieFeatures()),
            ("stoichiometryfeatures", StoichiometryFeatures()),
        ]
    )"""
PROPERTY = '''

def test_halides_of_sodium_are_bound(predict: Predict) -> None:
    """Sodium halides have a negative formation enthalpy."""
    assert (predict(["NaF", "NaCl"]) < 0).all()
'''
HELPER = '''"""The shipped trees, under a name."""

from sklearn.tree import DecisionTreeRegressor


def make_tree() -> DecisionTreeRegressor:
    """Make one tree."""
    return DecisionTreeRegressor(min_samples_leaf=3)
'''
FEATURIZER = '''"""Features that are tried in a notebook first."""

import numpy as np
import pandas as pd
from pymatgen.core import Composition


def masses(formulas: pd.Series) -> np.ndarray:
    """Return the mass of each formula in u."""
    return np.array([Composition(formula).weight for formula in formulas])
'''
_TREE = "    tree = DecisionTreeRegressor(min_samples_leaf=3)"

REFACTORINGS: dict[str, tuple[str, Change]] = {
    "name-for-pipeline": (
        "The pipeline gets a name.",
        substituted(MODEL, RETURN, f"    model = {RETURN.split('return ')[1]}\n    return model"),
    ),
    "name-for-features": (
        "The features get a name.",
        substituted(
            MODEL,
            RETURN,
            "    features = build_features()\n    return make_pipeline(features, forest)",
        ),
    ),
    "comment-in-model": ("A comment.", appended(MODEL, "# to be tuned\n")),
    "docstring": (
        "Another docstring.",
        substituted(MODEL, "Make an unfitted", "Return an unfitted"),
    ),
    "unused-import": (
        "A module is imported.",
        substituted(MODEL, "from sklearn.ensemble", "import math\n\nfrom sklearn.ensemble"),
    ),
    "helper-module": (
        "The tree moves to a module of its own.",
        all_of(
            written(f"src/{PACKAGE}/trees.py", HELPER),
            substituted(MODEL, _TREE, "    tree = make_tree()"),
            substituted(
                MODEL,
                "from .features import build_features",
                "from .features import build_features\nfrom .trees import make_tree",
            ),
            substituted(MODEL, "from sklearn.tree import DecisionTreeRegressor\n", ""),
        ),
    ),
    "helper-function": (
        "The features move to a function.",
        all_of(
            substituted(
                MODEL,
                "make_pipeline(build_features(), forest)",
                "make_pipeline(_features(), forest)",
            ),
            appended(MODEL, "\n\ndef _features() -> object:\n    return build_features()\n"),
        ),
    ),
    "union-by-class": (
        "FeatureUnion is called by its name.",
        substituted(
            FEATURES,
            "make_union(MagpieFeatures(), StoichiometryFeatures())",
            UNION,
        ),
    ),
}


def _folder_of_notebooks(root: Path) -> None:
    for number in range(3):
        written(f"notebooks/{number}-look.ipynb", NOTEBOOK)(root)


ADDITIONS: dict[str, tuple[str, Change]] = {
    "notebook": ("A notebook.", written("notebooks/look.ipynb", NOTEBOOK)),
    "notebooks": ("Three notebooks.", _folder_of_notebooks),
    "property": ("A property of the repository's own.", appended(TESTS, PROPERTY)),
    "unit-test": (
        "A test that has nothing to do with the model.",
        written("tests/test_arithmetic.py", "def test_sum() -> None:\n    assert 1 + 1 == 2\n"),
    ),
    "unused-featurizer": (
        "A featurizer that no model uses yet.",
        written(f"src/{PACKAGE}/masses.py", FEATURIZER),
    ),
    "script": ("A script that plots.", written("scripts/plot.py", 'print("a plot")\n')),
    "picture": ("A picture for the README.", written("docs/plot.svg", "<svg/>\n")),
}
MODELS: dict[str, tuple[str, Change]] = {
    "ten-more-trees": (
        "Ten trees more.",
        substituted(MODEL, "n_estimators=150", "n_estimators=160"),
    ),
    "more-features-a-tree": (
        "Trees see a quarter of the features.",
        substituted(MODEL, "max_features=0.2", "max_features=0.25"),
    ),
    "smaller-leaves": (
        "Leaves of two rows.",
        substituted(MODEL, "min_samples_leaf=3", "min_samples_leaf=2"),
    ),
    "ionic-features": (
        "matminer's ionic features are added.",
        all_of(
            substituted(
                FEATURES, "StoichiometryFeatures())", "StoichiometryFeatures(), IonFeatures())"
            ),
            substituted(FEATURES, "import MagpieFeatures", "import IonFeatures, MagpieFeatures"),
        ),
    ),
}
