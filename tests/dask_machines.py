"""Dask schedulers and workers on the loopback, each a process of its own, for tests."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from toy import environment

QUIET = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}


class Machines:
    """Starts processes in a folder, and ends what is left of them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Keep everything in a folder."""
        self.folder, self._stack, self._started = folder, stack, 0

    def scheduler(self) -> tuple[subprocess.Popen, str]:
        """A scheduler that listens, and its address."""
        file = self.folder / f"scheduler-{self._started}.json"
        process = self._start(
            "distributed.cli.dask_scheduler",
            *("--port", "0", "--scheduler-file", file, "--dashboard-address", "127.0.0.1:0"),
        )
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), process)
        return process, json.loads(file.read_text())["address"]

    def worker(
        self, address: str, *options: str, folder: Path | None = None, **variables: str
    ) -> subprocess.Popen:
        """A worker with one thread, which may not yet have arrived; it has no nanny."""
        return self._start(
            "distributed.cli.dask_worker",
            address,
            *("--nthreads", "1", "--no-nanny", "--local-directory", self.folder, *options),
            folder=folder,
            variables=variables,
        )

    def _start(
        self,
        module: str,
        *options: object,
        folder: Path | None = None,
        variables: Mapping[str, str] = {},
    ) -> subprocess.Popen:
        self._started += 1
        with (self.folder / f"{self._started}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--host", "127.0.0.1", "--no-dashboard", *options],
                cwd=folder or self.folder,
                env=environment(**QUIET, **variables),
                stdout=log,
                stderr=log,
            )
        self._stack.callback(end, process)
        return process


def end(process: subprocess.Popen) -> None:
    """Kill a process that may have been stopped, or be over."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def machines_in(folder: Path) -> Iterator[Machines]:
    """Machines whose processes are gone in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield Machines(folder, stack)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """Machines for one test."""
    with machines_in(tmp_path / "machines") as found:
        yield found


def wait_for(holds, process: subprocess.Popen | None = None, seconds: float = 60) -> None:
    """Wait until something holds, while a process runs."""
    end_of_it = time.monotonic() + seconds
    while not holds():
        assert process is None or process.poll() is None, "it ended"
        assert time.monotonic() < end_of_it, "it takes too long"
        time.sleep(0.02)


def queue_file(folder: Path, **changes: object) -> Path:
    """A file for this machine: one job of two processes, but for the changes."""
    options = {"cores": 2, "memory": "2 GB"}
    content = {"jobqueue": {"local": options}, "assay": {"jobs": 1}} | changes
    path = folder / "queue.yaml"
    path.write_text(yaml.safe_dump(content))
    return path
