"""What the public rows show: both models' predictions beside the labels that everybody may see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from assay.gate.metrics import METRICS, Metric
from assay.layout import Handover, Layout
from assay.settings import Settings


@dataclass(frozen=True)
class PublicRow:
    """One row with what both models say of it; NaN as in `Predicted`."""

    row_id: str
    formula: str
    candidate: float
    reference: float
    target: float

    @property
    def change(self) -> float:
        """Candidate minus reference."""
        return self.candidate - self.reference

    @property
    def residual(self) -> float:
        """Predicted minus measured."""
        return self.candidate - self.target


@dataclass(frozen=True)
class Predicted:
    """Rows of a public table with what both models say of them.

    `candidate`, `reference` and `target` are (n,) in the target's unit; NaN stands for a reference
    that says nothing of a row, and for the target of the pool.
    """

    row_ids: Sequence[str]
    formulas: Sequence[str]
    candidate: np.ndarray
    reference: np.ndarray
    target: np.ndarray

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.row_ids)

    def __iter__(self) -> Iterator[PublicRow]:
        """The rows one by one."""
        columns = (self.row_ids, self.formulas, self.candidate, self.reference, self.target)
        for row_id, formula, *values in zip(*columns, strict=True):
            yield PublicRow(row_id, formula, *map(float, values))

    def take(self, rows: np.ndarray) -> "Predicted":
        """Some of the rows, by a mask or by their numbers, in that order."""
        return Predicted(
            np.asarray(self.row_ids)[rows].tolist(),
            np.asarray(self.formulas)[rows].tolist(),
            self.candidate[rows],
            self.reference[rows],
            self.target[rows],
        )

    @property
    def compared(self) -> "Predicted":
        """The rows of which both models say something."""
        return self.take(np.isfinite(self.reference))


@dataclass(frozen=True)
class Evidence:
    """Main's train rows with out-of-fold predictions, and the pool.

    `folds` (n,) numbers the train rows' folds, which share no chemical system; `metric` is the one
    that the claim is about.
    """

    train: Predicted
    pool: Predicted
    folds: np.ndarray
    metric: Metric


def gathered(
    root: Path, settings: Settings, handover: Handover, reference: Mapping[str, float]
) -> Evidence:
    """Read the public tables of the checkout at `root`, and what was handed over.

    A pull request may bring its own train rows; only those that main has, too, are looked at.

    Raises:
        UsageError: a table of the checkout cannot be read.
        NotCarriedOutError: predictions or train set of the candidate are not as they must be.
    """
    from assay.datasets import require_readable
    from assay.model.dataset import read_tables
    from assay.scoring.acceptance import shared_predictions
    from assay.splits import grouped_folds

    layout = Layout(root)
    data = read_tables(layout, settings)
    require_readable(data.train["formula"], layout.train)
    found = shared_predictions(layout, settings, handover, data)
    shared = data.train["row_id"].isin(found.keys()).to_numpy()
    folds = grouped_folds(data.systems, settings.split.folds, settings.split.seed)
    nothing = np.full(len(data.pool), np.nan)
    return Evidence(
        _predicted(data.train[shared], found, reference, data.target[shared]),
        _predicted(data.pool, found, reference, nothing),
        folds[shared],
        METRICS[settings.primary_metric],
    )


def _predicted(
    rows: pd.DataFrame,
    candidate: Mapping[str, float],
    reference: Mapping[str, float],
    target: np.ndarray,
) -> Predicted:
    row_ids = rows["row_id"].tolist()
    return Predicted(
        row_ids,
        rows["formula"].tolist(),
        np.array([candidate[row] for row in row_ids], dtype=float),
        np.array([reference.get(row, np.nan) for row in row_ids], dtype=float),
        target,
    )
