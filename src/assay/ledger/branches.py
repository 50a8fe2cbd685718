"""The branch that the ledger lives on: its name, where it is, and that it only grows."""

from pathlib import Path

from assay.commits import Branch, run_git
from assay.errors import NotCarriedOutError

BRANCH = "assay-ledger"
REF = f"refs/heads/{BRANCH}"


class ShortenedError(NotCarriedOutError):
    """The ledger was longer at an earlier commit of its own branch."""


def head(root: Path, remote: str | None) -> str | None:
    """The commit that the branch is at, here or on a remote, whose branch is fetched then.

    Raises:
        NotCarriedOutError: the remote cannot be read.
    """
    return Branch(root, BRANCH, remote).head()


def move(root: Path, remote: str | None, old: str | None, new: str) -> bool:
    """Move the branch from one commit to another; False if it is not at the old one any more.

    Raises:
        NotCarriedOutError: git refuses for another reason.
    """
    return Branch(root, BRANCH, remote).move(old, new)


def require_growth(root: Path, commit: str, path: str) -> None:
    """Insist that a file is as long as it ever was in the history of a commit.

    Chain and signatures say nothing about lines that were cut off at the end of a ledger; the
    history of the branch does, as far as nobody may push by force.

    Raises:
        ShortenedError: an earlier commit holds more of it.
    """
    history = run_git(root, "rev-list", commit).decode().split()
    asked = "".join(f"{name}:{path}\n" for name in history).encode()
    told = run_git(root, "cat-file", "--batch-check=%(objectsize)", content=asked).decode()
    sizes = [int(size) if size.isdigit() else 0 for size in told.splitlines()]
    longest = max(sizes)
    if sizes[0] < longest:
        name = history[sizes.index(longest)]
        raise ShortenedError(
            f"{path} on the branch {BRANCH} held more lines at its commit {name[:12]}: put those "
            "back, and see who may push to the branch.",
            code="ledger.shortened",
        )
