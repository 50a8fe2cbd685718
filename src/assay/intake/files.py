"""Which kind of file a table is, told by its content and not by its name."""

from pathlib import Path

from assay.errors import UsageError
from assay.file_kinds import other_kind
from assay.intake.raw import LEAST, RawTable

ZIP, OLE, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"


def read_raw(path: Path, sheet: str | None = None, least: int = LEAST) -> RawTable:
    """Read the table in a file, whatever its format, of at least so many columns.

    Raises:
        UsageError: there is no such file, or no table in it; the sentence says what to do.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it.", code="table.missing")
    if not path.is_file():
        raise UsageError(f"{path} does not exist: check its name and folder.", code="table.missing")
    if path.stat().st_size and (told := other_kind(path)) is not None:
        raise UsageError(f"{path} cannot be read as a table: it {told}.", code="table.other-kind")
    from assay.intake import delimited, structured, workbooks

    with path.open("rb") as stream:
        opening = stream.read(4)
    if opening in {ZIP, OLE}:
        return workbooks.read_workbook(path, sheet, least)
    if opening == PARQUET:
        return structured.read_parquet(path, least)
    head = delimited.unpacked(path)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in {b"{", b"["} and path.suffix.lower() not in {".csv", ".tsv", ".txt"}:
        return structured.read_json(path, least)
    return delimited.read_delimited(path, least)
