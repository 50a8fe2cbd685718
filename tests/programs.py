"""Finds the programs that tests start; where one is missing a test skips, or fails in CI."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def missing(sentence: str) -> None:
    """Skip the test with this sentence, or fail with it where `CI=true` promises everything."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def program(name: str) -> str:
    """The path of a program beside this Python or on PATH."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if found is None:
        missing(f"{name} is not installed: `make setup` installs it, except node and npm.")
    return str(found)


def run(
    *command: str | Path, folder: Path | None = None, text: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its output taken as text."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        input=text,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
