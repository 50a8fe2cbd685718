"""What a verb is doing is told on a terminal, and nowhere else."""

import io
import sys

import pytest

from assay.cli import app
from assay.progress import BEGINNINGS, begin, stages


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


def test_a_verb_speaks_before_it_loads_anything(monkeypatch):
    """On a terminal the first line names what is begun; help and unknown words have none."""
    monkeypatch.setattr(sys, "stderr", written := Terminal())
    begin(["predict", "data/candidates/mine.csv", "--no-csv"])
    assert written.getvalue() == "assay: predicting data/candidates/mine.csv ...\n"
    for quiet in ([], ["--help"], ["predict", "--help"], ["prdict"], ["\x1b[2J"]):
        begin(quiet)
    assert written.getvalue().count("\n") == 1
    begin(["verify", "\x1b[2J::error::x"])
    assert "\x1b" not in written.getvalue()
    monkeypatch.setattr(sys, "stderr", silent := io.StringIO())
    begin(["predict", "mine.csv"])
    assert silent.getvalue() == ""


def test_every_verb_has_its_first_line():
    """What is said at the beginning is known of each verb and each group of verbs, and no other."""
    shown = [command for command in app.registered_commands if not command.hidden]
    verbs = {command.callback.__name__ for command in shown}
    assert set(BEGINNINGS) == verbs | {group.name for group in app.registered_groups}
