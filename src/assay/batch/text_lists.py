"""CSV files, gzipped or not, of any length: surveyed once, and then read from marks on."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assay.errors import UsageError
from assay.text_tables import Block, OpenTable, read_header, read_rows

if TYPE_CHECKING:
    import pyarrow as pa

GZIP = b"\x1f\x8b"
# the row before the first
HEADER = -1
# A longer line is not of a table; up to here a long cell is a row like any other.
LONGEST_LINE = 2**26


class Survey(NamedTuple):
    """What one reading tells of a list: see `lists.CandidateList`; `sample` has its first rows."""

    header: list[str]
    rows: int
    marks: list[tuple[int, int]]
    sample: list[list[str]]


def survey(path: Path, size: int) -> Survey:
    """Read a file through; `size` rows of it are the sample.

    Raises:
        UsageError: the file is no such table; the sentence names the line.
    """
    with _opened(path) as table:
        header = read_header(table)
    marks, rows = [(HEADER, 0)], 0
    sample: list[list[str]] = []
    for block, found in _rows(path, (HEADER, 0), len(header)):
        if block.line - 2 > marks[-1][0]:
            marks.append((block.line - 2, block.at))
        if len(sample) <= size:
            sample += map(list, zip(*_cells(found.slice(0, size + 1 - len(sample))), strict=True))
        rows += found.num_rows
    return Survey(header, rows - 1, marks, sample[1 : size + 1])


def columns(
    path: Path, width: int, begin: tuple[int, int], rows: tuple[int, int], size: int
) -> Iterator[Sequence[Sequence[str]]]:
    """The cells of a range of rows by column, at most `size` rows at a time.

    Args:
        path: a file that was surveyed.
        width: its number of columns.
        begin: a mark of the survey at or before the range.
        rows: the first row and the one after the last.
        size: how many rows at a time.
    """
    import pyarrow as pa

    held, count = [], 0
    for part in _wanted(path, width, begin, rows):
        held.append(part)
        count += part.num_rows
        while count >= size:
            joined = pa.concat_tables(held)
            yield _cells(joined.slice(0, size))
            held, count = [joined.slice(size)], count - size
    if count:
        yield _cells(pa.concat_tables(held))


def _wanted(
    path: Path, width: int, begin: tuple[int, int], rows: tuple[int, int]
) -> Iterator["pa.Table"]:
    """The rows of a range, as they are read."""
    (start, stop), at = rows, begin[0]
    if stop <= start:
        return
    for _, part in _rows(path, begin, width):
        here = part.slice(max(start - at, 0), max(stop - max(start, at), 0))
        at += part.num_rows
        if here.num_rows:
            yield here
        if at >= stop:
            return


def _cells(part: "pa.Table") -> list[list[str]]:
    return [column.to_pylist() for column in part.columns]


def _rows(path: Path, begin: tuple[int, int], width: int) -> Iterator[tuple[Block, "pa.Table"]]:
    """The rows of each block from a mark on, the header with them."""
    with _opened(path) as table:
        yield from read_rows(table, width, (begin[0] + 2, begin[1]))


@contextmanager
def _opened(path: Path) -> Iterator[OpenTable]:
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield OpenTable(stream, path, LONGEST_LINE)  # type: ignore[arg-type]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} cannot be unpacked ({type(error).__name__}): fetch or pack it again.",
            code="list.damaged-gzip",
        ) from None
