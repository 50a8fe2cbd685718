"""`assay plan TABLE`: what a table could decide, before anything is sealed."""

import json

import numpy as np
import pytest

from assay.gate.policy import Gate
from assay.gate.statistics import Estimate, level
from assay.planning.first_model import chance_of_a_certificate
from mini import VALUES, csv_of, kept
from toy import assay

POLICY = Gate(margin=1.0, baseline="mean")


def test_the_chance_is_that_of_drawn_group_means():
    """Of drawn sealed sets as many show the difference as the formula says."""
    mean, error, groups = -0.5, 0.07, 40.0
    said = chance_of_a_certificate(Estimate(mean, error, 160), groups, 0.1, POLICY)
    rng = np.random.default_rng(0)
    spread = error * np.sqrt(160 / groups)  # of the mean over 40 groups
    drawn = mean + spread * np.sqrt(groups) * rng.standard_normal((20_000, int(groups)))
    means, errors = drawn.mean(1), drawn.std(1, ddof=1) / np.sqrt(groups)
    bounds = [
        Estimate(one, other, groups).upper(level(POLICY.alpha, POLICY.uses, 1, 0))
        for one, other in zip(means, errors, strict=True)
    ]
    assert said == pytest.approx(np.mean(np.array(bounds) <= 0.1), abs=0.03)
    assert 0.05 < said < 0.95


def test_too_few_groups_certify_nothing():
    """Below the least number of groups the chance is zero, however good the model."""
    sure = Estimate(-10.0, 0.01, 100)
    assert chance_of_a_certificate(sure, 29.9, 0.0, POLICY) == 0
    assert chance_of_a_certificate(sure, 30, 0.0, POLICY) == pytest.approx(1)


def test_a_table_is_planned_for_and_left_alone(mini):
    """The page of the intake and the plan are printed, and the repository stays as it is."""
    (mini / "mine.csv").write_text(csv_of({**VALUES, "Xx": 1}))
    before = kept(mini)
    order = ("plan", "mine.csv", "--target", "gap [eV]", "--trials", "3")
    done = assay(mini, *order)
    assert done.returncode == 0, done.stderr
    assert "set aside 1 row" in done.stdout
    assert "30 rows in 10 groups" in done.stdout
    assert "certified hardly ever" in done.stdout
    assert kept(mini) == before
    told = json.loads(assay(mini, *order, "--json").stdout)
    assert told["first"] == 0
    assert told["sealed"]["rows"] == 30
