"""What an update makes of each file: the author's, the one first rendered, and the new one."""

import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from assay import wheels
from assay.errors import NotCarriedOutError, UsageError
from assay.layout import SETTINGS
from assay.locks import merge_locks
from assay.settings import parse_settings
from assay.update.last_commit import FILE, LINK, PROGRAM, Entry, LastCommit, blob_id
from assay.update.migrations import migrated
from assay.update.rendering import Rendered

LABELS = ("your file", "the template's, before", "the template's, now")
MACHINERY = "src/assay/"
BROKEN = 127  # from here on git's code is no number of conflicts

Base = Callable[[str, str], bytes | None]


@dataclass(frozen=True)
class Written:
    """A file of the update's commit: content and git's mode."""

    content: bytes
    mode: str = FILE


@dataclass
class MergePlan:
    """What the update's commit changes, and what is said of it.

    `conflicts` has a reason for each file that a person must decide; `written` then holds a text
    with both sides, where there is one.
    """

    written: dict[str, Written] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)


def is_owned(name: str) -> bool:
    """Whether a file is the author's from the first day, so that no update touches it."""
    if name.startswith("tests/"):
        return name != "tests/conftest.py"
    return name.startswith(("data/", "src/")) and not name.startswith(MACHINERY)


def plan(last: LastCommit, rendered: Mapping[str, Rendered], wheel: str, base: Base) -> MergePlan:
    """Decide for every file of the template; nothing is written.

    Args:
        last: the repository as its last commit has it.
        rendered: the new template's files for its answers.
        wheel: the name of the new wheel, which `rendered` has.
        base: gives the content of a file as it was first rendered, by its path and git's id;
            None where it is not at hand.
    """
    made = MergePlan()
    first = last.origin.files
    for name in sorted(set(first) | set(rendered)):
        if is_owned(name):
            continue
        if name not in rendered:
            _drop(made, name, last.tree.get(name), first[name])
        else:
            _bring(made, last, name, rendered[name], Preparation(wheel, rendered), base)
    for name in sorted(last.tree):
        if name.startswith(MACHINERY) and name not in first and name not in rendered:
            _drop(made, name, last.tree[name], None)
    _require_room(made, last)
    _require_sound(made, last)
    return made


def _require_room(made: MergePlan, last: LastCommit) -> None:
    """A new file would take the place of a folder, or of a file where it needs a folder."""
    mine = set(last.tree) - set(made.removed)
    folders = {str(parent) for name in mine for parent in PurePosixPath(name).parents}
    for name in made.added:
        above = [str(parent) for parent in PurePosixPath(name).parents]
        if name in folders:
            made.conflicts[name] = "is a folder in your repository, and a file of the template"
        elif taken := next((parent for parent in above if parent in mine), None):
            made.conflicts[name] = f"is new in the template, and {taken} is a file of yours"
    for name in made.conflicts.keys() & set(made.added):
        made.added.remove(name)
        del made.written[name]


def _drop(made: MergePlan, name: str, mine: Entry | None, first: str | None) -> None:
    """A file that the template has no more."""
    if mine is None:
        return
    if mine.blob == first:
        made.removed.append(name)
    elif name.startswith(MACHINERY):
        made.conflicts[name] = "is yours, and would hide the machinery of the wheel"
    else:
        made.kept.append(name)


def _bring(  # noqa: PLR0913 (a file, and what is known of it)
    made: MergePlan,
    last: LastCommit,
    name: str,
    new: Rendered,
    prepared: "Preparation",
    base: Base,
) -> None:
    """A file that the template has."""
    mine, first = last.tree.get(name), last.origin.files.get(name)
    there = blob_id(last.root, new.content)
    mode = PROGRAM if new.program else FILE
    if mine is None and first is not None:
        if there != first:
            made.missing.append(name)
    elif mine is None:
        made.added.append(name)
        made.written[name] = Written(new.content, mode)
    elif mine.blob == there:
        pass
    elif mine.blob == first:
        made.replaced.append(name)
        made.written[name] = Written(new.content, mode)
    elif mine.mode not in {FILE, PROGRAM}:
        kind = "a link" if mine.mode == LINK else "no plain file"
        made.conflicts[name] = f"is {kind} in your repository, and a file of the template"
    elif there != first or name == SETTINGS:
        old = None if first is None else base(name, first)
        _combine(made, name, last.content(name), old, new.content, prepared, mine.mode, first)


