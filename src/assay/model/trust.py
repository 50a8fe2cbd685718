"""Types that models are made of, and that are loaded without being named in `assay.toml`."""

import importlib

# skops trusts scikit-learn's estimators and numpy's arithmetic itself. Beyond these: numbers in,
# numbers out, and nothing in them reads or writes a file or evaluates text.
SELECTION = "sklearn.feature_selection"
LISTED = frozenset(
    {
        "numpy.dtype",
        "numpy.max",
        "numpy.mean",
        "numpy.median",
        "numpy.min",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        f"{SELECTION}._mutual_info.mutual_info_classif",
        f"{SELECTION}._mutual_info.mutual_info_regression",
        f"{SELECTION}._univariate_selection.chi2",
        f"{SELECTION}._univariate_selection.f_classif",
        f"{SELECTION}._univariate_selection.f_regression",
        f"{SELECTION}._univariate_selection.r_regression",
        "sklearn.utils._bunch.Bunch",
    }
)
# Their classes fetch, cache, unpack or map files, or stand for other libraries.
CLOSED = frozenset({"callback", "conftest", "datasets", "externals", "tests", "utils"})


def is_usual(name: str) -> bool:
    """Whether a type is one that models are made of, and loaded without being named.

    Those listed are, and classes that a module of scikit-learn or `assay.features` defines itself.
    Other functions are not, nor what a module merely imported.
    """
    if name in LISTED:
        return True
    if not name.startswith("assay.features.") and not _is_of_models(name):
        return False
    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), last)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type) and f"{found.__module__}.{found.__qualname__}" == name


def _is_of_models(name: str) -> bool:
    library, *parts = name.split(".")
    return library == "sklearn" and not CLOSED.intersection(parts)
