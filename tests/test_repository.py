"""A repository is one value: where a verb begins, and in the signature of whatever it calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.repository import Repository, read_repository
from assay.settings import parse_settings
from toy import SETTINGS, commit, git

SOURCE = Path(__file__).parents[1] / "src" / "assay"
# what a repository is or holds, as signatures call it; main's settings are called `main`
PARTS = {"repository", "root", "layout", "settings"}
STRICT = '[data]\nmaximum_shift = 0.3\n[severity]\n"columns" = "failure"\n'
LOOSE = '[data]\nmaximum_shift = 9.0\n[severity]\n"columns" = "warning"\n[model]\nseed = 7\n'


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A change that loosens the limits of main and gives the model another seed."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "assay.toml").write_text(SETTINGS + STRICT)
    commit(tmp_path, "Begin")
    git(tmp_path, "switch", "--quiet", "--create", "idea")
    (tmp_path / "assay.toml").write_text(SETTINGS + LOOSE)
    return tmp_path


def test_settings_of_the_change_of_main_and_in_force_stay_apart(changed: Path) -> None:
    """A change has its own settings, main its own, and the checks have main's limits."""
    own = read_repository(changed)
    checked = own.in_force
    assert own.settings == parse_settings(SETTINGS + LOOSE)
    assert own.base.settings == checked.base.settings == parse_settings(SETTINGS + STRICT)
    assert (checked.root, checked.settings.model.seed) == (changed, 7)
    assert checked.settings.data.maximum_shift == 0.3
    assert checked.settings.severity == {"columns": "failure"}


def test_the_file_is_read_once(changed: Path) -> None:
    """Whatever becomes of assay.toml while a verb runs, the verb goes by what it began with."""
    own = read_repository(changed)
    (changed / "assay.toml").write_text("broken = ")
    assert own.settings == parse_settings(SETTINGS + LOOSE)
    assert own.in_force.settings.model.seed == 7


def test_its_paths_follow_from_its_root(tmp_path: Path) -> None:
    """Layout, handover and base branch are those of one and the same folder."""
    own = Repository(tmp_path, parse_settings(SETTINGS))
    assert own.layout.root == own.base.root == tmp_path
    assert own.handover.folder == own.layout.out


def threaded(tree: ast.Module) -> Iterator[str]:
    """The functions that take two or more of a repository and its parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            words = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if len(PARTS & {word.arg for word in words}) > 1:
                yield node.name


def test_no_function_takes_the_parts_of_a_repository() -> None:
    """Whoever needs two of root, layout, settings and base branch takes the repository."""
    found = [
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        for name in threaded(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_a_function_that_takes_them_apart_is_seen() -> None:
    """Planted: two parts beside each other, or a repository beside one of its parts."""
    planted = ast.parse(
        "def one(root, settings): ...\n"
        "def two(layout, rows, settings): ...\n"
        "def three(path, settings, main): ...\n"
        "def four(repository, *, layout): ...\n"
    )
    assert list(threaded(planted)) == ["one", "two", "four"]
