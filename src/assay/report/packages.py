"""Which packages a lock changes, from which version to which, and whether that is up or down."""

from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from assay.update.locks import versions
from assay.wheels import DISTRIBUTION, PACKAGE_NAME


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
