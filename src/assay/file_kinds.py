"""What a file is that is no table, told by its content, and what to do instead.

Standard library alone: cookiecutter's hook asks here, too.
"""

import gzip
import zipfile
import zlib
from pathlib import Path

HEAD = 4096
TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".json", ".jsonl")
SAVE = "save the table in it as CSV or as a workbook"
COPY = "copy the table in it to a spreadsheet and save that"
UNPACK = "unpack it and name the table in it"
_OPENINGS = (
    (b"%PDF-", "a PDF", COPY),
    (b"{\\rtf", "a text document (RTF)", SAVE),
    (b"\x89PNG", "a picture (PNG)", "name the table itself"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "name the table itself"),
    (b"GIF8", "a picture (GIF)", "name the table itself"),
    (b"II*\0", "a picture (TIFF)", "name the table itself"),
    (b"MM\0*", "a picture (TIFF)", "name the table itself"),
    (b"SQLite format 3\0", "an SQLite database", "export the table in it as CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export the table in it as CSV or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "export it as CSV, with a column of formulas"),
    (b"7z\xbc\xaf'\x1c", "a packed archive (7z)", UNPACK),
    (b"Rar!", "a packed archive (RAR)", UNPACK),
    (b"BZh", "packed by bzip2", UNPACK),
    (b"\xfd7zXZ\0", "packed by xz", UNPACK),
    (b"(\xb5/\xfd", "packed by zstd", UNPACK),
)


def other_kind(path: Path) -> str | None:
    """A clause such as `is a PDF: ...`; None where the file may be a table."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    if head.startswith(b"\x1f\x8b"):
        return f"is a packed archive (tar): {UNPACK}" if _is_tar(_unpacked(path)) else None
    if not head:
        return "is empty: it must hold a header and rows"
    return _of_opening(head) or _of_markup(head.removeprefix(b"\xef\xbb\xbf").lstrip().lower())


def _of_opening(head: bytes) -> str | None:
    if _is_tar(head):
        return f"is an archive (tar): {UNPACK}"
    if head[:1] == b"\x80" and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return "is a pickle, which may run any code: export the table in it as CSV or Parquet"
    found = (f"is {kind}: {way}" for opening, kind, way in _OPENINGS if head.startswith(opening))
    return next(found, None)


def _of_markup(head: bytes) -> str | None:
    if head.startswith((b"<!doctype html", b"<html")):
        return (
            "is a web page (HTML), perhaps one to sign in at instead of the table: download the "
            "table itself, or open the page in a spreadsheet and save that"
        )
    xml = head.startswith(b"<?xml")
    if head.startswith((b"<svg", b"<!doctype svg")) or (xml and b"<svg" in head):
        return "is a picture (SVG): name the table itself"
    return f"is XML: open it in a spreadsheet, and {SAVE}" if xml else None


def _of_zip(path: Path) -> str | None:
    """What a zip is that is no workbook; None for a damaged one, of which its reader tells."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            kind = archive.read("mimetype")[:200] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        return None
    if any(name.startswith("xl/") for name in names) or b"spreadsheet" in kind:
        return None
    for folder, document in (("word/", "DOCX"), ("ppt/", "PPTX")):
        if any(name.startswith(folder) for name in names):
            return f"is a document ({document}): {COPY}"
    if kind.startswith(b"application/vnd.oasis"):
        return f"is a document (OpenDocument): {COPY}"
    tables = [name for name in names if name.lower().endswith(TABLES)]
    if len(tables) == 1:
        return f"is a zip archive that holds {tables[0]!r:.100}: unpack it and name that file"
    told = f"{len(tables)} tables" if tables else "no table"
    return f"is a zip archive that holds {told}: {UNPACK if tables else 'name the table itself'}"


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            return stream.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"
