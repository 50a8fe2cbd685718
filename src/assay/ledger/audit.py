"""`assay ledger verify`: the whole ledger checked against everything that is at hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.datasets import reduced_formulas
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError
from assay.files import digest_bytes
from assay.layout import Layout
from assay.ledger.branches import ShortenedError
from assay.ledger.certificate import read_public_key, verify_content
from assay.ledger.continuity import CERTIFICATES, certificate_file, state_named
from assay.ledger.entries import DamagedLedgerError, Decision, Intent, Retirement
from assay.ledger.record import (
    Ledger,
    read_ledger,
    read_ledger_at_hand,
    reference_file,
    reference_train_file,
)
from assay.ledger.replay import Fault, replay_bits, replay_files, replay_lines, uses_of
from assay.records import Digest, Record, Text
from assay.sealing.labels import digest_of_formulas
from assay.sealing.releases import COMMITMENT, LABELS, read_release
from assay.settings import Settings
from assay.tables import read_numbers, read_table
from assay.texts import plural


class FaultRecord(Record):
    """A line that does not hold (0: something beside the lines), and why."""

    line: int
    reason: Text


class Audit(Record):
    """What was verified and what could not be.

    `lines`, of which `unsigned` prove nothing; `digest` of the last; `uses` of sealed labels, of
    which `bits` were recomputed and `unanswered` have no decision; and `certificates` verified.
    """

    lines: int
    unsigned: int
    digest: Digest
    uses: int
    bits: int
    unanswered: int
    certificates: int
    faults: list[FaultRecord]
    unverified: list[Text]

    @property
    def sentences(self) -> list[str]:
        """The same in a few lines for people."""
        signed = self.lines - self.unsigned
        verified = (
            f"{plural(self.lines, 'line')} in a chain, {signed} signed, last {self.digest[:12]}",
            f"{plural(self.uses, 'use')} of sealed labels, with level and budget",
            f"{plural(self.bits, 'bit')} recomputed from labels",
            plural(self.certificates, "certificate"),
        )
        return [
            *(f"verified: {told}" for told in verified),
            *(f"not verified: {told}" for told in self.unverified),
        ]


@dataclass(frozen=True)
class OpenedSet:
    """The labels of a sealed set by row id, and the commitment that they were checked against."""

    sealed_digest: str
    commitment: str | None
    labels: Mapping[str, float]

    def answers(self, intent: Intent) -> bool:
        """Whether a use was spent on these labels, and not on others of the same compositions."""
        both = {self.commitment, intent.commitment} - {None}
        return intent.sealed_digest == self.sealed_digest and len(both) <= 1


def audit(root: Path, settings: Settings, remote: str | None, labels: Path | None) -> Audit:
    """Verify the ledger: chain, signatures, levels, decisions, certificates, tables and bits.

    Args:
        root: the repository.
        settings: all of `assay.toml`.
        remote: the remote that holds the ledger; None for what this clone knows.
        labels: a table of the labels of one set; those in `data/retired` are found by themselves.

    Raises:
        CheckFailedError: a line is damaged or cut off, so that nothing after it can be read.
        NotCarriedOutError: there is no ledger.
        UsageError: the table of labels is none.
    """
    try:
        ledger = read_ledger(root, remote) if remote else read_ledger_at_hand(root)
    except (DamagedLedgerError, ShortenedError) as error:
        raise CheckFailedError(str(error)) from None
    if ledger.head is None:
        raise NotCarriedOutError(
            "there is no ledger here: fetch the branch assay-ledger, or name its --remote."
        )
    files, opened = ledger.files(), _opened_sets(Layout(root), settings, labels)
    certified = list(_certificate_faults(ledger, files))
    faults = [*replay_lines(ledger), *replay_files(ledger, files), *_bits(ledger, files, opened)]
    return _summary(ledger, files, opened, sorted(faults + certified, key=lambda one: one.line))


def _summary(
    ledger: Ledger, files: Mapping[str, bytes], opened: list[OpenedSet], faults: list[Fault]
) -> Audit:
    uses = uses_of(ledger)
    shut = [
        use for use in uses if use.decision and not any(one.answers(use.intent) for one in opened)
    ]
    unsigned = sum(entry.signature is None for entry in ledger.entries)
    unanswered = sum(use.decision is None for use in uses)
    told = []
    if shut:
        names = sorted({use.intent.sealed_digest[:12] for use in shut})
        told.append(
            f"{plural(len(shut), 'bit')}, for their labels of {', '.join(names)} are not at hand"
        )
    if unanswered:
        told.append(f"{plural(unanswered, 'use')} without a decision, which count as not confirmed")
    if unsigned:
        told.append(f"{plural(unsigned, 'line')} that nobody signed, which prove nothing")
    return Audit(
        lines=ledger.state.lines,
        unsigned=unsigned,
        digest=ledger.state.digest,
        uses=len(uses),
        bits=len(uses) - len(shut) - unanswered,
        unanswered=unanswered,
        certificates=sum(name.startswith(f"{CERTIFICATES}/") for name in files),
        faults=[FaultRecord(line=one.line, reason=one.reason) for one in faults],
        unverified=told,
    )


def _bits(ledger: Ledger, files: Mapping[str, bytes], opened: list[OpenedSet]) -> Iterator[Fault]:
    for one in opened:
        own = [use for use in uses_of(ledger, one.sealed_digest) if one.answers(use.intent)]
        yield from replay_bits(own, files, one.labels)
        for line, entry in enumerate(ledger.entries, start=1):
            if not isinstance(entry, Retirement) or entry.sealed_digest != one.sealed_digest:
                continue
            if one.commitment not in {None, entry.commitment}:
                yield Fault(line, "the labels published since are committed to otherwise")


def _opened_sets(layout: Layout, settings: Settings, given: Path | None) -> list[OpenedSet]:
    folders = {path.parent.resolve() for path in layout.retired.glob(f"*/{LABELS}")}
    sets = [_published(folder, settings) for folder in sorted(folders)]
    if given is None or given.parent.resolve() in folders:
        return sets
    if (given.parent / COMMITMENT).is_file():
        return [*sets, _published(given.parent, settings)]
    table = read_table(given, ["row_id", "formula", settings.target.column])
    name = digest_of_formulas(reduced_formulas(table["formula"], given))
    values = read_numbers(table, settings.target.column, given)
    return [*sets, OpenedSet(name, None, dict(zip(table["row_id"], values, strict=True)))]


def _published(folder: Path, settings: Settings) -> OpenedSet:
    record, table = read_release(folder)
    column = settings.target.column
    if column not in table:
        column = table.columns[-1]  # the target had another name when this set was sealed
    values = read_numbers(table, column, folder / LABELS)
    labels = dict(zip(table["row_id"], values, strict=True))
    return OpenedSet(record.sealed_digest, record.commitment, labels)


def _certificate_faults(ledger: Ledger, files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Every certificate verifies and says what the last line that certifies its bundle says."""
    lines = {
        certificate_file(entry.bundle_digest): (number, entry)
        for number, entry in enumerate(ledger.entries, start=1)
        if isinstance(entry, Decision) and entry.certified and ledger.proves(entry)
    }
    path = Layout(ledger.root).public_key
    key = read_public_key(path) if path.exists() else None
    for name in sorted({*lines, *(name for name in files if name.startswith(CERTIFICATES))}):
        number, entry = lines.get(name, (0, None))
        if entry is None:
            yield Fault(0, f"{name} stands on the branch, but no line certifies that bundle")
        elif name not in files:
            yield Fault(number, f"{name} is missing")
        else:
            reason = _mismatch(ledger, entry, files, name, key)
            if reason:
                yield Fault(number, reason)


def _mismatch(
    ledger: Ledger, entry: Decision, files: Mapping[str, bytes], name: str, key: Any
) -> str | None:
    try:
        found = verify_content(files[name], name, key)
    except RefusedError as error:
        return str(error).rstrip(".")
    same = ("claim", "stage", "level", "policy_digest", "predictions_digest", "sealed_digest")
    for field in (*same, "reference", "commit", "time", "run"):
        if getattr(found.predicate, field) != getattr(entry, field):
            return f"{name} says otherwise about {field}"
    if found.bundle_digest != entry.bundle_digest:
        return f"{name} is for another bundle"
    train = reference_train_file(entry.bundle_digest)
    is_reference = reference_file(entry.bundle_digest) in files
    if is_reference and digest_bytes(files.get(train, b"")) != found.predicate.train_digest:
        return f"{train} is missing or not the train set that {name} names"
    if ledger.lacks(state_named(found)):
        return f"{name} was issued on lines that the ledger does not hold"
    return None
