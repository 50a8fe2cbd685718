"""Templates that change, and repositories that are updated to them, for the tests of `update`."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from assay import wheels
from assay.update import rendering
from assay.update.update import Order, Report, carry_out
from conftest import ROOT, commit, git, neutral_environment

PARTS = ("cookiecutter.json", "hooks", "src", "pyproject.toml", "LICENSE", rendering.FOLDER)
CACHES = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Ended:
    """How the command ended: its exit code, and what it printed on both channels."""

    code: int
    printed: str
    error: str


def make_template(folder: Path) -> Path:
    """A template of one's own: the files of this one, committed once."""
    folder.mkdir(parents=True)
    for part in PARTS:
        place = ROOT / part
        if place.is_dir():
            shutil.copytree(place, folder / part, ignore=CACHES)
        else:
            shutil.copyfile(place, folder / part)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Begin")
    return folder


def generate(template: Path, folder: Path, home: Path, **answers: str) -> Path:
    """A repository made by a template, as cookiecutter makes it."""
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "-o", str(folder)]
    subprocess.run(
        [*command, *(f"{question}={answer}" for question, answer in answers.items())],
        env=neutral_environment(home) | {"PWD": str(folder)},
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return folder / answers.get("project", "formation-enthalpy")


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a text in a file; an empty old text means the end of the file."""
    path = folder / name
    text = path.read_text()
    assert old in text, f"{name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1) if old else text + new)


def of_template(name: str) -> str:
    """Where the template has a file of the repositories that it makes."""
    return f"{rendering.FOLDER}/{name}"


def update_within(repository: Path, template: Path, **options: bool) -> Report | None:
    """Update in this process: what the new machinery does with the wheel of the template."""
    wheel = rendering.build(template, repository.parent / "built")
    head = git(template, "rev-parse", "HEAD")
    told = {"commit": head, "history": str(template), "train": False} | options
    return carry_out(Order(str(repository), str(template), str(wheel), **told))


def run_update(
    repository: Path, *words: str, python: Path = Path(sys.executable), **variables: str
) -> Ended:
    """Run `assay update` as a person does."""
    environment = neutral_environment(repository.parent) | variables
    done = subprocess.run(
        [str(python), "-m", "assay", "update", *words],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def shown(repository: Path, branch: str, name: str) -> str:
    """A file of a branch."""
    return git(repository, "show", f"{branch}:{name}")


def state(repository: Path) -> tuple[str, str, str, list[str]]:
    """What an update that is refused, or made, leaves as it was: refs, index and work tree."""
    refs = git(repository, "for-each-ref", "--format=%(refname) %(objectname)")
    index = git(repository, "ls-files", "--stage")
    files = sorted(
        f"{path.relative_to(repository)} {path.stat().st_size}"
        for path in repository.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(repository).parts
    )
    return refs, index, git(repository, "status", "--porcelain"), files


def wheel_of(repository: Path) -> Path:
    """The one wheel of a repository."""
    (found,) = (repository / wheels.FOLDER).glob("*.whl")
    return found
