"""Which `assay` this is: its version, its digest, and whether its files are those of its wheel.

An installer leaves the hash of each file in RECORD, beside the package. A package without one, as
in an editable installation, is hashed from its files and has the same digest as its own wheel.
"""

import base64
import csv
import hashlib
import importlib.util
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import assay
from assay import wheels
from assay.errors import NotCarriedOutError
from assay.origins import git

AGAIN = "install it again with `rm -f .venv/locked && make setup`"
PLAIN_LINE = re.compile(rf"(?:\./)?{wheels.FOLDER}/{wheels.NAME.pattern} \\\n")
# PEP 552: 16 bytes before the code, of which the second four are flags
HASHED, HEADER = 0b01, 16
# what a wheel of assay is made of; Python would take a compiled module before its source
OWN_FILES = re.compile(
    r"(?P<module>assay/(?:\w+/)*(?:\w+\.(?:py|html|js)|py\.typed))"
    rf"|{wheels.DISTRIBUTION}-[^/]+\.dist-info/"
    r"(?:METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)
Hashes = Mapping[str, str]


@dataclass(frozen=True)
class WheelFault:
    """What is wrong with the wheel that a repository carries: in which file, and what to do."""

    file: str
    sentence: str


@lru_cache(maxsize=1)
def machinery_digest() -> str:
    """SHA-256 over the names and contents of the modules of `assay`, 64 hexadecimal digits.

    Raises:
        NotCarriedOutError: a file of the installed package is not as its wheel had it.
    """
    return digest_installed(Path(assay.__file__).parent)


def digest_installed(package: Path) -> str:
    """The digest of the package in this folder; raises as `machinery_digest`."""
    found = _hashes_of(package)
    info = _information(package)
    if info is not None:
        _require_unaltered(package, found, _recorded(_read(info / "RECORD")))
        _require_compiled_from(package, found)
    return _digest(found)


def installed_version() -> str:
    """The version of the installed wheel, such as `0.2.0+3f2a9c1d`, else that of the files."""
    info = _information(Path(assay.__file__).parent)
    if info is None:
        return assay.__version__
    found = re.search(r"^Version: (\S+)$", _read(info / "METADATA"), re.MULTILINE)
    return found[1] if found else assay.__version__


def machinery_of(root: Path) -> str:
    """The digest of what works in this repository, which is what the repository's lock pins.

    Raises:
        NotCarriedOutError: a file of it was altered, another version is pinned, or the repository's
            wheel is not the one of its lock.
    """
    for fault in wheel_faults(root):
        raise NotCarriedOutError(f"{fault.file}: {fault.sentence}.", code="wheel.not-as-pinned")
    require_pinned(root)
    return machinery_digest()


def require_pinned(root: Path) -> None:
    """Make sure that the installed package is the wheel of the repository, if it carries one.

    Raises:
        NotCarriedOutError: it is another, or a file of it was altered.
    """
    own = machinery_digest()
    names = list(_pinned(root))
    if len(names) != 1 or wheel_faults(root):
        return
    if wheel_digest(root / wheels.FOLDER / names[0]) != own:
        version = names[0].split("-")[1]
        raise NotCarriedOutError(
            f"assay {installed_version()} is installed, but {wheels.LOCK} pins {version}: run "
            "`make setup` (on GitHub, start the workflow again).",
            code="machinery.other-version",
        )


def wheel_digest(wheel: Path) -> str:
    """The digest that `machinery_digest` gives once this wheel is installed.

    Raises:
        NotCarriedOutError: the file is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/RECORD"))
            return _digest(_recorded(archive.read(name).decode()))
    except (OSError, ValueError, zipfile.BadZipFile):
        raise NotCarriedOutError(
            f"{wheel.name} is no wheel that can be read: restore it from git.",
            code="wheel.unreadable",
        ) from None


def wheel_faults(root: Path) -> list[WheelFault]:
    """What is wrong between `wheels/` and `requirements.lock`; empty where neither names assay."""
    there = sorted(path.name for path in (root / wheels.FOLDER).glob(f"{wheels.DISTRIBUTION}-*"))
    return [*_faults(root, there, _pinned(root)), *_strays(root)]


def _strays(root: Path) -> Iterator[WheelFault]:
    """Lines of the lock that name assay beside its wheel's entry, from wherever."""
    lock = root / wheels.LOCK
    text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
    for line in wheels.without_entry(text).splitlines():
        if not line.startswith("#") and re.search(r"assay[-_.]+materials", line, re.IGNORECASE):
            bare = line.strip(" \\")[:100]
            told = f"the line {bare!r} names assay beside its wheel"
            yield WheelFault(wheels.LOCK, f"{told}; take it out")


def _faults(root: Path, there: list[str], pinned: Mapping[str, set[str]]) -> Iterator[WheelFault]:
    kept = "origin/main" if git(root, "rev-parse", "--verify", "--quiet", "origin/main") else "HEAD"
    restore = f"restore both with `git checkout {kept} -- {wheels.FOLDER} {wheels.LOCK}`"
    if len(there) > 1:
        other = next((name for name in there if name not in pinned), there[1])
        told = f"there are {len(there)} wheels of assay, and {wheels.LOCK} does not need this one"
        place = f"{wheels.FOLDER}/{other}"
        yield WheelFault(place, f"{told}; remove it with `rm {place}`")
    if len(pinned) > 1:
        yield WheelFault(wheels.LOCK, f"it pins {len(pinned)} wheels of assay; {restore}")
    if there and not pinned:
        yield WheelFault(
            wheels.LOCK, f"it does not pin {wheels.FOLDER}/{there[0]} by hash; {restore}"
        )
    for name, hashes in pinned.items():
        path = root / wheels.FOLDER / name
        if not path.is_file():
            yield WheelFault(
                wheels.LOCK, f"it pins {wheels.FOLDER}/{name}, which is missing; {restore}"
            )
        elif hashlib.sha256(path.read_bytes()).hexdigest() not in hashes:
            told = f"its bytes do not match the hash in {wheels.LOCK}"
            yield WheelFault(f"{wheels.FOLDER}/{name}", f"{told}; {restore}")
        elif (strange := _strange_file(path)) is not None:
            told = f"it holds {strange!r}, which is not in its RECORD or no part of assay"
            yield WheelFault(f"{wheels.FOLDER}/{name}", f"{told}; {restore}")


def _strange_file(wheel: Path) -> str | None:
    """A file that an installer would unpack beside the modules of which the digest is made."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            (record,) = (one for one in names if one.endswith(".dist-info/RECORD"))
            recorded = _recorded(archive.read(record).decode())
            for name in names:
                part = OWN_FILES.fullmatch(name)
                if part is None or names.count(name) > 1:
                    return name
                known = hashlib.sha256(archive.read(name)).hexdigest() == recorded.get(name)
                if part["module"] and not known:
                    return name
    except (OSError, ValueError, zipfile.BadZipFile):
        return wheel.name
    return None


def _pinned(root: Path) -> dict[str, set[str]]:
    lock = root / wheels.LOCK
    text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
    return pinned_wheels(text)


def pinned_wheels(lock: str) -> dict[str, set[str]]:
    """The wheels of assay that a lock's text names, each with the hashes that it may have."""
    found: dict[str, set[str]] = {}
    for entry in wheels.ENTRY.finditer(lock.replace("\r\n", "\n")):
        name = wheels.NAME.search(entry[0])
        # a marker, or another path, would have an installer take something else
        if name is not None and PLAIN_LINE.match(entry[0]):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry[0])
            found.setdefault(name[0], set()).update(hashes)
    return found


