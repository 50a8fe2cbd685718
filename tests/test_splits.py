"""Splits by chemical system: no system on both sides."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.compositions import chemical_system
from assay.splits import grouped_folds, kindred, split_by_system

systems = st.lists(st.sampled_from([f"A-{letter}" for letter in "BCDEFGHIJKLM"]), min_size=8)


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


def test_too_few_systems():
    """Fewer systems than folds cannot be cross-validated."""
    with pytest.raises(ValueError, match="number of groups"):
        grouped_folds(["A-B", "A-C"] * 4, 3, 0)


def test_a_doped_series_is_one_group():
    """Traces join chemical systems, whatever the spelling; larger amounts and others do not."""
    series = ["LiCoO2", "Li0.98Mg0.02CoO2", "Li49AlCo50O100"]
    others = ["LiMgCoO4", "NaCl", "Na4Cl4", "MgO"]
    names = kindred([*series, *others])
    assert len(set(names[:3])) == 1
    # it has the very elements of a doped one, so it goes with them, lest a system be divided
    assert names[3] == names[0]
    assert names[4:] == ["Cl-Na", "Cl-Na", "Mg-O"]


def test_without_traces_the_groups_are_the_chemical_systems():
    """Ordinary stoichiometries keep the names that they have."""
    formulas = ["Fe2O3", "FeO", "Ca3Al2Si3O12", "LiFePO4", "La2Ni7"]
    assert kindred(formulas) == [chemical_system(formula) for formula in formulas]
