"""Git: what commits hold, and commits made without touching the work tree.

A branch moves locally by `git update-ref` with the old value, on a remote by a push that is never
forced.
"""

import hashlib
import io
import os
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotCarriedOutError


@dataclass(frozen=True)
class Branch:
    """A branch of the repository at `root`, or of a remote that this one knows.

    From a remote it is fetched whole, since a limited `depth` makes a clone a shallow one: that is
    for a repository made for the purpose.
    """

    root: Path
    name: str
    remote: str | None = None
    depth: int | None = None

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/heads/{self.name}"

    def head(self) -> str | None:
        """The commit that it is at, if it is there; fetched, where that is on a remote.

        Raises:
            NotCarriedOutError: the remote cannot be read.
        """
        return self._fetch(self.remote) if self.remote else local_head(self.root, self.ref)

    def _fetch(self, remote: str) -> str | None:
        # git lists every branch whose name ends like the one asked for
        listed = run_git(self.root, "ls-remote", "--", remote, self.ref).decode().splitlines()
        heads = [line.split("\t")[0] for line in listed if line.split("\t")[1:] == [self.ref]]
        if not heads:
            return None
        limit = () if self.depth is None else (f"--depth={self.depth}",)
        run_git(self.root, "fetch", "--quiet", "--no-tags", *limit, "--", remote, self.ref)
        # it may have moved since it was listed, and then a limit leaves out what was listed
        return heads[0] if self.depth is None else local_head(self.root, "FETCH_HEAD")

    def move(self, old: str | None, new: str) -> bool:
        """Move it from one commit to another; False if it is not at the old one any more.

        Raises:
            NotCarriedOutError: git refuses for another reason.
        """
        try:
            if self.remote:
                run_git(self.root, "push", "--quiet", "--", self.remote, f"{new}:{self.ref}")
            else:
                # an empty old value: the branch must not exist yet
                run_git(self.root, "update-ref", self.ref, new, old or "")
        except NotCarriedOutError:
            now = self.head()
            if now == new:
                return True  # it arrived, only the answer was lost
            if now != old:
                return False
            raise
        return True


def local_head(root: Path, ref: str) -> str | None:
    """The commit that a ref of this clone is at."""
    try:
        return run_git(root, "rev-parse", "--verify", "--quiet", ref).decode().strip()
    except NotCarriedOutError:
        return None


def contains(root: Path, commit: str, other: str) -> bool:
    """Whether another commit is in the history of a commit, or is that commit.

    Raises:
        NotCarriedOutError: one of them is not in this clone.
    """
    return not run_git(root, "rev-list", "--max-count=1", other, f"^{commit}")


def blob_id(content: bytes, like: str) -> str:
    """Git's id of a content, by the algorithm of another id."""
    algorithm = hashlib.sha256 if len(like) == 64 else hashlib.sha1  # noqa: PLR2004 (digits)
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def read_blob(root: Path, name: str) -> bytes:
    """The content that git knows by this id."""
    return run_git(root, "cat-file", "blob", name)


def read_file(root: Path, commit: str | None, path: str) -> bytes:
    """The content of a file of a commit.

    Raises:
        NotCarriedOutError: there is no such file.
    """
    return read_blob(root, f"{commit}:{path}")


def read_files(root: Path, commit: str, folder: str = "") -> dict[str, bytes]:
    """All plain files of a commit, or those in a folder of it, by path.

    As they are: `git archive` would obey a `.gitattributes` of the branch, and leave files out.
    """
    listed = run_git(root, "ls-tree", "-rz", commit, "--", f"{folder}/" if folder else ".")
    entries = [line.split("\t", 1) for line in listed.decode().split("\0") if line]
    names = {name: about.split()[2] for about, name in entries if about.startswith("100")}
    asked = "".join(f"{blob}\n" for blob in names.values()).encode()
    stream = io.BytesIO(run_git(root, "cat-file", "--batch", content=asked))
    return {name: _next_blob(stream) for name in names}


def _next_blob(stream: io.BytesIO) -> bytes:
    size = int(stream.readline().split()[2])
    content = stream.read(size)
    stream.read(1)  # the line's end that git adds
    return content


def commit(
    root: Path,
    parent: str | None,
    files: Mapping[str, bytes],
    message: str,
    *,
    alone: bool = False,
) -> str:
    """Make a commit of the parent's files and these; gives its id, no branch moves.

    With `alone` the commit holds these files and none of the parent's.
    """
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if parent and not alone:
            run_git(root, "read-tree", parent, environment=index)
        for path, content in files.items():
            blob = run_git(root, "hash-object", "-w", "--stdin", content=content).decode().strip()
            info = f"100644,{blob},{path}"
            run_git(root, "update-index", "--add", "--cacheinfo", info, environment=index)
        tree = run_git(root, "write-tree", environment=index).decode().strip()
    parents = ("-p", parent) if parent else ()
    return run_git(root, "commit-tree", tree, *parents, "-m", message).decode().strip()


def run_git(
    root: Path,
    *arguments: str,
    content: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints.

    Raises:
        NotCarriedOutError: git fails, with what it says, or is not there.
    """
    try:
        process = subprocess.run(
            ["git", "-C", str(root), *arguments],
            input=content,
            capture_output=True,
            env={**os.environ, **_IDENTITY, **_authorization(), **(environment or {})},
            check=False,
        )
    except OSError as error:
        raise NotCarriedOutError(
            f"git cannot be started ({error.strerror}): install it, and see that it is on PATH.",
            code="git.missing",
        ) from None
    if process.returncode:
        raise NotCarriedOutError(
            _refusal(arguments, process.stderr.decode(errors="replace")), code="git.failed"
        )
    return process.stdout


def _refusal(arguments: Sequence[str], told: str) -> str:
    # of a refused push the last line says only that it failed, of a lost remote nothing at all
    lines = [line.strip() for line in told.splitlines()]
    telling = [line for key in ("! [", "fatal:") for line in lines if line.startswith(key)]
    reason = (telling or lines[-1:] or [""])[0].rstrip(".")
    named = [part.rpartition("refs/heads/")[2] for part in arguments if "refs/heads/" in part]
    branch = f" for the branch {named[0]}" if named else ""
    return f"git {arguments[0]} failed{branch}: {reason or 'no message'}."


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
