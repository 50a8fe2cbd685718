"""Rows that a plan is made for: those of a repository, more of the same kind, or made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.gate.comparisons import Groups, Requirement, Slice
from assay.gate.metrics import MAE
from assay.gate.statistics import Grouping
from assay.intake.pools import pool_rows
from assay.layout import Layout
from assay.planning.simulation import Design, design_of_repository, design_of_sizes
from assay.repository import Repository
from assay.settings import parse_settings
from sentences import told
from toy import SEALED_SYSTEMS, SETTINGS, make

KNOWN = parse_settings(SETTINGS)


def design() -> Design:
    """Groups of one to four rows; the slice holds the groups of one and of two."""
    sizes = np.tile([1, 2, 3, 4], 30)
    groups = Grouping.of(np.repeat(np.arange(len(sizes)), sizes))
    small = groups.sizes[groups.codes] <= 2
    chosen = Slice("small", small, small, small)
    parts = [Requirement(MAE, 0.1, primary=True), Requirement(MAE, 0.2, slice=chosen)]
    return Design(Groups(groups, groups, groups), parts)


@given(st.integers(2, 3000), st.integers(0, 5))
def test_sized_has_as_many_rows_as_asked_for(rows, seed):
    """Exactly so many sealed rows, train rows in proportion, and a pool as the gate asks for."""
    made = design().sized(rows, seed)
    assert made.sealed_rows == rows
    assert len(made.groups.train.codes) == rows
    assert len(made.groups.pool.codes) == max(300, pool_rows(rows))
    for part in (made.groups.train, made.groups.sealed, made.groups.pool):
        assert part.sizes.min() >= 1
        assert part.sizes.sum() == len(part.codes)
        assert part.sizes.max() <= 4, "drawing a group twice must give two groups"


def test_sized_keeps_kind_of_groups_and_slices():
    """As many effective groups to a row as before, and each row in the slice it was in."""
    before, after = design(), design().sized(30_000, 0)
    shares = [len(d.groups.sealed.codes) / d.groups.sealed.effective for d in (before, after)]
    assert shares[1] == pytest.approx(shares[0], rel=0.05)
    (_, part), groups = after.requirements, after.groups.sealed
    small = groups.sizes[groups.codes] <= 2
    # the last group may have been cut
    assert (part.slice.sealed == small)[:-4].all()
    assert part.slice.train.mean() == pytest.approx(0.3, abs=0.02)


def test_scaled_changes_margins_alone():
    """All margins grow alike."""
    made = design().scaled(3)
    assert [part.margin for part in made.requirements] == pytest.approx([0.3, 0.6])
    assert made.requirements[0].primary


@given(st.integers(2, 400), st.data())
def test_made_up_sizes_are_exact(groups, data):
    """So many rows in so many groups, none of them empty."""
    rows = data.draw(st.integers(groups, 3000))
    made = design_of_sizes(rows, groups, KNOWN, seed=0)
    assert (made.sealed_rows, made.groups.sealed.count) == (rows, groups)
    assert len(made.groups.train.codes) == pytest.approx(3 * rows, abs=1)
    assert made.groups.sealed.sizes.min() >= 1


def test_made_up_sizes_are_skewed():
    """Some groups are much larger than others, so fewer count."""
    sealed = design_of_sizes(3000, 1000, KNOWN, seed=0).groups.sealed
    assert sealed.sizes.max() > 3 * sealed.sizes.mean()
    assert sealed.effective < 0.8 * sealed.count


@pytest.mark.parametrize(("rows", "groups"), [(10, 1), (10, 11), (0, 0), (10**7, 100)])
def test_made_up_sizes_that_cannot_be(rows, groups):
    """One sentence says what may be given."""
    with told(UsageError, 2, "--rows", "--groups"):
        design_of_sizes(rows, groups, KNOWN, seed=0)


def test_repository_is_described_without_its_labels(tmp_path):
    """Sizes and requirements of the toy, also when its held-out labels are gone."""
    layout = Layout(make(tmp_path / "toy"))
    layout.open_labels.unlink()
    found = design_of_repository(Repository(layout.root, KNOWN))
    lines = layout.sealed_inputs.read_text().splitlines()
    assert found.sealed_rows == len(lines) - 1
    assert found.groups.sealed.count == SEALED_SYSTEMS
    assert [part.margin for part in found.requirements] == [KNOWN.gate.margin]
    assert 0 < found.ratio < 10
