"""A bundle loaded to predict: from a private copy, of which every byte was digested."""

import importlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import private_folder, remove_private_folder
from assay.model.bundle import METADATA, MODEL, BundleMetadata, digest_bundle, is_usual
from assay.model.domain import DOMAIN, Domain, DomainRecord
from assay.model.golden import require_interface, require_unchanged
from assay.model.inference import Inference
from assay.records import read_record

PRIVATE = "assay-bundle-"


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle ready to predict: `digest` is that of the very bytes that were loaded.

    They lie in a private copy, which goes when the process ends.
    """

    digest: str
    metadata: BundleMetadata
    domain: Domain
    model: Any
    private: Path

    def discard(self) -> None:
        """Remove the private copy, after which nothing more of its code can be imported."""
        remove_private_folder(self.private)

    def predict(self, formulas: Sequence[str]) -> np.ndarray:
        """Predict (n,) floats, in the target's unit; for a class the probability of yes.

        Formulas that come as an `Amounts` are not parsed again.

        Raises:
            ValueError: a formula cannot be read or featurised.
        """
        return self.inference.predict(formulas)

    @cached_property
    def inference(self) -> Inference:
        """How the model is asked; it counts the rows, since many are worth a faster way."""
        return Inference(self.model)


def load_bundle(
    folder: Path,
    package: str,
    trusted: Sequence[str] = (),
    expected: str | None = None,
    *,
    fresh: bool = False,
) -> LoadedBundle:
    """Load a bundle to predict with; only for bundles that are certified or of one's own making.

    Args:
        folder: the bundle.
        package: the project's own, from `assay.toml`: the only one whose code it may bring.
        trusted: the author's additional trusted types, from `assay.toml`, never from the bundle.
        expected: the digest that it must have, before any of its code can be imported.
        fresh: it was made by this very machinery, for which its golden rows say nothing new; a
            model that is not sound would fail there, before sanity could name what is wrong.

    Raises:
        RefusedError: it has another digest, or would not predict as on the day it was made.
        NotCarriedOutError: the bundle is incomplete or damaged, or brings other code.
    """
    import skops.io  # noqa: F401 (before any code of the bundle can be imported)

    private = _private_copy(folder)
    copy = private / "bundle"
    digest = digest_bundle(copy)
    if expected is not None and digest != expected:
        raise RefusedError(
            f"{folder} is not bundle {expected[:12]}, or changed after it was let through: fetch "
            "it again.",
            code="bundle.other-digest",
        )
    metadata = read_record(BundleMetadata, copy / METADATA)
    domain = Domain.of(read_record(DomainRecord, copy / DOMAIN))
    require_interface(copy)
    _use_code(copy / "code", private / "code", package)
    model = _model(copy / MODEL, trusted)
    if not fresh:
        require_unchanged(copy, model, metadata.interval_half_width)
    return LoadedBundle(digest, metadata, domain, model, private)


def _model(path: Path, trusted: Sequence[str]) -> Any:
    import skops.io

    try:
        names = skops.io.get_untrusted_types(file=path)
        allowed = [name for name in names if is_usual(name) or name in trusted]
        return skops.io.load(path, trusted=allowed)
    except Exception as error:  # noqa: BLE001 (skops raises what the content provokes)
        raise NotCarriedOutError(
            f"{path.name} cannot be loaded ({type(error).__name__}: {error}): "
            "fetch or train the bundle again.",
            code="bundle.not-loadable",
        ) from None


def _private_copy(folder: Path) -> Path:
    """Copy a bundle to where nobody else writes, so that what is digested is what is loaded."""
    if not folder.is_dir():
        raise NotCarriedOutError(
            f"there is no bundle at {folder}: run `assay train` first.", code="bundle.missing"
        )
    private = private_folder(PRIVATE)
    try:
        shutil.copytree(folder, private / "bundle", symlinks=True)
    except OSError as error:
        raise NotCarriedOutError(
            f"the bundle {folder} cannot be read whole ({type(error).__name__}): fetch it again.",
            code="bundle.unreadable",
        ) from None
    return private


def forget_bundles() -> None:
    """Drop the code of all bundles, so that the next brings its own, and their private copies.

    For a process that serves one bundle after another; those that were loaded can be used no more.
    """
    places = [path for path in map(Path, sys.path) if path.parent.name.startswith(PRIVATE)]
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        if any(file.is_relative_to(place) for place in places):
            del sys.modules[name]
    for place in places:
        sys.path.remove(str(place))
        remove_private_folder(place.parent)


def predict_saved(
    folder: Path, formulas: Sequence[str], package: str, trusted: Sequence[str]
) -> np.ndarray:
    """Load a bundle and predict (n,) floats: what `train` has a process of its own do."""
    loaded = load_bundle(folder, package, trusted, fresh=True)
    try:
        return loaded.predict(formulas)
    finally:
        loaded.discard()


def _use_code(code: Path, packages: Path, package: str) -> None:
    """Make the author's package of a bundle importable from a folder that holds nothing else.

    Any other package would stand for a library's.
    """
    others = sorted({path.name for path in code.iterdir()} - {package}) if code.is_dir() else []
    if not others and not (code / package).is_dir():
        raise NotCarriedOutError(
            f"the bundle lacks code/{package}, the package that made it: fetch or train it again.",
            code="bundle.no-code",
        )
    if others:
        raise NotCarriedOutError(
            f"the bundle brings code/{others[0][:80]!r}, but only {package} belongs there: do not "
            "load it, and train a bundle of your own.",
            code="bundle.foreign-code",
        )
    packages.mkdir()
    (code / package).rename(packages / package)
    if package not in sys.modules:
        # The author's code of the bundle goes before that of the checkout.
        sys.path.insert(0, str(packages))
        importlib.invalidate_caches()
