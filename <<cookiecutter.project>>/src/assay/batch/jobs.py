"""A batch from the list to the tables: cut up, predicted where it is missing, put together."""

import datetime as dt
import gc
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assay import provenance
from assay.batch import collection
from assay.batch.authorization import Authorization
from assay.batch.lists import CandidateList, open_list
from assay.batch.models import CERTIFICATE
from assay.batch.records import (
    QUARANTINE,
    RECORD,
    BatchRecord,
    Recipe,
    ShardRecord,
    table_names,
)
from assay.batch.shards import SHARD_ROWS, Batch, Shard, are_as_written, digests, divide, finished
from assay.batch.workers import predicted, require_known
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_bytes, digest_file, replaced_folder
from assay.layout import Layout
from assay.model.bundle import MACHINERY, METADATA, BundleMetadata
from assay.progress import stages
from assay.records import read_record
from assay.settings import Settings

# what a spreadsheet shows, about
CSV_ROWS = 1_000_000


@dataclass(frozen=True)
class Options:
    """How a batch is made.

    `column` holds the formulas; nothing else here changes what the rows are. `shard_rows` are
    predicted between two points at which a start can go on; `with_csv` writes the table as a CSV,
    too, by default up to a million rows.
    """

    scheduler: str | None = None
    column: str | None = None
    shard_rows: int = SHARD_ROWS
    with_csv: bool | None = None


def predict_batch(
    root: Path,
    settings: Settings,
    candidates: Path,
    authorization: Authorization,
    options: Options = Options(),
) -> BatchRecord:
    """Predict a list of candidates; writes `out/batches/<batch_id>/`.

    What an earlier start has finished is verified and taken as it is.

    Raises:
        CheckFailedError: no row could be predicted.
        RefusedError: the bundle is not the one that was let through any more, or the list changed.
        UsageError: the list cannot be read.
        NotCarriedOutError: a process was ended or the disk is full; what is done stays.
    """
    require_known(options.scheduler)
    if options.shard_rows < 1:
        raise UsageError(f"--shard-rows is {options.shard_rows}: write 1 or more.")
    gc.freeze()  # see `shards.loaded`
    with stages("predict") as doing:
        doing(f"reading {candidates.name}")
        listed = open_list(candidates, options.column)
    batch = plan(root, settings, listed, authorization, options)
    place = Layout(root).out / "batches" / batch.recipe.folder
    record = _done(batch, authorization, place)
    if record is None:
        shards = divide(listed.rows, options.shard_rows)
        _predict_missing(batch, shards, options.scheduler)
        record = _collect(root, batch, authorization, place)
    if not record.predicted:
        raise CheckFailedError(
            f"none of the {record.rows} rows of {candidates} could be predicted: see "
            f"{place / QUARANTINE}."
        )
    return record


def plan(
    root: Path,
    settings: Settings,
    listed: CandidateList,
    authorization: Authorization,
    options: Options,
) -> Batch:
    """What is to be predicted, and where its shards lie: `out/shards/<batch_id>`."""
    with_csv = options.with_csv
    recipe = Recipe(
        bundle_digest=authorization.digest,
        certified=authorization.certificate is not None,
        candidates_digest=listed.digest,
        column=listed.column,
        machinery=machinery_digest(),
        with_csv=listed.rows <= CSV_ROWS if with_csv is None else with_csv,
    )
    folder = Layout(root).out / "shards" / recipe.folder
    trusted = tuple(settings.model.trusted_types)
    package = settings.project.package
    return Batch(recipe, listed, authorization.bundle, package, trusted, folder)


def _predict_missing(batch: Batch, shards: Sequence[Shard], scheduler: str | None) -> None:
    from tqdm import tqdm

    rows = shards[-1].stop
    with tqdm(total=rows, desc="predict", unit=" rows", disable=None, smoothing=0) as progress:
        missing = [shard for shard in shards if not finished(batch, shard)]
        there = rows - sum(shard.stop - shard.start for shard in missing)
        if there:
            progress.write(f"predict: {there:,} of {rows:,} rows are there already", sys.stderr)
        progress.update(there)
        for record in predicted(batch, missing, scheduler):
            progress.update(record.stop - record.start)


def _collect(root: Path, batch: Batch, authorization: Authorization, place: Path) -> BatchRecord:
    shards = collection.shards_in(batch)
    if digest_file(batch.listed.path) != batch.listed.digest:
        raise RefusedError(f"{batch.listed.path} changed while it was predicted: start again.")
    with stages("predict") as doing, replaced_folder(place) as folder:
        doing("writing the tables")
        collection.join(batch, shards, folder)
        record = _record(root, batch, authorization, [record for _, record in shards], folder)
        record.write(folder / RECORD)
        if authorization.certificate_file:
            shutil.copyfile(authorization.certificate_file, folder / CERTIFICATE)
    shutil.rmtree(batch.folder, ignore_errors=True)  # another start may be at work there
    return record


def _done(batch: Batch, authorization: Authorization, place: Path) -> BatchRecord | None:
    """The record of the very batch if it lies there whole."""
    try:
        record = read_record(BatchRecord, place / RECORD)
    except NotCarriedOutError:
        return None
    same = record.recipe == batch.recipe
    same &= record.certificate_digest == authorization.certificate_digest
    return record if same and are_as_written(place, record.files) else None


def _record(
    root: Path,
    batch: Batch,
    authorization: Authorization,
    shards: Sequence[ShardRecord],
    folder: Path,
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
        workflow_run=provenance.run_url(),
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


@lru_cache(maxsize=1)
def machinery_digest() -> str:
    """SHA-256 over the names and contents of the modules of `assay`."""
    paths = sorted(MACHINERY.rglob("*.py"))
    lines = [f"{digest_file(path)}  {path.relative_to(MACHINERY).as_posix()}\n" for path in paths]
    return digest_bytes("".join(lines).encode())
