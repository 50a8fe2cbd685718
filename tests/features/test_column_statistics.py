"""Statistics of whole columns against matminer's own featurizers, one formula at a time."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from assay.compositions import problem
from assay.features import tables
from assay.features.tables import BLOCK, magpie, magpie_table, stoichiometry, valence_orbitals
from assay.features.transformers import ion_property
from assay.sanity.strategies import compositions, spelt
from features.oracles import ALL, MAGPIE, NORMS, VALENCE, by_matminer, columns, compare

COMPUTED = (magpie, stoichiometry, valence_orbitals, ion_property)
few = settings(max_examples=60, deadline=None)


@few
@given(columns)
@example(["He", "HeNe", "FeCo", "Fe2O3", "U"])
def test_magpie(formulas):
    """All 132 values equal matminer's to 1e-9, and are NaN where matminer's are."""
    compare(magpie(formulas), MAGPIE, formulas)


@few
@given(columns)
def test_stoichiometry(formulas):
    """The six norms equal matminer's to 1e-9."""
    compare(stoichiometry(formulas), NORMS, formulas)


@few
@given(columns)
@example(["He", "HeNe", "FeCo", "Fe2O3", "U"])
def test_valence_orbitals(formulas):
    """Numbers and shares of electrons equal matminer's to 1e-9."""
    compare(valence_orbitals(formulas), VALENCE, formulas)


def test_every_element():
    """Each element alone has matminer's values, gaps included; the check sees some of either."""
    compare(magpie(ALL), MAGPIE, ALL)
    compare(valence_orbitals(ALL), VALENCE, ALL)
    gaps = np.isnan(by_matminer(MAGPIE, ALL)).any(axis=1)
    assert 0 < gaps.sum() < len(ALL) / 2


def test_planted_error(monkeypatch):
    """The comparison sees one property of one element that is off by one part in ten million."""
    names, table = magpie_table()
    changed = table.copy()
    changed[8, 2] *= 1 + 1e-7
    monkeypatch.setattr(tables, "magpie_table", lambda: (names, changed))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        compare(magpie(["Fe2O3"]), MAGPIE, ["Fe2O3"])
    compare(magpie(["NaCl"]), MAGPIE, ["NaCl"])


@few
@given(compositions(ALL), st.integers(2, 60), st.randoms(use_true_random=False))
def test_spelling(pairs, times, shuffler):
    """Order of elements and multiples of the formula change no bit of any feature."""
    shuffled = [(symbol, amount * times) for symbol, amount in pairs]
    shuffler.shuffle(shuffled)
    spellings = [spelt(pairs), spelt(shuffled), f"({spelt(pairs)}){times}"]
    assume(problem(spellings[-1]) is None)  # (IV)2 is a numeral, (H3)5 a name
    for compute in COMPUTED:
        first, *others = compute(spellings)
        for other in others:
            np.testing.assert_array_equal(first, other)


@few
@given(st.lists(compositions(ALL).map(spelt), min_size=2, max_size=10))
def test_rows_are_independent(formulas):
    """A row's features do not depend on the rows beside it."""
    for compute in COMPUTED:
        together = compute(formulas)
        for row, formula in zip(together, formulas, strict=True):
            np.testing.assert_array_equal(row, compute([formula])[0])


def test_blocks_are_put_together(monkeypatch):
    """Columns longer than what is computed at once have the values of short ones."""
    formulas = [f"Fe{n}O{n + 1}" for n in range(1, 12)] + ["NaCl", "KBr", "He"]
    whole = magpie(formulas)
    assert len(formulas) < BLOCK
    monkeypatch.setattr(tables, "BLOCK", 3)
    np.testing.assert_array_equal(magpie(formulas), whole)


@pytest.mark.parametrize(("compute", "width"), list(zip(COMPUTED, (132, 6, 8, 3), strict=True)))
def test_no_rows(compute, width):
    """No formulas give no rows, with all columns."""
    assert compute([]).shape == (0, width)
