"""What the Makefile of a generated repository does, whatever lies beside it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import TEMPLATE

# stands for uv: a list of what it installs, unless it is asked to be quiet
UV = """#!/bin/sh
[ "$1" != venv ] || { mkdir -p .venv/bin && cp "$0" .venv/bin/uv; }
case "$* " in --version*|*" --quiet "*) ;; *) echo " + numpy"; echo " + scipy" ;; esac
case "$PWD $*" in */failed*" -r "*) echo "error: no numpy" >&2; exit 1 ;; esac
"""
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


def set_up(folder: Path, makefile: Path) -> subprocess.CompletedProcess[str]:
    """Run `make setup` with the stand-in for uv."""
    for place in (folder, folder / TEMPLATE.name):
        place.mkdir(parents=True, exist_ok=True)
        for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
            (place / name).touch()
    (folder / "Makefile").write_text(makefile.read_text())
    uv = folder / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    path = f"{uv.parent}{os.pathsep}{os.environ['PATH']}"
    clean = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"}
    return subprocess.run(
        ["make", "setup"],
        cwd=folder,
        env=clean | {"PATH": path, "MAKEFLAGS": "", "MAKELEVEL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("makefile", [TEMPLATE / "Makefile", TEMPLATE.parent / "Makefile"])
def test_setup_lists_no_packages_and_every_error(tmp_path: Path, makefile: Path) -> None:
    """`make setup` prints a line for each thing to install, not each package; errors are shown."""
    done = set_up(tmp_path / "fine", makefile)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert 1 <= len(lines) <= 2
    assert all(line.startswith("Installing ") and line.endswith(" done.") for line in lines)
    failed = set_up(tmp_path / "failed", makefile)
    assert failed.returncode != 0
    assert "error: no numpy" in failed.stdout


def test_a_list_that_is_there_is_predicted(folder: Path) -> None:
    """`make predict` takes the example's candidates in the example, and elsewhere the pool."""
    assert 'predict "data/pool.csv"' in dry_run(folder, "predict")
    (folder / "data" / "candidates").mkdir(parents=True)
    (folder / "data" / "candidates" / "transport.csv").write_text("formula\nNaCl\n")
    assert 'predict "data/candidates/transport.csv"' in dry_run(folder, "predict")
    assert 'predict "my.csv"' in dry_run(folder, "predict", LIST="my.csv")
