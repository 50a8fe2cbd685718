"""Numbers that were rounded when they were saved are told from other numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.tables import is_rounded

numbers = st.floats(-1e4, 1e4, allow_subnormal=False).filter(
    lambda one: one == 0 or abs(one) > 1e-9
)


@given(number=numbers, digits=st.integers(1, 12))
def test_what_a_program_writes_is_the_number_rounded(number: float, digits: int) -> None:
    """Decimals, significant digits, exponents and single precision are all recognised."""
    cells = (f"{number:.{digits}f}", f"{number:.{digits}g}", f"{number:.{digits}e}")
    assert all(is_rounded(number, cell) for cell in cells)
    assert is_rounded(number, str(np.float32(number)))


@pytest.mark.parametrize("cell", ["-1.23", "-1.2346", "1.2345", "-12.345", "", "n/a", "nan", "inf"])
def test_other_numbers_are_not(cell: str) -> None:
    """A step more in the last digit, another sign, a slipped point, and what is no number."""
    assert not is_rounded(-1.2353, cell)
