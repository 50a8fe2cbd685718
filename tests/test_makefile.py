"""What the Makefile of a generated repository does, whatever lies beside it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import TEMPLATE

PLANTED = "machinery:\n\t@echo planted\n.PHONY: machinery\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Makefile, a lock and a project, all old."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        text = (TEMPLATE / name).read_text() if name == "Makefile" else "# mine\n"
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (1, 1))
    return tmp_path


def dry_run(folder: Path, goal: str = "machinery", **variables: str) -> str:
    """What make would run."""
    environment = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"}
    done = subprocess.run(
        ["make", "--dry-run", goal],
        cwd=folder,
        env=environment | {"MAKEFLAGS": "", "MAKELEVEL": ""} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("name", ["Makefile", "requirements.lock", "pyproject.toml"])
@pytest.mark.parametrize("ending", [".sh", ",v", ".o", ".c", ".y", ".tex"])
def test_no_file_beside_it_decides_what_runs(folder: Path, name: str, ending: str) -> None:
    """Make builds neither the Makefile nor the lock from a newer file that is called like it."""
    before = dry_run(folder, "setup")
    (folder / f"{name}{ending}").write_text(PLANTED)
    assert dry_run(folder, "setup") == before
    assert "planted" not in dry_run(folder)


def test_built_in_rules_would(folder: Path) -> None:
    """Without its guard the Makefile is built from Makefile.sh."""
    makefile = folder / "Makefile"
    text = re.sub(r"^\.SUFFIXES:\n.*: ;\n", "", makefile.read_text(), flags=re.MULTILINE)
    makefile.write_text(text)
    os.utime(makefile, (1, 1))
    (folder / "Makefile.sh").write_text(PLANTED)
    assert "planted" in dry_run(folder)


def test_uv_takes_no_settings_of_a_branch_on_github(folder: Path) -> None:
    """On GitHub uv reads no uv.toml; elsewhere a group's own index may stand there."""
    commands = [
        line for line in dry_run(folder, GITHUB_ACTIONS="true").splitlines() if "uv " in line
    ]
    asked = re.findall(r"\buv (?:venv|pip)|\buv --no-config (?:venv|pip)", "\n".join(commands))
    assert len(asked) == 2
    assert all("--no-config" in one for one in asked)
    assert "--no-config" not in dry_run(folder)


def test_what_builds_packages_is_locked(folder: Path) -> None:
    """The lock constrains, by hash, what a package that is built from source is built with."""
    assert "--build-constraints .venv/build.lock" in dry_run(folder)
    lock = (TEMPLATE / "requirements.lock").read_text()
    assert re.search(r"^setuptools==[\d.]+ \\\n +--hash=sha256:", lock, re.MULTILINE)
