"""CSV files, gzipped or not, read in blocks of whole lines, strictly as `tables` reads them."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from assay.errors import UsageError
from assay.tables import require_header, require_width, rows_of

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
BLOCK = 2**20
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
    header: list[str] = []
    sample: list[list[str]] = []
    marks: list[tuple[int, int]] = []
    last = 0
    with _opened(path) as stream:
        for block in _blocks(stream, path, (1, 0)):
            if block.line > 1:
                marks.append((block.line - 2, block.at))
            for line, row in _numbered(block, path, last):
                last = line
                if not header:
                    header = row
                    require_header([] if row == [""] else row, [], path)
                    continue
                require_width(row, len(header), path, line)
                if len(sample) < size:
                    sample.append(row)
    if not header:
        raise UsageError(f"{path} is empty: it must hold a header and rows.")
    return Survey(header, last - 1, [(-1, 0), *marks], sample)


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
    start, stop = rows
    with _opened(path) as stream:
        stream.seek(begin[1])
        wanted = islice(_rows(stream, path, begin, width), start - max(begin[0], 0), None)
        wanted = islice(wanted, stop - start)
        while part := list(islice(wanted, size)):
            yield list(zip(*part, strict=True))


def _rows(stream: IO[bytes], path: Path, begin: tuple[int, int], width: int) -> Iterator[list[str]]:
    last = begin[0] + 1
    for block in _blocks(stream, path, (begin[0] + 2, begin[1])):
        for line, row in _numbered(block, path, last):
            last = line
            if line > 1:
                require_width(row, width, path, line)
                yield row


def _numbered(block: _Block, path: Path, last: int) -> Iterator[tuple[int, list[str]]]:
    """The rows of a block with their lines; empty lines are only passed over at the file's end.

    In a table of one column an empty line is an empty cell.
    """
    for line, row in enumerate(rows_of(block.text.split("\n"), path, block.line), start=block.line):
        for empty in range(last + 1, line if row else 0):
            yield empty, [""]
        if row:
            last = line
            yield line, row


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as stream:
        packed = stream.read(2) == GZIP
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} cannot be unpacked ({type(error).__name__}): fetch or pack it again."
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
                f"{path}, line {line} is longer than {LONGEST_LINE:,} bytes: that is no table."
            )
    if rest:
        yield _block(rest, path, line, at)


def _block(content: bytes, path: Path, line: int, at: int) -> _Block:
    if b"\0" in content:
        raise UsageError(f"{path} is not UTF-8 text: export it as CSV (UTF-8).")
    if at == 0:
        content = content.removeprefix(BOM)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line += content[: error.start].count(b"\n")
        raise UsageError(f"{path}, line {line}: not UTF-8; save it as CSV (UTF-8).") from None
    return _Block(text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n"), line, at)
