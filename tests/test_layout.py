"""Where things lie."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from assay.layout import Handover, Layout, find_root


def paths(thing):
    """Every path that a layout names."""
    names = [name for name, kind in vars(type(thing)).items() if isinstance(kind, property)]
    return [getattr(thing, name) for name in names]


def test_paths(tmp_path):
    """All paths lie inside, no two are the same, and asking creates nothing."""
    for thing in (Layout(tmp_path), Handover(tmp_path)):
        found = paths(thing)
        assert len(found) >= 7
        assert len(set(found)) == len(found)
        assert all(path.is_relative_to(tmp_path) for path in found)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def nested(tmp_path):
    """A folder three levels below one with an `assay.toml`, nothing of git anywhere."""
    (tmp_path / "assay.toml").touch()
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    return deep


def test_root_is_the_nearest(nested, tmp_path):
    """The root is at or above the folder; the nearest counts."""
    assert find_root(nested) == find_root(tmp_path) == tmp_path
    (tmp_path / "a" / "assay.toml").touch()
    assert find_root(nested) == tmp_path / "a"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_root_is_not_above_a_git_repository(nested, tmp_path, kind):
    """Nothing above `.git` is taken, be it a folder or a worktree's file; beside it, it is."""
    boundary = tmp_path / "a" / ".git"
    boundary.mkdir() if kind == "folder" else boundary.touch()
    assert find_root(nested) is None
    (tmp_path / "a" / "assay.toml").touch()
    assert find_root(nested) == tmp_path / "a"


def test_root_of_somebody_else_is_not_taken(nested, tmp_path, monkeypatch):
    """A file of another person further up is not taken, since code beside it would be run."""
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert find_root(nested) is None
    assert find_root(tmp_path) == tmp_path, "whoever stands in it, chose it"


@pytest.mark.parametrize("follow", [True, False], ids=["folder", "link"])
def test_root_of_somebody_else_is_not_taken_for_a_file_of_ones_own(
    nested, tmp_path, monkeypatch, follow
):
    """Neither a folder of another person, nor another's link to one's own file, is taken."""
    (tmp_path / "own.toml").touch()
    (tmp_path / "assay.toml").unlink()
    (tmp_path / "assay.toml").symlink_to("own.toml")
    assert find_root(nested) == tmp_path
    foreign, told = tmp_path if follow else tmp_path / "assay.toml", Path.stat

    def stat(path, *, follow_symlinks=True):
        found = told(path, follow_symlinks=follow_symlinks)
        if (path, follow_symlinks) != (foreign, follow):
            return found
        return os.stat_result([*found[:4], found.st_uid + 1, *found[5:]])

    monkeypatch.setattr(Path, "stat", stat)
    assert find_root(nested) is None


def test_secrets_are_ignored(repository):
    """Keys, models, tracking and output are ignored by git, tables and public key are not."""
    layout = Layout(repository)
    secret = [layout.keys / "sealing.key", layout.models / "a", layout.tracking / "b"]
    public = [layout.train, layout.sealed_labels, layout.public_key, layout.pool]
    for path, ignored in [(p, True) for p in [*secret, layout.out / "c"]] + [
        (p, False) for p in public
    ]:
        done = subprocess.run(
            [str(shutil.which("git")), "check-ignore", "-q", str(path)], cwd=repository, check=False
        )
        assert (done.returncode == 0) == ignored, path
