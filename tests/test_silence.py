"""No verb is silent for long, measured with a clock on what it writes to a log."""

import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from toy import copy, environment

LONGEST = 9.0  # five seconds between lines, one for the watch, and a busy machine
WAITING = "import time; from assay import progress; progress.begin(['train']); time.sleep(14)"

pytestmark = pytest.mark.nightly("test_progress.py shows the same with a clock of its own")


def longest_silence(command: list[str], folder: Path, **variables: str) -> float:
    """The longest time, in seconds, in which a command writes no line on either stream."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    times = [time.monotonic()]

    def read() -> None:
        times.extend(time.monotonic() for _ in process.stdout or ())

    reader = threading.Thread(target=read)
    reader.start()
    process.wait()
    reader.join()
    times.append(time.monotonic())
    return max(after - before for before, after in pairwise(times))


def test_a_silent_step_is_found(tmp_path):
    """The planted silent step: fourteen seconds have lines, and none where these are off."""
    command = [sys.executable, "-c", WAITING]
    assert longest_silence(command, tmp_path) < LONGEST
    assert longest_silence(command, tmp_path, ASSAY_QUIET="1") > LONGEST


@pytest.mark.parametrize("verb", ["schema", "train", "sanity", "check", "plan"])
def test_no_verb_is_silent(trained_toy, tmp_path, verb):
    """Each verb that may take long writes a line every few seconds."""
    root = copy(trained_toy, tmp_path)
    assert longest_silence([sys.executable, "-m", "assay", verb], root) < LONGEST
