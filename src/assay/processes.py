"""Processes that this one starts to work beside it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from assay.files import remove_private_folders

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

SAFE_PATH = "PYTHONSAFEPATH"


def pool_of(processes: int, begin: Callable[[], None]) -> "ProcessPoolExecutor":
    """A pool of processes, each of which first calls `begin`, and ends without waiting for its own.

    An estimator with `n_jobs` starts workers there, which joblib keeps idle for five minutes.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # spawned: a fork would share the threads that numpy and pyarrow hold
    return ProcessPoolExecutor(processes, get_context("spawn"), _begun, (begin,))


def _begun(begin: Callable[[], None]) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, end_children, exitpriority=0)  # multiprocessing would join them before `atexit`
    begin()


def end_children() -> None:
    """End the processes that multiprocessing or joblib started in this one."""
    from multiprocessing import active_children

    for child in active_children():
        if child.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)  # joblib's have no `kill`


def safe_path() -> AbstractContextManager[None]:
    """Have processes that are started here not look for modules in the current folder.

    One that is spawned looks for `pickle` there first, where the repository's files are.
    """
    return variable_set(SAFE_PATH)


@contextmanager
def variable_set(variable: str) -> Iterator[None]:
    """Have a variable of the environment be 1 for a while."""
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before


@contextmanager
def lifeline() -> Iterator[tuple[int, int]]:
    """A pipe's reading end, for a process that `Lifeline` ends with this one, and its writing end.

    Within, the writing end may say something; afterwards the process ends at once.
    """
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(writing)
        os.close(reading)


class Lifeline:
    """Ends this process when nobody holds the writing end of a pipe any more, however that went."""

    def __init__(self, reading: int) -> None:
        """Listen at the reading end, which this process inherited."""
        self._reading, self._word, self._said = reading, b"", threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):  # whoever closed it here needs no end
            while word := os.read(self._reading, 1):
                self._word = word
                self._said.set()
            end_now()
        self._said.set()

    def word(self) -> bytes:
        """Wait for the byte that is written at the other end."""
        self._said.wait()
        return self._word


def end_with_parent() -> None:
    """Have this process end when the one that started it does, however that was ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that started it
    signal.signal(signal.SIGTERM, lambda number, _: end_now(128 + number))
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        end_now()


def end_now(code: int = 1) -> None:
    """End this process at once with those that it started; its private folders are removed."""
    end_children()
    remove_private_folders()
    os._exit(code)


@contextmanager
def end_when_terminated() -> Iterator[None]:
    """Have SIGTERM end this process for a while as Ctrl-C does: what is temporary is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)
