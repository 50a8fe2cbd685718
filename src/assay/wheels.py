"""The wheel of the machinery that a model repository carries, and its line in the lock.

cookiecutter's hook runs this file from the template, where nothing but the standard library is
installed, so it imports nothing else. The same tree gives the same bytes on every machine: entries
are stored, since what deflate writes depends on the zlib at hand, with fixed times and modes.
"""

import base64
import hashlib
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PACKAGE_NAME, DISTRIBUTION = "assay-materials", "assay_materials"
PACKAGE = Path("src", "assay")
LOCK, PROJECT, FOLDER = "requirements.lock", "pyproject.toml", "wheels"
TIME, MODE = (1980, 1, 1, 0, 0, 0), 0o100644 << 16
NAME = re.compile(rf"{DISTRIBUTION}-[\w.+!]*-py3-none-any\.whl")
ENTRY = re.compile(rf"^(\./)?{FOLDER}/{DISTRIBUTION}-.*\\\n( +--hash=.*\n)+", re.MULTILINE)
WHEEL = b"Wheel-Version: 1.0\nGenerator: assay\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(template: Path, folder: Path) -> Path:
    """Write the wheel of the template's `src/assay` into `folder` and give its path.

    The version ends with a digest of the content (`0.2.0+3f2a9c1d`), since pip and uv leave an
    installed package alone whose version is unchanged.

    Raises:
        ValueError: the template lacks `src/assay` or its `pyproject.toml`: what to do is said.
        OSError: `folder` cannot be written to.
    """
    files = _modules(template)
    project = tomllib.loads((template / PROJECT).read_text(encoding="utf-8"))["project"]
    files["LICENSE"] = (template / "LICENSE").read_bytes()
    metadata = _metadata(project)
    version = f"{_version(files)}+{_digest(files, metadata)}"
    info = f"{DISTRIBUTION}-{version}.dist-info"
    files[f"{info}/licenses/LICENSE"] = files.pop("LICENSE")
    files[f"{info}/METADATA"] = metadata.replace("@VERSION@", version).encode()
    files[f"{info}/WHEEL"] = WHEEL
    files[f"{info}/entry_points.txt"] = _entry_points(project)
    files[f"{info}/RECORD"] = _record(files, info)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{DISTRIBUTION}-{version}-py3-none-any.whl"
    temporary = target.with_suffix(".part")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr, entry.create_system = MODE, 3
            archive.writestr(entry, content)
    temporary.replace(target)
    return target


def pin_wheel(repository: Path, wheel: Path) -> None:
    """Name the wheel in the lock, with its hash, and in `pyproject.toml`; others of it go.

    Raises:
        ValueError: `pyproject.toml` has no place for it.
        OSError: a file cannot be read or written.
    """
    project, lock = repository / PROJECT, repository / LOCK
    text, found = NAME.subn(wheel.name, project.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(
            f"{PROJECT} names no wheel of assay-materials under [tool.uv.sources]: put back "
            f'assay-materials = {{ path = "{FOLDER}/{wheel.name}" }}.'
        )
    locked = with_entry(lock.read_text(encoding="utf-8"), wheel)
    for path, content in ((project, text), (lock, locked)):
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    for other in wheel.parent.glob(f"{DISTRIBUTION}-*.whl"):
        if other.name != wheel.name:
            other.unlink()


def with_entry(lock: str, wheel: Path) -> str:
    """A lock's text with this wheel's entry, where uv has it by its name, and no other of it."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entry = f"{FOLDER}/{wheel.name} \\\n    --hash=sha256:{digest}\n"
    bare = without_entry(lock)
    names = (
        (found.start(), found[1]) for found in re.finditer(r"^([\w.-]+)==", bare, re.MULTILINE)
    )
    end = next((start for start, name in names if name > PACKAGE_NAME), len(bare))
    return bare[:end] + entry + bare[end:]


def without_entry(lock: str) -> str:
    """A lock's text without the entry of any wheel of assay."""
    return ENTRY.sub("", lock)


def _modules(template: Path) -> dict[str, bytes]:
    source = template / PACKAGE
    paths = (
        path
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    )
    names = {path.relative_to(source.parent).as_posix(): path for path in paths}
    if "assay/__init__.py" not in names or not (template / PROJECT).is_file():
        raise ValueError(
            f"the template at {template} has no {PACKAGE.as_posix()}, so it was downloaded in "
            "part: clone the whole repository with git and name that folder."
        )
    return {name: names[name].read_bytes() for name in sorted(names)}


def _version(files: dict[str, bytes]) -> str:
    found = re.search(rb'^__version__ = "([\w.]+)"$', files["assay/__init__.py"], re.MULTILINE)
    if found is None:
        raise ValueError("src/assay/__init__.py names no __version__: restore it.")
    return found[1].decode()


def _digest(files: dict[str, bytes], metadata: str) -> str:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    return hashlib.sha256("".join([*lines, metadata]).encode()).hexdigest()[:8]


def _metadata(project: dict[str, Any]) -> str:
    """Core metadata 2.4, as hatchling writes it of the same `pyproject.toml`."""
    names = ", ".join(author["name"] for author in project["authors"])
    return "\n".join(
        [
            "Metadata-Version: 2.4",
            f"Name: {project['name']}",
            "Version: @VERSION@",
            f"Summary: {project['description']}",
            f"Author: {names}",
            f"License-Expression: {project['license']}",
            "License-File: LICENSE",
            f"Requires-Python: {project['requires-python']}",
            *_requirements(project["dependencies"]),
            *_extras(project.get("optional-dependencies", {})),
            "",
        ]
    )


def _extras(extras: dict[str, list[str]]) -> Iterator[str]:
    for name in sorted(extras):
        yield f"Provides-Extra: {name}"
        yield from _requirements(extras[name], f"; extra == '{name}'")


def _requirements(requirements: Iterable[str], marker: str = "") -> Iterator[str]:
    return (f"Requires-Dist: {_normal(one)}{marker}" for one in sorted(requirements))


def _normal(requirement: str) -> str:
    name, bounds = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
    return name + ",".join(sorted(bounds.split(","))) if bounds else name


def _entry_points(project: dict[str, Any]) -> bytes:
    lines = [f"{name} = {place}\n" for name, place in project["scripts"].items()]
    return "".join(["[console_scripts]\n", *lines]).encode()


def _record(files: dict[str, bytes], info: str) -> bytes:
    rows = [f"{name},sha256={_checksum(files[name])},{len(files[name])}\n" for name in files]
    return "".join([*rows, f"{info}/RECORD,,\n"]).encode()


def _checksum(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
