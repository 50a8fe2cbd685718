"""The pool that is made for a table, and a person's own."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.compositions import elements, identity, problem
from assay.errors import UsageError
from assay.intake.pools import neighbourhood, read_pool
from mini import FORMULAS
from sentences import told

ALLOYS = [f"Fe{1 - x / 100 - y / 200:.3f}Cr{x / 100}Ni{y / 200}" for x in (1, 3, 5) for y in (1, 2)]
tables = st.lists(st.sampled_from([*FORMULAS, *ALLOYS, "Na", "CaMg2"]), min_size=1, max_size=5)


def made(formulas, rows, seed):
    """The formulas of a neighbourhood."""
    return list(neighbourhood(pd.DataFrame({"formula": formulas}), rows, seed)["formula"])


def test_a_neighbour_keeps_the_further_columns_of_its_row():
    """Where slices are named by a column, a composition of the pool is of its row's slice."""
    known = pd.DataFrame({"formula": ["FeO", "NaCl"], "phase": ["iron", "salt"]})
    found = neighbourhood(known, 20, 0)
    assert {"iron", "salt"} == set(found["phase"])
    alike = [{"Fe", "O"} & elements(f) for f in found[found["phase"] == "iron"]["formula"]]
    assert all(alike)


@pytest.mark.parametrize("formulas", [FORMULAS, ALLOYS, ["Fe2O3"], ["Ni", "Ti"]])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_neighbourhood_is_of_the_table_and_not_in_it(formulas, seed):
    """Every composition is readable, stands once, is of the table's elements, and is none of it."""
    found = made(formulas, 60, seed)
    names = list(map(identity, found))
    assert len(set(names)) == len(names) <= 60
    assert not set(names) & set(map(identity, formulas))
    assert not any(map(problem, found))
    present = {symbol for formula in formulas for symbol in elements(formula)}
    assert all(elements(formula) <= present for formula in found)
    assert made(formulas, 60, seed) == found


def test_as_many_as_are_wanted():
    """A table of some chemistry gives several times its rows, and another seed others."""
    found = made(FORMULAS, 600, 0)
    assert len(found) == 600
    assert set(found) != set(made(FORMULAS, 600, 1))


def test_alloys_stay_alloys():
    """Of a dilute series the pool is as dilute: iron is most of each composition."""
    from pymatgen.core import Composition

    found = made(ALLOYS, 60, 0)
    shares = [Composition(formula).get_atomic_fraction("Fe") for formula in found]
    assert sum(share > 0.5 for share in shares) > 0.5 * len(found)
    assert max(len(elements(formula)) for formula in found) == 3


@settings(max_examples=25)
@given(tables, st.integers(0, 9))
def test_no_table_is_too_small(formulas, seed):
    """Whatever the table, what can be made is made, and nothing is raised."""
    assert len(made(formulas, 5, seed)) <= 5


def test_a_persons_list(tmp_path):
    """It is read like any table; what is unreadable, twice or labelled already is left out."""
    path = tmp_path / "list.csv"
    path.write_text("note;Formula\na;KCl\nb;Cl2K2\nc;Xx\nd;LiO\ne;BaTiO3\n")
    known = pd.DataFrame({"formula": ["LiO"]})
    assert list(read_pool(path, known)["formula"]) == ["KCl", "BaTiO3"]
    with told(UsageError, 2, "list.csv", "--pool"):
        read_pool(path, pd.DataFrame({"formula": ["LiO", "KCl", "BaTiO3"]}))
    with told(UsageError, 2, "list.csv", "'phase'"):
        read_pool(path, known.assign(phase="salt"))
