"""The rules of the files that every verdict rests on: sealed inputs, their labels, and the pool.

The seal names its inputs by a digest that anybody may read, so a row that is gone is noticed here,
before anything is trained, and without main at hand. What main has says which rows it were.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import great_expectations.expectations as gxe
import pandas as pd

from assay.datasets import reduced_formulas
from assay.errors import AssayError
from assay.files import digest_bytes
from assay.records import Severity
from assay.repository import Repository
from assay.schema.differences import FILE
from assay.schema.rules import FAILURE, FORMULA, ROW_ID, WARNING, Rule, Table, literal
from assay.sealing.encryption import read_header
from assay.sealing.labels import digest_of_formulas, sealed_digest
from assay.sealing.releases import LABELS, folder_of, is_genuine
from assay.tables import parse_table
from assay.texts import plural

Suite = tuple[Table, list[Rule]]


@dataclass(frozen=True)
class FileFault:
    """What is wrong with a file, by which rule, and how grave it is."""

    rule: str
    path: Path
    sentence: str
    severity: Severity = FAILURE


def kept_suites(repository: Repository) -> Iterator[Suite]:
    """A table and a rule for each fault; none where the files are main's and fit each other."""
    restore = f"restore it with `git checkout {repository.base.name} -- "
    for number, fault in enumerate(_faults(repository, restore), start=1):
        file = fault.path.relative_to(repository.root).as_posix()
        cells = pd.DataFrame({FILE: [file]}, dtype=str)
        table = Table(f"kept-{number}", file, cells, cells, located=False)
        yield table, [_rule(fault, file)]


def _rule(fault: FileFault, file: str) -> Rule:
    return Rule(
        fault.rule,
        gxe.ExpectColumnValuesToNotBeInSet(
            column=FILE, value_set=[file], description="The file is the one that belongs here."
        ),
        f"{literal(fault.sentence)}.",
        severity=fault.severity,
    )


def _faults(repository: Repository, restore: str) -> Iterator[FileFault]:
    yield from _inputs(repository, restore)
    yield from _open_labels(repository, restore)
    yield from _labels(repository, restore)
    yield from _release(repository)
    yield from _pool(repository, restore)
    path = repository.layout.public_key
    mains = repository.base.content(path)
    if mains is not None and mains != _bytes(path):
        told = "certificate.pub is not main's: no certificate of before is valid under another key"
        yield FileFault("kept.key", path, f"{told}; {restore}certificate.pub`")


def _inputs(repository: Repository, restore: str) -> Iterator[FileFault]:
    """The sealed inputs are those that were sealed; before they are sealed, those on main."""
    path, labels = repository.layout.sealed_inputs, repository.layout.sealed_labels
    mains, own = repository.base.content(path), _bytes(path)
    sealed = _header(labels, _bytes(labels)).get("inputs")
    fits = sealed == digest_bytes(own) if sealed else mains in {None, own}
    if not fits:
        told = _difference(path, mains, own) or "it is not the file whose labels are sealed"
        yield FileFault("kept.inputs", path, f"{told}; {restore}data/{path.name}`")


def _open_labels(repository: Repository, restore: str) -> Iterator[FileFault]:
    """Labels that are not sealed yet are main's, until they are sealed."""
    path = repository.layout.open_labels
    mains, own = repository.base.content(path), _bytes(path)
    sealed = not own and repository.layout.sealed_labels.is_file()
    if mains not in {None, own} and not sealed:
        told = "is not main's, with which every model is scored" if own else "is missing"
        yield FileFault("kept.labels", path, f"{path.name} {told}; {restore}data/{path.name}`")


def _labels(repository: Repository, restore: str) -> Iterator[FileFault]:
    """The sealed labels are main's, under any key, or of the set that follows a retired one."""
    path = repository.layout.sealed_labels
    mains = repository.base.content(path)
    if mains is None or mains == _bytes(path):
        return
    before, now = _header(path, mains), _header(path, _bytes(path))
    committed = before.get("commitment")
    if not now or not (committed == now.get("commitment") or _is_retired(repository, committed)):
        told = "is missing or damaged" if not now else "commits to other labels than main's"
        advice = "a fresh set takes the place of a retired one alone (`assay seal fresh`)"
        yield FileFault(
            "kept.labels", path, f"{path.name} {told}: {advice}; {restore}data/{path.name}`"
        )


def _release(repository: Repository) -> Iterator[FileFault]:
    """Published labels of the present set end it, so they are those that it committed to."""
    layout = repository.layout
    try:
        folder = folder_of(layout, sealed_digest(layout))
    except AssayError:
        return  # nothing is sealed, or another rule speaks of it
    path = folder / LABELS
    committed = _header(layout.sealed_labels, _bytes(layout.sealed_labels)).get("commitment")
    if committed and path.exists() and not is_genuine(folder, committed):
        told = "is not what the sealed labels commit to, and would end the sealed set"
        where = path.parent.relative_to(layout.root).as_posix()
        yield FileFault("kept.labels", path, f"{path.name} {told}; remove it with `rm -r {where}`")


def _is_retired(repository: Repository, committed: str | None) -> bool:
    """Whether the labels of main's set are public, as they were committed to."""
    path = repository.layout.sealed_inputs
    try:
        rows = parse_table(repository.base.content(path) or b"", [FORMULA], path)
        named = digest_of_formulas(reduced_formulas(rows[FORMULA], path))
    except AssayError:
        return False
    return is_genuine(folder_of(repository.layout, named), committed)


def _pool(repository: Repository, restore: str) -> Iterator[FileFault]:
    """No row of main's pool is gone or altered; rows that are added are a warning."""
    path = repository.layout.pool
    mains, own = repository.base.content(path), _bytes(path)
    if mains in {None, own}:
        return
    before, now = (_rows(path, content) for content in (mains, own))
    lines = (mains or b"").splitlines()
    begins = own.splitlines()[: len(lines)] == lines  # with all cells, such as groups
    grows = bool(before) and begins and len(now) > len(before)
    told = _difference(path, mains, own) or "its bytes are not main's"
    if not begins and before.items() <= now.items():
        told += "; lines of main's are others, or not the first"
    advice = "the gate takes main's pool: change it in a pull request of its own"
    yield FileFault(
        "kept.pool",
        path,
        f"{told}; {advice}, or {restore}data/{path.name}`",
        WARNING if grows else FAILURE,
    )


def _difference(path: Path, mains: bytes | None, own: bytes) -> str:
    """How the rows differ from main's, in words; "" where main is not at hand or has the same."""
    before, now = (_rows(path, content) for content in (mains, own))
    if not before or mains == own:
        return ""
    counts = (
        (len(before.keys() - now.keys()), "missing"),
        (len(now.keys() - before.keys()), "added"),
        (sum(now.get(name, formula) != formula for name, formula in before.items()), "altered"),
    )
    said = [f"{plural(count, 'row')} {what}" for count, what in counts if count]
    if said:
        return f"{', '.join(said)}, of {len(before):,} on main"
    if list(before) != list(now):
        return "the rows stand in another order than on main"
    return "the rows are main's, but not the bytes (further columns, line ends or quotes)"


def _rows(path: Path, content: bytes | None) -> dict[str, str]:
    try:
        rows = parse_table(content or b"", [ROW_ID, FORMULA], path)
    except AssayError:
        return {}
    return dict(zip(rows[ROW_ID], rows[FORMULA], strict=True))


def _header(path: Path, content: bytes) -> dict[str, str]:
    try:
        return read_header(content, path.name)
    except AssayError:
        return {}


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
