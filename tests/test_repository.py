"""A repository is one value: where a verb begins, and in the signature of whatever it calls."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.repository import BaseBranch, Repository, read_repository
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


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Main as a run of its push checks it out: the second of two commits, which loosens limits."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "assay.toml").write_text(SETTINGS + STRICT)
    commit(tmp_path, "Begin")
    (tmp_path / "assay.toml").write_text(SETTINGS + LOOSE)
    commit(tmp_path, "Loosen")
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    return tmp_path


def _event(monkeypatch: pytest.MonkeyPatch, folder: Path, **content: object) -> None:
    path = folder / ".git" / "event.json"
    path.write_text(json.dumps(content))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))


def test_a_push_to_main_is_compared_with_main_before_it(pushed: Path) -> None:
    """Main is never compared with itself, while the limits in force are its own."""
    base = read_repository(pushed).base
    assert base.content(pushed / "assay.toml") == (SETTINGS + STRICT).encode()
    assert base.changed_files("assay.toml") == ["assay.toml"]
    assert base.settings == parse_settings(SETTINGS + STRICT)
    assert read_repository(pushed).in_force.settings == parse_settings(SETTINGS + LOOSE)


def test_a_push_of_several_commits_is_compared_with_what_was_there(
    pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub names the commit before the push; one that this clone lacks is not waited for."""
    first = git(pushed, "rev-parse", "HEAD^1")
    commit(pushed, "Further")
    _event(monkeypatch, pushed, before=first)
    assert (BaseBranch(pushed).revision, BaseBranch(pushed).start) == (first, first)
    _event(monkeypatch, pushed, before="f" * 40)
    assert BaseBranch(pushed).revision == "HEAD^1"


def test_a_first_push_is_compared_with_nothing(
    pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where main is new there was none before, however many commits it has."""
    _event(monkeypatch, pushed, before="0" * 40)
    assert BaseBranch(pushed).revision is None
    assert BaseBranch(pushed).changed_files("assay.toml") == []


def test_a_change_begins_behind_main(changed: Path) -> None:
    """Commits of a branch count from main on, and main's own last commit counts from its parent."""
    commit(changed, "Loosen")
    commit(changed, "Further")
    assert BaseBranch(changed).start == "refs/heads/main"
    git(changed, "branch", "--force", "main", "idea")
    assert BaseBranch(changed).start == "HEAD^1"


def test_a_merge_queue_is_checked_by_what_it_builds_on(
    pushed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a queue would merge is a change like others: main's limits are in force."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "merge_group")
    first = git(pushed, "rev-parse", "HEAD^1")
    _event(monkeypatch, pushed, merge_group={"base_sha": first})
    assert BaseBranch(pushed).revision == first
    assert read_repository(pushed).in_force.settings.data.maximum_shift == 0.3
    _event(monkeypatch, pushed, merge_group={"base_sha": "f" * 40})
    assert BaseBranch(pushed).revision == "HEAD^1"
    BaseBranch(pushed).require()
