"""The files of a shard as they are written: a Parquet file, the quarantine, and a CSV if asked."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from assay.batch.records import PARQUET, PREDICTIONS, QUARANTINE
from assay.batch.rows import schema
from assay.spreadsheets import for_spreadsheets

Add = Callable[[pd.DataFrame, pd.DataFrame], None]


@contextmanager
def shard_tables(folder: Path, others: Sequence[str], *, with_csv: bool) -> Iterator[Add]:
    """Open the files of a shard; gives a function that adds predictions and quarantined rows.

    Args:
        folder: where the files go.
        others: the names of the list's columns beside the formula.
        with_csv: write the predictions as a CSV, too. No CSV has a header yet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = schema(others)
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
