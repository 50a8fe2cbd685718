"""The lines of the ledger: what each says, and how they are chained and signed.

Every line is one JSON object in canonical form. It names the SHA-256 of the line before and, once
the repository has a `certificate.pub`, carries an Ed25519 signature over its own bytes without the
signature; so no line can be altered, taken out or put in without the signing key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from assay.errors import NotCarriedOutError
from assay.evidence import Evidence
from assay.files import digest_bytes
from assay.gate.policy import MetricKey
from assay.groups import SYSTEM
from assay.records import Claim, Count, Digest, Outcome, Record, Text

RECORDS = "ledger.jsonl"
NOTHING = "0" * 64
USUAL = {"evidence": "sealed", "group": SYSTEM, "rows_per_group": None, "of_main": True}

Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class DamagedLedgerError(NotCarriedOutError):
    """A line of the ledger is not what was written there; `line` counts from 1."""

    def __init__(self, line: int, reason: str, *, code: str) -> None:
        """Name the line, what is wrong with it, and what to do."""
        self.line = line
        super().__init__(
            f"{RECORDS} on the branch assay-ledger, line {line}: {reason}; undo the commit that "
            "wrote it there, by `git revert` and an ordinary push.",
            code=code,
        )


class Line(Record):
    """What every line holds: `previous` is the SHA-256 of the line before (zeros: the first)."""

    previous: Digest = NOTHING
    commit: Text
    time: Text
    run: Text
    signature: Signature | None = None


class Question(Line):
    """What is asked of the gate: which predictions, against which reference, under which rule.

    `sealed_digest` names the sealed inputs, `commitment` the sealed labels (null: they are open).
    With public `evidence` there is neither, and `sealed_digest` names what is predicted.
    """

    predictions_digest: Digest
    bundle_digest: Digest
    reference: Text
    claim: Claim
    sealed_digest: Digest
    commitment: Digest | None
    policy_digest: Digest
    evidence: Evidence = "sealed"

    def same(self, other: "Question") -> bool:
        """Whether both are about the very same question, and so have the same answer."""
        names = set(Question.model_fields) - set(Line.model_fields) - {"bundle_digest"}
        return all(getattr(self, name) == getattr(other, name) for name in names)


class Asked(Record):
    """One requirement of a sealed test, with the public constants of its bound.

    `margin` is in the metric's own unit, `bar` is the growth of the mean loss that it permits; the
    others are those of `gate.guards.Guard`. JSON knows no infinity: it is written as null.
    """

    metric: MetricKey
    slice: Text | None
    margin: float
    bar: float
    level: float
    threshold: float | None
    charge: float | None
    carriers: float


class Intent(Question):
    """Written before sealed labels are opened, so that a crash cannot hide a use.

    `use`, `disagreements` (before this use) and `level` are k, j and a(k, j) of
    docs/explanation/gate.md; `uses` and `maximum_disagreements` are K and J, `tail` is that of the
    policy, `group` and `rows_per_group` say which rows count. `rows_digest` is the SHA-256 of the
    table of sealed rows that is committed beside the line.
    """

    kind: Literal["intent"] = "intent"
    use: Annotated[int, Field(ge=1)]
    uses: Annotated[int, Field(ge=1)]
    disagreements: Count
    maximum_disagreements: Annotated[int, Field(ge=1)]
    alpha: float
    tail: float
    level: float
    group: Text = SYSTEM
    rows_per_group: Annotated[int, Field(ge=1)] | None = None
    rows_digest: Digest
    requirements: Annotated[list[Asked], Field(min_length=1, max_length=30)]


class DecisionEntry(Question):
    """What the gate said; `bit` is whether the sealed labels confirmed the claim at this `use`.

    Without a `use` no label was opened for it, or an earlier answer was told again. `of_main` is
    whether it is the decision of main's own run.
    """

    kind: Literal["decision"] = "decision"
    stage: Text
    outcome: Outcome
    use: Annotated[int, Field(ge=1)] | None = None
    disagreements: Count | None = None
    level: float | None = None
    bit: bool | None = None
    certified: bool = False
    of_main: bool = True


class Revocation(Line):
    """From here on the model predicts no more, and neither it nor its predictions pass again."""

    kind: Literal["revocation"] = "revocation"
    bundle_digest: Digest
    predictions_digest: Digest | None
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Retirement(Line):
    """From here on nothing passes on the sealed set; its labels are published."""

    kind: Literal["retirement"] = "retirement"
    sealed_digest: Digest
    commitment: Digest | None


Entry = Intent | DecisionEntry | Revocation | Retirement
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


def signed_bytes(entry: Entry) -> bytes:
    """What the signature of a line is over: its canonical JSON without the signature."""
    return _canonical(entry.model_dump(mode="json", exclude={"signature", *_unsaid(entry)}))


def line_of(entry: Entry) -> bytes:
    """The line itself, without its end: JSON with sorted keys and nothing but ASCII."""
    return _canonical(entry.model_dump(mode="json", exclude=_unsaid(entry)))


def _unsaid(entry: Entry) -> set[str]:
    # what is usual is not written: such lines are, to the byte, what they were before the key was
    return {key for key, usual in USUAL.items() if getattr(entry, key, None) == usual}


def digest_of(entry: Entry) -> str:
    """What the next line names as `previous`."""
    return digest_bytes(line_of(entry))


class State(NamedTuple):
    """How far a ledger has come: its number of lines, and the digest of the last."""

    lines: int
    digest: str


def state_of(entries: Sequence[Entry]) -> State:
    """The state of a ledger of these lines."""
    return State(len(entries), digest_of(entries[-1]) if entries else NOTHING)


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def read_lines(content: bytes, key: Any | None) -> tuple[Entry, ...]:
    """The entries of a ledger whose chain and signatures hold.

    Args:
        content: the file `ledger.jsonl`.
        key: the public key that signed lines must be signed by, or None where there is none.

    Raises:
        DamagedLedgerError: a line is no entry, does not name the line before it, is signed by no or
            another key, or is not signed although one before it is.
    """
    return tuple(_entries(content, key))


def sound_lines(content: bytes, key: Any | None) -> tuple[Entry, ...]:
    """The entries before the first line that does not hold; arguments as of `read_lines`."""
    entries: list[Entry] = []
    with suppress(DamagedLedgerError):
        entries.extend(_entries(content, key))  # keeps those that came before the error
    return tuple(entries)


def _entries(content: bytes, key: Any | None) -> Iterator[Entry]:
    last: Entry | None = None
    for number, line in enumerate(_split(content), start=1):
        entry = _parse(line, number)
        if entry.previous != (digest_of(last) if last else NOTHING):
            raise DamagedLedgerError(
                number, "it does not follow the line before it", code="ledger.broken-chain"
            )
        if entry.signature is None and last is not None and last.signature is not None:
            raise DamagedLedgerError(
                number,
                "it is not signed, though the line before it is",
                code="ledger.unsigned-line",
            )
        if entry.signature is not None and not _is_signed(entry, key):
            raise DamagedLedgerError(
                number,
                "it is not signed by the key in certificate.pub",
                code="ledger.bad-signature",
            )
        yield entry
        last = entry


def _split(content: bytes) -> Iterator[bytes]:
    *lines, rest = content.split(b"\n")
    yield from lines
    if rest:
        raise DamagedLedgerError(len(lines) + 1, "the line is cut off", code="ledger.cut-line")


def _parse(line: bytes, number: int) -> Entry:
    try:
        entry = _ENTRY.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80] or "its top"
        raise DamagedLedgerError(
            number, f"it is no entry ({place}: {first['msg'][:80]})", code="ledger.bad-line"
        ) from None
    if line_of(entry) != line:
        # two readers could otherwise understand different things by the same bytes
        raise DamagedLedgerError(number, "it is not in canonical form", code="ledger.not-canonical")
    return entry


def _is_signed(entry: Entry, key: Any | None) -> bool:
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature as Signed

    try:
        if key is not None:
            key.verify_signature(Signed(key.keyid, str(entry.signature)), signed_bytes(entry))
    except UnverifiedSignatureError:
        return False
    return key is not None


def chained(entry: Entry, last: Entry | None, signer: Any | None) -> Entry:
    """The entry as the line after `last`, signed if there is a signer."""
    previous = digest_of(last) if last else NOTHING
    entry = entry.model_copy(update={"previous": previous, "signature": None})
    if signer is None:
        return entry
    return entry.model_copy(update={"signature": signer.sign(signed_bytes(entry)).signature})
