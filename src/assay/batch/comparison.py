"""The table reader of batches, in bounded memory, and two tables compared cell by cell."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assay.batch import text_lists
from assay.batch.prediction import CHUNK
from assay.batch.records import PARQUET
from assay.compositions import identity, problem, reduced_formula
from assay.errors import RefusedError, UsageError
from assay.tables import read_numbers, read_table
from assay.text_tables import require_header

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Tables hold nine significant digits, and two processors may differ in the last bits of a sum.
# Near zero these are no share of the value: there they are measured by the width of an interval.
SAME, NOTHING = 1e-8, 1e-9


class TableReader:
    """The rows of a table in order; `rows` is their number, `names` are its columns."""

    def __init__(self, names: Sequence[str], rows: int, parts: Iterator[pd.DataFrame]) -> None:
        """Hand out what `parts` give."""
        self.names, self.rows = list(names), rows
        self._parts = parts
        self._held = pd.DataFrame(columns=self.names, dtype=object)

    def take(self, count: int) -> pd.DataFrame:
        """The next `count` rows, or as many as are left."""
        held = [self._held]
        while sum(map(len, held)) < count and (part := next(self._parts, None)) is not None:
            held.append(part)
        filled = [part for part in held if len(part)]
        every = pd.concat(filled, ignore_index=True) if filled else held[-1]
        self._held = every.iloc[count:]
        return every.iloc[:count].reset_index(drop=True)


def csv_reader(path: Path, columns: Sequence[str]) -> TableReader:
    """The rows of a CSV with the given columns, as text.

    Raises:
        RefusedError: it is missing or no such table.
    """
    try:
        found = text_lists.survey(path, 0)
        require_header(found.header, columns, path)
    except UsageError as error:
        raise RefusedError(f"the batch is damaged: {error}", code="batch.unreadable-csv") from None
    begin, width = found.marks[0], len(found.header)
    parts = text_lists.columns(path, width, begin, (0, found.rows), CHUNK)
    frames = (pd.DataFrame(dict(zip(found.header, part, strict=True)), dtype=str) for part in parts)
    return TableReader(found.header, found.rows, frames)


def parquet_reader(path: Path) -> tuple[TableReader, "pa.Schema"]:
    """The rows of a table of predictions in Parquet, and its schema.

    Raises:
        RefusedError: it is missing, cannot be read, or holds no column of formulas.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise RefusedError(
            f"{path} is missing: run `assay predict` again.", code="batch.missing-file"
        )
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        names = list(schema.names)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise _unreadable(path, error) from None
    frames = _frames(file, path)
    first = next(frames, None)  # what cannot be read shows at once
    if schema.get_field_index("formula") < 0 or schema.field("formula").type != pa.string():
        raise RefusedError(
            f"{path} has no column formula of text: run `assay predict` again.",
            code="batch.no-formula-column",
        )
    parts = frames if first is None else itertools.chain([first], frames)
    return TableReader(names, file.metadata.num_rows, parts), schema


def _frames(file: "pq.ParquetFile", path: Path) -> Iterator[pd.DataFrame]:
    try:
        for batch in file.iter_batches(CHUNK):
            # pandas' own metadata could exchange columns
            yield batch.to_pandas(ignore_metadata=True)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> RefusedError:
    return RefusedError(
        f"{path} cannot be read as Parquet ({type(error).__name__}): run `assay predict` again.",
        code="batch.unreadable-parquet",
    )


