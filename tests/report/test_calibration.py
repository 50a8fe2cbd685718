"""Coverage of prediction intervals, fold by fold."""

import numpy as np

from assay.report.plots import LEVELS, coverages


def test_equal_folds_cover_what_they_say():
    """Residuals of one distribution are covered at the nominal level, up to chance."""
    residuals = np.random.default_rng(0).normal(size=20_000)
    for found in coverages(np.abs(residuals), np.arange(20_000) % 5):
        assert abs(found.share - found.level) < 0.01
        assert found.lowest <= found.share <= found.highest


def test_fold_with_larger_errors_is_seen():
    """A fold whose errors are ten times as large is far from covered; the others are more so."""
    folds = np.arange(10_000) % 5
    residuals = np.random.default_rng(0).normal(size=10_000) * np.where(folds == 0, 10, 1)
    at90 = next(found for found in coverages(np.abs(residuals), folds) if found.level == 0.9)
    assert at90.lowest < 0.4
    assert at90.highest > 0.9


def test_no_fold_is_judged_by_its_own_residuals():
    """Two folds that are each constant: the small one lies within the large one's, never back."""
    folds = np.repeat([0, 1], 50)
    residuals = np.repeat([1.0, 2.0], 50)
    assert [(found.lowest, found.highest) for found in coverages(np.abs(residuals), folds)] == [
        (0.0, 1.0)
    ] * len(LEVELS)


def test_one_fold_alone_says_nothing():
    """There is nothing else to make an interval from."""
    assert coverages(np.ones(5), np.zeros(5, dtype=int)) == []
