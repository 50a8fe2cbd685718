"""The branch that the ledger lives on: which commit of it counts, and what it ever held."""

import time
from collections.abc import Iterator
from pathlib import Path

from assay.commits import Branch, blob_id, contains, local_head, read_blob, run_git
from assay.errors import NotCarriedOutError

BRANCH = "assay-ledger"
REF = f"refs/heads/{BRANCH}"
ORIGIN = "origin"
DAY = 24 * 60 * 60  # seconds


class ShortenedError(NotCarriedOutError):
    """The ledger held lines at an earlier commit of its own branch that it lacks now."""


def head(root: Path, remote: str | None) -> str | None:
    """The commit that the branch is at on a remote, whose branch is fetched then, or at hand.

    At hand is the branch of this clone or what was last fetched of that of `origin`, whichever
    contains the other.

    Raises:
        NotCarriedOutError: the remote cannot be read, or each of the two lacks lines of the other.
    """
    if remote is not None:
        return Branch(root, BRANCH, remote).head()
    here, there = local_head(root, REF), local_head(root, fetched())
    if here is None or there is None:
        return here or there
    if contains(root, here, there):
        return here
    if contains(root, there, here):
        return there
    raise NotCarriedOutError(
        f"the branch {BRANCH} here and that of {ORIGIN} each hold lines that the other lacks: "
        f"rename yours with `git branch --move {BRANCH} {BRANCH}-of-this-clone`, and run the same "
        f"command again, which uses that of {ORIGIN}.",
        code="ledger.diverged",
    )


def fetched(remote: str = ORIGIN) -> str:
    """The full name of the ref that holds what was last fetched."""
    return f"refs/remotes/{remote}/{BRANCH}"


def move(root: Path, remote: str | None, old: str | None, new: str) -> bool:
    """Move the branch from one commit to another; False if it is not at the old one any more.

    Raises:
        NotCarriedOutError: git refuses for another reason.
    """
    if remote is None and old is not None:
        _catch_up(root, old)
    return Branch(root, BRANCH, remote).move(old, new)


def _catch_up(root: Path, commit: str) -> None:
    """Move this clone's branch on to what was fetched, where it lies behind that."""
    here = local_head(root, REF)
    if here != commit == local_head(root, fetched()) and contains(root, commit, here or commit):
        run_git(root, "update-ref", REF, commit, here or "")


def unshared(root: Path) -> bool:
    """Whether a remote `origin` is known, and the ledger of this clone is not all there."""
    here, there = local_head(root, REF), local_head(root, fetched())
    if here is None or not _has_origin(root):
        return False
    return there is None or not contains(root, there, here)


def age(root: Path) -> float | None:
    """Seconds since anything was fetched from `origin`; None where there is no such remote."""
    if not _has_origin(root):
        return None
    names = ("FETCH_HEAD", fetched(), "packed-refs")
    told = run_git(root, "rev-parse", *(part for name in names for part in ("--git-path", name)))
    paths = [root / line for line in told.decode().splitlines()]
    times = [path.stat().st_mtime for path in paths if path.is_file()]
    return max(0.0, time.time() - max(times, default=0.0))


def _has_origin(root: Path) -> bool:
    return ORIGIN in run_git(root, "remote").decode().split()


def other_versions(root: Path, commit: str, path: str, content: bytes) -> Iterator[bytes]:
    """What a file held at earlier commits of a history, where its content now begins otherwise.

    Chain and signatures say nothing about lines that were cut off at the end of a ledger; the
    history of the branch does, as far as nobody may push by force.
    """
    history = run_git(root, "rev-list", commit).decode().split()
    asked = "".join(f"{name}:{path}\n" for name in history).encode()
    told = run_git(root, "cat-file", "--batch-check=%(objectname) %(objectsize)", content=asked)
    pairs = dict(line.split() for line in told.decode().splitlines() if line.count(" ") == 1)
    for name, size in pairs.items():
        if size.isdigit() and name != blob_id(content[: int(size)], name):
            yield read_blob(root, name)
