"""The pool that is made for a table, and a person's own."""

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


@pytest.mark.parametrize("formulas", [FORMULAS, ALLOYS, ["Fe2O3"], ["Ni", "Ti"]])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_neighbourhood_is_of_the_table_and_not_in_it(formulas, seed):
    """Every composition is readable, stands once, is of the table's elements, and is none of it."""
    found = neighbourhood(formulas, 60, seed)
    names = list(map(identity, found))
    assert len(set(names)) == len(names) <= 60
    assert not set(names) & set(map(identity, formulas))
    assert not any(map(problem, found))
    present = {symbol for formula in formulas for symbol in elements(formula)}
    assert all(elements(formula) <= present for formula in found)
    assert neighbourhood(formulas, 60, seed) == found


def test_as_many_as_are_wanted():
    """A table of some chemistry gives several times its rows, and another seed others."""
    found = neighbourhood(FORMULAS, 600, 0)
    assert len(found) == 600
    assert set(found) != set(neighbourhood(FORMULAS, 600, 1))


def test_alloys_stay_alloys():
    """Of a dilute series the pool is as dilute: iron is most of each composition."""
    from pymatgen.core import Composition

    found = neighbourhood(ALLOYS, 60, 0)
    shares = [Composition(formula).get_atomic_fraction("Fe") for formula in found]
    assert sum(share > 0.5 for share in shares) > 0.5 * len(found)
    assert max(len(elements(formula)) for formula in found) == 3


@settings(max_examples=25)
@given(tables, st.integers(0, 9))
def test_no_table_is_too_small(formulas, seed):
    """Whatever the table, what can be made is made, and nothing is raised."""
    assert len(neighbourhood(formulas, 5, seed)) <= 5


def test_a_persons_list(tmp_path):
    """It is read like any table; what is unreadable, twice or labelled already is left out."""
    path = tmp_path / "list.csv"
    path.write_text("note;Formula\na;KCl\nb;Cl2K2\nc;Xx\nd;LiO\ne;BaTiO3\n")
    assert read_pool(path, None, ["LiO"]) == ["KCl", "BaTiO3"]
    with told(UsageError, 2, "list.csv", "--pool"):
        read_pool(path, None, ["LiO", "KCl", "BaTiO3"])
