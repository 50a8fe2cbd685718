"""The update's one commit, made beside the work tree, and its branch."""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from assay import provenance
from assay.commits import Branch, run_git
from assay.errors import NotCarriedOutError, RefusedError
from assay.origins import RECORD, record_text
from assay.update.last_commit import LastCommit, Origin
from assay.update.merging import MergePlan, Written, is_owned


def write_commit(last: LastCommit, made: MergePlan, origin: Origin, message: str) -> str:
    """Commit what the plan changes, and the record, on top of the repository's last commit.

    No branch, index or file of the person is touched; gives the commit.

    Raises:
        NotCarriedOutError: git cannot write.
    """
    text = record_text(origin.address, origin.commit, origin.answers, origin.files)
    written = made.written | {RECORD: Written(text.encode())}
    nothing = "0" * len(last.head)
    lines = [f"0 {nothing}\t{name}\0" for name in made.removed]
    for name, file in written.items():
        blob = run_git(last.root, "hash-object", "-w", "--stdin", content=file.content)
        lines.append(f"{file.mode} {blob.decode().strip()}\t{name}\0")
    content = "".join(lines).encode(errors="surrogateescape")
    root = last.root
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        run_git(root, "read-tree", last.head, environment=index)
        words = ("update-index", "--add", "-z", "--index-info")
        run_git(root, *words, content=content, environment=index)
        tree = run_git(root, "write-tree", environment=index).decode().strip()
    commit = ("commit-tree", tree, "-p", last.head, "-m", message)
    return run_git(root, *commit, environment=_author(root)).decode().strip()


def _author(root: Path) -> dict[str, str]:
    """The person as git knows them; whoever is not known there commits as assay."""
    name, email = (provenance.git(root, "config", f"user.{key}") for key in ("name", "email"))
    if not name or not email:
        return {}
    roles = ("AUTHOR", "COMMITTER")
    return {
        f"GIT_{role}_{key}": v for role in roles for key, v in (("NAME", name), ("EMAIL", email))
    }


def recorded_files(old: Mapping[str, str], rendered: Mapping[str, str]) -> dict[str, str]:
    """Ids for the new record: the new ones of the template's files, the first of the author's."""
    own = {name: blob for name, blob in old.items() if is_owned(name)}
    new = {name: blob for name, blob in rendered.items() if not is_owned(name)}
    return dict(sorted((own | new).items()))


def require_free(root: Path, branch: str) -> None:
    """Refuse a branch that exists, and a name that git would not take.

    Raises:
        RefusedError: there is one.
    """
    below = provenance.git(
        root, "for-each-ref", "--format=%(refname:short)", f"refs/heads/{branch}/"
    )
    if below:
        first = below.splitlines()[0]
        raise RefusedError(
            f"the branch {first} exists, so that git cannot make {branch}: rename it with "
            f"`git branch -m {first} NEW_NAME` and update again.",
            code="update.branch-in-way",
        )
    if Branch(root, branch).head() is not None:
        raise RefusedError(
            f"the branch {branch} exists, from an earlier update: go on with "
            f"`git switch {branch}`, or remove it with `git branch -D {branch}` and update again.",
            code="update.branch-exists",
        )


def open_branch(root: Path, branch: str, commit: str) -> None:
    """Make the branch, unless somebody has meanwhile.

    Raises:
        RefusedError: it exists.
        NotCarriedOutError: git cannot write.
    """
    if not Branch(root, branch).move(None, commit):
        require_free(root, branch)
        raise NotCarriedOutError(
            f"git could not make the branch {branch}: update again.", code="update.branch-not-made"
        )


def copy_commit(history: Path, commit: str, folder: Path) -> bool:
    """Check out a commit of the template into a folder of its own; False where that fails."""
    words = ("clone", "--quiet", "--shared", "--no-checkout", "--config", "core.autocrlf=false")
    try:
        run_git(history, *words, "--", str(history), str(folder))
        run_git(folder, "-c", "core.hooksPath=", "checkout", "--quiet", "--detach", commit)
    except (NotCarriedOutError, subprocess.SubprocessError):
        return False
    return True
