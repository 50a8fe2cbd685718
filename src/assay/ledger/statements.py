"""Signed statements: an in-toto Statement v1 in a DSSE envelope, signed with Ed25519."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.errors import RefusedError
from assay.files import write_text

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


def write_statement(
    path: Path, signer: Any, subjects: Mapping[str, str], kind: str, predicate: Any
) -> None:
    """Sign a statement and write the envelope as JSON.

    Args:
        path: where to.
        signer: of securesystemslib.
        subjects: SHA-256 of what is told of, by name.
        kind: the type of the predicate.
        predicate: what is told, as JSON has it.
    """
    from securesystemslib.dsse import Envelope

    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": one}} for name, one in subjects.items()],
        "predicateType": kind,
        "predicate": predicate,
    }
    payload = json.dumps(statement, sort_keys=True).encode()
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    write_text(path, json.dumps(envelope.to_dict(), indent=2) + "\n")


def read_statement(
    content: bytes, path: str, key: Any, kind: str, noun: str
) -> tuple[dict[str, str], Any]:
    """Verify the signature of a statement, offline; gives its subjects and its predicate.

    Args:
        content: the envelope.
        path: named in errors.
        key: of securesystemslib, the public one.
        kind: the type that the predicate must have.
        noun: what such a statement is called.

    Raises:
        RefusedError: it is altered, not signed by the key, or not a statement of this kind.
    """
    payload = _payload(content, path, key, noun)
    try:
        statement = json.loads(payload)
        told = statement["_type"], statement["predicateType"]
        listed = [(one["name"], one["digest"]["sha256"]) for one in statement["subject"]]
        predicate, subjects = statement["predicate"], dict(listed)
    except (KeyError, TypeError, ValueError):
        raise foreign(path, noun) from None
    if told != (STATEMENT_TYPE, kind):
        raise RefusedError(f"{path} is a statement of another type than {kind}: name a {noun}.")
    if len(subjects) != len(listed):
        raise foreign(path, noun)
    return subjects, predicate


def foreign(path: str, noun: str) -> RefusedError:
    """What is said of a signed statement with another content than ours have."""
    return RefusedError(f"{path} is not a {noun} of this project: fetch it again.")


def _payload(content: bytes, path: str, key: Any, noun: str) -> bytes:
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        envelope = Envelope.from_dict(json.loads(content))
        envelope.verify([key], 1)
    except VerificationError:
        raise RefusedError(
            f"{path} is not signed by certificate.pub, or was altered: fetch it again."
        ) from None
    except Exception:  # noqa: BLE001 (any malformed envelope is refused alike)
        raise RefusedError(f"{path} is not a {noun}: fetch it again.") from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise RefusedError(
            f"{path} holds {envelope.payload_type!r}, not an in-toto statement: name a {noun}."
        )
    return bytes(envelope.payload)
