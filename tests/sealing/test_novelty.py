"""Rows that may be sealed: never committed, and of groups that nobody has labels of."""

import pandas as pd
import pytest

from assay.errors import RefusedError
from assay.layout import Layout
from assay.sealing.releases import LABELS
from assay.sealing.renewal import require_uncommitted, require_unseen, sealed_before
from assay.settings import Split
from sentences import told
from toy import commit, git


@pytest.fixture
def layout(tmp_path):
    """A train set, a sealed set, and two sets that were retired before."""
    layout = Layout(tmp_path)
    for path, text in (
        (layout.train, "row_id,formula,gap\nt1,NaCl,1\nt2,Fe2O3,2\n"),
        (layout.sealed_inputs, "row_id,formula\ns3,O1Mg1\ns4,CaO\n"),
        (layout.retired / "0" / LABELS, "row_id,formula,gap\ns1,TiN,1\n"),
        (layout.retired / "1" / LABELS, "row_id,formula,gap\ns2,AlN,2\n"),
        (layout.pool, "row_id,formula\np1,RbBr\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return layout


def rows(*formulas):
    """Rows of a table of one's own, the first in line 2."""
    return pd.DataFrame({"formula": formulas}, index=range(2, 2 + len(formulas)))


def test_new_rows(layout):
    """Rows of other systems may be sealed, whether the pool holds them or not."""
    require_unseen(layout, rows("RbBr", "KBr", "FeN", "NaClO3"), "new.csv")


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("NaCl", "NaCl: data/train.csv, line 2"),
        ("Fe2O3", "Fe2O3: data/train.csv, line 3"),
        ("Fe3O4", "Fe3O4: the same system in data/train.csv, line 3"),
        ("MgO", "MgO: data/sealed_inputs.csv, line 2"),
        ("CaO2", "CaO2: the same system in data/sealed_inputs.csv, line 3"),
        ("TiN", "TiN: data/retired/0/labels.csv, line 2"),
        ("Al2N3", "Al2N3: the same system in data/retired/1/labels.csv, line 2"),
    ],
)
def test_known_rows(layout, formula, place):
    """Whatever is or will be public is refused, with its line and where it stands."""
    with told(RefusedError, 1, "new.csv: 1 of 3 rows", f"line 3 ({place})", "take them out"):
        require_unseen(layout, rows("KBr", formula, "RbBr"), "new.csv")


def test_many_known_rows(layout):
    """Five are named and the others counted."""
    known = ["NaCl", "Na2Cl", "Na3Cl", "Na4Cl", "Na5Cl", "Na6Cl", "Na7Cl"]
    with told(RefusedError, 1, "7 of 8 rows", "line 6 (Na5Cl", " and 2 more") as _:
        require_unseen(layout, rows(*known, "KBr"), "new.csv")


def test_sealed_before(layout):
    """The present set and all that were retired."""
    found = [path.relative_to(layout.root / "data").as_posix() for path in sealed_before(layout)]
    assert found == ["sealed_inputs.csv", "retired/0/labels.csv", "retired/1/labels.csv"]


def test_committed_labels(tmp_path):
    """A file that git tracks, or whose content it ever took, holds no secret."""
    git(tmp_path, "init", "--quiet")
    new = tmp_path / "new.csv"
    new.write_text("formula,gap\nKBr,1\n")
    require_uncommitted(tmp_path, str(new))
    commit(tmp_path, "Add the labels")
    with told(RefusedError, 1, "new.csv is in git"):
        require_uncommitted(tmp_path, str(new))
    new.write_text("formula,gap\nKBr,2\n")
    with told(RefusedError, 1, "new.csv is in git"):
        require_uncommitted(tmp_path, str(new))
    git(tmp_path, "checkout", "--", "new.csv")
    git(tmp_path, "mv", "new.csv", "old.csv")
    commit(tmp_path, "Rename")
    (tmp_path / "old.csv").rename(new)
    with told(RefusedError, 1, "new.csv is in git"):
        require_uncommitted(tmp_path, str(new))


def test_without_git(tmp_path):
    """Where there is no repository, nothing was committed."""
    (tmp_path / "new.csv").write_text("formula,gap\nKBr,1\n")
    require_uncommitted(tmp_path, str(tmp_path / "new.csv"))


@pytest.mark.parametrize(
    ("group", "cells", "new", "known"),
    [
        ("paper", "ab", ("TiO2", "c"), ("TiO2", "b")),
        ("composition", ("NaCl", "Fe"), ("Ti", ""), ("Fe98Cr2", "")),
    ],
)
def test_rows_of_a_known_group_are_refused(tmp_path, group, cells, new, known):
    """Another row of a public paper, or of a public cluster, is no evidence for new ones."""
    layout, column = Layout(tmp_path), "group" if group == "composition" else group
    layout.train.parent.mkdir()
    layout.train.write_text(f"row_id,formula,{column},gap\nt1,NaCl,{cells[0]},1\n")
    layout.sealed_inputs.write_text(f"row_id,formula,{column}\ns1,Fe99Cr,{cells[1]}\n")
    split = Split(group=group)
    fresh, seen = (rows(formula).assign(**{column: cell}) for formula, cell in (new, known))
    require_unseen(layout, fresh, "new.csv", split)
    with told(RefusedError, 1, "new.csv: 1 of 1 rows", "the same group in data/sealed_inputs.csv"):
        require_unseen(layout, seen, "new.csv", split)
