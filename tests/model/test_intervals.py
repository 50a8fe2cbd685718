"""Intervals hold their level, and are wide where errors are large."""

import json

import numpy as np
import pytest

from assay.compositions import elements
from assay.features.parsing import amounts
from assay.model.chemical_space import fitted_space, positions
from assay.model.difficulty import FLOOR, Difficulty
from assay.model.domain import Domain, fit_domain, neighbours_between_folds, out_of_fold_difficulty
from assay.model.intervals import (
    Interval,
    conformal_quantile,
    fit_interval,
    interval_coverage,
    interval_ends,
)
from assay.splits import grouped_folds, linked_systems
from toy import METADATA, trained_formulas

FORMULAS = trained_formulas()
SYSTEMS = linked_systems(FORMULAS)
FOLDS = grouped_folds(SYSTEMS, 5, 0)
OXIDES = np.array(["O" in elements(formula) for formula in FORMULAS])
LEVEL = 0.9


def noisy(oxide: float, seed: int = 0) -> np.ndarray:
    """Absolute errors (n,) of which those of oxides are as many times larger."""
    drawn = np.abs(np.random.default_rng(seed).normal(size=len(FORMULAS)))
    return drawn * np.where(OXIDES, oxide, 1.0)


def fitted(sizes: np.ndarray) -> Interval:
    """The intervals that the errors give."""
    return fit_interval(sizes, out_of_fold_difficulty(FORMULAS, FOLDS, sizes), LEVEL)


def shares(interval: Interval) -> tuple[float, float]:
    """How many oxides, and how many others, lie within their interval."""
    return float(interval.inside[OXIDES].mean()), float(interval.inside[~OXIDES].mean())


def test_rows_of_a_difficult_family_are_covered_as_well():
    """Where oxides have errors four times as large, theirs are the wide intervals.

    Planted: intervals that ignore the difficulty hold far too few of them.
    """
    sizes = noisy(4.0)
    oxides, others = shares(own := fitted(sizes))
    assert own.half_widths[OXIDES].mean() > 1.8 * own.half_widths[~OXIDES].mean()
    assert own.inside.mean() == pytest.approx(LEVEL, abs=0.01)
    assert min(oxides, others) > 0.79
    ignored, _ = shares(fit_interval(sizes, np.ones(len(sizes)), LEVEL))
    assert ignored < 0.65


def test_without_a_pattern_all_intervals_are_much_alike():
    """Errors that have nothing to do with the composition do not make the widths vary much."""
    half = fitted(noisy(1.0)).half_widths
    assert half.std() < 0.2 * half.mean()


def test_half_width_is_the_quantile_times_the_difficulty():
    """The quantile is the conformal one of the errors in multiples of the difficulty."""
    sizes = noisy(2.0)
    own = fitted(sizes)
    ratios = np.sort(sizes / own.difficulty)
    assert own.quantile == ratios[int(np.ceil((len(sizes) + 1) * LEVEL)) - 1]
    assert own.half_widths == pytest.approx(own.quantile * own.difficulty)
    assert own.mean_half_width == pytest.approx(own.half_widths.mean())


def test_no_row_makes_its_own_interval_wide():
    """Whose error is whose within a fold says nothing of the difficulty of its own rows.

    Planted: the scales of the references, which all rows gave, do change.
    """
    sizes, own = noisy(4.0), np.flatnonzero(FOLDS == 0)
    mixed = sizes.copy()
    mixed[own] = np.random.default_rng(1).permutation(sizes[own])
    out_of_fold = [out_of_fold_difficulty(FORMULAS, FOLDS, one)[own] for one in (sizes, mixed)]
    domains = [Domain.of(fit_domain(FORMULAS, FOLDS, one)) for one in (sizes, mixed)]
    known = amounts([FORMULAS[row] for row in own])
    of_all = [domain.difficulty(domain.strangeness(known)) for domain in domains]
    assert np.corrcoef(out_of_fold)[0, 1] > 0.995
    assert np.corrcoef(of_all)[0, 1] < 0.98


def test_difficulty_grows_with_the_distance_up_to_the_farthest_known():
    """By the slope, from the scale of the nearest reference on, and no further than was seen."""
    known = Difficulty(scales=[1.0, 2.0], slope=0.5, farthest=4.0)
    found = known.at(np.array([0, 1, 1, 1]), np.array([0.0, 0.0, 2.0, 9.0]))
    assert found == pytest.approx([1.0, 2.0, 3.0, 4.0])


def test_errors_that_grow_with_the_distance_give_a_slope():
    """Such errors are distinguished from errors that are the same at all distances."""
    content = amounts(FORMULAS)
    _, distances = neighbours_between_folds(positions(fitted_space(content), content), FOLDS)
    plain = fit_domain(FORMULAS, FOLDS, np.ones(len(FORMULAS))).difficulty
    grown = fit_domain(FORMULAS, FOLDS, 0.1 + distances).difficulty
    assert plain is not None
    assert plain.slope == pytest.approx(0, abs=1e-6)
    assert grown is not None
    assert grown.slope > 0.5


