"""Labelled rows: where they come from, and the public tables that a candidate is trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from assay.compositions import chemical_system, identity, reduced_formula
from assay.errors import NotCarriedOutError, UsageError
from assay.repository import Repository
from assay.tables import read_labelled, read_numbers, read_table, require_target

Kind = Literal["number", "class"]
FORMULA_NAMES = ("formula", "composition", "pretty_formula")
KEY = "--target, or target.column in assay.toml,"
YES, NO = ("yes", "true", "1", "1.0"), ("no", "false", "0", "0.0")


@dataclass(frozen=True)
class Source:
    """Labelled rows `formula, <target>` and further columns as text, one row a composition.

    The frame's index holds the lines of the file. `repeated` rows were left out: their composition
    stands in an earlier line, with a value within the tolerance.
    """

    rows: pd.DataFrame
    kind: Kind
    repeated: int


def load_source(source: str, target: str, tolerance: float, further: Sequence[str] = ()) -> Source:
    """Load `formula, <target>` from a CSV path or a matminer dataset name.

    Formulas are brought to their reduced spelling, and rows are of one composition if their atomic
    shares are the same, as in `CaMgO2` and `Ca0.5Mg0.5O`. The target is a class if every label is
    one of yes/no, true/false or 1/0, and a number otherwise; a class is given as 1 and 0.

    Args:
        source: path of a CSV, or a name that matminer knows.
        target: the column to learn.
        tolerance: how far the values of one composition may lie apart, in the target's unit; the
            first one is kept. Rows of a class must agree.
        further: columns to take along as they are.

    Raises:
        UsageError: the table lacks a column, a formula cannot be read, a label is no number, or
            rows of one composition disagree by more than the tolerance.
        NotCarriedOutError: the dataset is not known or cannot be fetched.
    """
    path = Path(source)
    if path.suffix.lower() == ".csv" or path.exists():
        table = read_table(path, further)
        require_target(list(table.columns), target, path, KEY)
        return _labelled(table, target, tolerance, further, path)
    frame = _load_matminer(source)
    for name in (target, *further):
        if name not in frame:
            columns = ", ".join(map(str, frame))[:200]
            raise UsageError(
                f"{source} has no column {name!r}: give --target one of {columns}.",
                code="table.no-column",
            )
    kept = [name for name in frame if name in {target, *FORMULA_NAMES, *further}]
    text = pd.DataFrame({column: map(_cell, frame[column]) for column in kept})
    try:
        return _labelled(text, target, tolerance, further, path)
    except UsageError as error:
        sentence = str(error).rstrip(".")
        raise UsageError(
            f"{sentence}, in a CSV that you save from the dataset.", code="data.unusable-dataset"
        ) from None


def _cell(value: Any) -> str:
    # matminer gives some compositions as pymatgen objects, which print with spaces
    return value.formula.replace(" ", "") if hasattr(value, "formula") else str(value)


def _labelled(
    frame: pd.DataFrame, target: str, tolerance: float, further: Sequence[str], path: Path
) -> Source:
    formula = _formula_column(list(frame.columns), target, str(path))
    rows = pd.DataFrame({"formula": reduced_formulas(frame[formula], path), target: frame[target]})
    kind = kind_of(rows[target])
    rows[target] = _as_class(rows[target]) if kind == "class" else read_numbers(rows, target, path)
    rows[list(further)] = frame[list(further)]
    rows.index += 2
    compositions = rows["formula"].map(identity)
    _require_agreement(rows, compositions, target, None if kind == "class" else tolerance, path)
    distinct = rows[~compositions.duplicated()]
    return Source(distinct, kind, len(rows) - len(distinct))


def kind_of(labels: Sequence[str]) -> Kind:
    """Tell a yes/no target from a number by its spellings."""
    spellings = {str(label).strip().lower() for label in labels}
    both = bool(spellings & set(YES)) and bool(spellings & set(NO))
    return "class" if both and spellings <= {*YES, *NO} else "number"


def _load_matminer(name: str) -> pd.DataFrame:
    from matminer.datasets import get_available_datasets, load_dataset

    known = get_available_datasets(print_format=None)
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}" if close else "see matminer's list of datasets"
        raise UsageError(
            f"{name!r} is neither a file nor a matminer dataset: {hint}.",
            code="data.unknown-source",
        )
    try:
        return load_dataset(name)
    except Exception as error:
        raise NotCarriedOutError(
            f"the dataset {name} could not be loaded ({type(error).__name__}): try again with "
            "a connection, or name a CSV.",
            code="data.not-loaded",
        ) from error


def _formula_column(columns: Sequence[str], target: str, source: str) -> str:
    for name in FORMULA_NAMES:
        if name in columns and name != target:
            return name
    raise UsageError(
        f"{source} has no column 'formula': give that name to one of {', '.join(columns)[:200]}.",
        code="table.no-formula-column",
    )


def require_readable(formulas: Iterable[str], path: Path) -> None:
    """Insist on formulas that can be read.

    Raises:
        UsageError: one cannot; file and line are named.
    """
    from assay.features.parsing import problems

    for line, sentence in enumerate(problems(list(formulas)), start=2):
        if sentence:
            raise UsageError(
                f"{path}, line {line}: {sentence}; correct or remove the row.",
                code="formula.unreadable",
            )


def reduced_formulas(formulas: Sequence[str], path: Path) -> list[str]:
    """The canonical spelling of every formula of a table; `path` is only named in the error.

    Raises:
        UsageError: one cannot be read.
    """
    require_readable(formulas, path)
    return [reduced_formula(formula) for formula in formulas]


def _as_class(labels: pd.Series) -> np.ndarray:
    return labels.str.strip().str.lower().isin(YES).to_numpy().astype(int)


def _require_agreement(
    rows: pd.DataFrame,
    compositions: pd.Series,
    target: str,
    tolerance: float | None,
    path: Path,
) -> None:
    """Refuse compositions whose values lie further apart than `tolerance`; None: a class."""
    values = rows.groupby(compositions)[target]
    apart = rows[values.transform("max") - values.transform("min") > (tolerance or 0)]
    if apart.empty:
        return
    own = apart.loc[compositions[apart.index] == compositions[apart.index[0]], target]
    first, last = sorted([own.idxmin(), own.idxmax()])
    formula, other = rows.loc[last, "formula"], rows.loc[first, "formula"]
    spelt = "" if formula == other else f", as {other},"
    disagreeing = compositions[apart.index].nunique()
    hint = "" if tolerance is None else ", or raise data.duplicate_tolerance in assay.toml"
    raise UsageError(
        f"{path}, line {last}: {formula} is {own[last]:g} here and {own[first]:g}{spelt} in line "
        f"{first}, more than {tolerance or 0:g} apart ({len(apart)} rows of {disagreeing} "
        f"compositions disagree so); keep the right values{hint}.",
        code="data.labels-disagree",
    )


@dataclass(frozen=True)
class Dataset:
    """The public tables of a repository; targets are in the target's unit."""

    train: pd.DataFrame
    target: np.ndarray
    sealed: pd.DataFrame
    pool: pd.DataFrame

    @cached_property
    def systems(self) -> list[str]:
        """Chemical systems of the train rows."""
        return [chemical_system(formula) for formula in self.train["formula"]]


def read_dataset(repository: Repository) -> Dataset:
    """Read train set, sealed inputs and pool.

    Raises:
        UsageError: a table is missing or not as it must be, or a formula cannot be read.
    """
    data, layout = read_tables(repository), repository.layout
    for table, path in zip(
        (data.train, data.sealed, data.pool),
        (layout.train, layout.sealed_inputs, layout.pool),
        strict=True,
    ):
        require_readable(table["formula"], path)
    return data


def read_tables(repository: Repository) -> Dataset:
    """The same without a look at the formulas, which takes most of the time.

    Raises:
        UsageError: a table is missing or not as it must be.
    """
    layout, target = repository.layout, repository.settings.target.column
    train = read_labelled(layout.train, ["row_id", "formula"], target)
    sealed = read_table(layout.sealed_inputs, ["row_id", "formula"])
    pool = read_table(layout.pool, ["row_id", "formula"])
    return Dataset(train, read_numbers(train, target, layout.train), sealed, pool)
