"""Which rows go together, and which of them count as evidence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.compositions import chemical_system, identity
from assay.groups import COMPOSITION, SYSTEM, counted, group_names, told
from assay.splits import fold_rule, grouped_folds, undivided

FORMULAS = ["NaCl", "Na2Cl2", "MgO", "CaO", "Fe2O3", "FeO"]


def test_groups_are_chemical_systems_clusters_or_a_column():
    """By default the chemical system names a row's group, else the cell of the column."""
    rows = pd.DataFrame({"formula": FORMULAS, "paper": list("aabbcc"), "group": FORMULAS[:1] * 6})
    assert group_names(rows, SYSTEM) == [chemical_system(formula) for formula in FORMULAS]
    assert group_names(rows, "paper") == list("aabbcc")
    assert group_names(rows, COMPOSITION) == ["NaCl"] * 6


def test_rows_without_a_cell_go_by_their_chemical_system():
    """A pool has no column of papers, or cells for some of its rows alone."""
    pool = pd.DataFrame({"formula": ["NaCl", "MgO"]})
    assert group_names(pool, "paper") == ["Cl-Na", "Mg-O"]
    assert group_names(pool.assign(group=["NaCl", ""]), COMPOSITION) == ["NaCl", "Mg-O"]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.integers(1, 5))
def test_at_most_so_many_rows_of_a_group_count(names, most):
    """Each group has its size or the cap, whichever is less; without a cap all rows count."""
    formulas = [f"Na{n + 1}Cl{n + 2}" for n in range(len(names))]
    chosen = counted(formulas, names, most)
    for name in set(names):
        size = names.count(name)
        assert chosen[np.array(names) == name].sum() == min(size, most)
    assert counted(formulas, names, None).all()


@given(st.permutations(range(12)), st.integers(1, 4))
def test_which_rows_count_follows_from_compositions_alone(order, most):
    """Neither the order of rows, nor the spelling, nor another group has a part in it."""
    formulas = [f"Na{n + 1}Cl{n + 2}" for n in range(12)]
    before = counted(formulas, ["a"] * 12, most)
    doubled = [f"Na{2 * n + 2}Cl{2 * n + 4}" for n in order]
    assert [identity(formulas[n]) for n in order] == [identity(one) for one in doubled]
    after = counted([*doubled, "MgO"], [*["a"] * 12, "b"], most)
    np.testing.assert_array_equal(after[:12], before[list(order)])
    assert after[12]


def test_the_digest_chooses_and_not_the_first_rows():
    """A table sorted by its labels does not have its smallest labels counted."""
    formulas = [f"Na{n + 1}Cl{n + 2}" for n in range(40)]
    assert not counted(formulas, ["a"] * 40, 10)[:10].all()


def test_folds_go_by_the_name_of_the_group():
    """A row of a new group moves no other row, and another grouping is another rule."""
    papers = [f"paper {n // 3}" for n in range(90)]
    folds = grouped_folds(papers, 5, 0)
    np.testing.assert_array_equal(grouped_folds([*papers, "another"], 5, 0)[:90], folds)
    assert fold_rule(papers, 5, 0, "paper") != fold_rule(papers, 5, 0)
    assert fold_rule(papers, 5, 0, SYSTEM) == fold_rule(papers, 5, 0)


def test_by_a_column_its_values_alone_are_not_divided():
    """Two papers about one chemical system may stand on both sides: that is the promise."""
    rows = pd.DataFrame({"formula": ["NaCl", "Na2Cl3", "MgO"], "paper": ["a", "b", "a"]})
    assert undivided(rows, "paper") == ["a", "b", "a"]
    assert len(set(undivided(rows, SYSTEM))) == 2


@pytest.mark.parametrize("group", [SYSTEM, COMPOSITION, "paper"])
def test_every_grouping_says_what_it_promises(group):
    """The one line names the grouping, the cap, and what no model is judged on."""
    line = told(group, 0.05, 20)
    assert "\n" not in line
    assert "20" in line
    assert line not in {told(other, 0.05, 20) for other in {SYSTEM, COMPOSITION, "x"} - {group}}
