"""The branch that the comment's pictures are on: they are shown without any third party.

It is not the ledger's: a commit there has every scoring that runs at the time ask again, and what
lies there is fetched whole by each of them. Here a commit holds one run's pictures alone, with the
former one as its parent: only the last is ever fetched, and all stay where comments link to them.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.commits import Branch, commit, run_git
from assay.errors import NotCarriedOutError
from assay.report.images import Image

BRANCH = "assay-pictures"
ATTEMPTS = 5
_MESSAGE = "Pictures of a comment"


@dataclass(frozen=True)
class Exhibit:
    """Where a picture can be seen, and what it shows in words."""

    address: str
    words: str


def exhibit(
    root: Path, images: Sequence[Image], address: str, remote: str = "origin"
) -> list[Exhibit]:
    """Commit pictures to the branch on a remote of the repository at `root`.

    Whoever may read the repository at `address` sees them, in a private one, too. A link names
    the commit, so nobody can put another picture in the place of one that was linked to.

    Raises:
        NotCarriedOutError: the remote refuses, or others write to the branch again and again.
    """
    made = _put(root, remote, {image.name: image.content for image in images})
    return [Exhibit(f"{address}/blob/{made}/{one.name}?raw=true", one.words) for one in images]


def _put(root: Path, remote: str, files: Mapping[str, bytes]) -> str:
    url = run_git(root, "remote", "get-url", remote).decode().strip()
    # a repository of its own: fetching the last commit alone would make the clone a shallow one
    with tempfile.TemporaryDirectory() as folder:
        run_git(Path(folder), "init", "--quiet", "--bare")
        branch = Branch(Path(folder), BRANCH, url, depth=1)
        for _ in range(ATTEMPTS):
            old = branch.head()
            new = commit(branch.root, old, files, _MESSAGE, alone=True)
            if branch.move(old, new):
                return new
    raise NotCarriedOutError(
        f"others wrote to the branch {BRANCH} at each of {ATTEMPTS} attempts: run the job again."
    )
