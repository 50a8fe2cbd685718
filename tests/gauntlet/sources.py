"""Source texts of models and features that cases write into the author's package."""

from gauntlet.cases import Change, all_of, source, substituted

BASE = '''"""The model."""

from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from .features import build_features


def build_model(seed: int) -> Pipeline:
    """Make a ridge regression on a sampled Gaussian kernel."""
    kernel = Nystroem(gamma=0.003, n_components=300, random_state=seed)
    return make_pipeline(build_features(), StandardScaler(), kernel, Ridge(alpha=1.0))
'''
LAST = "kernel, Ridge(alpha=1.0)"

_FEATURES = '''"""What the model sees of a composition."""

import re
import time

import numpy as np
from pymatgen.core import Element
from sklearn.base import BaseEstimator, TransformerMixin

from assay.compositions import parse, problem
from assay.features import magpie, stoichiometry


class Planted(TransformerMixin, BaseEstimator):
    """Magpie and stoichiometry, and what is planted here."""

    def fit(self, X, y=None):
        """Nothing to fit."""
        self.fitted_ = True
        return self

    def transform(self, X):
        """Features (n, k)."""
        formulas = list(X["formula"])
{body}


def build_features():
    """Make the transformer."""
    return Planted()
'''

_MODEL = '''"""The model."""

import csv
import random
import threading
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.compositions import elements, parse, reduced_formula

from .features import build_features

{head}


class Planted(RegressorMixin, BaseEstimator):
    """The model as it was, and what is planted here."""

    def __init__(self, seed=0):
        """Keep the seed."""
        self.seed = seed

    def fit(self, X, y):
        """Fit the model."""
{fit}
        return self

    def _plain(self, X):
        return self.inner_.predict(X)

    def predict(self, X):
        """Predictions (n,)."""
{predict}


def build_model(seed):
    """Make the model."""
    return Planted(seed)
'''

UNFITTED = """kernel = Nystroem(gamma=0.003, n_components=300, random_state=self.seed)
self.inner_ = make_pipeline(build_features(), StandardScaler(), kernel, Ridge(alpha=1.0))
"""
PLAIN_FIT = UNFITTED + "self.inner_.fit(X, y)"
PLAIN_PREDICT = "return self._plain(X)"


def _indented(text: str) -> str:
    return "\n".join(" " * 8 + line for line in text.strip().splitlines())


def trusted(module: str) -> Change:
    """Name the planted class among the types that a bundle may hold, as its author would."""
    return substituted(
        "assay.toml",
        "[model]\n",
        f'[model]\ntrusted_types = ["formation_enthalpy.{module}.Planted"]\n',
    )


def features(body: str) -> Change:
    """Plant a featurizer; `body` ends `transform`, where `formulas` are at hand."""
    text = _FEATURES.replace("{body}", _indented(body))
    return all_of(source(text, "features.py"), trusted("features"))


def model(fit: str = PLAIN_FIT, predict: str = PLAIN_PREDICT, head: str = "") -> Change:
    """Plant a model: `fit(self, X, y)` and `predict(self, X)`, and what stands before them."""
    text = _MODEL.replace("{fit}", _indented(fit)).replace("{predict}", _indented(predict))
    text = text.replace("{head}", head)
    return all_of(source(text), trusted("model"))
