"""The public tables that a candidate is trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import chemical_system, reduced_formula
from assay.errors import UsageError
from assay.repository import Repository
from assay.tables import read_labelled, read_numbers, read_table


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
