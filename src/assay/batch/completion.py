"""The end of a batch: its shards put together, and the record of what it was made from."""

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path

from assay import provenance
from assay.batch import collection
from assay.batch.authorization import Authorization
from assay.batch.manifests import MANIFEST
from assay.batch.models import CERTIFICATE
from assay.batch.records import RECORD, BatchRecord, ShardRecord, table_names
from assay.batch.shards import Batch, are_as_written, digests
from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file, replaced_folder
from assay.machinery import installed_version
from assay.model.bundle import METADATA, BundleMetadata
from assay.progress import say, stages
from assay.records import read_record


def done(
    batch: Batch, authorization: Authorization, place: Path, note: str | None
) -> BatchRecord | None:
    """The record of the very batch if it lies there whole; a note takes an older one's place.

    A manifest was signed for the older note and goes with it.
    """
    try:
        record = read_record(BatchRecord, place / RECORD)
    except NotCarriedOutError:
        return None
    same = record.recipe == batch.recipe
    same &= record.certificate_digest == authorization.certificate_digest
    if not same or not are_as_written(place, record.files):
        return None
    if note is not None and note != record.note:
        record = record.model_copy(update={"note": note})
        if (place / MANIFEST).exists():
            (place / MANIFEST).unlink()
            say("predict", "the signature was for another note and is gone: sign it again.")
        record.write(place / RECORD)
    return record


def complete(
    root: Path, batch: Batch, authorization: Authorization, place: Path, note: str | None
) -> BatchRecord:
    """Put the shards of a batch together in its folder, and take them away.

    Raises:
        RefusedError: a shard is of another batch, two overlap, or the list changed.
        NotCarriedOutError: rows are in no whole shard.
    """
    shards = collection.shards_in(batch)
    if digest_file(batch.listed.path) != batch.listed.digest:
        raise RefusedError(f"{batch.listed.path} changed while it was predicted: start again.")
    with stages("predict") as doing, replaced_folder(place) as folder:
        doing("writing the tables")
        collection.join(batch, shards, folder)
        records = [record for _, record in shards]
        record = _record(root, batch, authorization, records, folder, note)
        record.write(folder / RECORD)
        if authorization.certificate_file:
            shutil.copyfile(authorization.certificate_file, folder / CERTIFICATE)
    shutil.rmtree(batch.folder, ignore_errors=True)  # another start may be at work there
    return record


def _record(  # noqa: PLR0913 (all that a record tells of)
    root: Path,
    batch: Batch,
    authorization: Authorization,
    shards: Sequence[ShardRecord],
    folder: Path,
    note: str | None,
) -> BatchRecord:
    certificate = authorization.certificate
    metadata = read_record(BundleMetadata, authorization.bundle / METADATA)
    return BatchRecord(
        batch_id=batch.recipe.batch_id,
        model_id=batch.recipe.model_id,
        recipe=batch.recipe,
        certificate_digest=authorization.certificate_digest,
        correlation_id=certificate.predicate.correlation_id if certificate else None,
        candidates=batch.listed.path.name,
        files=digests(folder, table_names(batch.recipe)),
        rows=batch.listed.rows,
        predicted=sum(shard.predicted for shard in shards),
        outside=sum(shard.outside for shard in shards),
        quarantined=sum(shard.quarantined for shard in shards),
        fallback=next((shard.fallback for shard in shards if shard.fallback), None),
        target=metadata.target,
        unit=metadata.unit,
        commit=provenance.commit_of(root),
        lock_digest=provenance.lock_digest(root),
        machinery_version=installed_version(),
        workflow_run=provenance.run_url(),
        note=note,
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )
