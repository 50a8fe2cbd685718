"""Where labelled rows come from: a CSV of the user's, or a matminer dataset by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from assay.compositions import problem, reduced_formula
from assay.errors import NotCarriedOutError, UsageError
from assay.tables import read_numbers, read_table

Kind = Literal["number", "class"]
FORMULA_NAMES = ("formula", "composition", "pretty_formula")
YES, NO = ("yes", "true", "1", "1.0"), ("no", "false", "0", "0.0")


def load_source(source: str, target: str) -> tuple[pd.DataFrame, Kind]:
    """Load `formula, <target>` from a CSV path or a matminer dataset name.

    Formulas are brought to their reduced spelling. The target is a class if every label is one
    of yes/no, true/false or 1/0, and a number otherwise; a class is given as 1 and 0.

    Raises:
        UsageError: the table lacks a column, a formula cannot be read, a label is no number, or
            two rows of one formula disagree.
        NotCarriedOutError: the dataset is not known or cannot be fetched.
    """
    path = Path(source)
    if path.suffix.lower() == ".csv" or path.exists():
        return _labelled(read_table(path, [target]), target, path)
    frame = _load_matminer(source)
    if target not in frame:
        columns = ", ".join(map(str, frame))[:200]
        raise UsageError(f"{source} has no column {target!r}: give --target one of {columns}.")
    text = pd.DataFrame({column: map(_cell, frame[column]) for column in _columns(frame, target)})
    try:
        return _labelled(text, target, path)
    except UsageError as error:
        sentence = str(error).rstrip(".")
        raise UsageError(f"{sentence}, in a CSV that you save from the dataset.") from None


def _columns(frame: pd.DataFrame, target: str) -> list[str]:
    return [name for name in frame if name == target or name in FORMULA_NAMES]


def _cell(value: Any) -> str:
    # matminer gives some compositions as pymatgen objects, which print with spaces
    return value.formula.replace(" ", "") if hasattr(value, "formula") else str(value)


def _labelled(frame: pd.DataFrame, target: str, path: Path) -> tuple[pd.DataFrame, Kind]:
    formula = _formula_column(list(frame.columns), target, str(path))
    rows = pd.DataFrame({"formula": _canonical(frame[formula], path), target: frame[target]})
    kind = kind_of(rows[target])
    rows[target] = _as_class(rows[target]) if kind == "class" else read_numbers(rows, target, path)
    return _without_duplicates(rows, target, path), kind


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
        raise UsageError(f"{name!r} is neither a file nor a matminer dataset: {hint}.")
    try:
        return load_dataset(name)
    except Exception as error:
        raise NotCarriedOutError(
            f"the dataset {name} could not be loaded ({type(error).__name__}): try again with "
            "a connection, or name a CSV."
        ) from error


def _formula_column(columns: Sequence[str], target: str, source: str) -> str:
    for name in FORMULA_NAMES:
        if name in columns and name != target:
            return name
    raise UsageError(
        f"{source} has no column 'formula': give that name to one of {', '.join(columns)[:200]}."
    )


def _canonical(formulas: Sequence[str], path: Path) -> list[str]:
    for line, formula in enumerate(formulas, start=2):
        if sentence := problem(formula):
            raise UsageError(f"{path}, line {line}: {sentence}; correct or remove the row.")
    return [reduced_formula(formula) for formula in formulas]


def _as_class(labels: pd.Series) -> np.ndarray:
    return labels.str.strip().str.lower().isin(YES).to_numpy().astype(int)


def _without_duplicates(rows: pd.DataFrame, target: str, path: Path) -> pd.DataFrame:
    first = rows.groupby("formula")[target].transform("first")
    differing = rows.index[rows[target] != first]
    if len(differing):
        row = rows.loc[differing[0]]
        earlier = int((rows["formula"] == row["formula"]).idxmax())
        raise UsageError(
            f"{path}, line {differing[0] + 2}: {row['formula']} is {row[target]:g} here and "
            f"{first[differing[0]]:g} in line {earlier + 2} ({len(differing)} such rows); keep one "
            "value for each formula."
        )
    return rows.drop_duplicates("formula").reset_index(drop=True)
