"""What a report is made of, and what it does without."""

from pathlib import Path

import pytest

from assay.report.inputs import ReportInputs
from report_samples import (
    change_train,
    commit_tables,
    hand_over,
    inputs_of,
    settings,
    write_tables,
)


@pytest.fixture
def proposed(tmp_path: Path):
    """A repository and a pull request that adds a row."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    commit_tables(tmp_path)
    change_train(handover, ["t90000", "MgO", "0.5"])
    return handover


def test_train_set_is_compared_with_mains(proposed, tmp_path: Path) -> None:
    """Even where the checkout holds the changed one, as on a laptop."""
    for _ in range(2):
        changes = inputs_of(proposed, root=tmp_path).data_changes
        assert [row.row_id for row in changes.added] == ["t90000"]
        (tmp_path / "data" / "train.csv").write_bytes(proposed.train.read_bytes())


@pytest.mark.parametrize("content", [b"", b"row_id,formula\nt1,NaCl\n", b"\0", b"x" * 1_000_000])
def test_table_that_cannot_be_read_is_not_compared(proposed, tmp_path: Path, content) -> None:
    """Empty, without labels, binary or far too large: the rest of the report is there."""
    proposed.train.write_bytes(content)
    assert inputs_of(proposed, root=tmp_path).data_changes is None


def test_table_behind_a_link_is_not_read(proposed, tmp_path: Path) -> None:
    """Whatever it points to."""
    proposed.train.unlink()
    proposed.train.symlink_to(tmp_path / "data" / "train.csv")
    assert inputs_of(proposed, root=tmp_path).data_changes is None


def test_repository_without_git_has_no_main(tmp_path: Path) -> None:
    """Then nothing is compared with it, and that is said of the model."""
    handover = hand_over(tmp_path / "out")
    write_tables(tmp_path, handover)
    inputs = inputs_of(handover, root=tmp_path)
    assert inputs.data_changes is None
    assert "main's is not at hand" in {fact.compared for fact in inputs.model_changes}


def test_interval_is_that_of_public_rows_and_of_numbers_alone(proposed, tmp_path: Path) -> None:
    """Nine tenths of the rows lie within it; a probability has none."""
    inputs = inputs_of(proposed, root=tmp_path)
    rows, interval = inputs.evidence.train, inputs.interval
    inside = abs(rows.candidate - rows.target) <= interval.half_widths * (1 + 1e-12)
    assert inside.sum() == interval.inside.sum() == 55
    assert inputs_of(proposed, kind="class", root=tmp_path).interval is None


def test_without_tables_there_is_a_reason(proposed) -> None:
    """One sentence, shown where pictures would be."""
    inputs = ReportInputs(proposed, settings())
    assert inputs.evidence is None
    assert inputs.no_evidence.endswith(".")
    assert inputs.families == []
