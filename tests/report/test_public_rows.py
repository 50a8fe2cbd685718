"""Public rows with what both models say of them."""

from pathlib import Path

import numpy as np
import pytest

from assay.errors import NotCarriedOutError, UsageError
from assay.report.public_rows import Evidence, gathered
from assay.repository import Repository
from report_samples import change_train, hand_over, settings, write_tables


@pytest.fixture
def proposed(tmp_path: Path):
    """A run on 60 rows of each table, and what reads it; predictions by row id."""
    handover = hand_over(tmp_path / "out")
    predictions = write_tables(tmp_path, handover)

    def read(reference: dict[str, float] | None = None) -> Evidence:
        return gathered(Repository(tmp_path, settings()), handover, reference or {})

    return handover, predictions, read


def test_rows_are_mains_with_both_predictions(proposed) -> None:
    """Train rows and pool in the order of their tables; NaN where the reference says nothing."""
    _, predictions, read = proposed
    found = read({"t00001": 9.0, "p00003": 8.0})
    assert (len(found.train), len(found.pool), len(found.folds)) == (60, 60, 60)
    assert found.train.candidate[5] == pytest.approx(predictions["t00005"])
    assert [row.row_id for row in found.train.compared] == ["t00001"]
    assert [row.reference for row in found.pool.compared] == [8.0]
    assert np.isnan(found.pool.target).all()


def test_rows_of_the_pull_request_alone_are_not_looked_at(proposed) -> None:
    """A row it adds, removes or gives another composition is no row of main's."""
    handover, _, read = proposed
    change_train(handover, ["t90000", "=cmd", "x"], ["t00003", "MgO", "1"], without="t00007")
    rows = read().train.row_ids
    assert len(rows) == 58
    assert not {"t90000", "t00003", "t00007"} & set(rows)


def test_folds_share_no_chemical_system(proposed) -> None:
    """So that residuals of other folds are those of other systems."""
    found = proposed[2]()
    systems = {}
    for formula, fold in zip(found.train.formulas, found.folds, strict=True):
        systems.setdefault(formula, set()).add(int(fold))
    assert all(len(folds) == 1 for folds in systems.values())
    assert len(set(found.folds.tolist())) == 5


@pytest.mark.parametrize("name", ["train", "predictions"])
def test_what_is_not_handed_over_whole_is_not_shown(proposed, name: str) -> None:
    """A link, or nothing, in the place of a file is refused."""
    handover, _, read = proposed
    path = getattr(handover, name)
    path.unlink()
    with pytest.raises(NotCarriedOutError, match=path.name):
        read()
    path.symlink_to("/dev/zero")
    with pytest.raises(NotCarriedOutError, match=path.name):
        read()


def test_unreadable_formula_of_main_is_named(proposed, tmp_path: Path) -> None:
    """The table is the repository's own, so that its line can be mended."""
    train = tmp_path / "data" / "train.csv"
    train.write_text(train.read_text().replace("Fe2O3", "Xx", 1))
    with pytest.raises(UsageError, match="line 3"):
        proposed[2]()
