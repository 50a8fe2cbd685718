"""The shards of a batch put together: one table, one quarantine, and nothing twice or left out."""

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.batch.lists import free_names, given
from assay.batch.records import PARQUET, PREDICTIONS, QUARANTINE, SHARD, Recipe, ShardRecord
from assay.batch.rows import LINE, OURS, REASON, schema
from assay.batch.shards import Batch, whole
from assay.errors import NotCarriedOutError, RefusedError
from assay.spreadsheets import harmless

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of a group in the final table: few groups read fast, and one is held in memory.
GROUP = 100_000
METADATA = b"assay"
# what a start that was killed left under a temporary name begins with a dot
WHOLE = f"[!.]*/{SHARD}"


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
                f"{told!s:.40}, not {wanted!s:.40}): take it out."
            )


def _require_all(records: Sequence[ShardRecord], rows: int) -> None:
    at = 0
    for record in [*records, None]:
        start = rows if record is None else record.start
        if start > at:
            raise NotCarriedOutError(
                f"rows {at + 1} to {start} of {rows} are in no whole shard: predict what is "
                "missing, the part that has them or all again (in Actions: Re-run failed jobs)."
            )
        if start < at:
            raise RefusedError(
                f"rows {start + 1} to {at} of {rows} are in more than one shard: take one out."
            )
        at = start if record is None else record.stop


def join(batch: Batch, shards: Sequence[tuple[Path, ShardRecord]], folder: Path) -> None:
    """Write the tables of a batch, from its shards in order, into a folder.

    Raises:
        NotCarriedOutError: a shard has another number of predicted rows than its record names.
    """
    others = given(batch.listed)[1:]
    paths = [path for path, _ in shards]
    _join_parquet(shards, _described(schema(others), batch.recipe), folder / PARQUET)
    header = [*OURS, *free_names(others, OURS)]
    if batch.recipe.with_csv:
        _join_csv(paths, header, folder / PREDICTIONS)
    header = [*free_names(given(batch.listed), (LINE, REASON)), LINE, REASON]
    _join_csv(paths, header, folder / QUARANTINE)


def _described(types: "pa.Schema", recipe: Recipe) -> "pa.Schema":
    return types.with_metadata({METADATA: json.dumps(account(recipe), sort_keys=True).encode()})


def account(recipe: Recipe) -> dict[str, object]:
    """What a table in Parquet says of itself, under the key `assay` of its metadata."""
    return recipe.model_dump(mode="json") | recipe.accounts


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
                    f"{SHARD} names: delete the folder and predict again."
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
