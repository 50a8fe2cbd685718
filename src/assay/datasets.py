"""The public tables that a candidate is trained on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import reduced_formula
from assay.errors import UsageError
from assay.groups import SYSTEM, counted, group_names
from assay.layout import Layout
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


def require_nothing_sealed(layout: Layout) -> None:
    """Refuse public evidence beside a sealed set, which would lie idle unnoticed.

    Raises:
        UsageError: there are held-out rows.
    """
    for path in (layout.sealed_labels, layout.open_labels, layout.sealed_inputs):
        if path.exists():
            raise UsageError(
                'assay.toml says evidence = "public", and there is a held-out set in '
                f'{path.relative_to(layout.root)}: set gate.evidence back to "sealed", or remove '
                "the files of a retired set with `git rm`.",
                code="data.held-out",
            )


@dataclass(frozen=True)
class Dataset:
    """The public tables of a repository; targets are in the target's unit.

    `group` is `split.group` of `assay.toml`, `rows_per_group` is `gate.rows_per_group`. `sealed`
    has no rows where public rows decide.
    """

    train: pd.DataFrame
    target: np.ndarray
    sealed: pd.DataFrame
    pool: pd.DataFrame
    group: str = SYSTEM
    rows_per_group: int | None = None

    @cached_property
    def counted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which train rows, sealed rows and rows of the pool count as evidence: masks."""
        train, sealed, pool = (
            counted(list(rows["formula"]), group_names(rows, self.group), self.rows_per_group)
            for rows in (self.train, self.sealed, self.pool)
        )
        return train, sealed, pool

    @cached_property
    def groups(self) -> list[str]:
        """The groups of the train rows."""
        return group_names(self.train, self.group)


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
        UsageError: a table is missing or not as it must be, or assay.toml asks for public
            evidence and there is a sealed set.
    """
    layout, settings = repository.layout, repository.settings
    target, columns = settings.target.column, ["row_id", "formula"]
    named = [*columns, *filter(None, [settings.group_column])]
    train = read_labelled(layout.train, named, target)
    if settings.public:
        require_nothing_sealed(layout)
        sealed = pd.DataFrame(columns=[*named, *settings.slice_columns], dtype=str)
    else:
        sealed = read_table(layout.sealed_inputs, named)
    pool = read_table(layout.pool, columns)
    values = read_numbers(train, target, layout.train)
    split, gate = settings.split, settings.gate
    return Dataset(train, values, sealed, pool, split.group, gate.rows_per_group)
