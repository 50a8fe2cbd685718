"""Processes that work beside this one end with it, and whatever they started ends with them."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import BaggingRegressor

from assay.processes import end_when_terminated, end_with_parent, lifeline, pool_of

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


LATE = 40.0  # seconds; joblib keeps its workers for 300
LISTENING = """
import subprocess, sys, time
from assay.processes import Lifeline
from joblib import Parallel, delayed
Lifeline(int(sys.argv[1]))
print(*Parallel(2)(delayed(__import__("os").getpid)() for _ in range(2)), flush=True)
time.sleep(100)
"""


def nothing() -> None:
    """Begin as a plain pool would."""


def children_of_bagging() -> list[int]:
    """Predict with two processes of joblib; gives their ids."""
    from multiprocessing import active_children

    x = np.arange(40.0).reshape(20, 2)
    BaggingRegressor(n_estimators=4, n_jobs=2).fit(x, x[:, 0]).predict(x)
    return [child.pid for child in active_children() if child.pid]


def are_gone(pids: list[int], seconds: float) -> bool:
    """Whether all have ended before long."""
    until = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def ended(pids: list[int]) -> None:
    """End what a failed test would leave."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("begin", [nothing, end_with_parent])
def test_pool_does_not_wait_for_the_workers_of_an_estimator(begin):
    """A bagging regressor with `n_jobs=2` in a pool's process holds nobody up when it is done."""
    with pool_of(1, begin) as pool:
        pids = pool.submit(children_of_bagging).result()
        assert len(pids) == 2
        timer = threading.Timer(LATE, ended, [pids])
        timer.start()
        started = time.monotonic()
    timer.cancel()
    assert time.monotonic() - started < LATE / 2
    assert are_gone(pids, LATE)


def test_process_on_a_lifeline_takes_its_workers_along():
    """When the other end closes, the process and the workers of joblib in it end."""
    with lifeline() as (reading, _):
        process = subprocess.Popen(
            [sys.executable, "-c", LISTENING, str(reading)],
            pass_fds=[reading],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
    try:
        assert process.wait(LATE) == 1
        assert are_gone(pids, LATE / 4)
    finally:
        ended([*pids, process.pid])
        process.stdout.close()
