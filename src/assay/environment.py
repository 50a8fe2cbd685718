"""Whether the packages that are installed are those that `requirements.lock` names."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LOCK = "requirements.lock"


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
