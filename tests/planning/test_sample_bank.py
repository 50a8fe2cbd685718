"""Stored random numbers behave as drawn ones do."""

import numpy as np
import pytest
from scipy.stats import kstest, norm, t

from assay.planning.simulation import SIZE, SampleBank


def bank(seed: int = 0, place: int = 0) -> SampleBank:
    """A bank with numbers of one seed, read at places of another."""
    return SampleBank(seed, np.random.default_rng(place))


@pytest.mark.parametrize("degrees", [3, 5])
def test_stretches_are_students_t(degrees):
    """A stretch has the distribution asked for, and not another one."""
    numbers = bank().standard_t(degrees, 50_000)
    assert kstest(numbers, t(degrees).cdf).pvalue > 1e-3
    assert kstest(numbers, norm.cdf).pvalue < 1e-6


def test_normal_numbers_have_their_shape():
    """Columns are normal and independent of each other."""
    numbers = bank().standard_normal((50_000, 3))
    assert kstest(numbers[:, 0], norm.cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.02


def test_stretches_of_one_bank_are_unrelated():
    """Calls in a row read at other places, so no number stands in the same row twice."""
    source = bank()
    first, second = source.standard_t(3, 30_000), source.standard_t(3, 30_000)
    assert not (first == second).any()
    assert abs(np.corrcoef(np.sign(first), np.sign(second))[0, 1]) < 0.03


def test_seeds_and_places_make_it_repeatable():
    """Equal seeds give equal numbers; another seed, or another place, does not."""
    numbers = bank().standard_t(3, 100)
    assert np.array_equal(bank().standard_t(3, 100), numbers)
    assert not np.array_equal(bank(seed=1).standard_t(3, 100), numbers)
    assert not np.array_equal(bank(place=1).standard_t(3, 100), numbers)


def test_more_than_is_stored_is_drawn():
    """Tables as large as the bank itself do not repeat it."""
    numbers = bank().standard_t(3, SIZE + 1)
    assert len(np.unique(numbers)) == SIZE + 1
