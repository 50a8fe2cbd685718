"""Losses, and what a change of predictions can do to them whatever the labels are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay.gate.metrics import BRIER, ERROR_RATE, MAE, METRICS, RMSE
from assay.gate.policy import METRICS_OF

values = arrays.arrays(float, 5, elements=st.floats(-1e6, 1e6))
shares = arrays.arrays(float, 5, elements=st.floats(0, 1))
classes = arrays.arrays(float, 5, elements=st.sampled_from([0.0, 1.0]))


@given(values, values, values)
def test_change_bounds_the_difference_of_absolute_errors(target, candidate, reference):
    """|D| <= d for the MAE, whatever the label is."""
    difference = MAE.loss(target, candidate) - MAE.loss(target, reference)
    slack = 1e-9 * (1 + np.abs(target) + np.abs(candidate) + np.abs(reference))
    assert (np.abs(difference) <= MAE.change(candidate, reference) + slack).all()


@given(values, values, values)
def test_mean_squared_change_bounds_the_growth_of_the_squared_error(target, candidate, reference):
    """Minkowski: from the mean square of the changes alone, whatever the labels are."""
    before, after = RMSE.loss(target, reference).mean(), RMSE.loss(target, candidate).mean()
    size = RMSE.size(RMSE.change(candidate, reference)).mean()
    most = RMSE.growth(float(size), float(before))
    assert after - before <= most * (1 + 1e-9) + 1e-6


@given(st.floats(1e-6, 1e3), st.floats(0, 1e3))
def test_margin_of_the_rmse_is_in_its_own_unit(margin, error):
    """The allowed growth of the mean square takes the RMSE from `error` to `error` + margin."""
    grown = error**2 + RMSE.allowance(margin, error**2)
    assert RMSE.shown(grown) == pytest.approx(error + margin)
    assert RMSE.growth(margin**2, error**2) == pytest.approx(RMSE.allowance(margin, error**2))


@given(classes, shares, shares)
def test_change_bounds_the_difference_of_brier_scores(target, candidate, reference):
    """|D| <= d for the Brier score, and d is reached by one of the two labels."""
    change = BRIER.change(candidate, reference)
    differences = [
        np.abs(BRIER.loss(label, candidate) - BRIER.loss(label, reference)) for label in (0, 1)
    ]
    given_label = np.abs(BRIER.loss(target, candidate) - BRIER.loss(target, reference))
    assert (given_label <= change + 1e-12).all()
    assert np.maximum(*differences) == pytest.approx(change, abs=1e-12)
    plain = np.abs(candidate - reference)
    assert (change >= plain - 1e-12).all(), "|p' - p| alone would not bound it"


@given(classes, shares, shares)
def test_only_a_change_of_class_changes_the_error_rate(target, candidate, reference):
    """|D| = d for the error rate: 1 where the class changes, else 0."""
    change = ERROR_RATE.change(candidate, reference)
    difference = ERROR_RATE.loss(target, candidate) - ERROR_RATE.loss(target, reference)
    assert np.array_equal(np.abs(difference), change)
    assert set(change) <= {0.0, 1.0}


def test_losses_of_one_row():
    """Absolute and squared error of a number; squared error and mistake of a probability."""
    label, prediction = np.array([1.0]), np.array([0.4])
    losses = {key: float(metric.loss(label, prediction)[0]) for key, metric in METRICS.items()}
    assert losses == pytest.approx({"mae": 0.6, "rmse": 0.36, "brier": 0.36, "error_rate": 1.0})


def test_every_metric_of_the_settings_exists():
    """What assay.toml may name, the gate can compute; only losses of classes are bounded."""
    assert set(METRICS) == {key for keys in METRICS_OF.values() for key in keys}
    assert {key for key, metric in METRICS.items() if metric.bounded} == set(METRICS_OF["class"])
    assert RMSE.shown(4.0) == 2.0
    assert all(math.isclose(m.shown(4.0), 4.0) for m in (MAE, BRIER, ERROR_RATE))


GRID = np.linspace(0, 1, 41)


@pytest.mark.parametrize("key", METRICS)
def test_change_is_conservative_for_every_label(key):
    """Brute force over p', p and every admissible y: no row's loss grows by more than is claimed.

    A claim that is smaller by a hundredth does not hold, so nothing is given away either.
    """
    metric = METRICS[key]
    labels = np.array([0.0, 1.0]) if key in METRICS_OF["class"] else np.linspace(-2, 3, 41)
    y, candidate, reference = (part.ravel() for part in np.meshgrid(labels, GRID, GRID))
    own = metric.loss(y, reference)
    grown = metric.loss(y, candidate) - own
    sizes = metric.size(metric.change(candidate, reference))
    allowed = np.array([metric.growth(*row) for row in zip(sizes, own, strict=True)])
    assert (grown <= allowed + 1e-12).all()
    assert (grown > 0.99 * allowed)[allowed > 0].any()
