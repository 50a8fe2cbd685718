"""Fitting a domain: known rows define what is usual, and the same rows the same bytes."""

import random
from collections import Counter

import numpy as np
import pytest

from assay.compositions import chemical_system
from assay.features.parsing import amounts
from assay.model import domain
from assay.model.chemical_space import fitted_space, nearest, positions
from assay.model.domain import Domain, fit_domain, neighbours_between_folds
from assay.splits import grouped_folds
from toy import pool_formulas, trained_formulas

FORMULAS = trained_formulas()[::4]
SYSTEMS = [chemical_system(formula) for formula in FORMULAS]
FOLDS = grouped_folds(SYSTEMS, 5, 0)


def test_five_percent_of_known_rows_are_farther_than_the_bound():
    """Each row is measured from the rows of the other folds, which hold no row of its system."""
    space = fitted_space(amounts(FORMULAS))
    _, found = neighbours_between_folds(positions(space, amounts(FORMULAS)), FOLDS)
    beyond = np.mean(found > fit_domain(FORMULAS, FOLDS).bound * (1 + 1e-5))
    assert 0.03 < beyond <= 0.05


def test_own_fold_does_not_make_a_row_known():
    """With folds that cut through systems rows seem closer: the bound must not come from those."""
    everywhere = Counter(chemical_system(formula) for formula in trained_formulas())
    large = [f for f in trained_formulas() if everywhere[chemical_system(f)] > 2]
    grouped = grouped_folds([chemical_system(formula) for formula in large], 5, 0)
    mixed = np.arange(len(large)) % 5
    assert fit_domain(large, mixed).bound < fit_domain(large, grouped).bound
    points = np.array([[0.0], [0.1], [5.0], [5.2]])
    folds = np.array([0, 0, 1, 1])
    found, distances = neighbours_between_folds(points, folds)
    assert found.tolist() == [2, 2, 1, 1]
    assert distances == pytest.approx([5.0, 4.9, 4.9, 5.1])


def test_order_of_rows_changes_no_byte():
    """Domain and digest depend on which rows there are, not on how they are listed."""
    order = list(range(len(FORMULAS)))
    random.Random(0).shuffle(order)
    other = fit_domain([FORMULAS[index] for index in order], FOLDS[order])
    assert other.model_dump_json() == fit_domain(FORMULAS, FOLDS).model_dump_json()


def test_large_train_sets_are_measured_from_a_selection(monkeypatch):
    """The selection is as large as allowed, drawn alike each time, and the bound is wider by it."""
    whole = fit_domain(FORMULAS, FOLDS)
    monkeypatch.setattr(domain, "MAXIMUM_REFERENCES", 100)
    some = fit_domain(FORMULAS, FOLDS)
    assert len(set(some.references)) == 100
    assert set(some.references) < set(FORMULAS)
    assert some == fit_domain(FORMULAS, FOLDS)
    assert some.bound > whole.bound
    assert some.partners == whole.partners
    asked = amounts(FORMULAS)
    outside = np.mean(Domain.of(some).strangeness(asked).distances > some.bound)
    assert outside < 0.06


def test_alike_elements_lie_closer_than_unlike_ones():
    """KBr is nearer to NaCl than a carbide or an intermetallic compound is."""
    space = fitted_space(amounts(trained_formulas()))
    places = positions(space, amounts(["NaCl", "KBr", "WC", "NiAl", "Fe2O3"]))
    distances = np.linalg.norm(places - places[0], axis=1)
    assert distances[1] < distances[2:].min()


@pytest.mark.parametrize(
    "formulas", [["NaCl", "Na2Cl2"], ["NaCl", "KCl"], ["He", "Og"], ["Si", "Ge", "C"]]
)
def test_smallest_train_sets_have_a_domain(formulas):
    """Rows of one composition, elements with gaps: no NaN and no error."""
    domain = Domain.of(fit_domain(formulas, np.arange(len(formulas))))
    assert np.isfinite(domain.space).all()
    assert domain.reasons(amounts(formulas)) == [""] * len(formulas)
    assert domain.reasons(amounts(["CsAu"]))[0].startswith("no training row holds Au, Cs")


def test_property_that_an_element_lacks_makes_it_neither_alike_nor_strange():
    """Argon has no electronegativity in the table: it lies at the mean of those that have one."""
    with_gap, without = ["NaCl", "KBr", "MgO", "ArO", "CaS"], ["NaCl", "KBr", "MgO", "CaS"]
    for formulas in (with_gap, without):
        assert np.isfinite(fitted_space(amounts(formulas))).all()
    assert np.abs(fitted_space(amounts(with_gap))).max() < 100


def test_nearest_is_exact_where_single_precision_is_not():
    """References that single precision confuses are told apart; of equal ones it is the first."""
    generator = np.random.default_rng(0)
    base = generator.normal(size=(50, 8)) * 10
    references = np.concatenate([base, base + 1e-6, base])
    points = np.concatenate([base + 4e-7, base + 9e-7, base])
    found, distances = nearest(references, points)
    assert found.tolist() == [*range(50), *range(50, 100), *range(50)]
    assert distances[:50] == pytest.approx(4e-7 * np.sqrt(8), rel=1e-3)
    products = points.astype(np.float32) @ references.T.astype(np.float32)
    coarse = (references**2).sum(axis=1).astype(np.float32) - 2 * products
    assert (coarse.argmin(axis=1) != found).any()


def test_nearest_of_far_points_is_that_of_a_loop():
    """Also for points far outside, where rounding is coarse, and for a single reference."""
    space = fitted_space(amounts(FORMULAS))
    references = positions(space, amounts(FORMULAS))
    points = np.concatenate([positions(space, amounts(pool_formulas()[:300])), 50 * space[1:]])
    _, distances = nearest(references, points)
    every = np.sqrt(((points[:, None] - references) ** 2).sum(axis=2))
    assert distances == pytest.approx(every.min(axis=1), rel=1e-12)
    assert nearest(references[:1], points)[0].tolist() == [0] * len(points)
    assert len(nearest(references, points[:0])[0]) == 0
