"""The model bundle: featurizer and estimator as one unit, saved without pickle.

A bundle is an MLflow model folder (skops inside) in canonical form: training twice from the
same commit in the same environment gives the same bytes, hence the same digest.
"""

import atexit
import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file, digest_tree, replaced_folder
from assay.model.serialization import canonicalise, untrusted_types
from assay.records import Record, read_record

METADATA = "assay.json"
MODEL = "model.skops"
MACHINERY = Path(__file__).parents[1]
# What a bundle needs of the machinery to turn formulas into features; all of it lies beside
# the packages, so that a bundle carries single files.
INFERENCE = ("__init__.py", "errors.py", "compositions.py", "features.py")
REQUIREMENTS = (
    "mlflow",
    "skops",
    "scikit-learn",
    "numpy",
    "pandas",
    "scipy",
    "matminer",
    "pymatgen",
)


class BundleMetadata(Record):
    """What a prediction needs to know beside the estimator.

    `lower`, `upper` (physical bounds, absent if unbounded) and `interval_half_width` (split by
    chemical system; absent for a class) are in `unit`; `elements` are those of the train set.
    """

    model: str
    target: str
    kind: Literal["number", "class"]
    unit: str
    lower: float | None
    upper: float | None
    interval_level: float
    interval_half_width: float | None
    elements: list[str]
    train_digest: str


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle ready to predict: `digest` is that of the very bytes that were loaded.

    They lie in a private copy, which goes when the process ends.
    """

    digest: str
    metadata: BundleMetadata
    model: Any
    private: Path

    def discard(self) -> None:
        """Remove the private copy, after which nothing more of its code can be imported."""
        shutil.rmtree(self.private, ignore_errors=True)

    def predict(self, formulas: Sequence[str]) -> np.ndarray:
        """Predict (n,) floats, in the target's unit; for a class the probability of yes.

        Raises:
            ValueError: a formula cannot be read or featurised.
        """
        return predict(self.model, formulas)


def predict(model: Any, formulas: Sequence[str]) -> np.ndarray:
    """Predictions (n,) of a fitted model that takes a DataFrame with a column `formula`."""
    frame = pd.DataFrame({"formula": [str(formula) for formula in formulas]})
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(frame)[:, 1], dtype=float)
    return np.asarray(model.predict(frame), dtype=float)


def save_bundle(
    model: Any, folder: Path, metadata: BundleMetadata, package: Path, trusted: Sequence[str] = ()
) -> str:
    """Save a fitted model with the code and requirements it needs; returns the digest.

    Args:
        model: the fitted scikit-learn estimator, featurizer included.
        folder: where the bundle goes; replaced whole when everything is written.
        metadata: goes into the bundle as `assay.json`.
        package: the folder of the author's package, whose code the bundle carries.
        trusted: types beyond the usual that the author allows in the model.

    Raises:
        UsageError: the model holds types that are not trusted, or that cannot be saved.
    """
    import mlflow.sklearn
    from mlflow.models import infer_signature

    example = pd.DataFrame({"formula": ["NaCl", "Li2O"]})
    # first, since a model may keep something when it predicts
    signature = infer_signature(example, predict(model, example["formula"]))
    allowed = _allowed_types(model, trusted)
    with replaced_folder(folder) as target, tempfile.TemporaryDirectory() as code:
        _copy_code(package, Path(code))
        mlflow.sklearn.save_model(
            model,
            str(target),
            serialization_format="skops",
            skops_trusted_types=allowed,
            code_paths=[str(path) for path in sorted(Path(code).iterdir())],
            conda_env=_environment(),
            pyfunc_predict_fn="predict_proba" if hasattr(model, "predict_proba") else "predict",
            signature=signature,
            input_example=example,
        )
        canonicalise(target)
        metadata.write(target / METADATA)
    return digest_bundle(folder)


def _environment() -> dict[str, Any]:
    # MLflow would make the same one, with whichever pip is installed, or a warning without one.
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": pins}],
    }


def _allowed_types(model: Any, trusted: Sequence[str]) -> list[str]:
    found = untrusted_types(model)
    unknown = [name for name in found if not _is_usual(name) and name not in trusted]
    if unknown:
        raise UsageError(
            f"the model holds types that are not trusted: {', '.join(unknown)}; if you know them, "
            "add them to model.trusted_types in assay.toml."
        )
    return found


def _is_usual(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in {"sklearn", "numpy", "scipy"} or name.startswith(
        "assay.features."
    )


def _copy_code(package: Path, code: Path) -> None:
    machinery = code / "assay"
    machinery.mkdir()
    for name in INFERENCE:
        shutil.copyfile(MACHINERY / name, machinery / name)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(package, code / package.name, ignore=ignored)


def digest_bundle(folder: Path) -> str:
    """SHA-256 over the sorted contents of a bundle.

    Raises:
        NotCarriedOutError: there is no such folder, or it holds a link.
    """
    if not folder.is_dir():
        raise NotCarriedOutError(f"there is no bundle at {folder}: run `assay train` first.")
    try:
        return digest_tree(folder)
    except (ValueError, OSError) as error:
        raise NotCarriedOutError(f"the bundle {folder} is not sound: {error}.") from None


def load_bundle(folder: Path, trusted: Sequence[str] = ()) -> LoadedBundle:
    """Load a bundle to predict with; only for bundles that are certified or of one's own making.

    Args:
        folder: the bundle.
        trusted: the author's additional trusted types, from `assay.toml`, never from the bundle.

    Raises:
        NotCarriedOutError: the bundle is incomplete or damaged, or was made by another version of
            the machinery, so that its features would differ.
    """
    private = _private_copy(folder)
    copy = private / "bundle"
    digest = digest_bundle(copy)
    metadata = read_record(BundleMetadata, copy / METADATA)
    _use_code(copy / "code", private / "code")
    return LoadedBundle(digest, metadata, _model(copy / MODEL, trusted), private)


def _model(path: Path, trusted: Sequence[str]) -> Any:
    import skops.io

    try:
        names = skops.io.get_untrusted_types(file=path)
        allowed = [name for name in names if _is_usual(name) or name in trusted]
        return skops.io.load(path, trusted=allowed)
    except Exception as error:  # noqa: BLE001 (skops raises what the content provokes)
        raise NotCarriedOutError(
            f"{path.name} cannot be loaded ({type(error).__name__}: {error}): "
            "fetch or train the bundle again."
        ) from None


def _private_copy(folder: Path) -> Path:
    """Copy a bundle to where nobody else writes, so that what is digested is what is loaded."""
    private = Path(tempfile.mkdtemp(prefix="assay-bundle-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    if not folder.is_dir():
        raise NotCarriedOutError(f"there is no bundle at {folder}: run `assay train` first.")
    try:
        shutil.copytree(folder, private / "bundle", symlinks=True)
    except OSError as error:
        raise NotCarriedOutError(
            f"the bundle {folder} cannot be read whole ({type(error).__name__}): fetch it again."
        ) from None
    return private


def predict_saved(folder: Path, formulas: Sequence[str], trusted: Sequence[str]) -> np.ndarray:
    """Load a bundle and predict (n,) floats: what `train` has a process of its own do."""
    loaded = load_bundle(folder, trusted)
    try:
        return loaded.predict(formulas)
    finally:
        loaded.discard()  # such a process ends without what `atexit` was told


def _use_code(code: Path, packages: Path) -> None:
    """Make the author's packages of a bundle importable from a folder that holds nothing else.

    The bundle's copy of the machinery is for whoever has none. Here it would stand in the way of
    the whole one, of which it is a part.
    """
    for name in INFERENCE:
        path, own = code / "assay" / name, MACHINERY / name
        if not path.is_file() or digest_file(path) != digest_file(own):
            raise NotCarriedOutError(
                f"the bundle was made with another assay/{name}: predict from the commit "
                "that its certificate names, or train and certify it again."
            )
    packages.mkdir()
    names = [path.name for path in code.iterdir() if path.name != "assay"]
    for name in names:
        (code / name).rename(packages / name)
    if any(name not in sys.modules for name in names):
        # The author's code of the bundle goes before that of the checkout.
        sys.path.insert(0, str(packages))
        importlib.invalidate_caches()
