"""CSV files, gzipped or not, read in blocks of whole lines, strictly as `tables` reads them."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from assay.errors import UsageError
from assay.tables import LONGEST_CELL, require_header, require_width, rows_of

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BLOCK = 2**17
# empty lines that are handed out at once
SOME = 2**12
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


class _Block(NamedTuple):
    """Whole lines without the last line's end, the number of the first, and the byte it is at."""

    text: str
    line: int
    at: int


def survey(path: Path, size: int) -> Survey:
    """Read a file through; `size` rows of it are the sample.

    Raises:
        UsageError: the file is no such table; the sentence names the line.
    """
    header = _header(path)
    marks, rows = [(HEADER, 0)], 0
    sample: list[list[str]] = []
    for block, found in _rows(path, (HEADER, 0), len(header)):
        if block.line - 2 > marks[-1][0]:
            marks.append((block.line - 2, block.at))
        if len(sample) <= size:
            sample += found
        rows += len(found)
    return Survey(header, rows - 1, marks, sample[1 : size + 1])


def _header(path: Path) -> list[str]:
    with _opened(path) as stream:
        for block in _blocks(stream, path, (1, 0)):
            if block.text.strip():
                header = next(rows_of(block.text.split("\n"), path), [])
                require_header(header, [], path)
                return header
    raise UsageError(f"{path} is empty: it must hold a header and rows.", code="table.empty")


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


def _rows(
    path: Path, begin: tuple[int, int], width: int
) -> Iterator[tuple[_Block, list[list[str]]]]:
    """The rows of each block from a mark on, the header with them.

    Empty lines are left out at the end of the file alone; in a table of one column an empty line
    elsewhere is an empty cell.
    """
    empty = 0  # lines at the end of what was read
    with _opened(path) as stream:
        stream.seek(begin[1])
        for block in _blocks(stream, path, (begin[0] + 2, begin[1])):
            lines = block.text.split("\n")
            if not any(lines):
                empty += len(lines)
                yield block, []
                continue
            for cells in _empty_cells(empty, width, path, block.line - empty):
                yield block, cells
            rows = _plain(lines, width) or _checked(lines, path, block.line, width)
            empty = len(lines) - len(rows)
            yield block, rows


def _empty_cells(empty: int, width: int, path: Path, line: int) -> Iterator[list[list[str]]]:
    """The rows of empty lines from `line` on, some at a time, however many they are."""
    if empty:
        require_width([""], width, path, line)
    for start in range(0, empty, SOME):
        yield [[""]] * min(SOME, empty - start)


def _plain(lines: list[str], width: int) -> list[list[str]] | None:
    """The rows of lines without anything particular; None where one needs a closer look."""
    if "" in lines:
        return None
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error:
        return None
    return rows if len(rows) == len(lines) and set(map(len, rows)) == {width} else None


def _checked(lines: list[str], path: Path, first: int, width: int) -> list[list[str]]:
    """The rows of lines up to the last that is not empty."""
    rows = [row or [""] for row in rows_of(lines, path, first)]
    while rows and rows[-1] == [""] and not lines[len(rows) - 1]:
        rows.pop()
    for line, row in enumerate(rows, start=first):
        require_width(row, width, path, line)
    return rows


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    csv.field_size_limit(LONGEST_CELL)
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} cannot be unpacked ({type(error).__name__}): fetch or pack it again.",
            code="list.damaged-gzip",
        ) from None


def _blocks(stream: IO[bytes], path: Path, begin: tuple[int, int]) -> Iterator[_Block]:
    """Blocks of whole lines from line and byte `begin` on; whatever their lines end with."""
    line, at = begin
    rest = b""
    while piece := stream.read(BLOCK):
        rest += piece
        # a \r at the very end may be half of \r\n
        cut = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
        if cut:
            block = _block(rest[:cut], path, line, at)
            yield block
            line, at, rest = line + block.text.count("\n") + 1, at + cut, rest[cut:]
        elif len(rest) > LONGEST_LINE:
            raise UsageError(
                f"{path}, line {line} is longer than {LONGEST_LINE:,} bytes: that is no table.",
                code="table.line-too-long",
            )
    if rest:
        yield _block(rest, path, line, at)


def _block(content: bytes, path: Path, line: int, at: int) -> _Block:
    if b"\0" in content:
        raise UsageError(
            f"{path} is not UTF-8 text: export it as CSV (UTF-8).", code="table.wrong-encoding"
        )
    if at == 0:
        content = content.removeprefix(BOM)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line += content[: error.start].count(b"\n")
        raise UsageError(
            f"{path}, line {line}: not UTF-8; save it as CSV (UTF-8).", code="table.wrong-encoding"
        ) from None
    return _Block(text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n"), line, at)