@pytest.mark.parametrize("sizes", [np.zeros(len(FORMULAS)), np.full(len(FORMULAS), 1e300)])
def test_difficulty_is_a_positive_number_whatever_the_errors(sizes):
    """No error at all, or enormous ones: nothing is divided by zero, and nothing overflows."""
    found = fitted(sizes)
    assert np.isfinite(found.half_widths).all()
    assert (found.difficulty > 0).all()
    assert found.inside.all()


def test_nothing_is_taken_to_be_easier_than_a_share_of_the_mean_error():
    """A region without errors gets a narrow interval, and not one of no width."""
    sizes = noisy(1.0) * OXIDES
    found = out_of_fold_difficulty(FORMULAS, FOLDS, sizes)
    assert found.min() >= FLOOR * sizes.mean() * (1 - 1e-9)


def test_order_of_rows_changes_no_byte():
    """What a bundle holds of the difficulty depends on which rows there are."""
    order, sizes = np.random.default_rng(1).permutation(len(FORMULAS)), noisy(3.0)
    other = fit_domain([FORMULAS[row] for row in order], FOLDS[order], sizes[order])
    assert other.model_dump_json() == fit_domain(FORMULAS, FOLDS, sizes).model_dump_json()


def test_intervals_end_at_the_physical_bounds():
    """A band gap has no interval below 0; without bounds nothing ends it."""
    values, difficulty = np.array([0.1, 5.0, 9.9]), np.ones(3)
    bounded = METADATA.model_copy(update={"interval_quantile": 2.0, "lower": 0.0, "upper": 10.0})
    lower, upper = interval_ends(bounded, values, difficulty)
    assert lower.tolist() == [0.0, 3.0, 7.9]
    assert upper.tolist() == [2.1, 7.0, 10.0]
    free = METADATA.model_copy(update={"interval_quantile": 2.0})
    assert interval_ends(free, values, difficulty)[0][0] == pytest.approx(-1.9)


def test_bundles_of_one_width_predict_as_they_did():
    """What was written before there was a difficulty: one half width, and no end at a bound."""
    values = np.array([0.1, 5.0])
    old = METADATA.model_copy(update={"lower": 0.0})
    assert old.interval_quantile is None
    lower, upper = interval_ends(old, values, None)
    assert lower.tolist() == pytest.approx([-0.4, 4.5])
    assert upper.tolist() == pytest.approx([0.6, 5.5])
    kept = json.loads(old.model_dump_json())
    del kept["interval_quantile"]
    assert type(old).model_validate_json(json.dumps(kept), strict=True) == old
    record = fit_domain(FORMULAS, FOLDS)
    domain = json.loads(record.model_dump_json())
    del domain["difficulty"]
    assert type(record).model_validate_json(json.dumps(domain), strict=True) == record
    read = Domain.of(record)
    assert read.difficulty(read.strangeness(amounts(["NaCl"]))) is None


def test_scales_that_are_not_one_for_each_reference_are_refused():
    """Such a domain would give rows another row's width."""
    record = fit_domain(FORMULAS, FOLDS, noisy(1.0))
    content = json.loads(record.model_dump_json())
    content["difficulty"]["scales"].pop()
    with pytest.raises(ValueError, match="a scale for each reference"):
        type(record).model_validate_json(json.dumps(content))


def test_interval_holds_the_promised_share_of_new_rows():
    """Split-conformal: over many draws, about 90 % of fresh rows lie inside."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        width = conformal_quantile(np.abs(rng.standard_t(3, size=49)), 0.9)
        inside.append(abs(rng.standard_t(3)) <= width)
    assert 0.88 < np.mean(inside) < 0.92
    assert conformal_quantile(np.arange(5.0), 0.99) == 4


def test_coverage_of_independent_rows_is_the_level_either_way():
    """Where rows of a system have nothing in common, both divisions hold what was promised."""
    rng = np.random.default_rng(0)
    found = interval_coverage(np.abs(rng.normal(size=3000)), np.arange(3000) // 3, 0.9)
    assert found.level == 0.9
    assert found.grouped == pytest.approx(0.9, abs=0.01)
    assert found.random == pytest.approx(0.9, abs=0.01)


def test_coverage_of_new_systems_is_lower_where_each_has_its_own_errors():
    """Few systems with very different errors: rows at random flatter, whole new systems do not."""
    sizes = 3.0 ** np.repeat(np.arange(12), 50)
    errors = sizes * np.random.default_rng(0).uniform(0.5, 1, size=600)
    found = interval_coverage(errors, np.repeat(np.arange(12), 50), 0.9)
    assert found.random == pytest.approx(0.9, abs=0.01)
    assert found.grouped < 0.88


def test_no_system_is_covered_by_its_own_residuals():
    """Of two systems the large one never lies within the width of the small one."""
    systems = ["a"] * 10 + ["b"] * 10
    found = interval_coverage(np.repeat([1.0, 2.0], 10), systems, 0.9)
    assert found.grouped == pytest.approx(0.5, abs=0.1)
    assert interval_coverage(np.ones(9), ["a"] * 9, 0.9) is None