def _combine(  # noqa: PLR0913 (three sides, and what is known of them)
    made: MergePlan,
    name: str,
    mine: bytes,
    old: bytes | None,
    new: bytes,
    prepared: "Preparation",
    mode: str,
    first: str | None,
) -> None:
    own = prepared.of(name, mine)
    if old is None and own == new:
        content, reason = new, None
    elif old is None:
        content, _ = merge_texts(own, b"", new)
        reason = "is new in the template, and you have a file of that name"
        if first is not None:
            reason = (
                "was changed by you, and its first content is not at hand to compare with "
                "(`git fetch --unshallow`, or --template with the template's git history)"
            )
    else:
        content, reason = _merged(name, own, prepared.of(name, old), new)
    if reason is not None:
        made.conflicts[name] = reason
    elif content != mine:
        made.merged.append(name)
    if content != mine:
        made.written[name] = Written(content, mode)


def _merged(name: str, mine: bytes, old: bytes, new: bytes) -> tuple[bytes, str | None]:
    """The merged content, and the reason of a conflict."""
    if mine == old:
        return new, None
    if name == wheels.LOCK:
        merged = merge_locks(*(side.decode(errors="replace") for side in (old, mine, new)))
        if merged is not None:
            disputed = ", ".join(merged.disputed)
            reason = f"locks {disputed} otherwise than the template (`make lock` decides)"
            return merged.text.encode(), reason if disputed else None
    content, count = merge_texts(mine, old, new)
    if count is None:
        return mine, "is no text, and was changed by you and by the template"
    places = "1 place" if count == 1 else f"{count} places"
    return content, f"was changed by you and by the template in {places}" if count else None


def merge_texts(mine: bytes, old: bytes, new: bytes) -> tuple[bytes, int | None]:
    """Merge as git does: the text, with both sides where they differ, and in how many places.

    None for what is no text.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("mine", "old", "new")]
        for path, content in zip(files, (mine, old, new), strict=True):
            path.write_bytes(content)
        labels = [word for label in LABELS for word in ("-L", label)]
        words = ["git", "-C", folder, "merge-file", "-p", *labels, *map(str, files)]
        done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode < 0:
        raise NotCarriedOutError(
            "git merge-file was stopped: run `assay update` again.", code="git.stopped"
        )
    if done.returncode > BROKEN:
        return mine, None
    return done.stdout, done.returncode


@dataclass(frozen=True)
class Preparation:
    """What is done to both older sides before they are merged, so that it is nobody's change.

    The wheel gets its new name and its new line in the lock; keys of `assay.toml` get theirs.
    """

    wheel: str
    rendered: Mapping[str, Rendered]

    def of(self, name: str, content: bytes) -> bytes:
        """The prepared content of a file of that name."""
        if name not in {wheels.PROJECT, wheels.LOCK, SETTINGS}:
            return content
        try:
            text = content.decode()
            if name == SETTINGS:
                return migrated(text).encode()
        except ValueError:
            return content
        if name == wheels.PROJECT:
            return wheels.NAME.sub(self.wheel, text).encode()
        entry = wheels.ENTRY.search(self.rendered[name].content.decode())
        head = next(iter(_heads(text)), 0)
        bare = wheels.without_entry(text[head:])
        return f"{text[:head]}{entry[0] if entry else ''}{bare}".encode()


def _heads(lock: str) -> Iterator[int]:
    """Where the comments at the beginning of a lock end."""
    place = 0
    for line in lock.splitlines(keepends=True):
        if not line.startswith("#"):
            yield place
            return
        place += len(line)
    yield place


def _require_sound(made: MergePlan, last: LastCommit) -> None:
    """A text that git merged without a conflict, or that stays, may be no configuration now."""
    for name in (SETTINGS, wheels.PROJECT):
        if name in made.conflicts or name not in {*made.written, *last.tree}:
            continue
        try:
            written = made.written.get(name)
            content = last.content(name) if written is None else written.content
            text = content.decode()
            tomllib.loads(text)
            if name == SETTINGS:
                parse_settings(text)
        except (ValueError, UsageError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            made.conflicts[name] = f"would not be valid after the update ({said})"
