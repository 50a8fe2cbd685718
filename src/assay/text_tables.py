"""The one strict reader of CSV: the rows of a file in blocks of whole lines, never guessed at.

What a row is, and what is wrong with one, depends neither on where blocks end nor on the mark that
reading begins at. A quoted cell holds no line break, so that each row is a line. Blocks without
quotes are parsed by Arrow; where there is a quote, or a fault, each line is looked at.
"""

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from assay.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

BOM = b"\xef\xbb\xbf"
BLOCK = 2**17
# empty lines that are handed out at once
SOME = 2**16
LONGEST_CELL = 2**27
# the first line, and the byte it is at
BEGINNING = (1, 0)
_END = re.compile(rb"[\r\n]")
Rows = list[list[str]]


@dataclass(frozen=True)
class OpenTable:
    """Where a table is read from, what errors call it, and how many bytes a line may have.

    `longest` is `BLOCK` or more.
    """

    stream: IO[bytes]
    path: Path
    longest: int


class Block(NamedTuple):
    """Whole lines without the last line's end, the number of the first, and the byte it is at."""

    content: bytes
    line: int
    at: int

    @property
    def lines(self) -> list[str]:
        """The lines; `str.splitlines` would also break a cell at a form feed."""
        return self.content.decode().split("\n")


def read_header(table: OpenTable, columns: Sequence[str] = ()) -> list[str]:
    """The names of the columns, the given ones among them, in the first line.

    Raises:
        UsageError: the file is empty, binary or not UTF-8, or its first line is no such header.
    """
    blocks, first = _blocks(table, BEGINNING), None
    for block in blocks:
        first = first or block
        if block.content.decode().strip():
            header = next(_parsed(chain(first.lines, _lines(blocks)), table.path, 1), [])
            require_header(header, columns, table.path)
            return header
    raise UsageError(f"{table.path} is empty: it must hold a header and rows.", code="table.empty")


def read_rows(
    table: OpenTable, width: int, begin: tuple[int, int] = BEGINNING
) -> Iterator[tuple[Block, "pa.Table"]]:
    """The rows of each block from line and byte `begin` on, of `width` cells; the header is one.

    Each block's rows are a table with a column of text for each cell. Empty lines are left out at
    the end of the file alone; in a table of one column an empty line elsewhere is an empty cell.

    Raises:
        UsageError: a line is too long, binary or not UTF-8, has a broken quote or a quoted line
            break, or has not as many cells as the header.
    """
    empty = 0  # lines at the end of what was read
    blocks = _blocks(table, begin)
    for block in blocks:
        lines = block.content.count(b"\n") + 1
        if lines > len(block.content):  # line ends alone
            empty += lines
            continue
        for cells in _empty_cells(empty, width, table.path, block.line - empty):
            yield block, cells
        rows = _plain(block.content, width)
        if rows is None:
            rows = _as_table(_checked(block, blocks, table.path, width), width)
        empty = lines - rows.num_rows
        yield block, rows


def _empty_cells(empty: int, width: int, path: Path, line: int) -> Iterator["pa.Table"]:
    """The rows of empty lines from `line` on, some at a time, however many they are."""
    if empty and width > 1:
        raise _wrong_width([], width, path, line)
    if empty:
        some = _as_table([[""]] * SOME, width)
        yield from (some.slice(0, empty - start) for start in range(0, empty, SOME))


def _as_table(rows: Rows, width: int) -> "pa.Table":
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * width
    return pa.table([pa.array(cells, pa.string()) for cells in columns], names=_names(width))


def _names(width: int) -> list[str]:
    return [str(place) for place in range(width)]