def is_same(one: Any, other: Any, nothing: float = NOTHING) -> Any:
    """Which numbers (n,) are the same, but for digits that a table does not hold."""
    return np.isclose(one, other, rtol=SAME, atol=nothing)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as a CSV holds it, but that numbers stay numbers, to be compared as such."""
    return frame.map(lambda cell: cell if isinstance(cell, float) else str(cell))


def require_same(
    name: str,
    written: pd.DataFrame,
    made: pd.DataFrame,
    nothing: float = NOTHING,
    start: int = 0,
) -> None:
    """Insist that a table holds the columns and rows that were made again, in any column order.

    Args:
        name: the file; one that ends with `.csv` holds its numbers as text.
        written: what the file holds.
        made: what it must hold; where a number is missing, only an empty cell is the same.
        nothing: the difference of two numbers that is none however small they are, in their unit.
        start: how many rows of the file come before these.

    Raises:
        RefusedError: it does not; the first column, row or cell that differs is named.
    """
    others = list(written.columns)
    for column in made.columns:
        if column not in others:
            raise RefusedError(
                f"{name} has no column {column}: run `assay predict` again.",
                code="batch.missing-column",
            )
        others.remove(column)
    if others:
        raise RefusedError(
            f"{name} has a column {str(others[0])[:60]!r} that does not belong there: run "
            "`assay predict` again.",
            code="batch.foreign-column",
        )
    if len(written) != len(made):
        raise RefusedError(
            f"{name} has {start + len(written)} rows, not {start + len(made)}: run `assay predict` "
            "again.",
            code="batch.wrong-row-count",
        )
    for column in made.columns:
        _require_column(name, written[column], made[column], nothing, start)


def _require_column(
    name: str, written: "pd.Series[Any]", made: "pd.Series[Any]", nothing: float, start: int
) -> None:
    text = name.endswith(".csv")
    if pd.api.types.is_float_dtype(made):
        same = _same_numbers(written, made, nothing, text=text)
    else:
        pairs = zip(written, made, strict=True)
        # a type first: what else a Parquet file may hold need not be comparable with text
        same = np.array([type(a) is type(b) and a == b for a, b in pairs], dtype=bool)
    differing = np.flatnonzero(~same)
    if differing.size:
        row = int(differing[0])
        place = f"line {start + row + 2}" if text else f"row {start + row + 1}"
        raise RefusedError(
            f"{name}, {place}: {made.name} is {written.iloc[row]!r:.80}, but it must be "
            f"{made.iloc[row]!s:.80} ({differing.size} such rows): run `assay predict` "
            "again.",
            code="batch.wrong-value",
        )


def _same_numbers(
    written: "pd.Series[Any]", made: "pd.Series[Any]", nothing: float, *, text: bool
) -> np.ndarray:
    if not text and not pd.api.types.is_float_dtype(written):
        return np.zeros(len(made), dtype=bool)
    numbers = pd.to_numeric(written, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = (written == "" if text else written.isna()).to_numpy(dtype=bool)
    wanted = made.to_numpy(dtype=float)
    close = is_same(numbers, wanted, nothing)
    return np.where(np.isnan(wanted), empty, close)


@dataclass(frozen=True)
class PredictionTable:
    """One table: `predicted` (n,) by material, and the ids of the models that it names.

    `spelt` has the reduced formula of each material, in the amounts that the table has first.
    """

    name: str
    predicted: "pd.Series[float]"
    models: frozenset[str]
    spelt: Mapping[str, str] = field(default_factory=dict)


def read_predictions(path: Path, column: str = "prediction") -> PredictionTable:
    """Read a batch folder, or a CSV or Parquet file with the columns `formula` and `column`.

    Raises:
        UsageError: it cannot be read, a formula or number is none, or a material has two values.
    """
    file = path / PARQUET if path.is_dir() else path
    columns = ["formula", column]
    frame = _parquet(file, columns) if file.suffix == ".parquet" else read_table(file, columns)
    for line, formula in enumerate(frame["formula"], start=2):
        if sentence := problem(str(formula)):
            raise UsageError(f"{file}, line {line}: {sentence}.", code="formula.unreadable")
    numbers = read_numbers(frame, column, file)
    formulas = [str(formula) for formula in frame["formula"]]
    materials = [identity(formula) for formula in formulas]
    spelt = dict(zip(reversed(materials), map(reduced_formula, reversed(formulas)), strict=True))
    values = pd.Series(numbers, index=materials)
    _require_one_value(values, spelt, file)
    models = frozenset(map(str, frame["model_id"])) if "model_id" in frame else frozenset()
    return PredictionTable(str(path), values[~values.index.duplicated()], models, spelt)


def _parquet(file: Path, columns: list[str]) -> pd.DataFrame:
    if not file.is_file():
        raise UsageError(
            f"{file} does not exist: name a batch, or a table of predictions.", code="table.missing"
        )
    try:
        frame = pd.read_parquet(file)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise UsageError(
            f"{file} cannot be read as Parquet ({type(error).__name__}): export it again.",
            code="table.unreadable-parquet",
        ) from None
    for name in columns:
        if name not in frame:
            raise UsageError(
                f"{file} has no column {name!r}: name another one with --column.",
                code="table.no-column",
            )
    return frame.assign(**{name: frame[name].map(str) for name in columns})


def _require_one_value(values: "pd.Series[float]", spelt: Mapping[str, str], file: Path) -> None:
    repeated = values[values.index.duplicated(keep=False)]
    for material, own in repeated.groupby(level=0):
        if not is_same(own, own.iloc[0]).all():
            raise UsageError(
                f"{file}: {spelt[str(material)]} has {own.nunique()} different values, "
                f"{', '.join(f'{value:.9g}' for value in own.unique()[:3])}: keep one.",
                code="diff.two-values",
            )
