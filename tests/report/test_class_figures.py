"""A report on a class names both: probability of what, confusion matrix, order, reliability."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from assay.report.classes import class_figures
from assay.report.comment import render_comment
from assay.report.figures import public_numbers
from assay.report.images import images
from assay.report.inputs import ReportInputs
from assay.report.page import render_page
from assay.report.public_rows import Predicted
from inert import HOSTILE, assert_inert
from report_samples import Tags, hand_over, settings, write_tables

NAMES = ("insulator", "metal")


def inputs(folder: Path, names: tuple[str, str] | None = NAMES) -> ReportInputs:
    """A run of a class with sixty train rows."""
    handover = hand_over(folder / "out")
    write_tables(folder, handover, kind="class")
    return ReportInputs(handover, settings(kind="class", unit="1", classes=names), folder)


def predicted(target: list[int], candidate: list[float]) -> Predicted:
    """Rows without a reference."""
    ids = [f"t{number}" for number in range(len(target))]
    nothing = np.full(len(target), np.nan)
    return Predicted(ids, ["NaCl"] * len(target), np.array(candidate), nothing, np.array(target))


def test_figures_by_hand():
    """Rows by actual and predicted class; half odds are the second class."""
    found = class_figures(NAMES, predicted([0, 0, 1, 1, 1], [0.1, 0.5, 0.4, 0.6, 0.9]))
    assert found.rows == [("insulator", [1, 1]), ("metal", [1, 2])]
    assert found.auc == pytest.approx(5 / 6)
    assert found.reference_auc is None


def test_one_class_alone_has_no_order():
    """Nothing can be ordered, and the matrix has both classes all the same."""
    found = class_figures(NAMES, predicted([1, 1], [0.2, 0.7]))
    assert found.auc is None
    assert found.rows == [("insulator", [0, 0]), ("metal", [1, 1])]


def test_exchanged_names_are_noticed():
    """Names that stand for the other class turn the matrix, and labels turned round the order.

    Planted: a model whose labels were read the wrong way round is worse than chance.
    """
    target, said = [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.7]
    found = class_figures(NAMES, predicted(target, said))
    turned = class_figures(NAMES, predicted([1 - one for one in target], said))
    assert (found.auc, turned.auc) == (1.0, 0.0)
    assert dict(found.rows)["metal"] == [0, 2]
    assert dict(class_figures(NAMES[::-1], predicted(target, said)).rows)["metal"] == [2, 0]


def test_comment_and_page_name_the_classes(tmp_path: Path) -> None:
    """Probability of what, the confusion matrix, and the area under the ROC curve."""
    told = inputs(tmp_path)
    rows = told.evidence.train  # type: ignore[union-attr]
    actual, at_least = rows.target == 1, rows.candidate >= 0.5
    matrix = confusion_matrix(actual, at_least).tolist()
    comment, page = render_comment(told), Tags(render_page(told)).text
    assert "**Probability of `metal`** (class 1), against `insulator` (class 0)" in comment
    assert f"| is `metal` | {matrix[1][0]} | {matrix[1][1]} |" in comment
    assert f"| is `insulator` | {matrix[0][0]} | {matrix[0][1]} |" in comment
    assert "predicted metal" in page
    assert "is insulator" in page
    numbers = {one.name: one.candidate for one in public_numbers(told)}
    assert numbers["ROC AUC"] == f"{roc_auc_score(actual, rows.candidate):.4g}"


def test_pictures_name_the_classes(tmp_path: Path) -> None:
    """On the axes, in the legend, and in the words for those who do not see them."""
    told = inputs(tmp_path)
    page = Tags(render_page(told)).text
    assert "predicted probability of metal" in page
    assert "the share that is metal" in page
    reliability, scores = (image.words for image in images(told))
    assert reliability.startswith("Observed frequency of metal against predicted probability")
    assert "for rows of metal and " in scores
    assert "for rows of insulator" in scores


def test_without_names_they_are_0_and_1(tmp_path: Path) -> None:
    """As the labels stand in the train set."""
    told = inputs(tmp_path, None)
    assert "**Probability of `1`** (class 1), against `0` (class 0)" in render_comment(told)
    assert "for rows of class 1 and " in images(told)[1].words


@pytest.mark.parametrize("hostile", HOSTILE[:6])
def test_names_are_text(tmp_path: Path, hostile: str) -> None:
    """Whatever a class is called, nothing of it acts."""
    told = inputs(tmp_path, (hostile[:80], "metal"))
    assert_inert(render_comment(told))
    assert render_page(told)
