"""Samples keep chemical systems whole, and skill on shuffled labels is what theory says."""

import numpy as np
from builders import forest, ridge

from assay.compositions import chemical_system
from assay.sanity.learning import correlation, draw_sample, order_effect, skills
from toy import target_of, trained_formulas


def test_a_sample_keeps_systems_whole() -> None:
    """A sample has about as many rows as asked for, in two like halves that share no system."""
    formulas = trained_formulas()
    target = target_of(formulas)
    sample = draw_sample(formulas, target, 400, 3)
    assert 380 < len(sample.formulas) <= 400
    assert abs(2 * sample.first.sum() - len(sample.formulas)) < 20
    systems = np.array([chemical_system(formula) for formula in sample.formulas])
    assert not set(systems[sample.first]) & set(systems[~sample.first])
    whole = {f for f in formulas if chemical_system(f) in set(systems)}
    assert set(sample.formulas) == whole
    labels = dict(zip(formulas, target, strict=True))
    assert [labels[formula] for formula in sample.formulas] == list(sample.target)


def test_a_sample_of_few_rows_has_two_halves() -> None:
    """However few rows are asked for, there is one system on either side."""
    sample = draw_sample(["Li2O", "NaCl", "FeO"], np.arange(3.0), 1, 0)
    assert sample.first.sum() == (~sample.first).sum() == 1


def test_skill_on_shuffled_labels_is_standard_normal() -> None:
    """For a sound model the scores have mean 0 and standard deviation 1, and the true r none."""
    formulas = trained_formulas()[::8]
    target = target_of(formulas)
    found = [skills(ridge, 0, draw_sample(formulas, target, 120, n), 6, n) for n in range(15)]
    scores = np.concatenate([each.shuffled for each in found])
    assert len(scores) == 180
    assert abs(scores.mean()) < 0.3  # four standard errors
    assert 0.8 < scores.std() < 1.2
    assert abs(np.mean([each.true for each in found])) < 0.1


def test_correlation_of_constants_is_zero() -> None:
    """A constant prediction has no skill, and is no error either."""
    assert correlation(np.ones(5), np.arange(5.0)) == 0
    assert correlation(np.arange(5.0), -np.arange(5.0)) == -1


def test_what_a_seed_changes_is_allowed_to_row_order() -> None:
    """A forest is granted more than a linear model, whose seed and row order change nothing."""
    formulas = trained_formulas()[::8]
    sample = draw_sample(formulas, target_of(formulas), 200, 0)
    linear, trees = order_effect(ridge, 0, sample, 0), order_effect(forest, 0, sample, 0)
    assert np.allclose(linear.plain, linear.permuted)
    assert linear.allowed == 0.02 * linear.plain.mean()
    assert trees.allowed > 3 * 0.02 * trees.plain.mean()
