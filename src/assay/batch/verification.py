"""`assay verify`: what a certificate, a bundle or a batch of predictions is worth, offline."""

from pathlib import Path
from typing import Any

from assay.batch.authorization import CERTIFICATE, require_standing
from assay.batch.batches import verify_batch
from assay.batch.records import PARQUET, PREDICTIONS, RECORD
from assay.errors import CheckFailedError, RefusedError, UsageError
from assay.ledger.certificate import Certificate, verify
from assay.ledger.record import read_ledger_at_hand
from assay.model.bundle import METADATA, digest_bundle
from assay.provenance import short_commit
from assay.repository import Repository
from assay.sealing.releases import COMMITMENT, check_release


def verify_path(
    repository: Repository, path: Path, candidates: Path | None = None
) -> tuple[str, dict[str, Any]]:
    """Verify what lies at `path`; returns a sentence and its details.

    A certificate file is checked against `certificate.pub`, a bundle folder against the
    certificate beside it, a batch folder (or one of its tables of predictions) against the
    certificate of its model, and by making both tables, quarantine and record again. What the
    quarantine holds is taken as it stands without `candidates`, but must be disarmed for
    spreadsheets and be what the model does not predict. The labels of a retired set are checked
    against the commitment.

    Unless a batch is signed, its time, workflow run, commit, lock digest, note, name of the list
    and reasons of the quarantine stand in it unproven; and without `candidates`, the list it was
    made of, so do that list's digest, what it brought along, and that no row of it was left out.

    Raises:
        RefusedError: it does not hold, or the model was revoked.
        NotCarriedOutError: the ledger at hand was altered or put back to an earlier state.
        CheckFailedError: published labels are not those committed to.
        UsageError: there is nothing there that can be verified.
    """
    root, key = repository.root, repository.layout.public_key
    named = repository.layout.out / "batches" / path
    if not path.exists() and (named / RECORD).is_file():
        path = named
    if path.name in {PREDICTIONS, PARQUET} and (path.parent / RECORD).is_file():
        path = path.parent
    if candidates is not None and not (path / RECORD).is_file():
        raise UsageError(
            f"{path} is no batch: --candidates is for batches alone; leave it out.",
            code="usage.candidates-without-batch",
        )
    if path.is_file() and path.suffix not in {".csv", ".gz", ".parquet"}:
        return _certified(root, verify(path, key))
    if (path / METADATA).is_file():
        return _certified(root, _verify_bundle(path, key))
    if (path / RECORD).is_file():
        certificate, signed = verify_batch(repository, path, candidates)
        sentence, details = _certified(root, certificate)
        return sentence + _accounted(candidates) + _vouched(signed=signed), details
    if (path / COMMITMENT).is_file():
        return _verify_release(repository, path)
    raise UsageError(
        f"{path} is no certificate, bundle, batch or retired set, or does not exist: name one.",
        code="usage.nothing-to-verify",
    )


def _accounted(candidates: Path | None) -> str:
    if candidates is None:
        return "; give --candidates LIST to check that no row of the list is missing"
    return f"; each row of {candidates} is predicted or quarantined"


def _vouched(*, signed: bool) -> str:
    if signed:
        return "; signed: time, run, commit and note are asserted by the signer, not recomputed"
    return "; not signed: time, run, commit and note are not proven"


def _verify_release(repository: Repository, path: Path) -> tuple[str, dict[str, Any]]:
    record, table = check_release(repository.layout, path)
    entry = read_ledger_at_hand(repository.root).retirement(record.sealed_digest)
    if entry is not None and entry.commitment != record.commitment:
        raise CheckFailedError(
            f"{path / COMMITMENT} names another commitment than the ledger: restore it from git.",
            code="labels.other-commitment",
        )
    told = "the ledger names it, too" if entry else "the ledger at hand does not name it"
    named = record.commitment[:12]
    sentence = f"holds: {path} has the {len(table)} labels that {named} commits to; {told}"
    return sentence, record.model_dump(mode="json")


def _certified(root: Path, certificate: Certificate) -> tuple[str, dict[str, Any]]:
    predicate, ledger = certificate.predicate, read_ledger_at_hand(root)
    if ledger.head is not None:
        require_standing(ledger, certificate)
    unknown = "" if ledger.head else "; run `git fetch origin` to check whether it was revoked"
    sentence = (
        f"holds: bundle {certificate.bundle_digest[:12]} of {certificate.model} passed "
        f"({predicate.claim}, {predicate.evidence} evidence, stage {predicate.stage}, commit "
        f"{short_commit(predicate.commit)}, {predicate.time}){unknown}"
    )
    return sentence, certificate.model_dump(mode="json")


def _verify_bundle(path: Path, key: Path) -> Certificate:
    certificate = verify(path.parent / CERTIFICATE, key)
    digest = digest_bundle(path)
    if certificate.bundle_digest != digest:
        raise RefusedError(
            f"{path} is bundle {digest[:12]}, but its certificate is for "
            f"{certificate.bundle_digest[:12]}: fetch both again.",
            code="certificate.other-bundle",
        )
    return certificate
