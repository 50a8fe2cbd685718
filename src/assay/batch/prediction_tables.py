"""Tables of predictions to be compared: one value a material, whoever made them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from assay.batch.comparison import is_same
from assay.batch.records import PARQUET
from assay.compositions import identity, problem, reduced_formula
from assay.errors import UsageError
from assay.tables import read_numbers, read_table


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
            raise UsageError(f"{file}, line {line}: {sentence}.")
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
        raise UsageError(f"{file} does not exist: name a batch, or a table of predictions.")
    try:
        frame = pd.read_parquet(file)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise UsageError(f"{file} cannot be read as Parquet ({type(error).__name__}).") from None
    for name in columns:
        if name not in frame:
            raise UsageError(f"{file} has no column {name!r}: name another one with --column.")
    return frame.assign(**{name: frame[name].map(str) for name in columns})


def _require_one_value(values: "pd.Series[float]", spelt: Mapping[str, str], file: Path) -> None:
    repeated = values[values.index.duplicated(keep=False)]
    for material, own in repeated.groupby(level=0):
        if not is_same(own, own.iloc[0]).all():
            raise UsageError(
                f"{file}: {spelt[str(material)]} stands there with {own.nunique()} values, "
                f"{', '.join(f'{value:.9g}' for value in own.unique()[:3])}: keep one."
            )
