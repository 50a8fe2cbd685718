"""Ionic character and neutrality of whole columns against matminer, one formula at a time."""

import numpy as np
import pytest
from hypothesis import example, given, settings

from assay.features import transformers
from assay.features.tables import oxidation_states
from assay.features.transformers import ion_property
from features.oracles import ALL, IONIC, by_matminer, columns, compare

few = settings(max_examples=60, deadline=None)


@few
@given(columns)
@example(["He", "HeNe", "FeCo", "Fe2O3", "Fe3O4", "U", "Fe0.95O", "Li2Fe0.5O1.25"])
def test_ion_property(formulas):
    """The three values equal matminer's to 1e-9, and are NaN where matminer's are."""
    compare(ion_property(formulas), IONIC, formulas)


def test_every_pair_with_oxygen():
    """Oxides of each element, in three compositions, have matminer's values; both answers occur."""
    oxides = [f"{symbol}{n}O{m}" for symbol in ALL for n, m in ((1, 1), (2, 3), (1, 2))]
    compare(ion_property(oxides), IONIC, oxides)
    assert set(by_matminer(IONIC, oxides)[:, 0]) == {0.0, 1.0}


@few
@given(columns)
@example(["Li0.1Fe0.3O0.35", "Fe0.95O", "Li2Fe0.5O1.25", "Pb0.1Sn0.2Ge0.7O2"])
def test_joined_sums(formulas):
    """Where equal sums are joined after each element, the values are matminer's all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers, "MANY", 0)
        compare(ion_property(formulas), IONIC, formulas)


def test_many_states(monkeypatch):
    """One row of many elements with many states each, of which 10^9 sums come, is answered."""
    monkeypatch.setattr(transformers, "MANY", 10_000)
    formula = "CClISSeTeBrNGeAsSbSnPMnXePoCrTcPdMoEuCeRuHFeCo"
    assert ion_property([formula])[0, 0] == 1.0


def test_planted_error(monkeypatch):
    """The comparison sees one oxidation state of iron that is another one."""
    states, starts = oxidation_states()
    changed = np.where(np.arange(len(states)) == starts[26] + list(_of_iron()).index(3), 5, states)
    monkeypatch.setattr(transformers, "oxidation_states", lambda: (changed, starts))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        compare(ion_property(["Fe2O3"]), IONIC, ["Fe2O3"])
    compare(ion_property(["NaCl"]), IONIC, ["NaCl"])


def _of_iron():
    states, starts = oxidation_states()
    return states[starts[26] : starts[27]]
