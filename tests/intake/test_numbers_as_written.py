"""Numbers as people and instruments write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.intake.numbers import decimal_of, read_number, read_numbers

READ = {
    "3.5": 3.5,
    " 3.5 ": 3.5,
    "+3.5": 3.5,
    "-3": -3.0,
    ".5": 0.5,
    "5.": 5.0,
    "1e-3": 0.001,
    "1.2E+03": 1200.0,
    "1.2D3": 1200.0,
    "1.2d-3": 0.0012,
    "−1.2": -1.2,
    "–1.2": -1.2,
    "1e−3": 0.001,
    "3.5±0.2": 3.5,
    "3.5 ± 0.2": 3.5,
    "3.5 +/- 0.2": 3.5,
    "3.52(4)": 3.52,
    "3.52(4)e-3": 0.00352,
    "-3.52(12)": -3.52,
    "1.2x10^3": 1200.0,
    "1.2 × 10^-3": 0.0012,
    "1.2·10**3": 1200.0,
    "3.5 eV": 3.5,
    "3.5eV": 3.5,
    "3.5\u00a0eV": 3.5,
    "3.5±0.2 eV": 3.5,
}
ASIDE = {
    "": "number.empty",
    "  ": "number.empty",
    "<0.1": "number.below",
    "≤ 2": "number.below",
    ">5": "number.above",
    "~3": "number.approximate",
    "≈3.5": "number.approximate",
    "ca. 3": "number.approximate",
    "1.2-1.4": "number.range",
    "1.2 – 1.4": "number.range",
    "1.2 to 1.4": "number.range",
    "1.2..1.4": "number.range",
    "n/a": "number.missing",
    "N/A": "number.missing",
    "NaN": "number.missing",
    "-": "number.missing",
    "null": "number.missing",
    "#DIV/0!": "number.spreadsheet-error",
    "#N/A": "number.spreadsheet-error",
    "#WERT!": "number.spreadsheet-error",
    "inf": "number.not-finite",
    "1e999": "number.not-finite",
    "1,234.5": "number.thousands",
    "1 234.5": "number.thousands",
    "1'234": "number.thousands",
    "3,5": "number.other-decimal-sign",
    "3.5 K": "number.other-unit",
    "350 meV": "number.other-unit",
    "3.5 eV/atom": "number.other-unit",
    "three": "number.unreadable",
    "3.5.1": "number.unreadable",
    "1_000": "number.unreadable",
    "٣.٥": "number.unreadable",
    "0x10": "number.unreadable",
    "3.5*": "number.unreadable",
}


@pytest.mark.parametrize("cell", READ)
def test_what_is_certainly_one_number_is_read(cell):
    """Signs, exponents, uncertainties and the column's own unit do not change the number."""
    assert read_number(cell, "eV", ".")[0] == READ[cell]


@pytest.mark.parametrize("cell", ASIDE)
def test_what_is_no_certain_number_is_set_aside(cell):
    """Bounds, ranges, gaps and other units are kinds of their own, and no value is made of them."""
    assert read_number(cell, "eV", ".") == (None, ASIDE[cell])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_as_itself(value):
    """What Python writes is read to the last bit, with a decimal comma as well."""
    assert read_number(repr(value), None, ".")[0] == value
    assert read_number(repr(value).replace(".", ","), None, ",")[0] == value


@given(st.text(max_size=12))
def test_no_text_is_a_number_that_is_not_finite(cell):
    """Any text is a finite number or has a code; nothing is raised."""
    for decimal in (".", ","):
        value, kind = read_number(cell, "eV", decimal)
        assert kind.startswith("number.") if value is None else math.isfinite(value)


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["3.5", "4"], "."),
        (["3,5", "4"], ","),
        (["3,5", "1,234"], ","),
        (["1,234", "2,345"], None),
        (["1,234", "0,5"], ","),
        (["1,234.5", "3.5"], "."),
        (["3,5 eV", "4,1±0,2"], ","),
        (["3,5e-3"], ","),
        (["0,123"], ","),
        (["4", "5"], "."),
    ],
)
def test_the_decimal_sign_of_a_column(cells, sign):
    """A comma is the decimal sign where it cannot separate thousands; where it may, it is asked."""
    assert decimal_of(cells) == sign


def test_a_point_among_decimal_commas_is_set_aside():
    """`1.234` in a column of decimal commas may be a thousand: it is no 1.234."""
    found = read_numbers(["3,5", "1.234", "1.234,5"], [2, 3, 4], "gap", None, ",")
    assert found.values[0] == 3.5
    assert [fault.code for fault in found.faults] == ["number.thousands", "number.thousands"]
    assert found.read == {"a decimal comma": 1}


def test_nines_that_stand_for_a_gap_are_no_values():
    """-999 and 9999 far from all others, several times, are set aside; a lone or near one stays."""
    cells = ["2.5", "3.5", "-999", "-999", "9999", "9999", "9999", "1"]
    found = read_numbers(cells, range(2, 10), "gap", None, ".")
    assert [fault.line for fault in found.faults] == [4, 5, 6, 7, 8]
    assert {fault.code for fault in found.faults} == {"number.placeholder"}
    for near in (["999", "999", "1001", "800"], ["-999", "1", "2"]):
        assert not read_numbers(near, range(len(near)), "Tm", None, ".").faults
