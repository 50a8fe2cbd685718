"""Drawings in plain characters."""

import numpy as np
import pytest

from assay.report.markdown import BINS, WIDTH, bar, family_chart, marked_bar, residual_chart, spark
from assay.report.public_rows import FamilyError, Predicted


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(0, ""), (1, "█" * 24), (0.5, "█" * 12), (1 / 192, "▏"), (13 / 192, "█▋"), (9, "█" * 24)],
)
def test_bar_is_as_long_as_its_value(value: float, drawn: str):
    """An eighth of a character is the unit; what is beyond the top ends there."""
    assert bar(value, 1.0) == drawn


def test_mark_stands_where_its_value_is():
    """Inside the bar as well as beyond it, and at the very end."""
    assert marked_bar(0.5, 0.25, 1.0) == "█" * 6 + "┃" + "█" * 5
    assert marked_bar(0.25, 0.5, 1.0) == "█" * 6 + " " * 6 + "┃"
    assert marked_bar(0.0, 1.0, 1.0) == " " * WIDTH + "┃"
    assert marked_bar(0.5, None, 1.0) == "█" * 12
    assert marked_bar(0.0, 0.0, 0.0) == ""


def test_chart_has_a_line_for_each_family():
    """Figures of all lines stand below each other, and no line is wider than a comment."""
    errors = [
        FamilyError("alkali", 1234, 0.1, 0.8, 0.9),
        FamilyError("post-transition metal", 5, 0.05, None, 0.9),
    ]
    title, *lines = family_chart(errors).splitlines()
    assert title.startswith("family")
    assert len(lines) == 2
    assert all(len(line) <= 84 for line in (title, *lines))
    assert lines[0].index("0.1") + 3 == lines[1].index("0.05") + 4
    assert "┃" in lines[0]
    assert "┃" not in lines[1]


def test_chart_without_reference_shows_none():
    """There is then no column and no stroke."""
    drawn = family_chart([FamilyError("alkali", 3, 0.1, None, None)])
    assert "reference" not in drawn
    assert "┃" not in drawn


def test_residuals_of_both_models_share_one_axis():
    """The axis is the candidate's; what is beyond it stands at the ends and flattens nothing."""
    random = np.random.default_rng(0)
    rows = Predicted([""] * 4000, [""] * 4000, random.normal(size=4000) * 0.1,
                     random.normal(size=4000), np.zeros(4000))  # fmt: skip
    candidate, reference, axis = (line[11:] for line in residual_chart(rows).splitlines())
    assert len(candidate) == len(reference) == BINS
    assert "█" in candidate[BINS // 2 - 6 : BINS // 2 + 7]
    assert candidate[1] == candidate[-2] == "▁"
    assert reference[0] == reference[-1] == "█"
    assert axis[BINS // 2] == "0"
    assert axis.rstrip() == axis
    assert len(axis) == BINS


def test_whatever_is_not_zero_can_be_seen():
    """The smallest share has a height, none has none."""
    assert spark(np.array([0.0, 1e-9, 0.5, 1.0]), 1.0) == " ▁▄█"
    assert spark(np.zeros(3), 0.0) == "   "
