"""CSV files, gzipped or not, of any length: surveyed once, and then read from marks on."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from assay.errors import UsageError
from assay.text_tables import Block, OpenTable, Rows, read_header, read_rows

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
            sample += found
        rows += len(found)
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
    found = (row for _, part in _rows(path, begin, width) for row in part)
    wanted = islice(found, rows[0] - begin[0], rows[1] - begin[0])
    while part := list(islice(wanted, size)):
        yield list(zip(*part, strict=True))


def _rows(path: Path, begin: tuple[int, int], width: int) -> Iterator[tuple[Block, Rows]]:
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
