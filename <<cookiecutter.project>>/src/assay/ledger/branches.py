"""The branch that the ledger lives on: commits made without touching the work tree.

A commit is moved in by compare-and-swap: locally by `git update-ref` with the old value, on a
remote by a push that is never forced.
"""

import io
import os
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

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
    return _fetch(root, remote) if remote else local_head(root, REF)


def local_head(root: Path, ref: str) -> str | None:
    """The commit that a ref of this clone is at."""
    try:
        return _git(root, "rev-parse", "--verify", "--quiet", ref).decode().strip()
    except NotCarriedOutError:
        return None


def read_file(root: Path, commit: str | None, path: str) -> bytes:
    """The content of a file of a commit.

    Raises:
        NotCarriedOutError: there is no such file.
    """
    return _git(root, "cat-file", "blob", f"{commit}:{path}")


def require_growth(root: Path, commit: str, path: str) -> None:
    """Insist that a file is as long as it ever was in the history of a commit.

    Chain and signatures say nothing about lines that were cut off at the end of a ledger; the
    history of the branch does, as far as nobody may push by force.

    Raises:
        ShortenedError: an earlier commit holds more of it.
    """
    commits = _git(root, "rev-list", commit).decode().split()
    asked = "".join(f"{name}:{path}\n" for name in commits).encode()
    told = _git(root, "cat-file", "--batch-check=%(objectsize)", content=asked).decode()
    sizes = [int(size) if size.isdigit() else 0 for size in told.splitlines()]
    longest = max(sizes)
    if sizes[0] < longest:
        name = commits[sizes.index(longest)]
        raise ShortenedError(
            f"{path} on the branch {BRANCH} held more lines at its commit {name[:12]}: put those "
            "back, and see who may push to the branch."
        )


def read_files(root: Path, commit: str, folder: str = "") -> dict[str, bytes]:
    """All plain files of a commit, or those in a folder of it, by path.

    As they are: `git archive` would obey a `.gitattributes` of the branch, and leave files out.
    """
    listed = _git(root, "ls-tree", "-rz", commit, "--", f"{folder}/" if folder else ".")
    entries = [line.split("\t", 1) for line in listed.decode().split("\0") if line]
    names = {name: about.split()[2] for about, name in entries if about.startswith("100")}
    asked = "".join(f"{blob}\n" for blob in names.values()).encode()
    stream = io.BytesIO(_git(root, "cat-file", "--batch", content=asked))
    return {name: _next_blob(stream) for name in names}


def _next_blob(stream: io.BytesIO) -> bytes:
    size = int(stream.readline().split()[2])
    content = stream.read(size)
    stream.read(1)  # the line's end that git adds
    return content


def _fetch(root: Path, remote: str) -> str | None:
    # git lists every branch whose name ends like the one asked for
    listed = _git(root, "ls-remote", "--", remote, REF).decode().splitlines()
    heads = [line.split("\t")[0] for line in listed if line.split("\t")[1:] == [REF]]
    if not heads:
        return None
    # whole, since a limited depth would make a developer's clone a shallow one
    _git(root, "fetch", "--quiet", "--no-tags", "--", remote, REF)
    return heads[0]


def commit(root: Path, parent: str | None, files: Mapping[str, bytes], message: str) -> str:
    """Make a commit of the parent's files and these; gives its id, no branch moves."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent:
            _git(root, "read-tree", parent, environment=index)
        for path, content in files.items():
            blob = _git(root, "hash-object", "-w", "--stdin", content=content).decode().strip()
            info = f"100644,{blob},{path}"
            _git(root, "update-index", "--add", "--cacheinfo", info, environment=index)
        tree = _git(root, "write-tree", environment=index).decode().strip()
    parents = ("-p", parent) if parent else ()
    return _git(root, "commit-tree", tree, *parents, "-m", message).decode().strip()


def move(root: Path, remote: str | None, old: str | None, new: str) -> bool:
    """Move the branch from one commit to another; False if it is not at the old one any more.

    Raises:
        NotCarriedOutError: git refuses for another reason.
    """
    try:
        if remote:
            _git(root, "push", "--quiet", "--", remote, f"{new}:{REF}")
        else:
            # an empty old value: the branch must not exist yet
            _git(root, "update-ref", REF, new, old or "")
    except NotCarriedOutError:
        now = head(root, remote)
        if now == new:
            return True  # it arrived, only the answer was lost
        if now != old:
            return False
        raise
    return True


def _git(
    root: Path,
    *arguments: str,
    content: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    process = subprocess.run(
        ["git", "-C", str(root), *arguments],
        input=content,
        capture_output=True,
        env={**os.environ, **_IDENTITY, **_authorization(), **(environment or {})},
        check=False,
    )
    if process.returncode:
        last = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NotCarriedOutError(
            f"git {arguments[0]} failed for the ledger: {' '.join(last) or 'no message'}."
        )
    return process.stdout


_IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "assay"), ("EMAIL", "assay@users.noreply.invalid"))
}


def _authorization() -> dict[str, str]:
    # The workflow checks out without credentials; the token is given to git here and only here,
    # through the environment, so that it is neither on a command line nor in a file.
    token, server = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_SERVER_URL")
    if not token or not server:
        return {}
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }
