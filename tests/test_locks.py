"""The locks hold what was meant, pinned by digest, and name no index."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from conftest import ROOT, TEMPLATE

LOCKS = (TEMPLATE / "requirements.lock", ROOT / "requirements-dev.lock")
DIGEST = r"--hash=sha256:[0-9a-f]{64}"
FLOORS = {
    "great-expectations": "1",
    "matminer": "0.10",
    "mlflow": "3",
    "scikit-learn": "1.9",
}


def pins(lock: str) -> list[tuple[Requirement, int]]:
    """Every requirement of a lock with the number of its hashes."""
    entries = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE)).splitlines()
    return [
        (Requirement(entry.split("--hash")[0]), len(re.findall(DIGEST, entry))) for entry in entries
    ]


def versions(lock: Path) -> dict[str, set[Version]]:
    """The pinned versions by name; a universal lock may hold several of one."""
    found: dict[str, set[Version]] = {}
    for requirement, _ in pins(lock.read_text()):
        found.setdefault(requirement.name, set()).add(Version(str(requirement.specifier)[2:]))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_everything_is_pinned_by_digest(lock):
    """Each entry is one exact version with at least one SHA-256."""
    entries = pins(lock.read_text())
    assert len(entries) > 40
    for requirement, hashes in entries:
        assert str(requirement.specifier).startswith("=="), requirement
        assert hashes, requirement


def test_missing_digest_is_noticed():
    """The reading of locks sees an entry without a hash."""
    assert pins("a==1 \\\n    --hash=sha256:" + "0" * 64 + "\nb==2\n")[1][1] == 0


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_no_address_in_lock(lock):
    """No index, file or repository address and no absolute path stands in a lock."""
    text = lock.read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert not re.search(r"\s/\w", text)


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_current_libraries(name, floor):
    """The lock holds no ancient version of what the design leans on."""
    found = versions(TEMPLATE / "requirements.lock")[name]
    assert all(version >= Version(floor) for version in found)
    assert all(version.major == Version(floor).major for version in found)


def test_locks_agree():
    """Both locks go into one environment: what they share has one version."""
    first, second = map(versions, LOCKS)
    assert {name: first[name] for name in first.keys() & second.keys()} == {
        name: second[name] for name in first.keys() & second.keys()
    }


def projects() -> tuple[dict, dict]:
    """What the package and a generated repository say of themselves in their `pyproject.toml`."""
    package, made = (
        tomllib.loads((folder / "pyproject.toml").read_text()) for folder in (ROOT, TEMPLATE)
    )
    return package, made


def unfulfilled(locked: dict[str, set[Version]], package: dict, made: dict) -> list[str]:
    """What the package, its extras, or a repository asks for and the lock does not hold so."""
    own = package["project"]
    groups = [one for one in made["dependency-groups"]["dev"] if not one.startswith(own["name"])]
    extras = [one for extra in own["optional-dependencies"].values() for one in extra]
    wanted = [*own["dependencies"], *extras, *made["project"]["dependencies"], *groups]
    return [
        text
        for text, one in zip(wanted, map(Requirement, wanted), strict=True)
        if not _holds(locked.get(canonicalize_name(one.name)), one)
    ]


def _holds(found: set[Version] | None, wanted: Requirement) -> bool:
    return bool(found) and all(version in wanted.specifier for version in found)


def test_lock_fulfils_pyproject():
    """The lock holds what assay, its extras and a generated repository ask for, within bounds."""
    locked, (package, made) = versions(TEMPLATE / "requirements.lock"), projects()
    assert unfulfilled(locked, package, made) == []
    del locked["dask"]
    locked["typer"] = {Version("0.1")}
    assert [Requirement(one).name for one in unfulfilled(locked, package, made)] == [
        "typer",
        "dask",
    ]


def test_no_repository_takes_the_name_of_a_dependency():
    """What is installed beside a repository is no name that the hook lets it have."""
    package, made = projects()
    hook = (ROOT / "hooks" / "pre_gen_project.py").read_text()
    taken = re.search(r'INSTALLED = """(.*?)"""', hook, re.DOTALL)[1].split()
    own = package["project"]
    needed = [*own["dependencies"], *own["optional-dependencies"]["cluster"]]
    needed += [*made["project"]["dependencies"], *made["dependency-groups"]["dev"]]
    assert {Requirement(one).name.replace("-", "_") for one in needed} <= set(taken)


def test_repository_asks_for_every_extra():
    """A repository asks for each extra of the package, so that `make lock` keeps its packages."""
    package, made = projects()
    (own,) = (
        one
        for one in map(Requirement, made["dependency-groups"]["dev"])
        if one.name == package["project"]["name"]
    )
    assert own.extras == package["project"]["optional-dependencies"].keys() == {"cluster"}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_lock_installs(version, tmp_path):
    """Wheels or sources for this Python are found for everything in the lock."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--require-hashes"]
    done = subprocess.run(
        [*command, "--python-version", version, "--target", tmp_path, "-r", LOCKS[0]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stderr
