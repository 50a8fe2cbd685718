"""The signed manifest of a batch: which files main's own run made, for whoever gets them later."""

from pathlib import Path

from pydantic import ValidationError

from assay.batch.models import CERTIFICATE
from assay.batch.records import RECORD, BatchRecord, table_names
from assay.batch.shards import are_as_written
from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import read_public_key, read_signer, verify
from assay.ledger.statements import foreign, read_statement, write_statement
from assay.records import MAXIMUM_BYTES, Count, Digest, Record, Text, read_record

MANIFEST = "manifest.json"
KIND = "urn:assay:batch:1"


class Manifest(Record):
    """What is signed of a batch beside the digests of its files."""

    batch_id: Text
    model_id: Digest
    rows: Count


def sign_batch(root: Path, folder: Path) -> Path:
    """Sign the files of a batch, record and certificate among them; gives the manifest's path.

    Raises:
        RefusedError: its files are not those that its record names, or no certificate that holds
            let its model predict.
        NotCarriedOutError: there is no signing key, or no batch.
    """
    layout = Layout(root)
    record = read_record(BatchRecord, folder / RECORD)
    if set(record.files) != set(table_names(record.recipe)) or not are_as_written(
        folder, record.files
    ):
        raise RefusedError(f"{folder} holds other files than {RECORD} names: predict again.")
    certificate = verify(folder / CERTIFICATE, layout.public_key)
    if (certificate.bundle_digest, digest_file(folder / CERTIFICATE)) != (
        record.model_id,
        record.certificate_digest,
    ):
        raise RefusedError(
            f"{folder / CERTIFICATE} is not what let this batch be predicted: predict again."
        )
    signer = read_signer(layout)
    if signer is None:
        raise NotCarriedOutError(
            "there is no signing key here: sign where assay init left it, or in the environment "
            "heldout."
        )
    told = Manifest(batch_id=record.batch_id, model_id=record.model_id, rows=record.rows)
    subjects = {name: digest_file(folder / name) for name in _names(record)}
    write_statement(folder / MANIFEST, signer, subjects, KIND, told.model_dump(mode="json"))
    return folder / MANIFEST


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
    ) != (record.batch_id, record.model_id, record.rows):
        raise RefusedError(
            f"{path} was signed for other files than lie beside it: fetch the batch again."
        )
    return True


def _names(record: BatchRecord) -> list[str]:
    return sorted([RECORD, CERTIFICATE, *record.files])
