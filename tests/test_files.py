"""Digests, writing that is whole or not at all, and folders that go with their process."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assay.files import (
    digest_bytes,
    digest_file,
    digest_tree,
    private_folder,
    remove_private_folders,
    replaced_folder,
    write_bytes,
    write_text,
)
from sentences import leftovers

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_known_digest(tmp_path):
    """SHA-256 of nothing is the published value, for bytes and for a file."""
    (tmp_path / "empty").touch()
    assert digest_bytes(b"") == digest_file(tmp_path / "empty") == EMPTY


@pytest.fixture
def tree(tmp_path):
    """A folder with a nested file, one in a name that sorts between, and an empty one."""
    folder = tmp_path / "tree"
    write_text(folder / "b.txt", "b")
    write_text(folder / "a" / "z.txt", "z")
    write_text(folder / "a-b.txt", "")
    return folder


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is missing")
def test_tree_by_shell(tree):
    """Anybody can recompute the digest of a folder with find, sort and sha256sum."""
    command = "find . -type f | sed 's,^./,,' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tree, capture_output=True, text=True, check=True
    )
    assert digest_tree(tree) == done.stdout.split()[0]


@pytest.mark.parametrize("change", ["content", "name", "more", "fewer"])
def test_tree_changes(tree, change):
    """Every change of a content, a name or the set of files changes the digest."""
    before = digest_tree(tree)
    if change == "content":
        (tree / "a-b.txt").write_text("\n")
    elif change == "name":
        (tree / "b.txt").rename(tree / "c.txt")
    elif change == "more":
        (tree / "a" / "new").touch()
    else:
        (tree / "a-b.txt").unlink()
    assert digest_tree(tree) != before


def test_tree_ignores_place_and_time(tree, tmp_path):
    """A copy elsewhere, made later, has the same digest."""
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy, copy_function=shutil.copyfile)
    os.utime(copy / "b.txt", (0, 0))
    assert digest_tree(copy) == digest_tree(tree)


def test_tree_links(tree):
    """A link, which would stand for other content tomorrow, is refused by name."""
    (tree / "a" / "link").symlink_to(tree / "b.txt")
    with pytest.raises(ValueError, match="a/link"):
        digest_tree(tree)


def test_tree_linked_folder(tree, tmp_path):
    """So is a link to a folder."""
    (tree / "there").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="there"):
        digest_tree(tree)


def test_tree_special_file(tree):
    """So is a pipe."""
    os.mkfifo(tree / "pipe")
    with pytest.raises(ValueError, match="pipe"):
        digest_tree(tree)


def test_tree_forged_line(tmp_path):
    """One file whose name holds a line end cannot stand for two files."""
    two, one = tmp_path / "two", tmp_path / "one"
    write_text(two / "a", "1")
    write_text(two / "b", "2")
    one.mkdir()
    folder = one / f"a\n{digest_bytes(b'2')}  b"
    folder.write_text("1")
    with pytest.raises(ValueError, match="control character"):
        digest_tree(one)
    assert digest_tree(two)


def test_write(tmp_path):
    """Folders are made, old content is replaced, the mode is set, and nothing else is left."""
    path = tmp_path / "new" / "file"
    write_text(path, "old")
    write_bytes(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_failed_write(tmp_path, monkeypatch):
    """A write that fails leaves the old file and no temporary one."""
    path = tmp_path / "file"
    write_text(path, "old")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert not leftovers(tmp_path)


def test_replaced_folder(tmp_path):
    """The new folder takes the old one's place whole."""
    folder = tmp_path / "out"
    write_text(folder / "old", "1")
    with replaced_folder(folder) as fresh:
        assert (folder / "old").exists()
        (fresh / "new").write_text("2")
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_failed_folder(tmp_path):
    """When the block fails, the old folder stays as it was."""
    folder = tmp_path / "out"
    write_text(folder / "old", "1")

    def interrupted():
        with replaced_folder(folder) as fresh:
            (fresh / "new").write_text("2")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert [path.name for path in folder.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def written_by_two(folder, keep):
    """A folder that a second one writes, too, while the first is at work; gives what is there."""
    with replaced_folder(folder, keep) as first:
        (first / "by").write_text("first")
        with replaced_folder(folder, keep) as second:
            (second / "by").write_text("second")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return (folder / "by").read_text()


def test_folder_that_another_wrote_meanwhile(tmp_path):
    """The later one takes its place, or leaves it alone where it may be kept; neither fails."""
    assert written_by_two(tmp_path / "one" / "folder", lambda _: False) == "first"
    assert written_by_two(tmp_path / "two" / "folder", lambda path: path.is_dir()) == "second"


def test_folder_that_others_take_again_and_again(tmp_path, monkeypatch):
    """A place that is never free is an error of the system, and no endless loop."""
    folder = tmp_path / "folder"
    monkeypatch.setattr(shutil, "rmtree", lambda *_arguments, **_options: None)
    folder.mkdir()
    (folder / "by").write_text("other")
    with pytest.raises(OSError, match="not empty"), replaced_folder(folder) as mine:
        (mine / "by").write_text("me")
    assert (folder / "by").read_text() == "other"


HOLD = """
import sys, time
from assay.files import private_folder
print(private_folder("assay-test-"), flush=True)
time.sleep(float(sys.argv[1]))
"""


def holding(temporary, seconds):
    """A process that has a private folder, and the folder, which is made to look old."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(seconds)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = Path(process.stdout.readline().strip())
    assert folder.parent == temporary
    os.utime(folder, (0, 0))
    return process, folder


def test_private_folders_of_ended_processes_go(tmp_path, monkeypatch):
    """One that ended, or was killed and is followed by another, leaves none; a living one's stays.

    What is young, or of another prefix or machine, is nobody's to remove.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = f"assay-test-{os.uname().nodename}-"
    others = [tmp_path / name for name in (f"{own}young", "assay-test-other-x", f"other{own}x")]
    for folder in others:
        folder.mkdir()
    for folder in others[1:]:
        os.utime(folder, (0, 0))
    ended, gone = holding(tmp_path, 0)
    assert ended.wait() == 0
    assert not gone.exists()
    living, kept = holding(tmp_path, 60)
    killed, left = holding(tmp_path, 60)
    try:
        killed.kill()
        killed.wait()
        assert left.exists(), "or this shows nothing"
        mine = private_folder("assay-test-")
        assert sorted(tmp_path.iterdir()) == sorted([*others, kept, mine])
        assert stat.S_IMODE(mine.stat().st_mode) == 0o700
        remove_private_folders()
        assert sorted(tmp_path.iterdir()) == sorted([*others, kept])
    finally:
        living.kill()
        living.wait()
