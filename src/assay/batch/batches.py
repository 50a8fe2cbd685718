"""Batches of predictions: whether tables, quarantine and record are what their bundle makes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from assay.batch.collection import METADATA, account
from assay.batch.feeds import csv_feed, parquet_feed
from assay.batch.lists import CandidateList, open_list
from assay.batch.manifests import is_signed
from assay.batch.models import CERTIFICATE
from assay.batch.records import PARQUET, PREDICTIONS, QUARANTINE, RECORD, BatchRecord, table_names
from assay.batch.repetition import Tables, require_alone, require_listed
from assay.batch.rows import LINE, OURS, REASON, schema
from assay.errors import RefusedError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, verify
from assay.model.loading import LoadedBundle, load_bundle
from assay.records import read_record
from assay.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


def verify_batch(
    root: Path, settings: Settings, path: Path, candidates: Path | None
) -> tuple[Certificate, bool]:
    """Verify the batch in a folder by making it again; gives the certificate of its model.

    The second value tells whether a manifest is signed for the very files.

    With the list `candidates` that it was made of, each of the list's rows must be accounted for.
    Of no table more than a part is in memory.

    Raises:
        RefusedError: something in it is not what the bundle makes; the sentence says what.
        UsageError: `candidates` cannot be read.
    """
    record = read_record(BatchRecord, path / RECORD)
    if not record.certified:
        raise RefusedError(f"{path} was predicted without a certificate: do not rely on it.")
    proof = _certificate_file(root, path, record)
    certificate = verify(proof, Layout(root).public_key)
    if certificate.bundle_digest != record.recipe.bundle_digest:
        raise RefusedError(f"{path} holds rows of another model than its certificate names.")
    _require_files(path, record)
    signed = is_signed(root, path, record)
    tables, told = _tables(path, record)
    bundle = _bundle(root, settings, record)
    _require_true(record, certificate, proof, bundle, tables)
    listed = None if candidates is None else _listed(candidates, record)
    if listed is None:
        outside = require_alone(bundle, record, tables)
    else:
        outside = require_listed(bundle, record, tables, listed)
    if record.outside != outside:
        raise RefusedError(
            f"{RECORD}: outside is {record.outside}, but it must be {outside}: predict again."
        )
    if told != account(record.recipe):
        raise RefusedError(
            f"{path / PARQUET} does not say itself what {RECORD} says of it: predict again."
        )
    return certificate, signed


def _certificate_file(root: Path, path: Path, record: BatchRecord) -> Path:
    # A model may be certified again: the certificate that let the batch through lies beside it.
    own = path / CERTIFICATE
    return own if own.is_file() else Layout(root).models / record.recipe.bundle_digest / CERTIFICATE


def _require_files(path: Path, record: BatchRecord) -> None:
    if set(record.files) != set(table_names(record.recipe)):
        raise RefusedError(f"{path / RECORD} names other files than a batch has: predict again.")
    for name in sorted({PREDICTIONS, PARQUET, QUARANTINE} - set(record.files)):
        if (path / name).exists():
            raise RefusedError(f"{path / name} is no table that {RECORD} names: take it out.")
    for name, digest in record.files.items():
        if not (path / name).is_file():
            raise RefusedError(f"{path / name} is missing: predict again.")
        if digest_file(path / name) != digest:
            raise RefusedError(
                f"{path / name} is not the table that {RECORD} names, so one of them was altered: "
                "predict again."
            )


def _tables(path: Path, record: BatchRecord) -> tuple[Tables, object]:
    parquet, types = parquet_feed(path / PARQUET)
    _require_plain(path / PARQUET, types)
    csv = csv_feed(path / PREDICTIONS, ["formula"]) if record.recipe.with_csv else None
    quarantine = csv_feed(path / QUARANTINE, ["formula", LINE, REASON])
    try:
        told = json.loads((types.metadata or {}).get(METADATA, b""))
    except ValueError:
        told = None
    return Tables(parquet, csv, quarantine), told


def _require_plain(path: Path, types: "pa.Schema") -> None:
    # pandas has names of columns in metadata of its own, by which it would read another table
    wanted = schema([name for name in types.names if name not in OURS])
    known = [name for name in types.names if name in wanted.names]
    same = all(types.field(name).type == wanted.field(name).type for name in known)
    if set(types.metadata or {}) - {METADATA} or not same:
        raise RefusedError(f"{path} is not of the types that a batch has: predict again.")


def _bundle(root: Path, settings: Settings, record: BatchRecord) -> LoadedBundle:
    folder = Layout(root).models / record.recipe.bundle_digest / "bundle"
    package, trusted = settings.project.package, settings.model.trusted_types
    return load_bundle(folder, package, trusted, record.recipe.bundle_digest)


def _require_true(
    record: BatchRecord,
    certificate: Certificate,
    proof: Path,
    bundle: LoadedBundle,
    tables: Tables,
) -> None:
    """Compare the record with all that tables, certificate and bundle say themselves."""
    predicted, quarantined = tables.parquet.rows, tables.quarantine.rows
    recipe = record.recipe
    facts = {
        "model_id": certificate.bundle_digest,
        "predicted": predicted,
        "quarantined": quarantined,
        "rows": predicted + quarantined,
        "batch_id": recipe.batch_id,
        "certificate_digest": digest_file(proof),
        "correlation_id": certificate.predicate.correlation_id,
        "target": bundle.metadata.target,
        "unit": bundle.metadata.unit,
    }
    for key, fact in facts.items():
        told = getattr(record, key)
        if told != fact:
            raise RefusedError(
                f"{RECORD}: {key} is {told!r:.80}, but it must be {fact!r:.80}: predict again."
            )
    if tables.csv is not None and tables.csv.rows != predicted:
        raise RefusedError(
            f"{PREDICTIONS} has {tables.csv.rows} rows, not {predicted}: predict again."
        )


def _listed(candidates: Path, record: BatchRecord) -> CandidateList:
    listed = open_list(candidates, record.recipe.column)
    if listed.digest != record.recipe.candidates_digest:
        raise RefusedError(
            f"{candidates} is not the list that {RECORD} names, {record.candidates!r:.80}: name it."
        )
    if listed.rows != record.rows:
        raise RefusedError(
            f"{candidates} has {listed.rows} rows, but {record.rows} are predicted or quarantined: "
            "predict again."
        )
    return listed
