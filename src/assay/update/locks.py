"""Locks merged package by package, since lines of neighbours are nobody's conflict."""

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from assay.wheels import FOLDER, PACKAGE_NAME

BLOCK = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:==|/)[^\n]*\n(?:[ \t]+[^\n]*\n)*")
HEAD = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


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
