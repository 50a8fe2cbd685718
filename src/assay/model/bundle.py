"""The model bundle: featurizer and estimator as one unit, saved without pickle.

A bundle is an MLflow model folder (skops inside) in canonical form: training twice from the
same commit in the same environment gives the same bytes, hence the same digest.
`model.saving` writes it and `model.loading` reads it; here is what both, and those who only want
its digest, have to know, without the seconds that their libraries take.
"""

from pathlib import Path
from typing import Literal

from assay.errors import NotCarriedOutError
from assay.files import digest_tree
from assay.records import Record

METADATA = "assay.json"
MODEL = "model.skops"


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
