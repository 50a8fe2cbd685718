"""Shards: the parts of a batch that are predicted, written and found again by themselves."""

import csv
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assay.batch.lists import CandidateList, given, read_range
from assay.batch.prediction import CHUNK, predict_table, schema
from assay.batch.records import (
    PARQUET,
    PREDICTIONS,
    QUARANTINE,
    SHARD,
    Recipe,
    ShardRecord,
    TableName,
    table_names,
)
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes, digest_file, replaced_folder
from assay.model.loading import LoadedBundle, load_bundle
from assay.records import read_record
from assay.tables import for_spreadsheets

if TYPE_CHECKING:
    import pyarrow as pa

Add = Callable[[pd.DataFrame, pd.DataFrame], None]


@dataclass(frozen=True)
class Shard:
    """The rows of a list from `start` up to `stop`, counted from 0."""

    start: int
    stop: int


@dataclass(frozen=True)
class Batch:
    """A batch to be predicted: what of, by what, and the folder where its shards lie.

    `package` is the author's, and `trusted` has the types that the bundle may hold beyond the usual
    ones; `share` is the number of rows that each process is about to predict. It can be sent to
    another process.
    """

    recipe: Recipe
    listed: CandidateList
    bundle: Path
    package: str
    trusted: tuple[str, ...]
    folder: Path
    share: int = 0

    def place(self, shard: Shard) -> Path:
        """The folder of a shard, named by everything that its rows follow from."""
        content = f"{self.recipe.model_dump_json()} {shard.start} {shard.stop}"
        return self.folder / digest_bytes(content.encode())[:32]


def divide(rows: int, size: int) -> list[Shard]:
    """The shards of a list, each of at most `size` rows."""
    return [Shard(start, min(start + size, rows)) for start in range(0, rows, size)]


def finished(batch: Batch, shard: Shard) -> ShardRecord | None:
    """The record of a shard that lies there whole, or None: what is damaged counts as missing."""
    return whole(batch.place(shard))


def whole(folder: Path) -> ShardRecord | None:
    """The record in a shard's folder if all its files are as they were written."""
    try:
        record = read_record(ShardRecord, folder / SHARD)
    except NotCarriedOutError:
        return None
    complete = set(record.files) == set(table_names(record.recipe))
    return record if complete and are_as_written(folder, record.files) else None


def are_as_written(folder: Path, files: Mapping[TableName, str]) -> bool:
    """Whether the files of a folder have the digests that were noted of them."""
    paths = {folder / name: digest for name, digest in files.items()}
    return all(path.is_file() and digest_file(path) == digest for path, digest in paths.items())


def digests(folder: Path, names: Sequence[TableName]) -> dict[TableName, str]:
    """The digests of files in a folder."""
    return {name: digest_file(folder / name) for name in names}


def predict_shard(batch: Batch, shard: Shard) -> ShardRecord:
    """Predict the rows of a shard and write its folder, whole or not at all.

    One that another has written meanwhile, whole, is left alone: it may be being read.

    Raises:
        RefusedError: the bundle is not the one that was let through any more.
        UsageError: the list cannot be read any more.
        NotCarriedOutError: the bundle cannot be loaded, or the disk takes no more.
    """
    bundle = load(batch)
    bundle.inference.expect(batch.share)
    try:
        with replaced_folder(batch.place(shard), whole) as folder:
            record = _write(batch, shard, bundle, folder)
            record.write(folder / SHARD)
    except OSError as error:
        raise NotCarriedOutError(
            f"rows {shard.start + 1} to {shard.stop} cannot be written below {batch.folder} "
            f"({error.strerror or error}): make room, and run the same command again.",
            code="shard.not-written",
        ) from None
    return record


def load(batch: Batch) -> LoadedBundle:
    """The bundle of a batch, loaded once a process; raises as `loaded`."""
    return loaded(batch.bundle, batch.package, batch.trusted, batch.recipe.bundle_digest)


@lru_cache(maxsize=1)  # a process predicts many shards by one model
def loaded(folder: Path, package: str, trusted: tuple[str, ...], digest: str) -> LoadedBundle:
    """The bundle in a folder, if it is the one of this digest.

    Raises:
        RefusedError: it is another one.
        NotCarriedOutError: it cannot be loaded.
    """
    bundle = load_bundle(folder, package, trusted, digest)
    exempt_from_collection()
    return bundle


def exempt_from_collection() -> None:
    """Have the garbage collector leave alone what is there by now, above all libraries.

    Reading rows makes so many lists that it would look through all of it again and again, for four
    fifths of the time.
    """
    gc.freeze()


def forget_loaded() -> None:
    """Forget the bundle that `loaded` keeps, and have the garbage collector see it again."""
    loaded.cache_clear()
    gc.unfreeze()


def _write(batch: Batch, shard: Shard, bundle: LoadedBundle, folder: Path) -> ShardRecord:
    recipe, counts = batch.recipe, np.zeros(3, dtype=int)
    types = schema(given(batch.listed)[1:], bundle.metadata.classes)
    with shard_tables(folder, types, with_csv=recipe.with_csv) as add:
        for rows, rejected in _predicted(batch, shard, bundle):
            add(rows, rejected)
            counts += [len(rows), int((~rows["in_domain"]).sum()), len(rejected)]
    predicted, outside, quarantined = counts.tolist()
    if predicted + quarantined != shard.stop - shard.start:
        raise NotCarriedOutError(
            f"{batch.listed.path} changed since it was opened: run the same command again.",
            code="list.other-rows",
        )
    return ShardRecord(
        recipe=recipe,
        start=shard.start,
        stop=shard.stop,
        predicted=predicted,
        outside=outside,
        quarantined=quarantined,
        fallback=bundle.inference.fallback,
        files=digests(folder, table_names(recipe)),
    )


def _predicted(
    batch: Batch, shard: Shard, bundle: LoadedBundle
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    first = batch.listed.first + shard.start
    for table in read_range(batch.listed, shard.start, shard.stop, CHUNK):
        yield predict_table(bundle, table, first, batch.recipe.accounts)
        first += len(table)


@contextmanager
def shard_tables(folder: Path, types: "pa.Schema", *, with_csv: bool) -> Iterator[Add]:
    """Open the files of a shard; gives a function that adds predictions and quarantined rows.

    Args:
        folder: where the files go.
        types: those of the table of predictions.
        with_csv: write the predictions as a CSV, too. No CSV has a header yet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        parquet = stack.enter_context(pq.ParquetWriter(folder / PARQUET, types))
        quarantine = stack.enter_context(_rows_of(folder / QUARANTINE))
        predictions = stack.enter_context(_rows_of(folder / PREDICTIONS)) if with_csv else None

        def add(rows: pd.DataFrame, rejected: pd.DataFrame) -> None:
            if len(rows):
                parquet.write_table(pa.Table.from_pandas(rows, types, preserve_index=False))
            if predictions is not None:
                predictions.writerows(_cells(rows))
            quarantine.writerows(_cells(rejected))

        yield add


@contextmanager
def _rows_of(path: Path) -> Iterator[Any]:
    with path.open("w", encoding="utf-8", newline="") as stream:
        yield csv.writer(stream, lineterminator="\n")


def _cells(frame: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """The rows of a frame as a CSV holds them: nothing executes, a missing number is empty."""
    columns = for_spreadsheets(frame).items()
    return zip(*(_written(column) for _, column in columns), strict=True)


def _written(column: "pd.Series[object]") -> list[object]:
    return list(column.where(column.notna(), "")) if column.dtype.kind == "f" else column.tolist()
