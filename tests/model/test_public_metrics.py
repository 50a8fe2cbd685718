"""Public metrics, half width and coverage of intervals, by hand and over many draws."""

import numpy as np
import pytest

from assay.model.metrics import interval_coverage, interval_half_width, public_metrics


def test_metrics_by_hand():
    """MAE, RMSE and R2 of three rows, Brier score and error rate of four."""
    found = public_metrics("number", np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 4.0]))
    assert found == pytest.approx({"mae": 1.0, "rmse": (5 / 3) ** 0.5, "r2": 1 - 5 / 2})
    labels, chances = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.6, 0.9, 0.4])
    found = public_metrics("class", labels, chances)
    assert found == pytest.approx({"brier": (0.01 + 0.36 + 0.01 + 0.36) / 4, "error_rate": 0.5})


def test_interval_holds_the_promised_share_of_new_rows():
    """Split-conformal: over many draws, about 90 % of fresh rows lie inside."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        width = interval_half_width(np.zeros(49), rng.standard_t(3, size=49), 0.9)
        inside.append(abs(rng.standard_t(3)) <= width)
    assert 0.88 < np.mean(inside) < 0.92
    assert interval_half_width(np.zeros(5), np.arange(5.0), 0.99) == 4


def test_coverage_of_independent_rows_is_the_level_either_way():
    """Where rows of a system have nothing in common, both divisions hold what was promised."""
    rng = np.random.default_rng(0)
    found = interval_coverage(np.zeros(3000), rng.normal(size=3000), np.arange(3000) // 3, 0.9)
    assert found.level == 0.9
    assert found.grouped == pytest.approx(0.9, abs=0.01)
    assert found.random == pytest.approx(0.9, abs=0.01)


def test_coverage_of_new_systems_is_lower_where_each_has_its_own_errors():
    """Few systems with very different errors: rows at random flatter, whole new systems do not."""
    sizes = 3.0 ** np.repeat(np.arange(12), 50)
    errors = sizes * np.random.default_rng(0).uniform(0.5, 1, size=600)
    found = interval_coverage(np.zeros(600), errors, np.repeat(np.arange(12), 50), 0.9)
    assert found.random == pytest.approx(0.9, abs=0.01)
    assert found.grouped < 0.88


def test_no_system_is_covered_by_its_own_residuals():
    """Of two systems the large one never lies within the width of the small one."""
    systems = ["a"] * 10 + ["b"] * 10
    found = interval_coverage(np.zeros(20), np.repeat([1.0, 2.0], 10), systems, 0.9)
    assert found.grouped == pytest.approx(0.5, abs=0.1)
    assert interval_coverage(np.zeros(9), np.ones(9), ["a"] * 9, 0.9) is None
