"""Tables of databases and programs: Parquet, and JSON as records, columns or lines."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from assay.errors import UsageError
from assay.intake.delimited import decode, unpacked
from assay.intake.raw import LEAST, RawTable, from_grid, require_length


def read_parquet(path: Path, least: int = LEAST) -> RawTable:
    """Read a Parquet file; columns of nested values are left out and named.

    Raises:
        UsageError: it cannot be read, is empty or too long.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            require_length(file.metadata.num_rows, path)
            table = file.read()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as Parquet ({type(error).__name__}): export it again.",
            code="table.unreadable-parquet",
        ) from None
    texts, left = {}, []
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            texts[str(name)] = column.cast(pa.string()).fill_null("").to_pylist()
        except pa.ArrowException:
            left.append(str(name))
    return _from_columns(path, texts, left, least)


def read_json(path: Path, least: int = LEAST) -> RawTable:
    """Read JSON: a list of records, one record a line, columns, or what pandas calls `split`.

    Numbers keep the digits of the file.

    Raises:
        UsageError: it is no JSON, or none of these.
    """
    text = decode(unpacked(path), path).text
    try:
        content = _parsed(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(
            f"{path}, line {line}: no JSON ({error}); export it again, or as CSV.",
            code="table.not-json",
        ) from None
    columns = _columns(content)
    if columns is None:
        raise UsageError(
            f"{path} holds no table: write a list of records, such as "
            '[{"formula": "NaCl", "gap": 8.5}].',
            code="table.not-records",
        )
    left = [
        name for name, cells in columns.items() if any(isinstance(c, (dict, list)) for c in cells)
    ]
    texts = {name: list(map(_text, cells)) for name, cells in columns.items() if name not in left}
    return _from_columns(path, texts, left, least)


def _parsed(text: str) -> Any:
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if error.msg != "Extra data" or len(lines) < 2:  # noqa: PLR2004 (two records)
            raise
        return [decoder.decode(line) for line in lines]


def _columns(content: Any) -> dict[str, list[Any]] | None:
    if isinstance(content, Mapping):
        if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
            content = [dict(zip(content["columns"], row, strict=False)) for row in content["data"]]
        elif content and all(isinstance(cells, list) for cells in content.values()):
            longest = max(map(len, content.values()))
            even = all(len(cells) == longest for cells in content.values())
            return {str(name): cells for name, cells in content.items()} if even else None
        elif content and all(isinstance(cells, Mapping) for cells in content.values()):
            keys = list(dict.fromkeys(key for cells in content.values() for key in cells))
            return {name: [cells.get(key) for key in keys] for name, cells in content.items()}
    if isinstance(content, Mapping):
        content = next((v for v in content.values() if isinstance(v, list)), None)
    if not isinstance(content, list) or not content:
        return None
    if not all(isinstance(record, Mapping) for record in content):
        return None
    names = list(dict.fromkeys(str(name) for record in content for name in record))
    return {name: [record.get(name) for record in content] for name in names}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ("TRUE" if value else "FALSE") if isinstance(value, bool) else str(value)


def _from_columns(
    path: Path, texts: dict[str, list[str]], left: Sequence[str], least: int = LEAST
) -> RawTable:
    rows = [list(texts), *map(list, zip(*texts.values(), strict=True))]
    require_length(len(rows) - 1, path)
    told = ", ".join(left)[:200]
    readings = [f"without the columns of nested values: {told}"] if left else []
    # a record's line is its number, so that the header stands at none
    return from_grid(path, rows, range(len(rows)), readings, least=least)


def from_frame(frame: pd.DataFrame, name: str) -> RawTable:
    """The table of a dataset that a library loaded, without columns of nested values."""
    texts = {str(column): list(map(_plain, frame[column])) for column in frame}
    left = [column for column, cells in texts.items() if None in cells]
    kept = {c: [cell or "" for cell in cells] for c, cells in texts.items() if c not in left}
    return _from_columns(Path(name), kept, left)


def _plain(value: Any) -> str | None:
    if hasattr(value, "reduced_formula") and not hasattr(value, "lattice"):
        # matminer gives some compositions as pymatgen objects, which print with spaces
        return str(value.formula).replace(" ", "")
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 (NaN)
        return ""
    return (
        str(value)
        if isinstance(value, (str, int, float, bool)) or hasattr(value, "dtype")
        else None
    )
