"""The model bundle: featurizer and estimator as one unit, saved without pickle.

A bundle is an MLflow model folder (skops inside) in canonical form: training twice from the
same commit in the same environment gives the same bytes, hence the same digest.
"""

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_tree, replaced_folder
from assay.model.domain import DOMAIN, DomainRecord
from assay.model.serialization import canonicalise, untrusted_types
from assay.model.trust import is_usual
from assay.records import Record

METADATA = "assay.json"
MODEL = "model.skops"
MACHINERY = Path(__file__).parents[1]
# What a bundle needs of the machinery to turn formulas into features.
INFERENCE = (
    "__init__.py",
    "errors.py",
    "compositions.py",
    "misspellings.py",
    "features/__init__.py",
    "features/ionic.py",
    "features/parsing.py",
    "features/plugged.py",
    "features/statistics.py",
    "features/tables.py",
    "features/transformers.py",
)
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
    chemical system; absent for a class) are in `unit`.
    """

    model: str
    target: str
    kind: Literal["number", "class"]
    unit: str
    lower: float | None
    upper: float | None
    interval_level: float
    interval_half_width: float | None
    train_digest: str


def predict(model: Any, formulas: Sequence[str]) -> np.ndarray:
    """Predictions (n,) of a fitted model that takes a DataFrame with a column `formula`."""
    frame = pd.DataFrame({"formula": [str(formula) for formula in formulas]})
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(frame)[:, 1], dtype=float)
    return np.asarray(model.predict(frame), dtype=float)


def save_bundle(  # noqa: PLR0913 (a bundle of five things)
    model: Any,
    folder: Path,
    metadata: BundleMetadata,
    domain: DomainRecord,
    package: Path,
    trusted: Sequence[str] = (),
) -> str:
    """Save a fitted model with the code and requirements it needs; returns the digest.

    Args:
        model: the fitted scikit-learn estimator, featurizer included.
        folder: where the bundle goes; replaced whole when everything is written.
        metadata: goes into the bundle as `assay.json`.
        domain: goes into the bundle as `domain.json`.
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
        domain.write(target / DOMAIN)
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
    unknown = [name for name in found if not is_usual(name) and name not in trusted]
    if unknown:
        raise UsageError(
            f"the model holds types that are not trusted: {', '.join(unknown)}; if you know them, "
            "add them to model.trusted_types in assay.toml."
        )
    return found


def _copy_code(package: Path, code: Path) -> None:
    for name in INFERENCE:
        copy = code / "assay" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MACHINERY / name, copy)
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
