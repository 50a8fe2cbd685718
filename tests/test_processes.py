"""Processes that are ended from outside leave no private folder behind."""

import os
import signal
import subprocess
import sys

import pytest

from assay.processes import end_when_terminated

BEGINNINGS = {
    "verb": "ending = processes.end_when_terminated(); ending.__enter__()",
    "worker": "processes.end_with_parent()",
    "lifeline": "processes.Lifeline(int(sys.argv[1]))",
    "plain": "",
}
SCRIPT = """
import sys, time
from assay import processes
from assay.files import private_folder
{beginning}
private_folder("assay-test-")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("kind", "code", "left"),
    [("verb", 143, 0), ("worker", 143, 0), ("lifeline", 1, 0), ("plain", -signal.SIGTERM, 1)],
)
def test_what_is_ended_leaves_no_private_folder(tmp_path, kind, code, left):
    """By SIGTERM, or at the end of a lifeline; a process that is not made ready leaves its own."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(beginning=BEGINNINGS[kind]), str(reading)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[reading],
    )
    os.close(reading)
    with process, os.fdopen(writing, "wb"):
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 1
        if kind != "lifeline":
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    assert process.wait(30) == code
    assert len(list(tmp_path.iterdir())) == left


def test_sigterm_is_what_it_was_afterwards():
    """Whoever runs a verb in a process of their own keeps their handler."""
    before = signal.getsignal(signal.SIGTERM)
    with end_when_terminated():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
