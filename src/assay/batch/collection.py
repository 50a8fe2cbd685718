"""The end of a batch: its shards put together, its record, and a page for the run."""

import csv
import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assay import provenance
from assay.batch.authorization import CERTIFICATE, Authorization
from assay.batch.lists import free_names, given
from assay.batch.manifests import MANIFEST
from assay.batch.prediction import (
    EVEN,
    LINE,
    PREDICTED_CLASS,
    REASON,
    Classes,
    probability_of,
    schema,
)
from assay.batch.records import (
    PARQUET,
    PREDICTIONS,
    QUARANTINE,
    RECORD,
    SHARD,
    BatchRecord,
    Recipe,
    ShardRecord,
    table_names,
)
from assay.batch.shards import Batch, are_as_written, digests, whole
from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file, replaced_folder
from assay.machinery import installed_version
from assay.markdown import LONG, block, code, plain, spark, table, with_unit
from assay.model.bundle import METADATA, BundleMetadata
from assay.progress import say, stages
from assay.records import read_record
from assay.tables import harmless
from assay.texts import plural

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of a group in the final table: few groups read fast, and one is held in memory.
GROUP = 100_000
ACCOUNT = b"assay"
# what a start that was killed left under a temporary name begins with a dot
WHOLE = f"[!.]*/{SHARD}"
BINS, TOP = 60, 10
COLUMNS = ["formula", "prediction", "lower", "upper", "in_domain", "domain_reason"]


def shards_in(batch: Batch) -> list[tuple[Path, ShardRecord]]:
    """The whole shards in a batch's folder by their first rows, if they are just all of its list.

    Raises:
        RefusedError: a shard is of another recipe, or two overlap.
        NotCarriedOutError: rows are missing, or a shard is damaged.
    """
    paths = [path.parent for path in batch.folder.glob(WHOLE)]
    found = [(path, whole(path)) for path in paths]
    done = sorted(
        ((path, record) for path, record in found if record), key=lambda pair: pair[1].start
    )
    for path, record in done:
        _require_own(batch.recipe, record, path)
    _require_all([record for _, record in done], batch.listed.rows)
    return done


def _require_own(recipe: Recipe, record: ShardRecord, path: Path) -> None:
    for key, wanted in recipe:
        told = getattr(record.recipe, key)
        if told != wanted:
            raise RefusedError(
                f"the shard {path.name} in {path.parent} is of another batch ({key} is "
                f"{told!s:.40}, not {wanted!s:.40}): take it out.",
                code="shard.other-batch",
            )


def _require_all(records: Sequence[ShardRecord], rows: int) -> None:
    at = 0
    for record in [*records, None]:
        start = rows if record is None else record.start
        if start > at:
            raise NotCarriedOutError(
                f"rows {at + 1} to {start} of {rows} are in no whole shard: predict what is "
                "missing with `assay batch part` (in Actions: Re-run failed jobs).",
                code="shard.missing-rows",
            )
        if start < at:
            raise RefusedError(
                f"rows {start + 1} to {at} of {rows} are in more than one shard: take one out.",
                code="shard.overlapping",
            )
        at = start if record is None else record.stop


def join(batch: Batch, shards: Sequence[tuple[Path, ShardRecord]], folder: Path) -> None:
    """Write the tables of a batch, from its shards in order, into a folder.

    Raises:
        NotCarriedOutError: a shard has another number of predicted rows than its record names.
    """
    others, classes = given(batch.listed)[1:], _metadata(batch.bundle).classes
    paths = [path for path, _ in shards]
    types = _described(schema(others, classes), batch.recipe, classes)
    _join_parquet(shards, types, folder / PARQUET)
    header = types.names
    if batch.recipe.with_csv:
        _join_csv(paths, header, folder / PREDICTIONS)
    header = [*free_names(given(batch.listed), (LINE, REASON)), LINE, REASON]
    _join_csv(paths, header, folder / QUARANTINE)


def _metadata(bundle: Path) -> BundleMetadata:
    return read_record(BundleMetadata, bundle / METADATA)


def _described(types: "pa.Schema", recipe: Recipe, classes: Classes) -> "pa.Schema":
    told = json.dumps(account(recipe, classes), sort_keys=True)
    return types.with_metadata({ACCOUNT: told.encode()})


def account(recipe: Recipe, classes: Classes) -> dict[str, object]:
    """What a table in Parquet says of itself, under the key `assay` of its metadata."""
    told = recipe.model_dump(mode="json", exclude_none=True) | recipe.accounts
    if classes is None:
        return told
    return told | {"classes": [*classes], "prediction": probability_of(classes)}


def _join_parquet(
    shards: Sequence[tuple[Path, ShardRecord]], types: "pa.Schema", place: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = types.empty_table()
    with pq.ParquetWriter(place, types) as writer:
        for path, record in shards:
            read = pq.read_table(path / PARQUET).replace_schema_metadata(types.metadata)
            if read.num_rows != record.predicted:
                raise NotCarriedOutError(
                    f"{path / PARQUET} has {read.num_rows} rows, not the {record.predicted} that "
                    f"{SHARD} names: delete the folder, and run the same command again.",
                    code="shard.damaged",
                )
            held = pa.concat_tables([held, read])
            # groups do not tell how the batch was cut up
            while held.num_rows >= GROUP:
                writer.write_table(held[:GROUP].combine_chunks())
                held = held[GROUP:]
        if held.num_rows:
            writer.write_table(held.combine_chunks())


def _join_csv(paths: Sequence[Path], header: Sequence[str], place: Path) -> None:
    with place.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(map(harmless, header))
    with place.open("ab") as joined:
        for path in paths:
            with (path / place.name).open("rb") as part:
                shutil.copyfileobj(part, joined, 2**20)


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
    shards = shards_in(batch)
    if digest_file(batch.listed.path) != batch.listed.digest:
        raise RefusedError(
            f"{batch.listed.path} changed while it was predicted: run the same command again.",
            code="list.changed",
        )
    with stages("predict") as doing, replaced_folder(place) as folder:
        doing("writing the tables")
        join(batch, shards, folder)
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
    metadata = _metadata(authorization.bundle)
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
        classes=metadata.classes,
        commit=provenance.commit_of(root),
        lock_digest=provenance.lock_digest(root),
        machinery_version=installed_version(),
        workflow_run=provenance.run_url(),
        note=note,
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        grouping=certificate.predicate.grouping if certificate else None,
    )


