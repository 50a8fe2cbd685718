"""Which types a bundle may hold without anybody having named them."""

import numpy as np
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.cluster import BisectingKMeans, FeatureAgglomeration
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, StackingRegressor
from sklearn.feature_selection import (
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFwe,
    SelectKBest,
    chi2,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
    r_regression,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, SplineTransformer

from assay.errors import UsageError
from assay.features import MagpieFeatures
from assay.model.bundle import LISTED, is_usual, untrusted_types

X = np.abs(np.random.default_rng(0).normal(size=(60, 6)))
Y = X @ np.arange(6)
CLASSES = (np.median(Y) < Y).astype(int)
PLAIN = [
    BisectingKMeans(2, random_state=0),
    BisectingKMeans(2, random_state=0, algorithm="elkan"),
    *(FeatureAgglomeration(2, pooling_func=pool) for pool in (np.mean, np.median, np.max, np.min)),
    GaussianProcessRegressor(Matern() + WhiteKernel()),
    HistGradientBoostingRegressor(max_iter=2),
    KBinsDiscretizer(3, encode="ordinal"),
    KNeighborsRegressor(),
    MLPRegressor(hidden_layer_sizes=(2,), max_iter=2000, tol=1.0, random_state=0),
    RandomForestRegressor(2, random_state=0),
    SplineTransformer(),
    StackingRegressor([("ridge", Ridge())]),
]
SELECTING = [
    GenericUnivariateSelect(),
    SelectFdr(alpha=0.9),
    SelectFpr(alpha=0.9),
    SelectFwe(alpha=0.9),
    *(SelectKBest(score, k=2) for score in (chi2, f_regression, mutual_info_classif)),
    *(SelectKBest(score, k=2) for score in (mutual_info_regression, r_regression)),
]


def said(estimator: BaseEstimator) -> np.ndarray:
    """What an estimator makes of the features."""
    ask = estimator.predict if hasattr(estimator, "predict") else estimator.transform
    return np.asarray(ask(X[:5]), dtype=float)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [*((one, Y) for one in PLAIN), *((one, CLASSES) for one in SELECTING)],
    ids=lambda value: type(value).__name__,
)
def test_usual_estimator_is_saved_and_loaded_without_being_named(estimator, target):
    """What a fitted estimator of scikit-learn is made of need not stand in `assay.toml`."""
    fitted = estimator.fit(X, target)
    held = untrusted_types(fitted)
    assert [name for name in held if not is_usual(name)] == []
    loaded = skops.io.loads(skops.io.dumps(fitted), trusted=held)
    assert np.array_equal(said(loaded), said(fitted))


@pytest.mark.parametrize(
    "name",
    [
        "numpy.vectorize",
        "numpy.memmap",
        "numpy.lib._npyio_impl.DataSource",
        "numpy.lib.npyio.NpzFile",
        "numpy.f2py.crackfortran.myeval",
        "numpy.nothing.there",
        "numpy.save",
        "scipy.io._netcdf.netcdf_file",
        "sklearn.datasets._base.RemoteFileMetadata",
        "sklearn.externals._packaging.version.Version",
        "sklearn.feature_extraction.text.partial",
        "sklearn.metrics._scorer.partial",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.utils.parallel.Parallel",
        "sklearn.tree._export.export_graphviz",
        "assay.features.tables.lru_cache",
        "assay.features.parsing.lru_cache",
        "os.system",
    ],
)
def test_what_reads_writes_or_calls_is_not_usual(name):
    """Functions that were not listed, classes of files, and what a module only imported."""
    assert not is_usual(name)


def test_every_name_of_the_list_is_there():
    """No entry of the list is misspelt or gone from the installed libraries."""
    import importlib

    for name in LISTED:
        module, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(module), last), name


def test_featurizers_of_the_machinery_are_usual():
    """A model may hold what `assay.features` defines."""
    name = f"{MagpieFeatures.__module__}.{MagpieFeatures.__qualname__}"
    assert name.startswith("assay.features.")
    assert is_usual(name)


def test_what_cannot_be_saved_names_what_the_author_wrote():
    """A lambda is asked to become a function, and tables everywhere to become those of one step."""
    with pytest.raises(UsageError, match="`def`") as caught:
        untrusted_types(FunctionTransformer(lambda x: x))
    assert caught.value.code == "model.not-savable"
    held = Ridge()
    held.table_ = (row for row in ())
    with pytest.raises(UsageError, match="no tables"):
        untrusted_types(held)
    with config_context(transform_output="pandas"), pytest.raises(UsageError, match="set_output"):
        untrusted_types(held)
