"""Commits beside the work tree: what a commit holds, and that a branch has one winner."""

from pathlib import Path

import pytest

from assay.commits import Branch, commit, local_head, read_files
from assay.errors import NotCarriedOutError
from toy import git


@pytest.fixture
def remote(tmp_path: Path, laptop) -> Path:
    """An empty bare repository."""
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    return tmp_path / "remote.git"


def store(folder: Path) -> Path:
    """A repository of one's own, with nothing in it."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    return folder


def add(branch: Branch, name: str, *, alone: bool = False) -> str:
    """Commit a file of this name and move the branch there."""
    old = branch.head()
    new = commit(branch.root, old, {name: name.encode()}, name, alone=alone)
    assert branch.move(old, new)
    return new


@pytest.mark.parametrize(("alone", "held"), [(False, {"a": b"a", "b": b"b"}), (True, {"b": b"b"})])
def test_commit_keeps_the_parents_files_or_holds_its_own_alone(remote, tmp_path, alone, held):
    """Either way the former head is the parent, so what it held is not lost."""
    branch = Branch(store(tmp_path / "one"), "x", str(remote))
    first = add(branch, "a")
    second = add(branch, "b", alone=alone)
    assert read_files(remote, second) == held
    assert git(remote, "rev-parse", "x^") == first
    assert read_files(remote, first) == {"a": b"a"}


def test_branch_at_a_limited_depth_is_read_and_moved(remote, tmp_path):
    """With a depth of one only the last commit is fetched, and the remote keeps the whole chain."""
    whole = Branch(store(tmp_path / "one"), "x", str(remote))
    chain = [add(whole, name) for name in "abc"]
    shallow = Branch(store(tmp_path / "two"), "x", str(remote), depth=1)
    assert shallow.head() == chain[-1]
    chain.append(add(shallow, "d"))
    assert git(remote, "rev-list", "--reverse", "x").split() == chain
    assert chain[0] not in git(shallow.root, "rev-list", chain[-1]).split()
    assert whole.head() == chain[-1]


@pytest.mark.parametrize("depth", [None, 1])
@pytest.mark.parametrize("started", [False, True])
def test_who_comes_second_is_told(remote, tmp_path, depth, started):
    """A branch that moved in the meantime is not overwritten, whatever the depth."""
    here = Branch(store(tmp_path / "one"), "x", str(remote), depth)
    there = Branch(store(tmp_path / "two"), "x", str(remote), depth)
    if started:
        add(here, "a")
    old = here.head()
    won = add(there, "b")
    assert not here.move(old, commit(here.root, old, {"c": b"c"}, "c"))
    assert git(remote, "rev-parse", "x") == won
    add(here, "d")


def test_branch_that_was_deleted_has_moved(remote, tmp_path):
    """A shallow repository cannot put back what it never had: the message says to begin again."""
    branch = Branch(store(tmp_path / "one"), "x", str(remote), depth=1)
    for name in "ab":
        add(branch, name)
    other = Branch(store(tmp_path / "two"), "x", str(remote), depth=1)
    old = other.head()
    git(remote, "update-ref", "-d", "refs/heads/x")
    assert not other.move(old, commit(other.root, old, {"c": b"c"}, "c"))
    assert other.head() is None
    add(other, "d")


def test_refusal_names_the_branch_and_the_reason(remote, tmp_path):
    """Not only that some push failed: what was rejected, and by what."""
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    branch = Branch(store(tmp_path / "one"), "x", str(remote))
    new = commit(branch.root, None, {"a": b"a"}, "a")
    with pytest.raises(NotCarriedOutError, match=r"for the branch x: ! \[remote rejected\].*hook"):
        branch.move(None, new)
    assert branch.head() is None
    with pytest.raises(
        NotCarriedOutError, match=r"ls-remote failed for the branch x: fatal: .*nowhere"
    ):
        Branch(branch.root, "x", str(tmp_path / "nowhere")).head()


def test_local_branch_moves_by_compare_and_swap(remote):
    """Without a remote the same holds for a ref of this repository."""
    branch = Branch(remote, "x")
    first = add(branch, "a")
    assert not branch.move(None, commit(remote, None, {"b": b"b"}, "b"))
    assert local_head(remote, branch.ref) == first
