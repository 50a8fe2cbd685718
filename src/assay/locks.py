"""Locks by package: what `requirements.lock` pins, what is installed, and what a change changes.

Two locks are merged package by package, since lines that are neighbours do not conflict.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from assay.wheels import DISTRIBUTION, FOLDER, PACKAGE_NAME

LOCK = "requirements.lock"
BLOCK = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:==|/)[^\n]*\n(?:[ \t]+[^\n]*\n)*")
HEAD = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


@dataclass(frozen=True)
class Contradiction:
    """A package of the lock that is installed in another version, or (None) not at all."""

    name: str
    locked: str
    installed: str | None

    def __str__(self) -> str:
        """Both versions, in words."""
        return f"{self.name} {self.locked} is locked and {self.installed or 'none'} installed"


def contradictions(root: Path) -> list[Contradiction]:
    """What is installed otherwise than the lock says, for this Python and system, by name.

    Packages that are installed beside the lock are none of its business, nor is assay's own wheel,
    which is compared by its digest.
    """
    path = root / LOCK
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = []
    for name, locked in sorted(pins(text).items()):
        installed = _installed(name)
        if not any(_same(one, installed) for one in locked):
            found.append(Contradiction(name, " or ".join(sorted(locked)), installed))
    return found


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock's text asks for here, by the canonical name of the package."""
    found: dict[str, set[str]] = {}
    for one in _requirements(lock):
        if one.marker is None or one.marker.evaluate():
            versions = [part.version for part in one.specifier if part.operator in {"==", "==="}]
            found.setdefault(canonicalize_name(one.name), set()).update(versions)
    return {name: versions for name, versions in found.items() if versions}


def _requirements(lock: str) -> Iterator[Requirement]:
    for line in lock.splitlines():
        if line[:1].isalnum() and "==" in line:
            try:
                yield Requirement(line.partition(" --hash")[0].split(" #")[0].rstrip("\\ "))
            except InvalidRequirement:
                continue


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _same(locked: str, installed: str | None) -> bool:
    """Whether both are one release; a build such as `2.5.0+cpu` is of the release 2.5.0."""
    try:
        wanted, found = Version(locked), Version(installed or "")
    except InvalidVersion:
        return locked == installed
    return wanted == found or (wanted.local is None and wanted.public == found.public)


@dataclass(frozen=True)
class Merged:
    """A merged lock, and the packages that both sides locked, each otherwise.

    Of these it has what the template locks.
    """

    text: str
    disputed: list[str]


def merge_locks(base: str, mine: str, theirs: str) -> Merged | None:
    """Merge the texts of three locks; None where one is not written as `make lock` writes it.

    What stands in all three the same, such as the wheel's entry, stays where `theirs` has it.
    """
    parsed = [_entries(text) for text in (base, mine, theirs)]
    if any(one is None for one in parsed):
        return None
    head = HEAD.match(theirs)
    old, own, new = (one or {} for one in parsed)
    chosen = dict(new)
    disputed = []
    for name in sorted(set(old) | set(own)):
        before, here, there = old.get(name), own.get(name), new.get(name)
        if here in {before, there}:
            continue  # the template alone changed it
        if before != there:
            disputed.append(name)
        elif here is None:
            chosen.pop(name, None)
        else:
            chosen[name] = here
    ordered = _ordered(list(new), list(chosen))
    body = "".join(chosen[name] for name in ordered)
    return Merged((head[0] if head else "") + body, disputed)


def _ordered(present: Sequence[str], chosen: Sequence[str]) -> list[str]:
    names = [name for name in present if name in chosen]
    for name in sorted(set(chosen) - set(names)):
        names.insert(bisect(names, _sorted_as(name), key=_sorted_as), name)
    return names


def _sorted_as(name: str) -> str:
    # an entry by a path is named by its folder here, and sorted by its package in a lock
    return PACKAGE_NAME if name == FOLDER else name


def _entries(lock: str) -> dict[str, str] | None:
    """The entry, or entries for several systems, of each package; None for another format."""
    found: dict[str, str] = {}
    head = HEAD.match(lock)
    place = head.end() if head else 0
    while place < len(lock):
        block = BLOCK.match(lock, place)
        if block is None:
            return None
        found[block["name"]] = found.get(block["name"], "") + block[0]
        place = block.end()
    return found


def versions(lock: str) -> dict[str, set[str]]:
    """The versions that a lock names of each package, for whatever system."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        found.setdefault(name.lower(), set()).add(version)
    return found


@dataclass(frozen=True)
class PackageChange:
    """A package whose locked version is another; `before` or `after` is "" where it has none.

    `kind` is added, removed, newer, older or changed. All is text of whoever wrote the lock.
    """

    name: str
    before: str
    after: str
    kind: str

    def __str__(self) -> str:
        """Both versions, in words."""
        if not self.before:
            return f"{self.name} {self.after} added"
        if not self.after:
            return f"{self.name} {self.before} removed"
        return f"{self.name} {self.before} → {self.after} ({self.kind})"


_ORDER = ("older", "changed", "added", "removed", "newer")


def package_changes(before: str, after: str) -> list[PackageChange]:
    """What differs between two locks' texts, what a reviewer should doubt most first.

    A package with several versions, for several systems, has all of them.
    """
    main, own = _versions(before), _versions(after)
    changes = [
        _change(name, main.get(name, set()), own.get(name, set()))
        for name in sorted(main | own)
        if main.get(name) != own.get(name)
    ]
    return sorted(changes, key=lambda one: _ORDER.index(one.kind))


def _versions(lock: str) -> dict[str, set[str]]:
    mine = {canonicalize_name(DISTRIBUTION), canonicalize_name(PACKAGE_NAME)}
    found = {canonicalize_name(name): those for name, those in versions(lock).items()}
    return {name: those for name, those in found.items() if name not in mine}


def _change(name: str, before: set[str], after: set[str]) -> PackageChange:
    said = [", ".join(sorted(one)) for one in (before, after)]
    return PackageChange(name, said[0], said[1], _kind(before, after))


def _kind(before: set[str], after: set[str]) -> str:
    if not before or not after:
        return "removed" if before else "added"
    try:
        # of several, what is no longer there beside what came for it
        gone = max(map(Version, before - after or before))
        new = max(map(Version, after - before or after))
    except InvalidVersion:
        return "changed"
    return "changed" if gone == new else "newer" if new > gone else "older"
