"""A repository with public evidence, from a table of 120 rows to a certified model."""

import shutil
from pathlib import Path

import pytest

from assay.layout import Handover, Layout
from assay.repository import read_repository
from assay.scoring.score import score
from mini import CATIONS
from once import once
from toy import MODEL, PACKAGE, SETTINGS, add_checks, assay, commit, git, target_of, write_rows

TABLE = "mine.csv"
FORMULAS = [f"{c}{n}{a}" for c in CATIONS for a in ("O", "S", "F", "Cl", "N") for n in ("", 2, 3)]
FORMULAS.remove("NaN")  # a missing value, as most tables write it
INIT = ("init", TABLE, "--evidence", "public", "--target", "energy [eV/atom]")


def make(root: Path) -> Path:
    """Write the repository and the table, initialise it with public evidence, and commit."""
    package = root / "src" / PACKAGE
    package.mkdir(parents=True)
    (root / "data").mkdir()
    (package / "__init__.py").write_text('"""The toy."""\n')
    (package / "model.py").write_text(MODEL)
    (root / "assay.toml").write_text(SETTINGS)
    (root / ".gitignore").write_text(f"/out/\n/.assay/\n__pycache__/\n/{TABLE}\n")
    rows = zip(FORMULAS, target_of(FORMULAS), strict=True)
    write_rows(root / TABLE, ["formula", "energy [eV/atom]"], rows)
    git(root, "init", "--quiet", "--initial-branch=main")
    done = assay(root, *INIT)
    assert done.returncode == 0, done.stdout + done.stderr
    commit(root, "Take in the data")
    return root


def train(root: Path) -> Handover:
    """Train the model of the checkout, and hand over checks that passed."""
    done = assay(root, "train")
    assert done.returncode == 0, done.stderr
    handover = Handover(Layout(root).out)
    add_checks(handover)
    return handover


@pytest.fixture(scope="session")
def trained_public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, initialised and trained on main; only to be read."""

    def prepare(folder: Path) -> None:
        train(make(folder / "mine"))

    return once(tmp_path_factory, "public", prepare) / "mine"


@pytest.fixture
def public(trained_public: Path, tmp_path: Path, laptop: None) -> Path:
    """A copy of it that a test may change; nothing is scored yet."""
    return Path(shutil.copytree(trained_public, tmp_path / "mine"))


@pytest.fixture
def certified_public(public: Path) -> Path:
    """The same with main's own run scored: the first model is certified."""
    root = public
    assert score(read_repository(root), Handover(Layout(root).out), None).certified
    return root
