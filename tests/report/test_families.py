"""Errors by family of elements."""

import numpy as np
import pytest

from assay.gate.metrics import METRICS
from assay.gate.slices import family
from assay.report.public_rows import FAMILIES, Predicted, family_errors

FORMULAS = ["LiF", "LiCl", "Fe2O3", "GaAs"]


def errors(reference: list[float], metric: str = "mae", inside: list[bool] | None = None):
    """Errors by family of a model that is off by 1, 3, 5 and 7."""
    rows = Predicted(
        ["1", "2", "3", "4"],
        FORMULAS,
        np.array([1.0, -3.0, 5.0, 7.0]),
        np.array(reference, dtype=float),
        np.zeros(4),
    )
    return {
        one.family: one
        for one in family_errors(
            rows, METRICS[metric], None if inside is None else np.array(inside)
        )
    }


def test_family_has_the_mean_over_the_rows_that_hold_it():
    """A row counts for each of its families; families without rows are left out."""
    found = errors([2, 2, 2, 2])
    assert (found["alkali"].rows, found["alkali"].candidate) == (2, 2.0)
    assert (found["transition metal"].rows, found["transition metal"].candidate) == (1, 5.0)
    assert found["pnictogen"].candidate == found["post-transition metal"].candidate == 7.0
    assert found["halogen"].reference == 2.0
    assert "actinoid" not in found


def test_error_is_in_the_metrics_own_unit():
    """RMSE is the root of the mean square."""
    assert errors([0] * 4, "rmse")["alkali"].candidate == pytest.approx(np.sqrt(5))


def test_rows_that_the_reference_lacks_count_for_neither():
    """Both means are over the same rows; without any reference all rows count."""
    found = errors([np.nan, 2, 2, 2])
    assert (found["alkali"].rows, found["alkali"].candidate, found["alkali"].reference) == (1, 3, 2)
    alone = errors([np.nan] * 4)["alkali"]
    assert (alone.rows, alone.candidate, alone.reference) == (2, 2, None)


def test_coverage_is_the_share_inside_the_interval():
    """Of the rows that are counted, and without an interval nothing is said."""
    assert errors([0] * 4, inside=[True, True, False, False])["alkali"].covered == 1.0
    assert errors([0] * 4, inside=[True, False, True, True])["alkali"].covered == 0.5
    lacking = errors([np.nan, 0, 0, 0], inside=[True, False, True, True])
    assert lacking["alkali"].covered == 0.0
    assert errors([0] * 4)["alkali"].covered is None


def test_every_family_has_elements_and_is_the_gates():
    """What is shown by family can be asked for as a slice: the words are the same."""
    for name in FAMILIES:
        assert family(name), name
    assert {"N", "P", "As", "Sb", "Bi"} <= family("pnictogen")


def test_growth_has_an_interval_over_chemical_systems():
    """The mean difference lies in its interval; with one chemical system there is none."""
    found = errors([2, 2, 2, 2])
    alkali = found["alkali"]
    assert (alkali.growth, alkali.worse) == (0.0, False)
    assert alkali.low < alkali.growth < alkali.high
    assert found["transition metal"].growth == 3.0
    assert np.isinf(found["transition metal"].high)
    assert next(iter(found.values())).growth == max(one.growth for one in found.values())
    same = errors([1, -3, 5, 7], "rmse")["alkali"]
    assert (same.growth, same.worse) == (0.0, False)


def test_oxides_are_a_family_of_their_own():
    """A loss on oxides is named as such."""
    assert errors([2] * 4)["oxide"].growth == 3.0