def render_summary(record: BatchRecord, folder: Path) -> str:
    """Counts, the share outside the domain, a histogram, and the rows at both ends.

    Of the table no more than a part is in memory.

    Args:
        record: of the batch.
        folder: where its tables lie.
    """
    parts = [f"## {plain(_verdict(record))}", _facts(record)]
    if record.predicted:
        parts += _of_rows(record, folder / PARQUET)
    if record.quarantined:
        parts.append(plain(f"Rows that were not predicted are in {QUARANTINE} with the reason."))
    return "\n\n".join(parts) + "\n"


def _verdict(record: BatchRecord) -> str:
    proven = "a certified" if record.certified else "an UNCERTIFIED"
    by = " (public evidence)" if record.evidence == "public" else ""
    return f"{plural(record.predicted, 'row')} predicted by {proven} model{by}"


def _facts(record: BatchRecord) -> str:
    facts = [
        ("List", code(record.candidates, cell=True)),
        ("Rows", f"{record.rows:,}"),
        ("Quarantined", f"{record.quarantined:,}"),
        ("Model", code(record.model_id, cell=True)),
        ("Evidence", record.evidence),
        ("Batch", code(record.batch_id, cell=True)),
        ("Target", f"{code(record.target, cell=True)} {with_unit('', record.unit)}".strip()),
    ]
    if record.classes:
        negative, positive = (code(name, cell=True) for name in record.classes)
        facts.append(("Prediction", f"probability of {positive} (1), against {negative} (0)"))
    if record.grouping:
        facts.append(("Judged on rows", code(record.grouping, LONG, cell=True)))
    if record.note:
        facts.append(("Note", code(record.note, cell=True)))
    return table(["Batch", ""], facts)


def _of_rows(record: BatchRecord, path: Path) -> Iterator[str]:
    lowest, highest = _range(path)
    edges = np.linspace(lowest, highest, BINS + 1)
    counts, outside, ends = np.zeros(BINS, dtype=int), 0, pd.DataFrame(columns=COLUMNS)
    positive = 0
    for rows in _parts(path, record.classes):
        counts += np.histogram(rows["prediction"], edges)[0]
        outside += int((~rows["in_domain"]).sum())
        positive += int((rows["prediction"] >= EVEN).sum())
        ends = _ends(pd.concat([ends, rows]) if len(ends) else rows)
    share = outside / record.predicted
    yield plain(f"{share:.1%} of the predicted rows are outside the model's domain.")
    if record.classes:
        negative, named = (code(name) for name in record.classes)
        rest = record.predicted - positive
        yield f"Predicted {named}: {plural(positive, 'row')}; {negative}: {rest:,}."
    axis = f"{lowest:<.4g}".ljust(BINS // 2) + f"{highest:>.4g}".rjust(BINS - BINS // 2)
    yield block(f"{spark(counts / max(counts.max(), 1), 1.0)}\n{axis}")
    yield _table("Lowest", ends.head(TOP), record.classes)
    if record.predicted > TOP:
        yield _table("Highest", ends.tail(TOP)[::-1], record.classes)


def _range(path: Path) -> tuple[float, float]:
    found = [rows["prediction"].agg(["min", "max"]) for rows in _parts(path)]
    return float(min(one["min"] for one in found)), float(max(one["max"] for one in found))


def _parts(path: Path, classes: Classes = None) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet as pq

    columns = COLUMNS if classes is None else [*COLUMNS, PREDICTED_CLASS]
    with pq.ParquetFile(path) as file:
        for part in file.iter_batches(columns=columns):
            yield part.to_pandas()


def _ends(rows: pd.DataFrame) -> pd.DataFrame:
    """The lowest and the highest rows, in order; equal ones in the order of the list."""
    ordered = rows.sort_values("prediction", kind="stable")
    return ordered if len(ordered) <= 2 * TOP else pd.concat([ordered[:TOP], ordered[-TOP:]])


def _table(title: str, rows: pd.DataFrame, classes: Classes) -> str:
    cells = [_cells(row) for row in rows.to_dict("records")]
    heads = ["Prediction", "Interval"]
    if classes is not None:
        heads = [f"Probability of {code(classes[1], cell=True)}", "Predicted class"]
    return table([title, *heads, "Outside the domain"], cells)


def _cells(row: dict[str, Any]) -> list[str]:
    interval = "" if np.isnan(row["lower"]) else f"{row['lower']:.4g} to {row['upper']:.4g}"
    named = row.get(PREDICTED_CLASS)
    return [
        code(row["formula"], cell=True),
        f"{row['prediction']:.4g}",
        interval if named is None else code(named, cell=True),
        code(row["domain_reason"], cell=True),
    ]
