"""The signed manifest of a batch: which files belong to it, and who says so."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from assay import provenance
from assay.batch.authorization import CERTIFICATE, require_standing
from assay.batch.records import RECORD, BatchRecord, table_names
from assay.batch.shards import are_as_written
from assay.errors import NotCarriedOutError, RefusedError
from assay.evidence import Evidence
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import (
    foreign,
    read_public_key,
    read_signer,
    read_statement,
    verify,
    write_statement,
)
from assay.ledger.record import read_ledger_at_hand
from assay.records import MAXIMUM_BYTES, Digest, Record, Text, read_record

MANIFEST = "manifest.json"
KIND = "urn:assay:batch:1"


class Manifest(Record):
    """What is signed of a batch beside the digests of its files."""

    batch_id: Text
    model_id: Digest
    rows: Annotated[int, Field(ge=0)]
    evidence: Evidence = "sealed"


def sign_batch(root: Path, folder: Path) -> Path:
    """Sign the files of a batch, record and certificate among them; gives the manifest's path.

    Nothing is predicted again: what is signed is what lies there as its own record says, of a model
    with a certificate that holds.

    Raises:
        RefusedError: files, record and certificate do not belong together, another file lies beside
            them, the model was revoked, or in Actions the batch is of another run.
        NotCarriedOutError: there is no signing key, or no batch.
    """
    layout = Layout(root)
    record = read_record(BatchRecord, folder / RECORD)
    _require_own_files(folder, record)
    _require_consistent(layout, folder, record)
    signer = read_signer(layout)
    if signer is None:
        raise NotCarriedOutError(
            "there is no signing key here: run `assay batch sign` where `assay init` left the "
            "key, or in the environment heldout on GitHub.",
            code="key.no-signing-key",
        )
    told = Manifest.model_validate(
        {name: getattr(record, name) for name in ("batch_id", "model_id", "rows", "evidence")}
    )
    subjects = {name: digest_file(folder / name) for name in _names(record)}
    write_statement(folder / MANIFEST, signer, subjects, KIND, told.model_dump(mode="json"))
    return folder / MANIFEST


def _require_own_files(folder: Path, record: BatchRecord) -> None:
    if set(record.files) != set(table_names(record.recipe)) or not are_as_written(
        folder, record.files
    ):
        raise RefusedError(
            f"{folder} holds other files than {RECORD} names: run `assay predict` again.",
            code="batch.altered",
        )
    known = {*_names(record), MANIFEST}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            raise RefusedError(
                f"{path} is no file of the batch: take it out.", code="batch.foreign-file"
            )


def _require_consistent(layout: Layout, folder: Path, record: BatchRecord) -> None:
    certificate = verify(folder / CERTIFICATE, layout.public_key)
    require_standing(read_ledger_at_hand(layout.root), certificate)
    recipe = record.recipe
    facts = {
        "certified": (recipe.certified, True),
        "bundle_digest": (recipe.bundle_digest, certificate.bundle_digest),
        "evidence": (record.evidence, certificate.predicate.evidence),
        "model_id": (record.model_id, recipe.model_id),
        "batch_id": (record.batch_id, recipe.batch_id),
        "certificate_digest": (record.certificate_digest, digest_file(folder / CERTIFICATE)),
        "correlation_id": (record.correlation_id, certificate.predicate.correlation_id),
        "rows": (record.rows, record.predicted + record.quarantined),
        "the folder's name": (folder.resolve().name, record.folder),
    }
    if os.environ.get("GITHUB_ACTIONS"):
        facts["workflow_run"] = (record.workflow_run, provenance.run_url())
    for key, (told, fact) in facts.items():
        if told != fact:
            raise RefusedError(
                f"{folder / RECORD}: {key} is {told!r:.80}, but it must be {fact!r:.80}: run "
                "`assay predict` again.",
                code="batch.wrong-record",
            )


def is_signed(root: Path, folder: Path, record: BatchRecord) -> bool:
    """Whether a batch has a manifest, which then must hold.

    Raises:
        RefusedError: the manifest is not signed by `certificate.pub`, or is of other files.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return False
    if path.stat().st_size > MAXIMUM_BYTES:
        raise foreign(str(path), "manifest")
    for name in _names(record):
        if not (folder / name).is_file():
            raise RefusedError(
                f"{folder / name} is missing: fetch the batch again.", code="batch.missing-file"
            )
    key = read_public_key(Layout(root).public_key)
    subjects, predicate = read_statement(path.read_bytes(), str(path), key, KIND, "manifest")
    try:
        told = Manifest.model_validate(predicate)
    except ValidationError:
        raise foreign(str(path), "manifest") from None
    if subjects != {name: digest_file(folder / name) for name in _names(record)} or (
        told.batch_id,
        told.model_id,
        told.rows,
        told.evidence,
    ) != (record.batch_id, record.model_id, record.rows, record.evidence):
        raise RefusedError(
            f"{path} was signed for other files than lie beside it: fetch the batch again.",
            code="manifest.other-files",
        )
    return True


def _names(record: BatchRecord) -> list[str]:
    return sorted([RECORD, CERTIFICATE, *record.files])
