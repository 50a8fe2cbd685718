"""The ledger played again: whether every line follows from those before it, and none is gone.

Without labels every level, budget, reference and repeated answer is recomputed; with the labels of
a set, every bit as well. Every certificate names the state of the ledger that it was issued on, so
whoever holds one can see that lines are gone, although those left are all genuine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_bytes
from assay.gate.statistics import level
from assay.layout import Layout
from assay.ledger.certificate import Certificate, read_public_key, verify_content
from assay.ledger.entries import DecisionEntry, Entry, Intent, Question, State
from assay.ledger.record import Ledger, reference_file
from assay.ledger.uses import SealedResult, SealedRows, findings, rows_file
from assay.sealing.labels import former_digest

CERTIFICATES = "certificates"
Files = Mapping[str, bytes]
Labels = Mapping[str, float]


def certificate_file(bundle_digest: str) -> str:
    """Where the ledger's branch keeps the certificate of a bundle."""
    return f"{CERTIFICATES}/{bundle_digest}.json"


def require_continuity(ledger: Ledger, certificate: Certificate) -> None:
    """Insist that the ledger holds the lines before a certificate's own, and that one.

    Raises:
        NotCarriedOutError: it does not, or it is not at hand.
    """
    named, model = state_named(certificate), certificate.bundle_digest
    if ledger.head is None:
        raise NotCarriedOutError(
            f"the ledger that the certificate of {model[:12]} names is not at hand: run `git "
            "fetch origin`.",
            code="ledger.missing",
        )
    later = ledger.entries[named.lines :]
    if ledger.lacks(named) or not any(_certifies(entry, certificate) for entry in later):
        raise NotCarriedOutError(
            f"the ledger at hand lacks the line that certified {model[:12]}, or one of the "
            f"{named.lines} before it: run `git fetch origin`; if that does not help, the branch "
            "assay-ledger was put back to an earlier state.",
            code="ledger.stale",
        )


def _certifies(entry: Entry, certificate: Certificate) -> bool:
    return (
        isinstance(entry, DecisionEntry)
        and entry.certified
        and entry.signature is not None
        and entry.bundle_digest == certificate.bundle_digest
    )


def require_own_continuity(ledger: Ledger) -> None:
    """Compare the ledger with every certificate at hand, on its branch and in `.assay/models`.

    Raises:
        NotCarriedOutError: it lacks lines that one of them names.
    """
    for certificate in _at_hand(ledger):
        require_continuity(ledger, certificate)


def state_named(certificate: Certificate) -> State:
    """The state of the ledger that a certificate was issued on."""
    return State(certificate.predicate.ledger_lines, certificate.predicate.ledger_digest)


def _at_hand(ledger: Ledger) -> Iterator[Certificate]:
    layout = Layout(ledger.root)
    if not layout.public_key.exists():
        return
    key = read_public_key(layout.public_key)
    contents = ledger.files(CERTIFICATES)
    paths = sorted(layout.models.glob("*/certificate.json"))
    contents |= {str(path): path.read_bytes() for path in paths}
    for name, content in contents.items():
        try:
            yield verify_content(content, name, key)
        except RefusedError:
            continue  # of another key, or no certificate: it says nothing about this ledger


