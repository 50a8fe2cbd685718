"""Parquet files as lists of candidates: every column as text, a part at a time."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from assay.batch.text_lists import Survey
from assay.errors import UsageError
from assay.text_tables import require_header

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# what no row of a CSV holds
BREAKS = r"[\n\r\x00]"


def survey(path: Path, size: int) -> Survey:
    """Read the footer of a file, and `size` rows as a sample.

    Raises:
        UsageError: it is no Parquet file, or a column of it cannot be written as text.
    """
    with _opened(path) as file:
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        marks = [(at, n) for n, at in enumerate(accumulate([0, *groups[:-1]]))] if groups else []
        header = list(file.schema_arrow.names)
        require_header(header, [], path)
        _require_plain(header, path)
        first: Sequence[pa.Array] = next(file.iter_batches(size), [])
        texts = [_texts(column, path, name) for name, column in zip(header, first, strict=False)]
        sample = [list(row) for row in zip(*texts, strict=True)]
        return Survey(header, file.metadata.num_rows, marks or [(0, 0)], sample)


def _require_plain(header: Sequence[str], path: Path) -> None:
    for name in header:
        if re.search(BREAKS, name):
            raise UsageError(
                f"{path}: the name of the column {name!r:.80} holds a line end or a zero byte: "
                "rename it.",
                code="list.bad-column-name",
            )


def columns(
    path: Path, begin: tuple[int, int], rows: tuple[int, int], size: int
) -> Iterator[Sequence[Sequence[str]]]:
    """The cells of a range of rows by column, at most `size` rows at a time, as text.

    Args:
        path: a file that was surveyed.
        begin: the first row and the number of the row group that holds the first of the range.
        rows: the first row and the one after the last.
        size: how many rows at a time.
    """
    start, stop = rows
    at = begin[0]
    with _opened(path) as file:
        names = file.schema_arrow.names
        for batch in file.iter_batches(size, row_groups=range(begin[1], file.num_row_groups)):
            part = batch[max(start - at, 0) : max(stop - at, 0)]
            at += batch.num_rows
            if part.num_rows:
                yield [_texts(column, path, name) for name, column in zip(names, part, strict=True)]
            if at >= stop:
                return


def _texts(column: "pa.Array", path: Path, name: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        plain = pc.replace_substring_regex(column.cast(pa.string()), BREAKS, " ")
        cells: list[str | None] = plain.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError):
        raise UsageError(
            f"{path}: the column {name!r:.80} of type {str(column.type)[:80]} cannot be written as "
            "text: leave it out.",
            code="list.bad-column-type",
        ) from None
    return ["" if cell is None else cell for cell in cells]


@contextmanager
def _opened(path: Path) -> "Iterator[pq.ParquetFile]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as Parquet ({type(error).__name__}): export it again.",
            code="table.unreadable-parquet",
        ) from None
