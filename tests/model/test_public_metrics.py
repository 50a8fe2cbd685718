"""Public metrics and the half width of intervals, by hand and over many draws."""

import numpy as np
import pytest

from assay.model.metrics import interval_half_width, public_metrics


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
