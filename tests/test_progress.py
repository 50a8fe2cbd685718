"""What a verb is doing is told on a terminal, and nowhere else."""

import io
import sys

import pytest

from assay.progress import stages


class Terminal(io.StringIO):
    """A standard error that a person looks at."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


def test_each_stage_is_shown_at_once_and_gone_at_the_end(monkeypatch):
    """A stage is on the screen while its work is done, and the line is empty afterwards."""
    monkeypatch.setattr(sys, "stderr", written := Terminal())
    with stages("train") as doing:
        for stage in ("saving the bundle", "recording the run"):
            doing(stage)
            assert written.getvalue().rstrip().endswith(f"train: {stage} ...")
    assert written.getvalue().split("\r")[-2].strip() == ""
    assert "\n" not in written.getvalue()


def test_an_error_leaves_no_line_behind(monkeypatch):
    """What ends with an error clears its line, too, so that the sentence stands alone."""
    monkeypatch.setattr(sys, "stderr", written := Terminal())
    with pytest.raises(ZeroDivisionError), stages("train") as doing:
        doing(f"saving {1 / 0}")
    assert written.getvalue().split("\r")[-2].strip() == ""


def test_nothing_is_written_where_nobody_looks(monkeypatch):
    """In a workflow, or with a file for standard error, not a byte is written."""
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    with stages("train") as doing:
        doing("saving the bundle")
    assert written.getvalue() == ""
