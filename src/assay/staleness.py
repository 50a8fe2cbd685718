"""Whether code, data and settings are still those that the last checks of this folder went by.

Beside each record that a check hands over, `out/inputs/` keeps the digests of what the check read.
No workflow uploads that folder: of artifacts from another checkout nothing is said, as nothing
there can be out of date.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.errors import RefusedError
from assay.files import digest_bytes, digest_file
from assay.layout import SETTINGS, Handover, Layout, Part
from assay.locks import LOCK
from assay.machinery import machinery_digest
from assay.records import Digest, Record, read_record
from assay.repository import Repository
from assay.texts import plural

PARTS: tuple[Part, ...] = ("schema", "candidate", "sanity")
MACHINERY = "the installed assay"
# folders of the author's files that decide about each part
FOLDERS: dict[Part, tuple[str, ...]] = {
    "schema": (),
    "candidate": ("src",),
    "sanity": ("src", "tests"),
    "score": (),
}
UNREAD = ("__pycache__", ".egg-info")
SHOWN = 3


class Inputs(Record):
    """What a check read: the digest of each input by its name, and of the record it wrote."""

    record: Digest
    inputs: dict[str, Digest]


def inputs_of(repository: Repository, part: Part) -> dict[str, str]:
    """The digests of all that decides about a part, by path; of `assay.toml` that of its keys."""
    layout = repository.layout
    tables = (layout.train, layout.corrections, layout.sealed_inputs, layout.pool)
    files = [*tables, layout.root / LOCK]
    files += [path for name in FOLDERS[part] for path in _own_files(layout.root / name)]
    return {
        SETTINGS: digest_bytes(repr(repository.settings).encode()),
        MACHINERY: machinery_digest(),
    } | {
        path.relative_to(layout.root).as_posix(): digest_file(path)
        for path in files
        if path.is_file()
    }


def _own_files(folder: Path) -> Iterator[Path]:
    """The files that a person keeps in a folder: no caches, no hidden files, no backups."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if not any(name.startswith(".") or name.endswith((*UNREAD, "~")) for name in parts):
            yield path


@contextmanager
def inputs_noted(repository: Repository, part: Part) -> Iterator[None]:
    """Note what a check reads, as it is when the check begins; nothing if it ends by an error."""
    noted = _noted(repository.layout, part)
    noted.unlink(missing_ok=True)
    inputs = inputs_of(repository, part)
    yield
    Inputs(record=digest_file(_record(repository.handover, part)), inputs=inputs).write(noted)


def _noted(layout: Layout, part: Part) -> Path:
    return layout.out / "inputs" / f"{part}.json"


def _record(handover: Handover, part: Part) -> Path:
    return {"schema": handover.schema, "candidate": handover.candidate}.get(part, handover.sanity)


def changed_since_check(repository: Repository, handover: Handover) -> list[str]:
    """What changed since the checks whose records are in `handover`, by name; else empty.

    Nothing is said of records that were not made in this folder, or of an older assay.
    """
    if handover.folder.resolve() != repository.layout.out.resolve():
        return []
    names: dict[str, None] = {}
    for part in PARTS:
        noted, record = _noted(repository.layout, part), _record(handover, part)
        if noted.is_file() and record.is_file():
            before = read_record(Inputs, noted)
            if before.record == digest_file(record):
                now = inputs_of(repository, part)
                pairs = sorted(before.inputs.items() ^ now.items())
                names |= dict.fromkeys(name for name, _ in pairs)
    return list(names)


def require_current(repository: Repository, handover: Handover, *, stale_ok: bool) -> list[str]:
    """Refuse records of a check whose code, data or settings changed since; gives what changed.

    Raises:
        RefusedError: something changed, and nobody said that it may.
    """
    changed = changed_since_check(repository, handover)
    if changed and not stale_ok:
        raise RefusedError(
            f"{told(changed)} since the checks ran: run `assay check` again, or add --stale-ok to "
            "go by the earlier checks.",
            code="handover.stale",
        )
    return changed


def told(changed: list[str]) -> str:
    """What changed, in words: the first names and how many more there are."""
    more = len(changed) - SHOWN
    names = [*changed[:SHOWN], *([plural(more, "further file")] if more > 0 else [])]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return f"{listed} changed"
