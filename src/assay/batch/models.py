"""Certified bundles at hand: the local store, and the release they are published in."""

import io
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import manifest_of, replaced_folder
from assay.layout import Layout
from assay.ledger.record import read_ledger_at_hand
from assay.model.bundle import digest_bundle

CHAMPION = "champion"
ARCHIVE, CERTIFICATE, MANIFEST = "bundle.tar", "certificate.json", "bundle.sha256"
SHORT = 12
MAXIMUM_ARCHIVE = 2 * 2**30


@dataclass(frozen=True)
class StoredModel:
    """Where a bundle and its certificate lie; neither is verified yet."""

    bundle: Path
    certificate: Path


def release_tag(digest: str) -> str:
    """The tag of the release that publishes a bundle: `model-` and 12 digits."""
    return f"model-{digest[:SHORT]}"


def store(layout: Layout, digest: str, bundle: Path, certificate: Path) -> StoredModel:
    """Keep a certified bundle and its certificate under `.assay/models/<digest>`."""
    folder = layout.models / digest
    with replaced_folder(folder) as temporary:
        shutil.copytree(bundle, temporary / "bundle")
        shutil.copyfile(certificate, temporary / CERTIFICATE)
    return StoredModel(folder / "bundle", folder / CERTIFICATE)


def find(root: Path, model: str) -> StoredModel:
    """Find a certified model by digest (or a beginning of it), or the champion.

    It is looked for in the local store, then, where `GITHUB_TOKEN` is set, among the releases.

    Raises:
        RefusedError: no model is certified, or there is no such one.
        NotCarriedOutError: the release cannot be fetched or unpacked.
    """
    layout = Layout(root)
    digest = _champion(root) if model == CHAMPION else model
    stored = sorted(layout.models.glob(f"{digest}*")) if digest.isalnum() else []
    if len(stored) > 1:
        raise RefusedError(f"{len(stored)} certified models begin with {digest!r}: write more.")
    if stored:
        return StoredModel(stored[0] / "bundle", stored[0] / CERTIFICATE)
    if len(digest) < SHORT or not os.environ.get("GITHUB_TOKEN"):
        raise RefusedError(
            f"no certified model {digest[:SHORT]!r} is at hand: merge one that passes, or name "
            "--bundle and --certificate."
        )
    return _fetch(layout, digest)


def _champion(root: Path) -> str:
    entry = read_ledger_at_hand(root).champion()
    if entry is None:
        raise RefusedError(
            "no model is certified yet, or each was revoked: a commit on main must pass the gate, "
            "with the signing key at hand, before anything is predicted; on a laptop, "
            "--uncertified predicts and marks every row."
        )
    return entry.bundle_digest


def _fetch(layout: Layout, digest: str) -> StoredModel:
    from assay.github import Repository

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Repository.from_environment().fetch_model(release_tag(digest), folder)
        unpack(folder / ARCHIVE, folder / "bundle")
        found = digest_bundle(folder / "bundle")
        if not found.startswith(digest):
            raise RefusedError(
                f"the release {release_tag(digest)} holds bundle {found[:SHORT]}, another or an "
                "altered one: delete the release and run Score on main again."
            )
        return store(layout, found, folder / "bundle", folder / CERTIFICATE)


def publish(digest: str, bundle: Path, certificate: Path, notes: str) -> None:
    """Publish a bundle, its manifest and its certificate as a release of the repository.

    Raises:
        NotCarriedOutError: GitHub refuses or does not answer.
    """
    from assay.github import Repository

    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / ARCHIVE
        archive.write_bytes(pack(bundle))
        manifest = Path(name) / MANIFEST
        manifest.write_bytes(manifest_of(bundle))
        files = [archive, Path(shutil.copyfile(certificate, Path(name) / CERTIFICATE)), manifest]
        Repository.from_environment().publish_model(
            release_tag(digest), f"Certified model {digest[:SHORT]}", files, notes
        )


def pack(bundle: Path) -> bytes:
    """A bundle as a tar archive, without owners and times."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                entry = tarfile.TarInfo(path.relative_to(bundle).as_posix())
                entry.size = path.stat().st_size
                with path.open("rb") as stream:
                    archive.addfile(entry, stream)
    return buffer.getvalue()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack what `pack` made; only plain files below `folder` are taken.

    Raises:
        NotCarriedOutError: the archive is damaged, too large, or holds anything else.
    """
    try:
        with tarfile.open(archive, "r:") as content:
            entries = content.getmembers()
            if sum(entry.size for entry in entries) > MAXIMUM_ARCHIVE:
                raise NotCarriedOutError(f"{archive.name} unpacks to over 2 GiB: not unpacked.")
            for entry in entries:
                if not entry.isreg() or not _is_below(entry.name):
                    raise NotCarriedOutError(
                        f"{archive.name} holds {entry.name[:80]!r}, which is no plain file below "
                        "its folder: not unpacked."
                    )
            content.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise NotCarriedOutError(
            f"{archive.name} cannot be unpacked ({type(error).__name__}): fetch it again."
        ) from None


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