def _information(package: Path) -> Path | None:
    """The folder that an installer left beside the package; None where the files stand alone."""
    found = sorted(package.parent.glob(f"{wheels.DISTRIBUTION}-*.dist-info"))
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise NotCarriedOutError(
            f"{names} are installed in one place: {AGAIN}.", code="machinery.installed-twice"
        )
    if not found or _is_editable(found[0]):
        return None
    return found[0]


def _is_editable(info: Path) -> bool:
    try:
        origin = json.loads((info / "direct_url.json").read_text(encoding="utf-8"))
        return origin["dir_info"]["editable"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise NotCarriedOutError(
            f"{path} cannot be read, so nobody can tell whether assay was altered: {AGAIN}.",
            code="machinery.unreadable",
        ) from None


def _hashes_of(package: Path) -> Hashes:
    """The files of a package by their path below its parent; what Python compiles is left out."""
    paths = (path for path in package.rglob("*") if path.parent.name != "__pycache__")
    return {
        path.relative_to(package.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file()
    }


def _recorded(record: str) -> Hashes:
    """The files of `assay` in a RECORD, each with its SHA-256 in hexadecimal digits."""
    rows = (row for row in csv.reader(io.StringIO(record)) if row and row[0].startswith("assay/"))
    return {name: _hexadecimal(told) for name, told, *_ in rows if "__pycache__" not in name}


def _hexadecimal(told: str) -> str:
    kind, _, text = told.partition("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex() if kind == "sha256" else ""


def _require_unaltered(package: Path, found: Hashes, recorded: Hashes) -> None:
    for name in sorted({*found, *recorded}):
        if found.get(name) == recorded.get(name):
            continue
        kind = "was changed" if name in found else "is missing"
        kind = kind if name in recorded else "does not belong to it"
        raise NotCarriedOutError(
            f"{package.parent / name} {kind}, so this is not the assay that was installed: "
            f"{AGAIN}.",
            code="machinery.altered",
        )


def _require_compiled_from(package: Path, found: Hashes) -> None:
    """Find compiled modules that Python takes unchecked, of which the source is another by now."""
    for path in sorted(package.rglob("__pycache__/*.pyc")):
        with path.open("rb") as stream:
            head = stream.read(HEADER)
        if not int.from_bytes(head[4:8], "little") & HASHED:
            continue  # Python itself compares the time and size of its source
        source = path.parents[1] / f"{path.name.partition('.')[0]}.py"
        name = source.relative_to(package.parent).as_posix()
        if name not in found or importlib.util.source_hash(source.read_bytes()) != head[8:]:
            raise NotCarriedOutError(
                f"{path} was compiled from another source: {AGAIN}.",
                code="machinery.other-bytecode",
            )


def _digest(hashes: Hashes) -> str:
    """Over lines as `sha256sum` prints them, of the modules alone, in the order of their paths."""
    modules = sorted(Path(name).relative_to("assay") for name in hashes if name.endswith(".py"))
    lines = [f"{hashes[f'assay/{name.as_posix()}']}  {name.as_posix()}\n" for name in modules]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
