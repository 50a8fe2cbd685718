"""Drawn models have the errors, the change and the correlation that were asked for."""

import numpy as np
import pytest

from assay.gate.metrics import METRICS
from assay.gate.statistics import Grouping, estimate
from assay.planning.error_models import Guess, pair_of

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
