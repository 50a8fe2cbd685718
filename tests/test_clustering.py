"""Compact clusters of compositions."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import clustering
from assay.clustering import NEAR, clusters, distances, joined, near_units, nearest, shares
from assay.groups import COMPOSITION
from assay.splits import linked_systems, undivided

amounts = st.lists(st.integers(0, 40), min_size=5, max_size=25, unique=True)


def steels(percents: list[int], solute: str = "Cr") -> list[str]:
    """Iron with so many thousandths of a solute."""
    return [f"Fe{1 - n / 1000:.3f}{solute}{n / 1000:.3f}" if n else "Fe" for n in percents]


@given(amounts, st.sampled_from([0.01, 0.02, 0.05]))
def test_no_two_rows_of_a_cluster_are_further_apart_than_the_extent(percents, extent):
    """Complete linkage: chains of small steps make no long cluster."""
    formulas = steels(percents)
    names = clusters(formulas, extent)
    points = dict(zip(formulas, shares(formulas), strict=True))
    for one, other in combinations(zip(formulas, names, strict=True), 2):
        if one[1] == other[1]:
            assert np.abs(points[one[0]] - points[other[0]]).sum() <= extent + 1e-6
    assert set(names) <= set(formulas)
    assert (distances(formulas, names) <= extent + 1e-6).all()


@given(amounts)
def test_a_series_within_the_extent_is_one_cluster(percents):
    """A doped series is not divided by its dopant, nor by the order of its rows."""
    formulas = [*steels([n // 2 for n in percents]), "NaCl"]
    names = clusters(formulas, 0.05)
    assert len(set(names[:-1])) == 1
    assert names[-1] == "NaCl"
    assert clusters(formulas[::-1], 0.05) == names[::-1]


def test_alloys_are_neither_strangers_nor_all_one_group():
    """Iron with 1 % of chromium or nickel is one cluster; steels of 20 % chromium are another.

    By chemical system the first two have nothing in common, or all three are one.
    """
    formulas = ["Fe0.99Cr0.01", "Fe0.99Ni0.01", "Fe0.8Cr0.2"]
    names = clusters(formulas, 0.05)
    assert names[0] == names[1] != names[2]
    assert len(set(linked_systems(formulas))) == 1


def test_names_stay_when_rows_of_other_clusters_come_and_go():
    """A cluster is named after its middle, so what happens elsewhere moves none of its rows."""
    formulas = [*steels([0, 5, 10]), "NaCl", "MgO"]
    names = clusters(formulas, 0.05)
    assert clusters(formulas[:-1], 0.05) == names[:-1]
    assert clusters([*formulas, "CaO"], 0.05)[:-1] == names


def test_many_rows_are_clustered_by_halves(monkeypatch):
    """What is too much to cluster at once is halved, and no cluster grows longer by that."""
    formulas = steels(list(range(0, 400, 2)))
    whole = clusters(formulas, 0.05)
    monkeypatch.setattr(clustering, "LARGEST", 50)
    halves = clusters(formulas, 0.05)
    assert halves != whole
    assert (distances(formulas, halves) <= 0.05 + 1e-6).all()


def test_clusters_of_a_cut_series_stay_on_one_side():
    """Where a series goes on past the extent, rows on both sides of a cut know one another."""
    formulas = steels(list(range(0, 200, 5)))
    names = clusters(formulas, 0.05)
    assert len(set(names)) > 3
    units = near_units([*formulas, "NaCl"], [*names, "NaCl"])
    assert len(set(units[:-1])) == 1
    assert units[-1] == "NaCl"
    rows = pd.DataFrame({"formula": formulas, "group": names})
    assert undivided(rows, COMPOSITION) == units[:-1]


def test_clusters_further_than_a_step_may_be_divided():
    """The planted gap: the same series with a hole of 3 % is two units."""
    formulas = steels([0, 5, 10, 60, 65])
    units = near_units(formulas, clusters(formulas, 0.05))
    assert len(set(units)) == 2
    assert NEAR < 0.05


def test_new_compositions_join_the_nearest_cluster_or_make_their_own():
    """A pool, and rows that are added, do not change the clusters that are there."""
    known = ["Fe", "NaCl"]
    names = joined(
        ["Fe0.99Cr0.01", "Fe0.98Mn0.02", "Na10Cl10", "MgO", "Mg0.99Ca0.01O"], known, 0.05
    )
    assert names[:3] == ["Fe", "Fe", "NaCl"]
    assert names[3] == names[4]
    assert names[3] not in known


@pytest.mark.parametrize("names", [[], ["NaCl"]])
def test_what_is_near_nothing_has_no_nearest(names):
    """Beyond the extent, or without clusters, there is none."""
    assert nearest(["Fe"], names, 0.05) == [None]
