"""The job `score` of score.yml in this process: `assay score`, then `assay report --post`.

One folder stands for the runner and for GitHub: `checkout` is main, `origin.git` holds the
ledger, `temp/handover` is what a gate's run handed over, `github` what the API was told, and
`runner` holds the files that a step may write to. Whatever the two verbs leave lies in it.
"""

import datetime as dt
import importlib
import json
import logging
import os
import pkgutil
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import assay
from assay.cli import main
from assay.layout import Handover, Layout
from assay.ledger.record import Ledger, read_ledger
from github_server import GithubServer
from sealed import seal_labels
from toy import git, labels_of

NAME = "group/toy"
HEAD = "c" * 40
PULL = 7
NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
STAMP = NOW.isoformat(timespec="seconds")
PARTS = ("schema", "sanity", "candidate", "bundle")
RUNNER_FILES = ("STEP_SUMMARY", "OUTPUT", "ENV", "PATH", "STATE")

# What the runner takes for a command, on either stream: a line that begins with `::`, else `##[`
# wherever it stands (actions/runner, ActionCommand.cs: TryParseV2, then TryParse).
_LINE = re.compile(r"\s*::[a-z-]+[^:]*::")
_ANYWHERE = re.compile(r"##\[[a-z-]+[^\]]*\]")


@dataclass(frozen=True)
class Observation:
    """Everything that anybody could look at afterwards, but for how long it took.

    `files` has mode and content of every file and the target of every link, by path.
    """

    files: dict[str, tuple[int, bytes]]
    codes: tuple[int, ...]
    printed: str
    logged: tuple[str, ...]

    def text(self, *parts: str) -> str:
        """The content of a file."""
        return self.files["/".join(parts)][1].decode()

    def json(self, *parts: str) -> Any:
        """The content of a JSON file."""
        return json.loads(self.text(*parts))

    @property
    def everything(self) -> bytes:
        """All that was printed, logged and written, in one piece."""
        said = "\n".join([self.printed, *self.logged]).encode()
        return b"\n".join([said, *(content for _, content in self.files.values())])


def commands(text: str) -> list[str]:
    """What a runner would take for commands in a step's output."""
    found = (_LINE.match(line) or _ANYWHERE.search(line) for line in text.splitlines())
    return [command.group().strip() for command in found if command]


def look(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file below a folder; a link is told by its target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = (0, os.fsencode(path.readlink()))
        elif path.is_file():
            mode = path.stat().st_mode
            found[path.relative_to(folder).as_posix()] = (mode, path.read_bytes())
    return found


class TrustedJob:
    """The runner, main's checkout, and GitHub, in one folder that can be put back as it was."""

    def __init__(self, folder: Path, server: GithubServer, toy: Path) -> None:
        """Seal a trained toy and lay out its pull request: nothing is scored yet.

        `labels` has all labels by row id, as they were before.
        """
        self.folder, self.server, self.labels = folder, server, labels_of(toy)
        seal_labels(Layout(toy))
        for name in ("temp", "home", "runner"):
            (folder / name).mkdir()
        shutil.copytree(toy, self.checkout, symlinks=True)
        for name in PARTS:
            source = self.checkout / "out" / name
            shutil.move(source, self.handover.folder / name)
        git(self.checkout, "clone", "--quiet", "--bare", ".", str(folder / "origin.git"))
        git(self.checkout, "remote", "add", "origin", str(folder / "origin.git"))
        self.trigger(event="pull_request", head_branch="idea", head_sha=HEAD)
        pull = {"number": PULL, "state": "open", "head": {"sha": HEAD}}
        server.state.write("pulls.json", [pull])

    @property
    def checkout(self) -> Path:
        """Main's working copy."""
        return self.folder / "checkout"

    @property
    def handover(self) -> Handover:
        """What was handed over."""
        return Handover(self.folder / "temp" / "handover")

    @property
    def ledger(self) -> Ledger:
        """The ledger on the remote."""
        return read_ledger(self.checkout, "origin")

    def trigger(self, **fields: object) -> None:
        """Have another run of the gate be the one to score."""
        run = {"head_repository": {"full_name": NAME}, **fields}
        (self.folder / "event.json").write_text(json.dumps({"workflow_run": run}))

    def trigger_main(self) -> None:
        """Have main's own run be the one to score."""
        head = git(self.checkout, "rev-parse", "HEAD")
        self.trigger(event="push", head_branch="main", head_sha=head)

    def told(self, name: str, default: Any = None) -> Any:
        """What the API was told: `statuses`, `comments` or `releases`."""
        return self.server.state.read(f"{name}.json", default)

    def environment(self) -> dict[str, str]:
        """The variables of a step, with git's own clock stopped."""
        files = {f"GITHUB_{name}": str(self.folder / "runner" / name) for name in RUNNER_FILES}
        dates = {f"GIT_{role}_DATE": STAMP for role in ("AUTHOR", "COMMITTER")}
        return {
            **files,
            **dates,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_OPTIONAL_LOCKS": "0",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.server.url,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_RUN_ID": "41",
            "GITHUB_SERVER_URL": "https://github.invalid",
            "GITHUB_TOKEN": "token-of-the-run",
            "HOME": str(self.folder / "home"),
            "RUNNER_TEMP": str(self.folder / "temp"),
        }

    def run(self, capfd: pytest.CaptureFixture[str], *, report: bool = True) -> Observation:
        """Do what the steps Score and, unless told otherwise, Report do, and look at everything."""
        capfd.readouterr()
        handover = ("--handover", str(self.handover.folder))
        with pytest.MonkeyPatch.context() as patch, _heard() as logged:
            for key, value in self.environment().items():
                patch.setenv(key, value)
            patch.chdir(self.checkout)
            patch.setattr(tempfile, "tempdir", str(self.folder / "temp"))
            _stop_clocks(patch)
            codes = [_step(patch, "score", *handover, "--remote", "origin", "--publish")]
            if report:
                codes.append(_step(patch, "report", *handover, "--post"))
        printed = "".join(capfd.readouterr())
        return Observation(look(self.folder), tuple(codes), printed, tuple(logged))


def _step(patch: pytest.MonkeyPatch, *arguments: str) -> int:
    patch.setattr(sys, "argv", ["assay", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Everything that is logged at any level, and every warning of Python."""
    heard: list[str] = []
    handler = logging.Handler(0)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(0)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield heard
        heard += [str(warning.message) for warning in warned]
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def _stop_clocks(patch: pytest.MonkeyPatch) -> None:
    """Have it be NOW in every module of the machinery, wherever it asks."""
    moment = SimpleNamespace(now=lambda _=None: NOW)
    stopped = SimpleNamespace(**{**vars(dt), "datetime": moment})
    for _, name, _ in pkgutil.walk_packages(assay.__path__, "assay."):
        if name not in {"assay.__main__", "assay.sanity.plugin"}:
            module = importlib.import_module(name)
            if getattr(module, "dt", None) is dt:
                patch.setattr(module, "dt", stopped)
    patch.setattr(time, "time", NOW.timestamp)
    patch.setattr(time, "sleep", lambda _: None)  # PyGithub waits a second before each write


@pytest.fixture
def job(toy: Path, tmp_path: Path, laptop: None) -> Iterator[TrustedJob]:
    """A sealed toy's pull request, ready to be scored against the baseline."""
    folder = tmp_path / "job"
    folder.mkdir()
    with GithubServer(folder / "github") as server:
        yield TrustedJob(folder, server, toy)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report's page without its pictures, which take most of the time; test_page.py has them."""
    monkeypatch.setattr("assay.report.page.pictures", lambda _: [])
