"""What Hypothesis drew for a failed property of the author's is told with it."""

import pytest

from assay.sanity.counts import drawn

PLAIN = """Falsifying example: test_a(
    # The test always failed when commented parts were varied together.
    predict=<function asked at 0x7f>,
    formula='NaCl',  # or any other generated value
    shares=[0.5,
     0.25],
)"""
INTERACTIVE = """Failing test case: test_b(
    predict=lambda x: [20.0],
    data=data(...),
)
Draw 1 (formulas): ['NaCl', 'KCl']  # or any other generated value
Draw 2: 0"""


@pytest.mark.parametrize(
    ("notes", "values"),
    [
        (PLAIN, ["formula='NaCl'", "shares=[0.5, 0.25]"]),
        (INTERACTIVE, ["Draw 1 (formulas): ['NaCl', 'KCl']", "Draw 2: 0"]),
        ("", []),
        ("You can reproduce this example by ...", []),
    ],
)
def test_drawn_values_are_told_without_fixtures(notes, values):
    """Names and values of a falsifying example, as both versions of Hypothesis print it."""
    assert drawn(notes, ["predict", "request"]) == values
