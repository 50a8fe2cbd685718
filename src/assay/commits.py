"""Git: what the base branch holds, and commits made without touching the work tree.

A branch moves locally by `git update-ref` with the old value, on a remote by a push that is never
forced.
"""

import io
import os
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotCarriedOutError, UsageError
from assay.provenance import git_bytes
from assay.records import MAXIMUM_FILES
from assay.settings import FILE_NAME, Settings, parse_settings

# whole, since a tag may be called main or origin/main, and git would take it first
MACHINERY = (
    *(".github", "wheels", "Makefile", "GNUmakefile", "makefile", "pyproject.toml", "pytest.ini"),
    *("tox.ini", "setup.cfg", "setup.py", "assay.toml", "certificate.pub", ":(glob)**/conftest.py"),
    ":(glob)**/sitecustomize.py",
)
NAMES = ("refs/remotes/origin/main", "refs/heads/main")


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


def read_file(root: Path, commit: str | None, path: str) -> bytes:
    """The content of a file of a commit.

    Raises:
        NotCarriedOutError: there is no such file.
    """
    return run_git(root, "cat-file", "blob", f"{commit}:{path}")


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
        NotCarriedOutError: git fails, with what it says.
    """
    process = subprocess.run(
        ["git", "-C", str(root), *arguments],
        input=content,
        capture_output=True,
        env={**os.environ, **_IDENTITY, **_authorization(), **(environment or {})},
        check=False,
    )
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


def content_on_main(root: Path, path: Path) -> bytes | None:
    """A file's content on main, or None: no git, no main, or no such file there."""
    revision = _revision(root)
    name = f"{revision}:./{path.relative_to(root).as_posix()}"
    return None if revision is None else git_bytes(root, "show", name)


def differs_from_main(root: Path, *paths: str) -> bool:
    """Whether files below these paths, as they stand in the folder, differ from main's."""
    return bool(changed_files(root, *paths))


def changed_files(root: Path, *paths: str) -> list[str]:
    """The files below these paths that differ from main's, relative to the root, or are gone."""
    revision = _revision(root)
    if revision is None:
        return []
    words = ("diff", "--name-only", "--relative", "--no-renames", "-z", revision, "--", *paths)
    return _names(git_bytes(root, *words))


def machinery_files(root: Path) -> list[str]:
    """What differs from main's of what runs and judges a model: workflows, wheel, options, policy.

    At most as many as a record holds.
    """
    return changed_files(root, *MACHINERY)[:MAXIMUM_FILES]


def tracked_files(root: Path) -> list[str]:
    """The files that git keeps, relative to the root; none where there is no git."""
    return _names(git_bytes(root, "ls-files", "-z"))


def _names(listed: bytes | None) -> list[str]:
    return [name.decode(errors="replace") for name in (listed or b"").split(b"\0") if name]


def name_of_main(root: Path) -> str:
    """What to call main in a git command: `origin/main`, `main`, or the merge's first parent."""
    return (_revision(root) or "main").removeprefix("refs/remotes/").removeprefix("refs/heads/")


def require_main(root: Path) -> None:
    """Make sure that a pull request is checked by main's limits, and not by its own.

    Raises:
        NotCarriedOutError: a pull request is checked in Actions, and main is not at hand.
    """
    if os.environ.get("GITHUB_EVENT_NAME") == "pull_request" and _revision(root) is None:
        raise NotCarriedOutError(
            "main, whose limits are in force for a pull request, is not in this checkout: check "
            "out its merge commit with `fetch-depth: 2`.",
            code="git.no-main",
        )


def _revision(root: Path) -> str | None:
    """Main by its name, or the first parent of a merge, as which Actions checks out a change."""
    merged = ("HEAD^1",) if _is_known(root, "HEAD^2") else ()
    return next((name for name in (*NAMES, *merged) if _is_known(root, name)), None)


def _is_known(root: Path, revision: str) -> bool:
    return bool(git_bytes(root, "rev-parse", "--verify", "--quiet", revision))


def settings_on_main(root: Path) -> Settings | None:
    """Main's `assay.toml`, or None where it is not at hand or cannot be read."""
    content = content_on_main(root, root / FILE_NAME)
    try:
        return None if content is None else parse_settings(content.decode())
    except (UsageError, UnicodeDecodeError):
        return None


def in_force(settings: Settings, main: Settings | None) -> Settings:
    """The settings by which a change is checked: tolerances, severities and bounds are main's.

    Otherwise a change could loosen the checks that it must pass. What it sets takes effect once it
    stands on main.
    """
    if main is None:
        return settings
    kept = {name: getattr(main, name) for name in ("data", "severity")}
    # relations that a change declares must hold at once, beside those of main
    declared = {
        name: tuple(dict.fromkeys((*getattr(main.sanity, name), *getattr(settings.sanity, name))))
        for name in ("monotonic", "symmetric")
    }
    kept["sanity"] = main.sanity.model_copy(update=declared)
    of_main = (main.target.kind, main.target.unit)
    if of_main == (settings.target.kind, settings.target.unit):  # its column may be renamed
        names = ("lower", "upper", "element_value")
        bounds = {name: getattr(main.target, name) for name in names}
        if bounds["element_value"] is None:  # declared by the change, as a relation is
            bounds["element_value"] = settings.target.element_value
        kept["target"] = settings.target.model_copy(update=bounds)
    return settings.model_copy(update=kept)
