"""A model repository as its last commit has it: its files, its wheel, and the template's record."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError, field_validator

from assay import provenance, wheels
from assay.commits import run_git
from assay.errors import CheckFailedError, RefusedError, UsageError
from assay.layout import SETTINGS
from assay.origins import RECORD

FIRST = "Make the repository from the Assay template"
UNKNOWN = "make a repository with cookiecutter, and put data/, src/ and tests/ of this one into it"
PLAIN = r"^[^\x00-\x1f\x7f]*$"
FILE, PROGRAM, LINK = "100644", "100755", "120000"


@dataclass(frozen=True)
class Entry:
    """A file of a commit: git's mode and git's id of its content."""

    mode: str
    blob: str


Tree = dict[str, Entry]


@dataclass(frozen=True)
class Origin:
    """What `.cookiecutter.json` says: the template, the answers, the ids of the rendered files.

    `version` is the machinery's before the point where the record names files.
    """

    address: str | None
    commit: str | None
    answers: dict[str, str]
    files: dict[str, str]
    version: str | None = None


@dataclass(frozen=True)
class LastCommit:
    """A repository of one's own at `root`; `wheel` is the path of its wheel, below the root.

    Repositories that were made before there was a wheel have a copy in `src/assay` instead.
    """

    root: Path
    head: str
    tree: Tree
    origin: Origin
    wheel: str | None

    @property
    def version(self) -> str:
        """The version of its machinery, without the digest of the content."""
        if self.wheel is None:
            return self.origin.version or "0"
        return version_of(Path(self.wheel).name).partition("+")[0]

    def content(self, name: str) -> bytes:
        """The content of a file of the last commit."""
        return run_git(self.root, "cat-file", "blob", self.tree[name].blob)

    def blob(self, blob: str) -> bytes | None:
        """The content of that id, if it is anywhere in the history."""
        return provenance.git_bytes(self.root, "cat-file", "blob", blob)


def version_of(wheel: str) -> str:
    """The whole version in the name of a wheel: `0.2.0+3f2a9c1d`."""
    return wheel.split("-")[1]


def read_last_commit(root: Path) -> LastCommit:
    """Read the last commit of the repository at `root`.

    Raises:
        RefusedError: it is no git repository of its own, has changes that are not committed, or was
            not made by this template.
        UsageError: the record cannot be read, or there is not just one wheel with its line.
        CheckFailedError: the wheel is not the one that the lock names.
    """
    head = _clean_head(root)
    tree = list_tree(root, head)
    if RECORD not in tree:
        raise RefusedError(
            f"this repository was not made by the Assay template, since its last commit has no "
            f"{RECORD}: {UNKNOWN}.",
            code="update.no-record",
        )
    origin = _origin(root, run_git(root, "cat-file", "blob", tree[RECORD].blob))
    found = LastCommit(root, head, tree, origin, _wheel(tree, origin))
    if found.wheel is not None:
        _require_locked(found, found.wheel)
    return found


def list_tree(root: Path, commit: str) -> Tree:
    """All files of a commit."""
    listed = run_git(root, "ls-tree", "-rz", "--full-tree", commit).decode(errors="surrogateescape")
    entries = (line.split("\t", 1) for line in listed.split("\0") if line)
    return {name: Entry(about.split()[0], about.split()[2]) for about, name in entries}


def _clean_head(root: Path) -> str:
    if not (root / SETTINGS).is_file():
        raise UsageError(
            f"{root} holds no {SETTINGS}: run `assay update` in a model repository.",
            code="settings.missing",
        )
    if provenance.git(root, "rev-parse", "--show-cdup") != "":
        raise RefusedError(
            f"{root} is no git repository of its own, so that changes could not be told from the "
            "template's files: run `git init` there and commit its files, or clone it with git.",
            code="update.no-git",
        )
    head = provenance.git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        raise RefusedError(
            "this repository has no commit: run `git add -A && git commit` first.",
            code="update.no-commit",
        )
    changed = [line[3:] for line in (_status(root) or "").splitlines()]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise RefusedError(
            f"{changed[0]}{more} has changes that are not committed: commit them, or put them "
            "aside with `git stash`, and run `assay update` again.",
            code="update.not-committed",
        )
    return head


def _status(root: Path) -> str | None:
    found = provenance.git_bytes(root, "status", "--porcelain", "-uno")
    return None if found is None else found.decode(errors="replace")


def _origin(root: Path, content: bytes) -> Origin:
    try:
        record = _Record.model_validate_json(content)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"{RECORD} cannot be read as the template's record ({said}): restore it with "
            f"`git log --oneline -- {RECORD}` and `git checkout COMMIT -- {RECORD}`.",
            code="update.bad-record",
        ) from None
    template, answers = record.template, record.answers
    if isinstance(template, str):
        version = template.removeprefix("assay ")
        return Origin(None, None, answers, _first_files(root), version)
    return Origin(template.origin, template.commit, answers, record.files)


class _Template(BaseModel):
    origin: Annotated[str, Field(max_length=2000, pattern=PLAIN)] | None
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}(\+changes)?$")] | None


class _Record(BaseModel):
    """`.cookiecutter.json`; before there was a wheel it named the version and no files."""

    template: _Template | Annotated[str, Field(pattern=r"^assay \d+(\.\d+)*$")]
    answers: Annotated[dict[str, str], Field(min_length=1)]
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]] = {}

    @field_validator("answers")
    @classmethod
    def _are_text(cls, answers: dict[str, str]) -> dict[str, str]:
        """Answers are put into a template, so none may hold code of it, or lead elsewhere."""
        if any(re.search(r"<<|>>|<%|%>|<#|#>|\{\{|\{%|\{#", answer) for answer in answers.values()):
            raise ValueError("an answer holds the template's delimiters")
        if not re.fullmatch(r"[\w-]+", answers.get("project", "")):
            raise ValueError("the answer 'project' must be a name")
        return {name: answer for name, answer in answers.items() if not name.startswith("_")}


def _first_files(root: Path) -> dict[str, str]:
    """The files of the commit that the template made, for a record that does not name them."""
    if provenance.git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise RefusedError(
            "this clone lacks the history in which the template's files are: run "
            "`git fetch --unshallow` and update again.",
            code="update.shallow-clone",
        )
    roots = (provenance.git(root, "rev-list", "--max-parents=0", "HEAD") or "").split()
    for commit in roots:
        if provenance.git(root, "log", "-1", "--format=%s", commit) == FIRST:
            tree = list_tree(root, commit)
            return {name: entry.blob for name, entry in tree.items() if name != RECORD}
    raise RefusedError(
        f"the history does not begin with the commit {FIRST!r}, so that your changes cannot be "
        f"told from the template's files: {UNKNOWN}.",
        code="update.other-history",
    )


def _wheel(tree: Tree, origin: Origin) -> str | None:
    found = [name for name in tree if re.fullmatch(rf"{wheels.FOLDER}/{wheels.NAME.pattern}", name)]
    if len(found) > 1:
        raise UsageError(
            f"{wheels.FOLDER}/ holds {len(found)} wheels of assay: keep the one that "
            f"{wheels.LOCK} names, and commit `git rm` of the others.",
            code="wheel.several",
        )
    if found or origin.version is not None:
        return found[0] if found else None
    raise UsageError(
        f"{wheels.FOLDER}/ holds no wheel of assay: find the commit that removed it with "
        f"`git log --oneline -- {wheels.FOLDER}`, and run "
        f"`git checkout COMMIT^ -- {wheels.FOLDER}`.",
        code="wheel.missing",
    )


def _require_locked(last: LastCommit, wheel: str) -> None:
    lock = last.content(wheels.LOCK).decode() if wheels.LOCK in last.tree else ""
    name = re.escape(wheel.rpartition("/")[2])
    pattern = rf"^(?:\./)?{wheels.FOLDER}/{name} \\\n +--hash=sha256:(\w+)"
    line = re.search(pattern, lock, re.MULTILINE)
    if line is None:
        raise UsageError(
            f"{wheels.LOCK} has no line for {wheel}: run `make lock`, or restore the file with "
            f"`git checkout COMMIT -- {wheels.LOCK}`.",
            code="lock.no-wheel",
        )
    found = hashlib.sha256(last.content(wheel)).hexdigest()
    if found != line[1]:
        raise CheckFailedError(
            f"{wheel} is not the file that {wheels.LOCK} names (its SHA-256 begins with "
            f"{found[:12]} instead of {line[1][:12]}): restore it with `git log --oneline -- "
            f"{wheels.FOLDER}` and `git checkout COMMIT -- {wheels.FOLDER}`.",
            code="wheel.altered",
        )


def blob_id(root: Path, content: bytes) -> str:
    """Git's id of a content, in the repository's own kind of ids."""
    return run_git(root, "hash-object", "--stdin", content=content).decode().strip()


def ids_of(files: Mapping[str, bytes], root: Path) -> dict[str, str]:
    """Git's id of each file's content."""
    return {name: blob_id(root, content) for name, content in files.items()}
