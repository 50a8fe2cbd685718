"""Tables as text: which encoding, which separator, and the rows with their physical lines."""

import codecs
import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from assay.errors import UsageError
from assay.intake.raw import LEAST, RawTable, from_grid, require_length
from assay.tables import MAXIMUM_BYTES
from assay.text_tables import LONGEST_CELL

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
# lines that are tried with each separator
TRIED = 200
LONGEST_TEXT = 2**17
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
# in UTF-16 every other byte of Latin text is zero
ZEROS = 0.3


class Decoded(NamedTuple):
    """Text with Unix line ends, and the encoding in words where it is not UTF-8."""

    text: str
    encoding: str


def read_delimited(path: Path, least: int = LEAST) -> RawTable:
    """Read a table of cells between commas, semicolons, tabs or bars, in any usual encoding.

    Raises:
        UsageError: the file is too large, binary, has no header or rows, a broken quote or a line
            that no table has.
    """
    decoded = decode(unpacked(path), path)
    require_length(decoded.text.count("\n") - 1, path)
    separator = separator_of(decoded.text)
    grid, lines = _grid(decoded.text, separator, path)
    readings = [decoded.encoding] if decoded.encoding else []
    if separator != ",":
        readings.append(f"{SEPARATORS[separator]} between cells")
    return replace(from_grid(path, grid, lines, readings, least=least), separator=separator)


def unpacked(path: Path) -> bytes:
    """The content of a file, which may be packed by gzip.

    Raises:
        UsageError: it is too large, or cannot be unpacked.
    """
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            content: bytes = stream.read(MAXIMUM_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} cannot be unpacked ({type(error).__name__}): fetch or pack it again.",
            code="list.damaged-gzip",
        ) from None
    if len(content) > MAXIMUM_BYTES:
        raise UsageError(
            f"{path} is larger than {MAXIMUM_BYTES} bytes: split it.", code="table.too-large"
        )
    return content


def decode(content: bytes, path: Path) -> Decoded:
    """Decode text by its byte-order mark, as UTF-8, or else as Windows' Western encoding.

    Raises:
        UsageError: it is no text.
    """
    for mark, encoding, told in _MARKS:
        if content.startswith(mark):
            return Decoded(_text(content[len(mark) :], encoding, path), told)
    head = content[:4096]
    if head.count(0) > ZEROS * len(head):
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return Decoded(_text(content, encoding, path), "UTF-16")
    try:
        return Decoded(_text(content, "utf-8", path), "")
    except UnicodeDecodeError:
        encoding = "latin-1" if set(content) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "cp1252"
        return Decoded(_text(content, encoding, path), "Western encoding (Windows-1252)")


def _text(content: bytes, encoding: str, path: Path) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8":
            raise
        raise _binary(path) from None
    if "\0" in text:
        raise _binary(path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _binary(path: Path) -> UsageError:
    return UsageError(
        f"{path} is no text, workbook, Parquet or JSON that could be read: export it as CSV "
        "(UTF-8).",
        code="table.wrong-encoding",
    )


def separator_of(text: str) -> str:
    """The separator by which most of the first lines have the same number of cells, above one."""
    lines = [line for line in text.split("\n", TRIED)[:TRIED] if line.strip()]
    scores = {separator: _agreement(lines, separator) for separator in SEPARATORS}
    return max((",", *scores), key=lambda separator: scores[separator])


def _agreement(lines: Sequence[str], separator: str) -> tuple[float, int]:
    """The share of lines that have the most frequent number of cells, and that number."""
    try:
        widths = Counter(map(len, csv.reader(lines, delimiter=separator)))
    except csv.Error:
        return 0.0, 0
    wide = {width: times for width, times in widths.items() if width > 1}
    if not wide:
        return 0.0, 0
    width = max(wide, key=lambda one: (wide[one], one))
    return wide[width] / sum(widths.values()), -list(SEPARATORS).index(separator)


def _grid(text: str, separator: str, path: Path) -> tuple[list[list[str]], list[int]]:
    """The rows of cells, and the line at which each begins."""
    csv.field_size_limit(LONGEST_CELL)
    grid: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(text.split("\n"), delimiter=separator, strict=True)
    begin = 1
    try:
        for row in reader:
            if row:
                grid.append(row)
                lines.append(begin)
            _require_short(row, path, begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(
            f"{path}, line {begin}: {error}; fix the quotes in this line.", code="table.bad-quotes"
        ) from None
    return grid, lines


def _require_short(row: Sequence[str], path: Path, line: int) -> None:
    if row and max(map(len, row)) > LONGEST_TEXT:
        raise UsageError(
            f"{path}, line {line}: a cell is longer than {LONGEST_TEXT:,} characters; a quote may "
            "be missing before it: add the quote, or shorten the cell.",
            code="table.line-too-long",
        )
