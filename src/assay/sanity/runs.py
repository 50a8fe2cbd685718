"""pytest in two processes side by side: for the properties of assay, and for the author's tests.

Nothing that the repository configures reaches the first: no `conftest.py`, no options, no plugins
but assay's and Hypothesis' own, no environment variables of either. The model's own code runs
there, as a model must, and what it did to the counts shows in them. Both end with this process.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from assay.errors import NotCarriedOutError
from assay.processes import lifeline
from assay.sanity.suites import GO, MARKER, PLUGIN, WITHHOLD, property_files

HYPOTHESIS = "_hypothesis_pytestplugin"
SETTINGS = "[pytest]\naddopts = --strict-markers\n"
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_NO_PLUGINS": "1"}

Content = dict[str, Any]


def run_both(
    root: Path, bundle: Path, loader: str, *, fast: bool
) -> tuple[Content, Content | None]:
    """Run the properties of assay, and the repository's own tests, if it has any.

    The slow suite of the second waits for the first to end, and is left out once that one failed.

    Raises:
        NotCarriedOutError: a pytest ended without a record, or no property could be tested.
    """
    from assay.progress import counting

    options = [f"--rootdir={root}", "-p", PLUGIN, "-p", "no:cacheprovider", "-v"]
    options += ["-m", f"not {MARKER}"] if fast else []
    options += [f"--assay-bundle={bundle.resolve()}", f"--assay-loader={loader}"]
    with (
        counting("sanity", unit=" properties", leave=False) as progress,
        tempfile.TemporaryDirectory() as folder,
    ):
        ours = _ours(Path(folder))
        if not (root / "tests").is_dir():
            with _started([*ours, *options], root, ALONE, progress) as kit:
                return _ready(kit.content()), None
        with (
            _started([*_authors(root), *options], root, {}, progress) as own,
            _started([*ours, *options], root, ALONE, progress) as kit,
        ):
            first = _ready(kit.content())
            os.write(own.writing, WITHHOLD if first["withheld"] else GO)
            return first, _without_withheld(own.content(), withheld=first["withheld"])


def _ours(folder: Path) -> list[str]:
    """The command of the properties of assay, where nothing of the repository configures pytest."""
    settings = folder / "pytest.ini"
    settings.write_text(SETTINGS, encoding="utf-8")
    own = ["--noconftest", "-c", str(settings), "-p", HYPOTHESIS]
    # -P: no file of the repository's folder stands for pytest or Hypothesis
    return [sys.executable, "-P", "-m", "pytest", *map(str, property_files()), *own]


def _authors(root: Path) -> list[str]:
    """The command of the repository's own tests.

    The properties of assay are collected beside them, as plain `pytest` does, and not run.
    """
    command = [sys.executable, "-m", "pytest", *map(str, property_files()), str(root / "tests")]
    # named, as pytest would look for it above all files, of which assay's may lie elsewhere
    command += ["-c", str(root / "pyproject.toml")] if (root / "pyproject.toml").is_file() else []
    return [*command, "--assay-own", "--continue-on-collection-errors"]


def _without_withheld(content: Content, *, withheld: bool) -> Content:
    tests = [test for test in content["tests"] if not (withheld and test["slow"])]
    return content | {"tests": tests}


def _ready(content: Content) -> Content:
    # a bundle that cannot be loaded says nothing about the model
    fast = [test for test in content["tests"] if not test["slow"]]
    stuck = [test for test in fast if test["stage"] == "setup"]
    broken = [test for test in stuck if test["outcome"] == "failed"]
    if broken and len(stuck) == len(fast):
        raise NotCarriedOutError(
            f"no property could be tested: {broken[0]['message'][:800]}",
            code="sanity.nothing-tested",
        )
    return content


@dataclass(frozen=True)
class _Run:
    """A pytest that was started: `writing` is where it listens."""

    process: "subprocess.Popen[str]"
    record: Path
    writing: int
    printed: "Future[str]"

    def content(self) -> Content:
        """Wait for its record."""
        printed, code = self.printed.result(), self.process.wait()
        if not self.record.is_file():
            raise NotCarriedOutError(
                f"pytest ended with code {code} before it could report: "
                f"{' '.join(printed.split())[-600:]}",
                code="sanity.no-record",
            )
        return dict(json.loads(self.record.read_text(encoding="utf-8")))


@contextmanager
def _started(
    command: Sequence[str], root: Path, variables: dict[str, str], progress: Any
) -> Iterator[_Run]:
    """Start pytest with the file for its record; it is ended where the context ends before it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(1) as beside,
        lifeline() as (reading, writing),
    ):
        record = Path(folder) / "record.json"
        process = subprocess.Popen(
            [*command, f"--assay-lifeline={reading}", f"--assay-record={record}"],
            cwd=root,
            env=_environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=[reading],
            process_group=0,
        )
        try:
            yield _Run(process, record, writing, beside.submit(_read, process.stdout, progress))
        finally:
            if process.poll() is None:
                # with those of its own, which would hold on to what it prints to
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read(lines: IO[str] | None, progress: Any) -> str:
    """All that pytest prints; the bar counts its tests."""
    printed = []
    for line in lines or ():
        printed.append(line)
        progress.update("::" in line and "%]" in line)
    return "".join(printed)


def _environment() -> dict[str, str]:
    # a user's own options of pytest and Hypothesis must not change what is run
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "HYPOTHESIS_"))
    }
    source = str(Path(__file__).parents[2])
    paths = [source, kept["PYTHONPATH"]] if kept.get("PYTHONPATH") else [source]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
