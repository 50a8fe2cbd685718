"""Certified bundles at hand, and which of them may predict: only a certificate unlocks."""

import io
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file, manifest_of, replaced_folder
from assay.layout import Layout
from assay.ledger.certificate import Certificate, policy_digest, verify
from assay.ledger.record import Ledger, read_ledger_at_hand
from assay.ledger.replay import require_continuity
from assay.model.bundle import digest_bundle
from assay.repository import Repository
from assay.settings import Settings

CHAMPION = "champion"
ARCHIVE, CERTIFICATE, MANIFEST = "bundle.tar", "certificate.json", "bundle.sha256"
SHORT = 12
MAXIMUM_ARCHIVE = 2 * 2**30
MAIN_REF = "refs/heads/main"


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
        raise RefusedError(
            f"{len(stored)} certified models begin with {digest!r}: write more digits.",
            code="model.ambiguous",
        )
    if stored:
        return StoredModel(stored[0] / "bundle", stored[0] / CERTIFICATE)
    if len(digest) < SHORT or not os.environ.get("GITHUB_TOKEN"):
        raise RefusedError(
            f"no certified model {digest[:SHORT]!r} is on this machine: run the workflow Predict, "
            "or download its release and name --bundle and --certificate.",
            code="model.not-certified",
        )
    return _fetch(layout, digest)


def _champion(root: Path) -> str:
    entry = read_ledger_at_hand(root).champion()
    if entry is None:
        raise RefusedError(
            "no model is certified yet, or each was revoked: run `make check score` on main, where "
            "the signing key is; on a laptop, --uncertified predicts without a certificate and "
            "marks every row.",
            code="model.none-certified",
        )
    return entry.bundle_digest


def _fetch(layout: Layout, digest: str) -> StoredModel:
    from assay.github import GitHubRepository

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        GitHubRepository.from_environment().fetch_model(release_tag(digest), folder)
        unpack(folder / ARCHIVE, folder / "bundle")
        found = digest_bundle(folder / "bundle")
        if not found.startswith(digest):
            raise RefusedError(
                f"the release {release_tag(digest)} holds bundle {found[:SHORT]}, another or an "
                "altered one: delete the release, and run the workflow Score of main again.",
                code="bundle.altered-release",
            )
        return store(layout, found, folder / "bundle", folder / CERTIFICATE)


def publish(digest: str, bundle: Path, certificate: Path, notes: str) -> None:
    """Publish a bundle, its manifest and its certificate as a release of the repository.

    Raises:
        NotCarriedOutError: GitHub refuses or does not answer.
    """
    from assay.github import GitHubRepository

    with tempfile.TemporaryDirectory() as name:
        archive = Path(name) / ARCHIVE
        archive.write_bytes(pack(bundle))
        manifest = Path(name) / MANIFEST
        manifest.write_bytes(manifest_of(bundle))
        files = [archive, Path(shutil.copyfile(certificate, Path(name) / CERTIFICATE)), manifest]
        GitHubRepository.from_environment().publish_model(
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
                raise NotCarriedOutError(
                    f"{archive.name} unpacks to over 2 GiB, so it was not unpacked: check where it "
                    "came from.",
                    code="bundle.too-large",
                )
            for entry in entries:
                if not entry.isreg() or not _is_below(entry.name):
                    raise NotCarriedOutError(
                        f"{archive.name} holds {entry.name[:80]!r}, which is no plain file below "
                        "its folder, so nothing was unpacked: check where it came from.",
                        code="bundle.unsafe-archive",
                    )
            content.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise NotCarriedOutError(
            f"{archive.name} cannot be unpacked ({type(error).__name__}): fetch it again.",
            code="bundle.damaged-archive",
        ) from None


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


@dataclass(frozen=True)
class Authorization:
    """A bundle that may predict, and the certificate that says so (None: uncertified, marked)."""

    bundle: Path
    digest: str
    certificate: Certificate | None
    certificate_digest: str | None
    certificate_file: Path | None = None


def authorize(repository: Repository, bundle: Path, certificate: Path) -> Authorization:
    """Let a bundle predict only if a valid certificate names its digest.

    Raises:
        RefusedError: wrong branch, no or a forged certificate, a certificate of another bundle or
            of an older policy, or a revoked model; the message says what to do.
        NotCarriedOutError: the ledger is not at hand or was altered.
    """
    require_main()
    statement = verify(certificate, repository.layout.public_key)
    digest = digest_bundle(bundle)
    if statement.bundle_digest != digest:
        raise RefusedError(
            f"the certificate is for bundle {statement.bundle_digest[:12]}, but {bundle} is "
            f"{digest[:12]}: the bundle was altered or is another one; fetch both again.",
            code="certificate.other-bundle",
        )
    _require_evidence(repository.settings, statement)
    if repository.layout.sealed_labels.exists() and not statement.predicate.sealed:
        raise RefusedError(
            "the model was certified before the held-out labels were sealed: certify a model "
            "again, by `make check score` on main.",
            code="certificate.before-sealing",
        )
    if statement.predicate.policy_digest != policy_digest(repository.settings):
        raise RefusedError(
            "the gate's policy in assay.toml changed after this model was certified: certify a "
            "model again, by `make check score` on main.",
            code="certificate.other-policy",
        )
    require_standing(read_ledger_at_hand(repository.root), statement)
    return Authorization(bundle, digest, statement, digest_file(certificate), certificate)


def _require_evidence(settings: Settings, statement: Certificate) -> None:
    """Insist on the evidence that assay.toml asks for, so that all of a batch's rows have one."""
    found, wanted = statement.predicate.evidence, settings.gate.evidence
    if found != wanted:
        raise RefusedError(
            f"the model was certified by {found} evidence, and assay.toml asks for {wanted} "
            "evidence: merge a commit that passes by that.",
            code="certificate.other-evidence",
        )


def require_standing(ledger: Ledger, statement: Certificate) -> None:
    """Insist that a certified model was not revoked since.

    Raises:
        RefusedError: it was; the message says when and why.
        NotCarriedOutError: the ledger is not at hand, or not the one that the certificate names.
    """
    require_continuity(ledger, statement)
    revoked = ledger.revocation(statement.bundle_digest, statement.predicate.predictions_digest)
    if revoked is not None:
        raise RefusedError(
            f"the model {statement.bundle_digest[:12]} was revoked at {revoked.time}: "
            f"{revoked.reason.rstrip('.')}; predict with another certified model.",
            code="model.revoked",
        )


def require_main(what: str = "predictions start") -> None:
    """Refuse, in Actions, to do something from anywhere but main."""
    ref = os.environ.get("GITHUB_REF", "")
    if os.environ.get("GITHUB_ACTIONS") and ref != MAIN_REF:
        raise RefusedError(
            f"{what} from {MAIN_REF} only, not from {ref or 'an unknown ref'}: "
            "start the workflow again by Run workflow, and choose the branch main.",
            code="github.not-main",
        )


def without_certificate(bundle: Path) -> Authorization:
    """For a laptop only: predict without a certificate; every row and the table's name say so.

    Raises:
        RefusedError: in Actions, where nothing uncertified ever predicts.
    """
    if os.environ.get("GITHUB_ACTIONS"):
        raise RefusedError(
            "--uncertified does not exist in Actions: predict on a laptop, or merge a model that "
            "passes.",
            code="batch.uncertified-in-actions",
        )
    return Authorization(bundle, digest_bundle(bundle), None, None)