@dataclass(frozen=True)
class LineFault:
    """A line (from 1) that does not follow from the lines before it, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class Use:
    """A use of the sealed labels: its line, what was asked, and the decision if one was written."""

    line: int
    intent: Intent
    decision: DecisionEntry | None


def uses_of(ledger: Ledger, sealed_digest: str | None = None) -> list[Use]:
    """The proven uses of a sealed set, or of all, in the order in which they were spent."""
    decided = {
        (entry.sealed_digest, entry.use): entry
        for entry in ledger.proven
        if isinstance(entry, DecisionEntry) and entry.bit is not None
    }
    return [
        Use(number, entry, decided.get((entry.sealed_digest, entry.use)))
        for number, entry in _proven(ledger)
        if isinstance(entry, Intent) and sealed_digest in {None, entry.sealed_digest}
    ]


def replay_lines(ledger: Ledger) -> Iterator[LineFault]:
    """Play every proven line again on the lines before it: level, budget, reference, answer."""
    for number, entry in _proven(ledger):
        before = replace(ledger, entries=ledger.entries[: number - 1])
        if isinstance(entry, Intent):
            reasons = [*_intent_reasons(entry, before), *_barred_reasons(entry, before)]
        elif isinstance(entry, DecisionEntry):
            reasons = list(_decision_reasons(entry, before))
            if entry.outcome == "PASS":
                reasons += _barred_reasons(entry, before)
        else:
            continue
        yield from (LineFault(number, reason) for reason in reasons)


def _proven(ledger: Ledger) -> Iterator[tuple[int, Entry]]:
    for number, entry in enumerate(ledger.entries, start=1):
        if ledger.proves(entry):
            yield number, entry


def _intent_reasons(entry: Intent, before: Ledger) -> Iterator[str]:
    spent = before.budget(entry.sealed_digest)
    if (entry.use, entry.disagreements) != (spent.uses + 1, spent.disagreements):
        yield (
            f"it is use {entry.use} after {entry.disagreements} that did not confirm, but there "
            f"were {spent.uses} uses before it, {spent.disagreements} of them not confirmed"
        )
    elif entry.level != level(entry.alpha, entry.uses, entry.use, entry.disagreements):
        yield f"its level {entry.level:.3g} is not that of use {entry.use}"
    yield from _asked_reasons(entry)
    if entry.use > entry.uses or entry.disagreements >= entry.maximum_disagreements:
        yield "the set was used up before it"
    if before.sealed_answer(entry) or before.unanswered(entry):
        yield "the same question was asked before, and costs no second use"
    earlier = before.intents(entry.sealed_digest, proven=True)
    if earlier and _frozen(entry) != _frozen(earlier[0]):
        frozen = "alpha, uses, disagreements, tail, groups, metric or margin"
        yield f"{frozen} changed in the life of the set"
    yield from _reference_reasons(entry, before)


def _asked_reasons(entry: Intent) -> Iterator[str]:
    """What the labels alone cannot tell: constants that would let anything pass."""
    primary, improves = entry.requirements[0], entry.claim == "improvement"
    for asked in entry.requirements:
        if asked.level != entry.level / 2:
            yield "the levels of its requirements are not half of its own"
        # the bar of a squared error depends on the reference's loss, which is not recorded
        due = 0.0 if improves and asked is primary else asked.margin
        if asked.bar < 0 or (asked.bar != due and (due == 0 or asked.metric != "rmse")):
            yield f"the bar {asked.bar:.3g} is not that of its claim and margin"
        # written this way round, so that what is not a number is no guard
        if not (asked.carriers >= 0 and (asked.charge is None or asked.charge >= 0)):
            yield "the constants of its guard are below zero"


def _frozen(entry: Intent) -> tuple[object, ...]:
    first = entry.requirements[0]
    budget = entry.alpha, entry.uses, entry.maximum_disagreements
    rows = entry.group, entry.rows_per_group
    return *budget, entry.tail, *rows, first.metric, first.margin, first.slice


def _decision_reasons(entry: DecisionEntry, before: Ledger) -> Iterator[str]:
    if entry.certified and entry.outcome != "PASS":
        yield f"it certifies a model whose outcome is {entry.outcome}"
    if entry.bit is not None:
        asked = before.unanswered(entry)
        if asked is None:
            yield "it answers a use that was not written down before the labels were opened"
        elif _numbers(asked) != _numbers(entry):
            yield "its use, failed confirmations or level are not those of the use that it answers"
        if entry.bit != (entry.outcome == "PASS"):
            yield "its outcome is not that of its bit"
        return
    if entry.stage == "sealed":
        earlier = before.sealed_answer(entry)
        if earlier is None or (earlier.outcome, earlier.level) != (entry.outcome, entry.level):
            yield "it repeats an answer that was not given before"
    yield from _reference_reasons(entry, before)


def _numbers(entry: Intent | DecisionEntry) -> tuple[object, ...]:
    return entry.use, entry.disagreements, entry.level


def _reference_reasons(entry: Question, before: Ledger) -> Iterator[str]:
    found = before.reference(entry.sealed_digest)
    wanted = found.bundle_digest if found else None
    if entry.reference != wanted and (wanted or not entry.reference.startswith("baseline ")):
        name = wanted[:12] if wanted else "the baseline"
        yield f"it compares with {entry.reference[:12]}, but the reference was {name}"


def _barred_reasons(entry: Question, before: Ledger) -> Iterator[str]:
    if before.revocation(entry.bundle_digest, entry.predictions_digest):
        yield "the model was revoked before it"
    if before.retirement(entry.sealed_digest):
        yield "the sealed set was retired before it"


def replay_files(ledger: Ledger, files: Files) -> Iterator[LineFault]:
    """Compare the tables beside the ledger with the digests in their lines."""
    for use in uses_of(ledger):
        name = rows_file(use.intent.sealed_digest, use.intent.use)
        if digest_bytes(files.get(name, b"")) != use.intent.rows_digest:
            yield LineFault(use.line, f"{name} is missing or not the table that it names")
    last: dict[str, tuple[int, DecisionEntry]] = {
        reference_file(entry.bundle_digest): (number, entry)
        for number, entry in _proven(ledger)
        if isinstance(entry, DecisionEntry) and entry.certified and entry.claim == "improvement"
    }
    for name, (number, entry) in last.items():
        if digest_bytes(files.get(name, b"")) != entry.predictions_digest:
            yield LineFault(number, f"{name} is missing or not what was certified")


def replay_bits(uses: Sequence[Use], files: Files, labels: Labels) -> Iterator[LineFault]:
    """Open the labels of a set again, by row id, and recompute the bit of each of its uses."""
    for use in uses:
        try:
            bit = all(finding.bit for finding in findings_of(use.intent, files, labels))
        except NotCarriedOutError as error:
            yield LineFault(use.line, str(error).rstrip("."))
            continue
        if use.decision is not None and use.decision.bit != bit:
            told = "confirm" if bit else "do not confirm"
            yield LineFault(use.line, f"its decision is another: the labels {told} the claim")


def findings_of(intent: Intent, files: Files, labels: Labels) -> list[SealedResult]:
    """What each requirement of a use came to: losses, difference, error, bound, level and bit.

    Args:
        intent: the use.
        files: those of the ledger's branch, by path.
        labels: the sealed labels, by row id.

    Raises:
        NotCarriedOutError: the recorded rows are not at hand, or not those that have labels.
    """
    name = rows_file(intent.sealed_digest, intent.use)
    content = files.get(name, b"")
    if digest_bytes(content) != intent.rows_digest:
        raise NotCarriedOutError(
            f"{name} is missing or altered on the branch assay-ledger: undo the commit that "
            "changed it, by `git revert` and an ordinary push.",
            code="ledger.altered-file",
        )
    rows = SealedRows.parse(content, name)
    if missing := set(rows.row_ids) - set(labels):
        raise NotCarriedOutError(
            f"the labels lack the row {min(missing)!r}: give the labels of this set to --labels.",
            code="labels.missing-row",
        )
    # fewer rows, or one of them twice, would be another question
    if sorted(rows.row_ids) != sorted(labels):
        raise NotCarriedOutError(
            f"{name} does not hold every sealed row once: it was not scored.",
            code="ledger.incomplete-rows",
        )
    if not _counts_what_it_must(rows, intent):
        raise NotCarriedOutError(
            f"{name} counts other rows as evidence than follow from their compositions: it was not "
            "scored.",
            code="ledger.other-evidence",
        )
    return findings(intent, rows, np.array([labels[row_id] for row_id in rows.row_ids]))


def _counts_what_it_must(rows: SealedRows, intent: Intent) -> bool:
    most, evidence = intent.rows_per_group, rows.evidence
    if most is None or evidence is None:
        return most is None and evidence is None
    own = former_digest(evidence.compositions) == intent.sealed_digest
    return own and evidence.follow(rows.systems, most)
