"""Tables of a batch that may not fit in memory, handed out as many rows at a time as asked for."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from assay.batch import text_lists
from assay.batch.prediction import CHUNK
from assay.errors import RefusedError, UsageError
from assay.tables import require_header

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


class Feed:
    """The rows of a table in order; `rows` is their number, `names` are its columns."""

    def __init__(self, names: Sequence[str], rows: int, parts: Iterator[pd.DataFrame]) -> None:
        """Hand out what `parts` give."""
        self.names, self.rows = list(names), rows
        self._parts = parts
        self._held = pd.DataFrame(columns=self.names, dtype=object)

    def take(self, count: int) -> pd.DataFrame:
        """The next `count` rows, or as many as are left."""
        held = [self._held]
        while sum(map(len, held)) < count and (part := next(self._parts, None)) is not None:
            held.append(part)
        filled = [part for part in held if len(part)]
        every = pd.concat(filled, ignore_index=True) if filled else held[-1]
        self._held = every.iloc[count:]
        return every.iloc[:count].reset_index(drop=True)


def csv_feed(path: Path, columns: Sequence[str]) -> Feed:
    """The rows of a CSV with the given columns, as text.

    Raises:
        RefusedError: it is missing or no such table.
    """
    try:
        found = text_lists.survey(path, 0)
        require_header(found.header, columns, path)
    except UsageError as error:
        raise RefusedError(f"the batch is not whole, since {error}") from None
    begin, width = found.marks[0], len(found.header)
    parts = text_lists.columns(path, width, begin, (0, found.rows), CHUNK)
    frames = (pd.DataFrame(dict(zip(found.header, part, strict=True)), dtype=str) for part in parts)
    return Feed(found.header, found.rows, frames)


def parquet_feed(path: Path) -> tuple[Feed, "pa.Schema"]:
    """The rows of a table of predictions in Parquet, and its schema.

    Raises:
        RefusedError: it is missing, cannot be read, or holds no column of formulas.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise RefusedError(f"{path} is missing: predict again.")
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        names = list(schema.names)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise _unreadable(path, error) from None
    frames = _frames(file, path)
    first = next(frames, None)  # what cannot be read shows at once
    if schema.get_field_index("formula") < 0 or schema.field("formula").type != pa.string():
        raise RefusedError(f"{path} has no column formula of text: predict again.")
    parts = frames if first is None else itertools.chain([first], frames)
    return Feed(names, file.metadata.num_rows, parts), schema


def _frames(file: "pq.ParquetFile", path: Path) -> Iterator[pd.DataFrame]:
    try:
        for batch in file.iter_batches(CHUNK):
            # pandas' own metadata could exchange columns
            yield batch.to_pandas(ignore_metadata=True)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> RefusedError:
    return RefusedError(
        f"{path} cannot be read as Parquet ({type(error).__name__}): predict again."
    )
