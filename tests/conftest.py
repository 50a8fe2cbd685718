"""Renderings of the template and working copies of it, for all tests."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from assay.files import remove_private_folders
from dask_machines import machines  # noqa: F401 (a fixture)
from mini import mini  # noqa: F401 (a fixture)
from once import once
from public_samples import certified_public, public, trained_public  # noqa: F401 (fixtures)
from schedule import (  # noqa: F401 (hooks)
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_report_header,
    pytest_runtest_makereport,
)
from schema_samples import sound  # noqa: F401 (a fixture)
from toy import certified, certified_toy, laptop, toy, trained_toy  # noqa: F401 (fixtures)
from trusted_job import job, undrawn  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "<<cookiecutter.project>>"

# speed is measured in benchmarks/; on a busy machine any example may take its time
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# a shell starts what runs in its background deaf to Ctrl-C, and so would be what tests interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)

# imports from the template's tree would leave caches in it, which cookiecutter copies
sys.dont_write_bytecode = True


def pytest_unconfigure() -> None:
    """Remove the copies of models, since a process of xdist ends without what `atexit` was told."""
    remove_private_folders()


@dataclass(frozen=True)
class Baked:
    """What cookiecutter did: its exit code and all it printed, and where the repository is."""

    code: int
    printed: str
    repository: Path


Bake = Callable[..., Baked]


def neutral_environment(home: Path) -> dict[str, str]:
    """The environment of a person who has configured nothing: no git identity, no home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def bake_into(folder: Path, home: Path, **answers: str) -> Baked:
    """Run cookiecutter without questions, with the answers that are given."""
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", "-o", str(folder)]
    done = subprocess.run(
        [*command, *(f"{question}={answer}" for question, answer in answers.items())],
        env=neutral_environment(home) | {"PWD": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    repository = folder / answers.get("project", "formation-enthalpy")
    return Baked(done.returncode, done.stdout + done.stderr, repository)


@pytest.fixture
def bake(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Render into `tmp_path`: `bake(project="x")` gives a `Baked`."""
    home = tmp_path_factory.mktemp("home")
    return lambda **answers: bake_into(tmp_path, home, **answers)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default repository, committed once on main; only to be read."""

    def make(folder: Path) -> None:
        baked = bake_into(folder, tmp_path_factory.mktemp("home"))
        assert baked.code == 0, baked.printed

    return once(tmp_path_factory, "rendered", make) / "formation-enthalpy"


@pytest.fixture
def repository(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the default repository that a test may change."""
    return Path(shutil.copytree(rendered, tmp_path / "formation-enthalpy"))


def shorten(table: Path, rows: int) -> None:
    """Keep the header and evenly spread rows of a CSV, about as many as asked for."""
    header, *lines = table.read_text().splitlines(keepends=True)
    step = max(1, len(lines) // rows)
    table.write_text("".join([header, *lines[::step][:rows]]))


def git(repository: Path, *arguments: str) -> str:
    """Run git in a repository as a fixed person, whatever is configured here; gives its output."""
    identity = ["-c", "user.name=A. Tester", "-c", "user.email=tester@localhost"]
    neutral = ["-c", "core.hooksPath=", "-c", "commit.gpgSign=false"]
    done = subprocess.run(
        ["git", *identity, *neutral, *arguments],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(repository: Path, message: str) -> str:
    """Commit everything and give the commit's id."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", message)
    return git(repository, "rev-parse", "HEAD")


def find_python(version: str) -> Path | None:
    """An interpreter of a minor version such as 3.12: on PATH, from uv, or from pyenv."""
    places = [
        shutil.which(f"python{version}"),
        *sorted(map(str, pyenv_root().glob(f"versions/{version}.*/bin/python"))),
        *sorted(map(str, uv_pythons().glob(f"cpython-{version}.*/bin/python{version}"))),
    ]
    found = (executable(place, version) for place in places if place)
    return next((path for path in found if path), None)


def pyenv_root() -> Path:
    """Where pyenv keeps interpreters."""
    return Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def uv_pythons() -> Path:
    """Where uv keeps interpreters."""
    default = Path.home() / ".local" / "share" / "uv" / "python"
    return Path(os.environ.get("UV_PYTHON_INSTALL_DIR", default))


def executable(place: str, version: str) -> Path | None:
    """The interpreter behind a path, if it runs and is of that version (a pyenv shim may not)."""
    code = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    done = subprocess.run([place, "-c", code], capture_output=True, text=True, check=False)
    told, _, path = done.stdout.strip().partition(" ")
    return Path(path) if told == version else None
