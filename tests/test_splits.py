"""Splits by chemical system: no system on both sides."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.compositions import chemical_system
from assay.splits import fold_rule, grouped_folds, linked_systems, split_by_system

systems = st.lists(st.sampled_from([f"A-{letter}" for letter in "BCDEFGHIJKLM"]), min_size=8)
MANY = [f"{first}-{second}" for first in "ABCDEFGH" for second in "JKLMNOPQ"]


@given(systems, st.floats(0.1, 0.6), st.integers(0, 99))
def test_split(rows, fraction, seed):
    """No system is on both sides, about `fraction` of systems is sealed, and the seed decides."""
    names = set(rows)
    assume(len(names) >= 3)
    sealed = split_by_system(rows, fraction, seed)
    chosen = {name for name, held in zip(rows, sealed, strict=True) if held}
    assert chosen.isdisjoint(n for n, held in zip(rows, sealed, strict=True) if not held)
    assert 0 < len(chosen) < len(names)
    assert abs(len(chosen) - fraction * len(names)) <= 1
    np.testing.assert_array_equal(sealed, split_by_system(rows, fraction, seed))


def test_seeds_differ():
    """Another seed seals other systems."""
    rows = [f"A-{number}" for number in range(50)]
    splits = {split_by_system(rows, 0.25, seed).tobytes() for seed in range(5)}
    assert len(splits) == 5


def test_one_system():
    """One system cannot be on both sides."""
    with pytest.raises(ValueError, match="n_samples=1"):
        split_by_system(["A-B"] * 9, 0.25, 0)


@given(systems, st.integers(2, 4), st.integers(0, 99))
def test_folds(rows, folds, seed):
    """Each system lies in one fold, every fold holds rows, and the seed decides."""
    assume(len(set(rows)) >= folds)
    numbers = grouped_folds(rows, folds, seed)
    assert set(numbers) == set(range(folds))
    assert len(set(zip(rows, numbers, strict=True))) == len(set(rows))
    np.testing.assert_array_equal(numbers, grouped_folds(rows, folds, seed))


@given(st.lists(st.sampled_from(MANY), min_size=60), st.integers(2, 5), st.integers(0, 99))
def test_a_row_moves_no_other_row(rows, folds, seed):
    """Where every fold has systems to spare, a row comes or goes and no other changes its fold."""
    assume(len(set(rows)) >= 40)
    numbers = grouped_folds(rows, folds, seed)
    for lost in (0, len(rows) // 2, len(rows) - 1):
        fewer = grouped_folds([*rows[:lost], *rows[lost + 1 :]], folds, seed)
        np.testing.assert_array_equal(fewer, np.delete(numbers, lost))


@given(systems, st.integers(2, 4), st.integers(0, 99))
def test_few_systems_are_divided_as_stably_as_can_be(rows, folds, seed):
    """With hardly more systems than folds, only what keeps a fold from being empty moves."""
    assume(len(set(rows)) > folds)
    fewer = [row for row in rows if row != rows[0]]
    before = dict(zip(rows, grouped_folds(rows, folds, seed), strict=True))
    after = dict(zip(fewer, grouped_folds(fewer, folds, seed), strict=True))
    assert sum(before[name] != fold for name, fold in after.items()) <= folds


@given(systems, systems, st.integers(2, 6), st.integers(0, 99))
def test_rules_of_one_name_put_a_system_into_one_fold(first, second, folds, seed):
    """Where two sets of rows have rules of one name, what both have is in the same folds."""
    assume(min(len(set(first)), len(set(second))) >= folds)
    parts = [
        dict(zip(rows, grouped_folds(rows, folds, seed), strict=True)) for rows in (first, second)
    ]
    moved = any(parts[0][name] != parts[1][name] for name in parts[0].keys() & parts[1].keys())
    if moved:
        assert fold_rule(first, folds, seed) != fold_rule(second, folds, seed)
    assert fold_rule(first, folds, seed) != fold_rule(first, folds, seed + 1)


def test_filled_folds_are_in_the_name_of_the_rule():
    """Sets of few systems whose folds are filled otherwise have rules of other names."""
    names = [f"A-{letter}" for letter in "BCDEFGH"]
    rules = {fold_rule(names[lost:], 5, seed) for lost in (0, 1) for seed in range(20)}
    assert len(rules) > 25
    many = [fold_rule(MANY[lost:], 5, 0) for lost in (0, 1)]
    assert many[0] == many[1]


def test_the_order_of_rows_has_no_part_in_folds():
    """A table that was sorted by a spreadsheet has the folds that it had, one large system too."""
    rows = ["A-A"] * 500 + MANY
    order = np.random.default_rng(0).permutation(len(rows))
    numbers = grouped_folds(rows, 5, 0)
    np.testing.assert_array_equal(grouped_folds([rows[i] for i in order], 5, 0), numbers[order])


def test_folds_hold_about_as_many_systems():
    """Of a thousand systems each fold has a fifth to within a few per cent, for any seed."""
    names = [f"A-{number}" for number in range(1000)]
    sizes = np.array([np.bincount(grouped_folds(names, 5, seed)) for seed in range(20)])
    assert sizes.min() > 150
    assert sizes.max() < 250
    # another seed is another division: a row stays where it was by chance alone
    same = grouped_folds(names, 5, 0) == grouped_folds(names, 5, 1)
    assert 0.1 < same.mean() < 0.3


def test_too_few_systems():
    """Fewer systems than folds cannot be cross-validated."""
    with pytest.raises(ValueError, match="number of groups"):
        grouped_folds(["A-B", "A-C"] * 4, 3, 0)


def test_a_doped_series_is_one_group():
    """Traces join chemical systems, whatever the spelling; larger amounts and others do not."""
    series = ["LiCoO2", "Li0.98Mg0.02CoO2", "Li49AlCo50O100"]
    others = ["LiMgCoO4", "NaCl", "Na4Cl4", "MgO"]
    names = linked_systems([*series, *others])
    assert len(set(names[:3])) == 1
    # it has the very elements of a doped one, so it goes with them, lest a system be divided
    assert names[3] == names[0]
    assert names[4:] == ["Cl-Na", "Cl-Na", "Mg-O"]


def test_without_traces_the_groups_are_the_chemical_systems():
    """Ordinary stoichiometries keep the names that they have."""
    formulas = ["Fe2O3", "FeO", "Ca3Al2Si3O12", "LiFePO4", "La2Ni7"]
    assert linked_systems(formulas) == [chemical_system(formula) for formula in formulas]