def _plain(content: bytes, width: int) -> "pa.Table | None":
    """The rows of lines without anything particular; None where one needs a closer look."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    if b'"' in content or b"\n\n" in content or content[:1] == b"\n" or content[-1:] == b"\n":
        return None
    if content.startswith(BOM):  # which Arrow would take for a mark
        return None
    names = _names(width)
    try:
        return arrow.read_csv(
            pa.BufferReader(content),
            arrow.ReadOptions(use_threads=False, column_names=names, block_size=len(content) + 1),
            arrow.ParseOptions(quote_char=False, ignore_empty_lines=False),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _checked(block: Block, later: Iterable[Block], path: Path, width: int) -> Rows:
    """The rows of a block up to the last line that is not empty.

    `later` is read where a quote is open at the block's end, which is an error, and says which.
    """
    lines = block.lines
    while not lines[-1]:
        lines.pop()
    rows: Rows = []
    for cells in islice(_parsed(chain(lines, _lines(later)), path, block.line), len(lines)):
        row = cells or [""] * (width == 1)
        if len(row) != width:
            raise _wrong_width(row, width, path, block.line + len(rows))
        rows.append(row)
    return rows


def _wrong_width(row: Sequence[str], width: int, path: Path, line: int) -> UsageError:
    return UsageError(
        f"{path}, line {line}: {len(row)} cells where the header has {width}; "
        "quote text that holds a comma, and write decimals with a point.",
        code="table.wrong-width",
    )


def _parsed(lines: Iterable[str], path: Path, first: int) -> Iterator[list[str]]:
    """The cells of lines without their ends, of which the first is line `first` of the file."""
    reader = csv.reader(lines, strict=True)
    done = 0
    try:
        for row in reader:
            done += 1
            if reader.line_num > done:
                raise UsageError(
                    f"{path}, line {first + done - 1}: a quoted cell holds a line break; take it "
                    "out.",
                    code="table.line-break",
                )
            yield row
    except csv.Error as error:
        raise UsageError(
            f"{path}, line {first + done}: {error}; fix the quotes in this line.",
            code="table.bad-quotes",
        ) from None


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    return (line for block in blocks for line in block.lines)


def _blocks(table: OpenTable, begin: tuple[int, int]) -> Iterator[Block]:
    """Blocks of whole lines from line and byte `begin` on; whatever their lines end with."""
    csv.field_size_limit(LONGEST_CELL)  # how long a line may be is for the caller to say
    line, at = begin
    table.stream.seek(at)
    rest = b""
    while piece := table.stream.read(BLOCK):
        rest += piece
        if len(rest) > table.longest and not _END.search(rest, 0, table.longest + 1):
            raise UsageError(
                f"{table.path}, line {line} is longer than {table.longest:,} bytes: shorten it.",
                code="table.line-too-long",
            )
        # a \r at the very end may be half of \r\n
        cut = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
        if cut:
            block = _block(rest[:cut], table.path, line, at)
            yield block
            line, at, rest = line + block.content.count(b"\n") + 1, at + cut, rest[cut:]
    if rest:
        yield _block(rest, table.path, line, at)


def _block(content: bytes, path: Path, line: int, at: int) -> Block:
    if at == 0:
        content = content.removeprefix(BOM)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
    null = content.find(0)
    try:
        # up to the first null byte, so that of two faults the first is named
        content[: null if null >= 0 else None].decode()
    except UnicodeDecodeError as error:
        line += content[: error.start].count(b"\n")
        raise UsageError(
            f"{path}, line {line}: not UTF-8; save it as CSV (UTF-8).", code="table.wrong-encoding"
        ) from None
    if null >= 0:
        raise UsageError(
            f"{path}, line {line + content[:null].count(10)}: a null byte stands here; take it "
            "out, or, if all lines have some, export the table as CSV (UTF-8).",
            code="table.null-byte",
        )
    return Block(content, line, at)


def require_header(header: Sequence[str], columns: Sequence[str], path: Path) -> None:
    """Insist that a header names each column once, the given ones among them.

    Raises:
        UsageError: it does not.
    """
    if not header:
        raise UsageError(
            f"{path}, line 1 is empty: it must hold the names of the columns.",
            code="table.no-header",
        )
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        separator = "semicolons" if ";" in header[0] else "tabs"
        raise UsageError(
            f"{path} is separated by {separator}: save it with commas, and decimals with a point.",
            code="table.wrong-separator",
        )
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise UsageError(
            f"{path}: the column {name!r} occurs twice; remove one.", code="table.repeated-column"
        )
    for column in columns:
        if column not in header:
            close = difflib.get_close_matches(column, header, n=1)
            hint = f"rename {close[0]!r}" if close else f"rename one of {', '.join(header)[:200]}"
            raise UsageError(
                f"{path} has no column {column!r}: add it, or {hint}.", code="table.no-column"
            )
