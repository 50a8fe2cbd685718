"""Periodic tables by error and by coverage."""

import numpy as np

from assay import drawing
from assay.compositions import elements
from assay.gate.metrics import METRICS
from report_samples import Tags

FORMULAS = ["Fe2O3", "FeO", "NaCl"]


def losses() -> dict[str, np.ndarray]:
    """Losses 1, 3 and 5 by element."""
    held = [elements(formula) for formula in FORMULAS]
    return drawing.losses_by_element(held, np.array([1.0, 3.0, 5.0]))


def test_row_counts_once_for_each_of_its_elements() -> None:
    """Whatever the amounts."""
    found = losses()
    assert found["Fe"].tolist() == found["O"].tolist() == [1.0, 3.0]
    assert found["Cl"].tolist() == [5.0]


def test_errors_are_in_the_metrics_unit() -> None:
    """The mean for MAE, the root of the mean square for RMSE."""
    assert Tags(drawing.errors(losses(), METRICS["mae"], "MAE").svg()).text.count("2.0") == 2
    assert Tags(drawing.errors(losses(), METRICS["rmse"], "RMSE").svg()).text.count("1.4") == 2


def test_coverage_counts_rows() -> None:
    """Each element has its number of train rows, and the legend the largest."""
    text = Tags(drawing.coverage(losses()).svg()).text
    assert "train rows (log)" in text
    assert text.count("2") >= 3


def test_every_element_has_its_place() -> None:
    """The table shows 103 elements, those without rows in pale frames."""
    words = re_split(
        Tags(drawing.errors({"H": np.array([0.0])}, METRICS["mae"], "<b>$x_{$").svg()).text
    )
    assert len(words & ALL) == 103


def re_split(text: str) -> set[str]:
    """The words of a text."""
    return set(text.split())


def _symbols() -> set[str]:
    from pymatgen.core import Element

    return {Element.from_Z(number).symbol for number in range(1, 104)}


ALL = _symbols()
