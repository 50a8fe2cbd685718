"""`assay ledger`: the ledger as a table, and checked against everything that is at hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.datasets import reduced_formulas
from assay.errors import CheckFailedError, NotCarriedOutError, RefusedError
from assay.files import digest_bytes
from assay.layout import Layout
from assay.ledger.branches import ShortenedError
from assay.ledger.certificate import read_public_key, verify_content
from assay.ledger.entries import (
    DamagedLedgerError,
    DecisionEntry,
    Entry,
    Intent,
    Retirement,
    Revocation,
)
from assay.ledger.record import (
    Ledger,
    read_ledger,
    read_ledger_at_hand,
    reference_file,
    reference_train_file,
)
from assay.ledger.replay import (
    CERTIFICATES,
    LineFault,
    certificate_file,
    replay_bits,
    replay_files,
    replay_lines,
    state_named,
    uses_of,
)
from assay.provenance import short_commit
from assay.records import Digest, Record, Text
from assay.repository import Repository
from assay.sealing.labels import digest_of_formulas
from assay.sealing.releases import COMMITMENT, LABELS, read_release
from assay.settings import Settings
from assay.tables import read_numbers, read_table
from assay.texts import plural

HEADER = ("line", "time", "outcome", "claim", "use", "not confirmed", "model", "commit", "signed")
SHORT = 12

Row = tuple[str, ...]
Budgets = dict[tuple[str, int], list[str]]


def listing(ledger: Ledger) -> list[str]:
    """A header and a line an entry; a use stands in its decision's line, or alone without one.

    `use` is k/K and `not confirmed` j/J before that use; `model` is the bundle's digest.
    """
    rows = table(ledger)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return [_padded(row, widths) for row in rows]


def table(ledger: Ledger) -> list[Row]:
    """The same as cells, for whoever sets them otherwise."""
    answered = {use.line for use in uses_of(ledger) if use.decision is not None}
    budgets = {
        (entry.sealed_digest, entry.use): f"/{entry.uses} /{entry.maximum_disagreements}".split()
        for entry in ledger.entries
        if isinstance(entry, Intent)
    }
    return [HEADER] + [
        _row(number, entry, budgets)
        for number, entry in enumerate(ledger.entries, start=1)
        if number not in answered
    ]


def earlier(ledger: Ledger, predictions_digest: str | None, count: int) -> list[Row]:
    """A header and the last lines, without the last decision on these very predictions.

    A report tells that one itself. Without any line there is no header either.
    """
    own = [
        number
        for number, entry in enumerate(ledger.entries, start=1)
        if isinstance(entry, DecisionEntry) and entry.predictions_digest == predictions_digest
    ]
    header, *rows = table(ledger)
    kept = [row for row in rows if row[0] not in {str(number) for number in own[-1:]}]
    return [header, *kept[-count:]] if kept else []


def _padded(row: Row, widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(number: int, entry: Entry, budgets: Budgets) -> Row:
    claim, use, against, subject = "", "", "", ""
    if isinstance(entry, Intent | DecisionEntry):
        claim, subject = entry.claim, entry.bundle_digest
    if isinstance(entry, Intent | DecisionEntry) and entry.use is not None:
        most, bound = budgets.get((entry.sealed_digest, entry.use), ["", ""])
        use, against = f"{entry.use}{most}", f"{entry.disagreements}{bound}"
    if isinstance(entry, Revocation):
        claim, subject = entry.reason, entry.bundle_digest
    if isinstance(entry, Retirement):
        subject = entry.sealed_digest
    commit, signed = short_commit(entry.commit), "yes" if entry.signature else "no"
    model = subject[:SHORT]
    return str(number), entry.time, _outcome(entry), claim, use, against, model, commit, signed


def _outcome(entry: Entry) -> str:
    if isinstance(entry, DecisionEntry):
        by = " (public evidence)" if entry.evidence == "public" else ""
        return f"{entry.outcome}{by}{', certified' if entry.certified else ''}"
    if isinstance(entry, Intent):
        return "unanswered"
    return "REVOKED" if isinstance(entry, Revocation) else "set retired"


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


def audit(repository: Repository, remote: str | None, labels: Path | None) -> Audit:
    """Verify the ledger: chain, signatures, levels, decisions, certificates, tables and bits.

    Args:
        repository: whose ledger it is.
        remote: the remote that holds the ledger; None for what this clone knows.
        labels: a table of the labels of one set; those in `data/retired` are found by themselves.

    Raises:
        CheckFailedError: a line is damaged or cut off, so that nothing after it can be read.
        NotCarriedOutError: there is no ledger.
        UsageError: the table of labels is none.
    """
    root = repository.root
    try:
        ledger = read_ledger(root, remote) if remote else read_ledger_at_hand(root)
    except (DamagedLedgerError, ShortenedError) as error:
        raise CheckFailedError(
            f"the ledger does not hold: {error}", code="ledger.does-not-hold"
        ) from None
    if ledger.head is None:
        raise NotCarriedOutError(
            "there is no ledger here: run `git fetch origin`, or name its remote with --remote "
            "origin.",
            code="ledger.missing",
        )
    files, opened = ledger.files(), _opened_sets(repository, labels)
    certified = list(_certificate_faults(ledger, files))
    faults = [*replay_lines(ledger), *replay_files(ledger, files), *_bits(ledger, files, opened)]
    return _summary(ledger, files, opened, sorted(faults + certified, key=lambda one: one.line))


def _summary(
    ledger: Ledger, files: Mapping[str, bytes], opened: list[OpenedSet], faults: list[LineFault]
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


def _bits(
    ledger: Ledger, files: Mapping[str, bytes], opened: list[OpenedSet]
) -> Iterator[LineFault]:
    for one in opened:
        own = [use for use in uses_of(ledger, one.sealed_digest) if one.answers(use.intent)]
        yield from replay_bits(own, files, one.labels)
        for line, entry in enumerate(ledger.entries, start=1):
            if not isinstance(entry, Retirement) or entry.sealed_digest != one.sealed_digest:
                continue
            if one.commitment not in {None, entry.commitment}:
                yield LineFault(line, "the labels published since are committed to otherwise")


def _opened_sets(repository: Repository, given: Path | None) -> list[OpenedSet]:
    settings = repository.settings
    folders = {path.parent.resolve() for path in repository.layout.retired.glob(f"*/{LABELS}")}
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


def _certificate_faults(ledger: Ledger, files: Mapping[str, bytes]) -> Iterator[LineFault]:
    """Every certificate verifies and says what the last line that certifies its bundle says."""
    lines = {
        certificate_file(entry.bundle_digest): (number, entry)
        for number, entry in enumerate(ledger.entries, start=1)
        if isinstance(entry, DecisionEntry) and entry.certified and ledger.proves(entry)
    }
    path = Layout(ledger.root).public_key
    key = read_public_key(path) if path.exists() else None
    for name in sorted({*lines, *(name for name in files if name.startswith(CERTIFICATES))}):
        number, entry = lines.get(name, (0, None))
        if entry is None:
            yield LineFault(0, f"{name} stands on the branch, but no line certifies that bundle")
        elif name not in files:
            yield LineFault(number, f"{name} is missing")
        else:
            reason = _mismatch(ledger, entry, files, name, key)
            if reason:
                yield LineFault(number, reason)


def _mismatch(
    ledger: Ledger, entry: DecisionEntry, files: Mapping[str, bytes], name: str, key: Any
) -> str | None:
    try:
        found = verify_content(files[name], name, key)
    except RefusedError as error:
        return str(error).rstrip(".")
    same = ("claim", "stage", "level", "policy_digest", "predictions_digest", "sealed_digest")
    for field in (*same, "evidence", "reference", "commit", "time", "run"):
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
