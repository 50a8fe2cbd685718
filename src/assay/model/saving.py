"""Writes a fitted model as a bundle, with the author's code and what shows that it still holds."""

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.errors import UsageError
from assay.files import replaced_folder
from assay.model.bundle import (
    METADATA,
    BundleMetadata,
    canonicalise,
    digest_bundle,
    is_usual,
    untrusted_types,
)
from assay.model.domain import DOMAIN, DomainRecord
from assay.model.golden import FILE, golden_rows
from assay.model.inference import predict

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

    # first, since a model may keep something when it predicts
    example, predictions = _example(model, domain)
    signature = infer_signature(example, predictions)
    golden = golden_rows(model)
    allowed = _allowed_types(model, trusted)
    with replaced_folder(folder) as target, tempfile.TemporaryDirectory() as code:
        _copy_code(package, Path(code))
        mlflow.sklearn.save_model(
            model,
            str(target),
            serialization_format="skops",
            skops_trusted_types=allowed,
            code_paths=[str(Path(code) / package.name)],
            conda_env=_environment(),
            pyfunc_predict_fn="predict_proba" if hasattr(model, "predict_proba") else "predict",
            signature=signature,
            input_example=example,
        )
        canonicalise(target)
        metadata.write(target / METADATA)
        domain.write(target / DOMAIN)
        golden.write(target / FILE)
    return digest_bundle(folder)


def _example(model: Any, domain: DomainRecord) -> tuple[pd.DataFrame, np.ndarray]:
    """Two compositions and their predictions: usual ones, or training rows if it refuses these."""
    try:
        formulas = ["NaCl", "Li2O"]
        predictions = predict(model, formulas)
    except ValueError:  # features of alloys need not exist for a salt
        formulas = domain.references[:2]
        predictions = predict(model, formulas)
    return pd.DataFrame({"formula": formulas}), predictions


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
            "add them to model.trusted_types in assay.toml.",
            code="model.untrusted-type",
        )
    return found


def _copy_code(package: Path, code: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(package, code / package.name, ignore=ignored)
