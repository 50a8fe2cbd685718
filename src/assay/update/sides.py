"""A commit with a machinery of its own: a clone in a temporary folder, in which verbs are run."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.commits import run_git
from assay.layout import Layout
from assay.ledger.branches import REF

# what a verb would take for a workflow's run, or send results to
FOREIGN = ("GITHUB_", "MLFLOW_", "PYTHONPATH", "GIT_")
ASK = (
    "import importlib.metadata as m, json;"
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)


@dataclass(frozen=True)
class Done:
    """How a verb ended: its exit code, and the sentence that it ended with."""

    code: int
    sentence: str


@dataclass(frozen=True)
class Side:
    """A clone at `root`, and the folder that holds the package `assay` it is run with."""

    root: Path
    machinery: Path
    python: Path

    def run(self, *words: str) -> Done:
        """Run a verb in the clone, with nothing of the folder that the person stands in."""
        done = subprocess.run(
            [str(self.python), "-P", "-m", "assay", *words],
            cwd=self.root,
            env=environment() | {"PYTHONPATH": str(self.machinery)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return Done(done.returncode, sentence_of(done.stderr))


def sentence_of(printed: str) -> str:
    """The sentence that a verb ended with on standard error, or the error where it crashed."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    told = [number for number, line in enumerate(lines) if line.startswith("assay")]
    if not told:
        return lines[-1] if lines else "no message"
    if any(line.startswith("Traceback (") for line in lines) and told[-1]:
        return lines[told[-1] - 1]
    return lines[told[-1]].partition(": ")[2]


def environment() -> dict[str, str]:
    """The person's environment without what would make a verb act beyond its clone."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}


def python_of(root: Path) -> Path:
    """The repository's own Python, or this one where `make setup` was not run."""
    own = root / ".venv" / "bin" / "python"
    return own if own.is_file() else Path(sys.executable)


def clone(root: Path, commit: str, ledger: str | None, folder: Path) -> Path:
    """Check out a commit of the repository in a clone that shares its objects, with the ledger."""
    run_git(root, "clone", "--quiet", "--shared", "--no-checkout", "--", str(root), str(folder))
    quiet = ("-c", "core.hooksPath=", "-c", "advice.detachedHead=false")
    run_git(folder, *quiet, "checkout", "--quiet", "--detach", commit)
    if ledger is not None:
        run_git(folder, "update-ref", REF, ledger)
    return folder


def unpack(wheel: Path, folder: Path) -> Path:
    """The package that a wheel holds, in a folder of its own."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def give_model(side: Side, root: Path, digest: str) -> None:
    """Put a certified model of the repository where the side's verbs look for it."""
    place = Layout(side.root).models / digest
    shutil.copytree(Layout(root).models / digest, place)


def installed(python: Path) -> Mapping[str, str]:
    """The versions of the packages that a Python has, by their names in small letters."""
    done = subprocess.run(
        [str(python), "-I", "-c", ASK], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return {name.lower().replace("_", "-"): version for name, version in found.items() if name}
