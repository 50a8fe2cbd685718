"""Where labelled rows come from: a CSV of the user's, or a matminer dataset by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

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
        frame = read_table(path, [target])
        formula = _formula_column(list(frame.columns), str(path))
    else:
        frame = _load_matminer(source).astype(str)
        formula = _formula_column(list(frame.columns), source)
        if target not in frame:
            raise UsageError(f"{source} has no column {target!r}: it has {', '.join(frame)}.")
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
        hint = f"did you mean {close[0]!r}?" if close else "see matminer's list of datasets."
        raise UsageError(f"{name!r} is neither a file nor a matminer dataset: {hint}")
    try:
        return load_dataset(name)
    except Exception as error:
        raise NotCarriedOutError(
            f"the dataset {name} could not be fetched ({type(error).__name__}): try again with "
            "a connection, or name a CSV."
        ) from error


def _formula_column(columns: Sequence[str], source: str) -> str:
    for name in FORMULA_NAMES:
        if name in columns:
            return name
    raise UsageError(f"{source} has no column 'formula': it has {', '.join(columns)[:200]}.")


def _canonical(formulas: Sequence[str], path: Path) -> list[str]:
    for line, formula in enumerate(formulas, start=2):
        if sentence := problem(formula):
            raise UsageError(f"{path}, line {line}: {sentence}; correct or remove the row.")
    return [reduced_formula(formula) for formula in formulas]


def _as_class(labels: pd.Series) -> np.ndarray:
    return labels.str.strip().str.lower().isin(YES).to_numpy().astype(int)


def _without_duplicates(rows: pd.DataFrame, target: str, path: Path) -> pd.DataFrame:
    spread = rows.groupby("formula")[target].agg(["min", "max"])
    differing = spread.index[spread["min"] != spread["max"]]
    if len(differing):
        low, high = spread.loc[differing[0]]
        raise UsageError(
            f"{path}: {len(differing)} formulas have rows that disagree, for instance "
            f"{differing[0]} ({low:g} and {high:g}); keep one value for each."
        )
    return rows.drop_duplicates("formula").reset_index(drop=True)
