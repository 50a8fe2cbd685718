"""Public metrics by hand."""

import numpy as np
import pytest

from assay.model.metrics import public_metrics


def test_metrics_by_hand():
    """MAE, RMSE and R2 of three rows, Brier score and error rate of four."""
    found = public_metrics("number", np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 4.0]))
    assert found == pytest.approx({"mae": 1.0, "rmse": (5 / 3) ** 0.5, "r2": 1 - 5 / 2})
    labels, chances = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.6, 0.9, 0.4])
    found = public_metrics("class", labels, chances)
    assert found == pytest.approx({"brier": (0.01 + 0.36 + 0.01 + 0.36) / 4, "error_rate": 0.5})
