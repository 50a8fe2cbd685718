"""The model bundle: featurizer and estimator as one unit, saved without pickle.

A bundle is an MLflow model folder (skops inside) in canonical form: training twice from the
same commit in the same environment gives the same bytes, hence the same digest. MLflow and skops
put the time, random identifiers and memory addresses into their files; these are replaced here by
numbers in order of appearance. `model.saving` writes a bundle and `model.loading` reads it; here is
what both need, without the seconds that their libraries take.
"""

import importlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import yaml

from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_tree
from assay.records import Record

# skops trusts scikit-learn's estimators and numpy's arithmetic itself. Beyond these: numbers in,
# numbers out, and nothing in them reads or writes a file or evaluates text.
SELECTION = "sklearn.feature_selection"
LAMBDA = "<lambda>"
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
METADATA = "assay.json"
MODEL = "model.skops"
EPOCH = "1970-01-01 00:00:00.000000"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


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


class BundleMetadata(Record):
    """What a prediction needs to know beside the estimator.

    `lower`, `upper` (physical bounds, absent if unbounded) and `interval_half_width` (the mean over
    the train rows; absent for a class) are in `unit`. `interval_quantile` is half the width of an
    interval in multiples of the difficulty; without it, in older bundles, all intervals of a number
    have the one half width. `classes` names the classes 0 and 1; older bundles do not.
    """

    model: str
    target: str
    kind: Literal["number", "class"]
    unit: str
    lower: float | None
    upper: float | None
    interval_level: float
    interval_half_width: float | None
    interval_quantile: float | None = None
    classes: tuple[str, str] | None = None
    train_digest: str


def digest_bundle(folder: Path) -> str:
    """SHA-256 over the sorted contents of a bundle.

    Raises:
        NotCarriedOutError: there is no such folder, or it holds a link.
    """
    if not folder.is_dir():
        raise NotCarriedOutError(
            f"there is no bundle at {folder}: run `assay train` first.", code="bundle.missing"
        )
    try:
        return digest_tree(folder)
    except (ValueError, OSError) as error:
        raise NotCarriedOutError(
            f"the bundle {folder} is damaged ({error}): fetch or train it again.",
            code="bundle.unsound",
        ) from None


def untrusted_types(model: Any) -> list[str]:
    """The types in a model that skops would not load without being told to.

    Raises:
        UsageError: the model holds what skops cannot save, a table for instance.
    """
    import skops.io

    try:
        content = skops.io.dumps(model)
    except Exception as error:
        raise UsageError(
            f"the model cannot be saved ({type(error).__name__}: {error}): {_savable()}.",
            code="model.not-savable",
        ) from error
    names = sorted(skops.io.get_untrusted_types(data=content))
    if nameless := [name for name in names if LAMBDA in name]:
        raise UsageError(
            f"the model holds {nameless[0]}, a function without a name, which cannot be loaded "
            "again: write it with `def` at the top level of a module of your package, and name it "
            "in model.trusted_types in assay.toml.",
            code="model.not-savable",
        )
    return names


def _savable() -> str:
    """What a model that cannot be saved should hold instead of what it holds."""
    from sklearn import get_config

    output = get_config()["transform_output"]
    if output != "default":
        return (
            f"sklearn.set_config(transform_output={output!r}) makes every estimator return tables: "
            "remove it, or call set_output on the one step that needs it"
        )
    return (
        "keep numbers, numpy arrays and estimators in its attributes, no tables, files or functions"
    )


def canonicalise(folder: Path) -> None:
    """Rewrite an MLflow model folder in place so that its bytes depend on the model alone."""
    skops_file = folder / "model.skops"
    skops_file.write_bytes(canonical_skops(skops_file.read_bytes()))
    mlmodel = folder / "MLmodel"
    mlmodel.write_text(_canonical_mlmodel(mlmodel.read_text(encoding="utf-8")), encoding="utf-8")
    environment = folder / "python_env.yaml"
    environment.write_text(
        _canonical_environment(environment.read_text(encoding="utf-8")), encoding="utf-8"
    )
    for path in folder.rglob("__pycache__"):
        for compiled in path.iterdir():
            compiled.unlink()
        path.rmdir()


def canonical_skops(content: bytes) -> bytes:
    """The same skops archive with identifiers counted from 1, and without time or compression."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        names: dict[str, str] = {}
        _renumber(schema, {}, names)
        files = {new: archive.read(old) for old, new in names.items()}
    files["schema.json"] = json.dumps(schema, indent=1, sort_keys=True).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), files[name])
    return target.getvalue()


def _renumber(node: Any, identifiers: dict[int, int], names: dict[str, str]) -> None:
    # A depth-first walk in the order of the file: equal models are walked alike.
    if isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = identifiers.setdefault(node["__id__"], len(identifiers) + 1)
        if isinstance(node.get("file"), str):
            suffix = Path(node["file"]).suffix
            node["file"] = names.setdefault(node["file"], f"{len(names) + 1}{suffix}")
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _renumber(child, identifiers, names)


def _canonical_mlmodel(text: str) -> str:
    content = yaml.safe_load(text)
    content["utc_time_created"] = EPOCH
    content.pop("model_uuid", None)
    content.pop("model_size_bytes", None)
    return str(yaml.safe_dump(content, sort_keys=True))


def _canonical_environment(text: str) -> str:
    # Which pip happens to be installed beside a model does not change it.
    content = yaml.safe_load(text)
    built = content.get("build_dependencies", [])
    content["build_dependencies"] = sorted(name.split("==")[0] for name in built)
    return str(yaml.safe_dump(content, sort_keys=True))
