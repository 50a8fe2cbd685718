"""Lines of a ledger, and a repository with keys to write and read them in."""

from pathlib import Path
from typing import Any

from assay.files import digest_bytes
from assay.gate.statistics import level
from assay.layout import Layout
from assay.ledger.certificate import (
    Certificate,
    Predicate,
    new_signing_key,
    read_public_key,
    read_signer,
)
from assay.ledger.entries import (
    Asked,
    DecisionEntry,
    Entry,
    Intent,
    Retirement,
    Revocation,
    chained,
)
from assay.ledger.record import Ledger

SEALED, OTHER = digest_bytes(b"sealed"), digest_bytes(b"another sealed set")
MARGIN = 0.1
ALPHA, USES, DISAGREEMENTS = 0.025, 100, 5
PLACE: dict[str, Any] = {"commit": "0" * 40, "time": "2026-01-01T00:00:00+00:00", "run": "local"}

DIGESTS = {
    name: f"{number:064x}"
    for number, name in enumerate(
        ["policy", "predictions", "train", "sealed", "lock", "bundle"], start=1
    )
}
CERTIFICATE = Certificate(
    model="gap-model",
    bundle_digest=DIGESTS["bundle"],
    predicate=Predicate(
        verdict="PASS",
        claim="no-regression",
        stage="sealed",
        metric="mae",
        margin=0.1,
        unit="eV",
        level=0.025,
        sealed=True,
        policy_digest=DIGESTS["policy"],
        predictions_digest=DIGESTS["predictions"],
        train_digest=DIGESTS["train"],
        sealed_digest=DIGESTS["sealed"],
        lock_digest=DIGESTS["lock"],
        ledger_lines=3,
        ledger_digest="7" * 64,
        reference="mean",
        commit="c",
        run="r",
        time="2026-01-01T00:00:00Z",
        correlation_id="asy-0",
    ),
)


def question(name: str) -> dict[str, Any]:
    """What is asked about a model."""
    digest = digest_bytes(name.encode())
    return {
        **PLACE,
        "predictions_digest": digest,
        "bundle_digest": digest,
        "reference": "baseline mean",
        "claim": "improvement",
        "sealed_digest": SEALED,
        "commitment": digest_bytes(b"labels"),
        "policy_digest": digest_bytes(b"policy"),
    }


def decision(name: str = "model", **fields: object) -> DecisionEntry:
    """A decision about a model."""
    made = {**question(name), "stage": "public", "outcome": "FAIL", **fields}
    return DecisionEntry.model_validate(made)


def intent(name: str = "model", use: int = 1, disagreements: int = 0, **fields: object) -> Intent:
    """A use of the sealed labels for a model, at the level that is due."""
    due = level(ALPHA, USES, use, disagreements)
    made = {
        **question(name),
        "use": use,
        "uses": USES,
        "disagreements": disagreements,
        "maximum_disagreements": DISAGREEMENTS,
        "alpha": ALPHA,
        "tail": 3.0,
        "level": due,
        "rows_digest": digest_bytes(b"rows"),
        **fields,
    }
    bar = 0.0 if made["claim"] == "improvement" else MARGIN
    wanted = {"requirements": [asked(made["level"], bar=bar)], **made}
    return Intent.model_validate(wanted)


def asked(this_level: float, **fields: object) -> Asked:
    """The mean absolute error over all rows, with no guard."""
    made = {"metric": "mae", "slice": None, "margin": MARGIN, "bar": 0.0, "level": this_level / 2}
    guard = {"threshold": None, "charge": 0.0, "carriers": 50.0}
    return Asked.model_validate({**made, **guard, **fields})


def answer(asked: Intent, *, bit: bool, **fields: object) -> DecisionEntry:
    """The decision that an intent leads to."""
    names = (*question(""), "use", "disagreements", "level")
    made = {name: getattr(asked, name) for name in names}
    outcome = "PASS" if bit else "INCONCLUSIVE"
    return DecisionEntry.model_validate(
        {**made, "stage": "sealed", "outcome": outcome, "bit": bit, **fields}
    )


def used(name: str, use: int, disagreements: int, *, bit: bool, **fields: object) -> list[Entry]:
    """A use of the sealed labels and its decision."""
    asked = intent(name, use, disagreements, **fields)
    return [asked, answer(asked, bit=bit)]


def certified(name: str, **fields: object) -> DecisionEntry:
    """A decision that certifies a model without opening a label."""
    made = {"stage": "unchanged", "outcome": "PASS", "certified": True, **fields}
    return decision(name, **made)


def revocation(name: str = "model", **fields: object) -> Revocation:
    """The end of a model."""
    digest = digest_bytes(name.encode())
    made = {"bundle_digest": digest, "predictions_digest": digest, "reason": "wrong", **fields}
    return Revocation.model_validate({**PLACE, **made})


def retirement(sealed_digest: str = SEALED) -> Retirement:
    """The end of a sealed set."""
    return Retirement(**PLACE, sealed_digest=sealed_digest, commitment=None)


def of(*entries: Entry, signed: bool = False) -> Ledger:
    """A ledger of these lines in memory."""
    return Ledger(Path(), entries=entries, signed=signed)


def chain(*entries: Entry, signer: Any | None = None) -> list[Entry]:
    """The entries as lines that follow each other."""
    lines: list[Entry] = []
    for entry in entries:
        lines.append(chained(entry, lines[-1] if lines else None, signer))
    return lines


def keys(root: Path) -> tuple[Any, Any]:
    """A new signing key for a repository: who signs, and the public key."""
    new_signing_key(Layout(root))
    return read_signer(Layout(root)), read_public_key(Layout(root).public_key)
