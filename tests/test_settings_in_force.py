"""What is in force of a changed assay.toml: main's limits, and relations of both."""

import pytest

from assay.errors import NotCarriedOutError
from assay.repository import BaseBranch, Repository, in_force
from assay.settings import parse_settings
from toy import SETTINGS, commit, git

RELATION = """[[sanity.symmetric]]
exchange = ["{0}", "{1}"]
tolerance = 0.5
"""


def settings(more: str = "", bounds: str = "lower = -5.0"):
    """The toy's settings with a bound and further tables."""
    return parse_settings(
        SETTINGS.replace('unit = "eV/atom"', f'unit = "eV/atom"\n{bounds}') + more
    )


def test_limits_are_those_of_main():
    """Tolerances, severities and bounds of a change do not count; all else does."""
    main = settings("[data]\nmaximum_shift = 0.3\n")
    ours = settings(
        "[data]\nmaximum_shift = 9.0\n[sanity]\ntolerance = 99.0\n"
        '[severity]\n"columns" = "warning"\n'
        "[model]\nseed = 7\n",
        "lower = -500.0",
    )
    found = in_force(ours, main)
    assert (found.data, found.severity, found.sanity) == (main.data, main.severity, main.sanity)
    assert (found.target.lower, found.model.seed) == (-5.0, 7)
    assert in_force(ours, None) == ours


def test_the_elements_value_of_main_stays():
    """Taking the known value of elements away, or moving it, does not count; declaring it does."""
    known, moved, none = (
        settings(bounds=f"lower = -5.0\n{line}")
        for line in ("element_value = 0.0", "element_value = 3.0", "")
    )
    values = [
        in_force(ours, main).target.element_value
        for ours, main in ((none, known), (moved, known), (known, none), (none, none))
    ]
    assert values == [0.0, 0.0, 0.0, None]


def test_relations_of_both_must_hold():
    """A relation that a change declares is added to main's, and one that it drops stays."""
    main, ours = settings(RELATION.format("Ca", "Sr")), settings(RELATION.format("F", "Cl"))
    exchanges = [one.exchange for one in in_force(ours, main).sanity.symmetric]
    assert exchanges == [("Ca", "Sr"), ("F", "Cl")]


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit on main, and a branch checked out."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "assay.toml").write_text(SETTINGS)
    commit(tmp_path, "Begin")
    git(tmp_path, "switch", "--quiet", "--create", "idea")
    return tmp_path


def test_main_is_read_from_git(repository):
    """The file as main has it, whatever stands in the folder or on the branch."""
    path = repository / "assay.toml"
    assert not BaseBranch(repository).changed_files("assay.toml")
    path.write_text("broken = ")
    commit(repository, "Break it")
    assert BaseBranch(repository).content(path) == SETTINGS.encode()
    assert BaseBranch(repository).settings == parse_settings(SETTINGS)
    assert BaseBranch(repository).changed_files("assay.toml")
    assert not BaseBranch(repository).changed_files("data")
    assert Repository(repository, settings()).tracked_files() == ["assay.toml"]


def test_remote_main_goes_before_ones_own(repository):
    """What counts is main as it was last fetched."""
    git(repository, "update-ref", "refs/remotes/origin/main", git(repository, "rev-parse", "main"))
    git(repository, "switch", "--quiet", "main")
    (repository / "assay.toml").write_bytes(b"mine\r\n")
    commit(repository, "Mine")
    assert BaseBranch(repository).content(repository / "assay.toml") == SETTINGS.encode()
    git(repository, "update-ref", "-d", "refs/remotes/origin/main")
    assert BaseBranch(repository).content(repository / "assay.toml") == b"mine\r\n"


@pytest.mark.parametrize("tag", ["main", "origin/main"])
def test_tag_called_like_main_is_not_main(repository, tag):
    """A tag that loosens the limits stands for neither branch, though git would take it first."""
    git(repository, "update-ref", "refs/remotes/origin/main", git(repository, "rev-parse", "main"))
    (repository / "assay.toml").write_text("broken = ")
    commit(repository, "Break it")
    git(repository, "tag", tag)
    assert BaseBranch(repository).content(repository / "assay.toml") == SETTINGS.encode()
    assert BaseBranch(repository).changed_files("assay.toml")
    if tag == "main":
        git(repository, "update-ref", "-d", "refs/remotes/origin/main")
        assert BaseBranch(repository).content(repository / "assay.toml") == SETTINGS.encode()


def test_changed_files_are_named_from_the_root(repository):
    """A root below git's own names its files as it sees them, renamed ones by both names."""
    root = repository / "below"
    root.mkdir()
    (root / "a b").write_text("one")
    commit(repository, "Add")
    git(repository, "update-ref", "refs/heads/main", "HEAD")
    assert BaseBranch(root).changed_files() == []
    (root / "a b").rename(root / "c")
    git(repository, "add", "-A")
    assert BaseBranch(root).changed_files() == ["a b", "c"]
    assert BaseBranch(root).changed_files("c") == ["c"]


def test_without_git_there_is_no_main(tmp_path):
    """A folder outside of git is measured against nothing."""
    assert BaseBranch(tmp_path).content(tmp_path / "a") is None
    assert BaseBranch(tmp_path).settings is None
    assert not BaseBranch(tmp_path).changed_files("a")
    assert Repository(tmp_path, settings()).tracked_files() == []


@pytest.fixture
def merged(repository):
    """What Actions checks out for a pull request: a merge of main and a change, without names."""
    (repository / "assay.toml").write_text("broken = ")
    commit(repository, "Break it")
    git(repository, "switch", "--quiet", "--detach", "main")
    git(repository, "merge", "--quiet", "--no-ff", "-m", "Merge", "idea")
    git(repository, "branch", "--quiet", "-D", "main", "idea")
    return repository


def test_a_merge_knows_main_as_its_first_parent(merged, monkeypatch):
    """Main's limits are at hand where Actions checked out a pull request."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    BaseBranch(merged).require()
    assert BaseBranch(merged).settings == parse_settings(SETTINGS)


def test_a_plain_commit_is_not_measured_against_the_one_before(merged, monkeypatch):
    """Where main is unknown it is not guessed, and a pull request cannot be checked at all."""
    git(merged, "switch", "--quiet", "--detach", "HEAD^2")
    assert BaseBranch(merged).settings is None
    BaseBranch(merged).require()
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    with pytest.raises(NotCarriedOutError, match="fetch-depth"):
        BaseBranch(merged).require()
