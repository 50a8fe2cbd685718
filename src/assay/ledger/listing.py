"""The ledger as a table that people read."""

from collections.abc import Sequence

from assay.ledger.entries import Decision, Entry, Intent, Retirement, Revocation
from assay.ledger.record import Ledger
from assay.ledger.replay import uses_of
from assay.provenance import short_commit

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
        if isinstance(entry, Decision) and entry.predictions_digest == predictions_digest
    ]
    header, *rows = table(ledger)
    kept = [row for row in rows if row[0] not in {str(number) for number in own[-1:]}]
    return [header, *kept[-count:]] if kept else []


def _padded(row: Row, widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(number: int, entry: Entry, budgets: Budgets) -> Row:
    claim, use, against, subject = "", "", "", ""
    if isinstance(entry, Intent | Decision):
        claim, subject = entry.claim, entry.bundle_digest
    if isinstance(entry, Intent | Decision) and entry.use is not None:
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
    if isinstance(entry, Decision):
        return f"{entry.outcome}, certified" if entry.certified else entry.outcome
    if isinstance(entry, Intent):
        return "unanswered"
    return "REVOKED" if isinstance(entry, Revocation) else "set retired"
