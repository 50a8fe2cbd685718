"""What a verb is doing is shown: at once on a terminal, elsewhere if it takes long."""

import io
import sys

import pytest

from assay import progress
from assay.cli import app
from assay.progress import BEGINNINGS, EVERY, Watch, begin, counted, counting, end, stages


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


@pytest.fixture(autouse=True)
def ended():
    """No thread of a test goes on watching."""
    yield
    end()


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The seconds so far."""
        return self.now


@pytest.fixture
def watch(monkeypatch, tmp_path, capsys):
    """A watch with a clock, before a log; gives `wait`, which returns the lines of the log."""
    monkeypatch.chdir(tmp_path)
    watch = Watch(clock := Clock())
    monkeypatch.setattr(progress, "_watch", watch)
    watch.begin("assay: training the candidate", "train")

    def wait(seconds):
        for _ in range(seconds):
            clock.now += 1
            watch.look()
        return capsys.readouterr().err.splitlines()

    return wait


def test_a_silent_step_is_said_in_a_log(watch):
    """The planted silent step: whatever says nothing of itself is named every few seconds."""
    assert watch(int(EVERY) - 1) == []
    assert watch(1) == ["assay: training the candidate, 5 s so far"]
    assert len(watch(50)) == 10
    assert len(watch(60)) <= 5  # what takes minutes fills no log


def test_lines_of_a_log_say_what_is_done_and_how_long(watch):
    """Stages are named, and what is counted has its number and an estimate; lines end as lines."""
    with stages("train") as doing:
        doing("saving the bundle")
        assert watch(5) == ["train: saving the bundle, 5 s so far"]
    with counting("train", 6, " fits") as bar:
        bar.update(2)
        [line] = watch(5)
        assert line.startswith("train: 2 of 6 fits, about ")
    assert watch(5) == ["assay: training the candidate, 15 s so far"]


def test_an_estimate_comes_from_the_last_time(watch, tmp_path):
    """In a repository the seconds of the last good run are known the next time."""
    (tmp_path / "assay.toml").touch()
    (tmp_path / "out").mkdir()
    progress.Usual("train").keep(21.04)
    assert watch(5) == ["assay: training the candidate, 5 s so far of about 21 s, by the last time"]
    (tmp_path / "out" / "durations.json").write_text("[")
    assert watch(5) == ["assay: training the candidate, 10 s so far"]


def test_what_is_counted_comes_through():
    """All items come, in order, and an error on the way leaves nothing shown."""
    assert list(counted("abc", "letters", 3)) == ["a", "b", "c"]
    with pytest.raises(ZeroDivisionError):
        list(counted((1 / n for n in (1, 0)), "numbers"))
    assert progress._watch.shown == []


@pytest.mark.parametrize("verb", ["score", "report"])
def test_what_follows_labels_says_its_stages_by_no_clock(monkeypatch, verb):
    """In the log of the trusted half a line comes with each stage, and none by the time."""
    monkeypatch.setattr(sys, "stderr", written := io.StringIO())
    started = []
    monkeypatch.setattr(progress._watch, "start", lambda *told: started.append(told))
    begin([verb])
    with stages(verb) as doing:
        doing("comparing")
    assert (written.getvalue(), started) == (f"{verb}: comparing\n", [])
    begin(["train"])
    assert len(started) == 1


def test_nothing_is_written_of_what_is_quick(monkeypatch):
    """In a workflow, or with a file for standard error, nothing is said of what ends at once."""
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
