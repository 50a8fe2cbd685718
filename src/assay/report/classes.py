"""A target of two classes, by their names: what was predicted of which, and how well in order."""

from dataclasses import dataclass

import numpy as np

from assay.report.public_rows import Predicted

EVEN = 0.5


@dataclass(frozen=True)
class ClassFigures:
    """Out-of-fold predictions of the train rows; predicted is what has at least even odds.

    `names` are those of the classes 0 and 1, `confusion` (2, 2) counts rows by actual class, then
    by predicted class. `auc` is the area under the ROC curve, None where all rows are of one class,
    and `reference_auc` that of the reference on the rows that it knows.
    """

    names: tuple[str, str]
    confusion: np.ndarray
    auc: float | None
    reference_auc: float | None

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The confusion matrix: each actual class by name, with its rows by predicted class."""
        return list(zip(self.names, self.confusion.tolist(), strict=True))


def class_figures(names: tuple[str, str], rows: Predicted) -> ClassFigures:
    """The figures of train rows with out-of-fold probabilities of class 1."""
    from sklearn.metrics import confusion_matrix

    actual = rows.target >= EVEN
    confusion = confusion_matrix(actual, rows.candidate >= EVEN, labels=[False, True])
    compared = rows.compared
    return ClassFigures(
        names,
        confusion,
        _auc(actual, rows.candidate),
        _auc(compared.target >= EVEN, compared.reference),
    )


def _auc(actual: np.ndarray, probability: np.ndarray) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(actual, probability)) if len(np.unique(actual)) > 1 else None
