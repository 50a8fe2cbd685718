"""Mean sizes of heavy-tailed sums against closed forms and draws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.planning.error_models import mean_size, root_mean_square


def test_size_of_students_t():
    """E|T| is 2 sqrt(3) / pi with 3 degrees of freedom, 8 sqrt(5) / (6 pi) with 5."""
    one, none = np.ones(1), np.zeros(0)
    assert mean_size(one, none) == pytest.approx(2 * math.sqrt(3) / math.pi, rel=1e-9)
    assert mean_size(none, one) == pytest.approx(8 * math.sqrt(5) / (6 * math.pi), rel=1e-9)
    assert root_mean_square(one, one) == pytest.approx(math.sqrt(3 + 5 / 3))
    assert mean_size(np.zeros(2), none) == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.05, 2.0), min_size=2, max_size=2), st.floats(0.01, 100.0))
def test_size_of_a_sum(weights, scale):
    """The integral agrees with a plain mean over draws, and scales with the weights."""
    errors, changes = np.array(weights), np.array(weights[:1])
    found = mean_size(errors, changes)
    rng = np.random.default_rng(4)
    draws = errors @ rng.standard_t(3, (2, 100_000)) + changes @ rng.standard_t(5, (1, 100_000))
    assert found == pytest.approx(np.abs(draws).mean(), rel=0.02)
    assert mean_size(scale * errors, -scale * changes) == pytest.approx(scale * found, rel=1e-9)
