"""Cells for spreadsheets: nothing in them executes, and what is harmless stays as it is."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.tables import EXECUTABLE, for_spreadsheets, harmless


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("x;=cmd", "x;'=cmd"),
        ('x; "=cmd', "x; \"'=cmd"),
        ("x\t=cmd;+1;@y", "x\t'=cmd;'+1;'@y"),
        ("\t=cmd", "'\t'=cmd"),
        ("x;\uff1dcmd", "x;'\uff1dcmd"),
        ("=a;-b", "'=a;'-b"),
    ],
)
def test_what_a_spreadsheet_would_execute_is_text(cell, safe):
    """At the beginning, and behind a semicolon or tab, at which a cell ends elsewhere."""
    assert harmless(cell) == safe
    assert harmless(safe) == safe


@pytest.mark.parametrize(
    "cell", ["Ca(OH)2", "CuSO4·5H2O", "-1.5e3", "x=1", "a; b", "a;b=c", "new pair Na-Cl; far", 1.5]
)
def test_ordinary_cells_are_left_as_they_are(cell):
    """Formulas, numbers and sentences are nobody's program."""
    assert harmless(cell) == cell


@given(st.text(st.sampled_from(["=", "+", "-", "@", ";", "\t", '"', "'", " ", "1", "a", "\uff1d"])))
def test_nothing_executes_wherever_a_spreadsheet_ends_its_cells(text):
    """No part of a cell begins as a formula, unless it is a number; once disarmed is disarmed."""
    safe = harmless(text)
    first, *others = safe.replace("\t", ";").split(";")
    assert not any(part.lstrip(' "').startswith(EXECUTABLE) for part in others)
    assert not first.startswith(EXECUTABLE) or float(safe) is not None
    frame = pd.DataFrame({text: [safe]}, dtype=object)
    once = for_spreadsheets(frame)
    assert for_spreadsheets(once).equals(once)
