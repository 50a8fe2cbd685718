"""Drawn models have the errors, the change and the correlation that were asked for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.error_models import Guess, mean_size, pair_of, root_mean_square
from assay.metrics import METRICS
from assay.statistics import Grouping, estimate

PAIRS = Grouping.of(np.repeat(np.arange(150_000), 2))
CASES = [
    (Guess("mae", 0.144, 0.043, 0.3), -0.03),
    (Guess("mae", 0.144, 0.043, 0.3), 0.0),
    (Guess("mae", 0.144, 0.15, 0.0), 0.05),
    (Guess("mae", 20.0, 30.0, 0.5), 0.0),
    (Guess("rmse", 0.2, 0.03, 0.3), 0.02),
    (Guess("brier", 0.12, 0.05, 0.3, share=0.3), 0.0),
    (Guess("brier", 0.12, 0.05, 0.3, share=0.3), 0.012),
    (Guess("error_rate", 0.2, 0.1, 0.3, share=0.4), -0.02),
]


@pytest.mark.parametrize(("guess", "difference"), CASES)
def test_drawn_models_are_as_asked(guess, difference):
    """Error, true difference and mean change, to within what 300,000 rows can show."""
    metric = METRICS[guess.metric]
    pair = pair_of(guess, difference)
    target, reference, candidate = pair.draw(np.random.default_rng(1), PAIRS)
    losses = [metric.loss(target, prediction) for prediction in (reference, candidate)]
    before, after = (metric.shown(float(loss.mean())) for loss in losses)
    # squared errors of Student's t(3) have no variance, so their mean settles slowly
    rough = 0.05 if guess.metric == "rmse" else 0.01
    assert before == pytest.approx(guess.error, rel=rough)
    own_error = estimate(losses[1] - losses[0], PAIRS).error
    allowed = 0.2 * abs(difference) if guess.metric == "rmse" else 4 * own_error
    assert after - before == pytest.approx(difference, abs=allowed)
    assert np.abs(candidate - reference).mean() == pytest.approx(guess.change, rel=0.01)
    assert pair.change == pytest.approx(guess.change, rel=1e-6)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.6])
def test_rows_of_a_group_share_their_errors(icc):
    """Errors, and changes, of two rows of one group correlate as asked, between groups not."""
    pair = pair_of(Guess("mae", 1.0, 0.3, icc), 0.0)
    _, reference, candidate = pair.draw(np.random.default_rng(2), PAIRS)
    for values in (reference, candidate - reference):
        # ranks, since single values of Student's t(3) outweigh thousands of others
        ranks = np.argsort(np.argsort(values)).astype(float)
        within = np.corrcoef(ranks[::2], ranks[1::2])[0, 1]
        between = np.corrcoef(ranks[1:-1:2], ranks[2::2])[0, 1]
        assert within == pytest.approx(icc, abs=0.05)
        assert between == pytest.approx(0, abs=0.01)


def test_classes_are_calibrated():
    """Of rows with a probability near p, a share of p is yes, for both models."""
    pair = pair_of(Guess("brier", 0.12, 0.05, 0.3, share=0.3), 0.012)
    target, *both = pair.draw(np.random.default_rng(3), PAIRS)
    assert target.mean() == pytest.approx(0.3, abs=0.005)
    for probability in both:
        for low in np.arange(0.05, 0.9, 0.2):
            near = (probability > low) & (probability < low + 0.1)
            assert target[near].mean() == pytest.approx(probability[near].mean(), abs=0.02)


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


@pytest.mark.parametrize("difference", [-0.5, 0.5])
def test_models_cannot_differ_in_error_by_more_than_they_differ(difference):
    """A change smaller than the difference is raised to it: | |e'| - |e| | <= |e' - e|."""
    pair = pair_of(Guess("mae", 1.0, 0.1, 0.3), difference)
    assert pair.change == pytest.approx(0.5)
    _, reference, candidate = pair.draw(np.random.default_rng(5), PAIRS)
    assert np.abs(candidate).mean() - np.abs(reference).mean() == pytest.approx(
        difference, rel=0.02
    )


def test_change_cannot_exceed_both_errors_together():
    """A wild guess of the change is lowered to what two models with these errors can have."""
    assert pair_of(Guess("mae", 1.0, 50.0, 0.3), 0.0).change == pytest.approx(2.0)


def test_changes_over_the_pool():
    """They are as many times larger as asked; probabilities stay probabilities."""
    number = pair_of(Guess("mae", 1.0, 0.2, 0.3, on_pool=1.6), 0.0)
    reference, candidate = number.pool(np.random.default_rng(6), PAIRS)
    assert np.abs(candidate - reference).mean() == pytest.approx(0.32, rel=0.01)
    probability = pair_of(Guess("brier", 0.12, 0.05, 0.3, on_pool=5.0), 0.0)
    _, candidate = probability.pool(np.random.default_rng(6), PAIRS)
    assert (candidate.min(), candidate.max()) == (0, 1)


@pytest.mark.parametrize(
    ("guess", "difference"),
    [
        (Guess("mae", 1.0, 0.3, 0.3), -1.0),
        (Guess("brier", 0.3, 0.1, 0.3), 0.0),
        (Guess("brier", 0.2, 0.1, 0.3), 0.06),
        (Guess("error_rate", 0.3, 0.1, 0.3, share=0.3), 0.0),
    ],
)
def test_models_that_cannot_be(guess, difference):
    """No error below zero, and no calibrated model worse than the share of yes."""
    with pytest.raises(ValueError, match="error"):
        pair_of(guess, difference)
