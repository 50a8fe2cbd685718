"""The certificate: a signed statement that one model bundle, by digest, passed.

An in-toto Statement v1 in a DSSE envelope, signed with Ed25519; verified offline against
`certificate.pub`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from assay.errors import NotCarriedOutError, RefusedError
from assay.evidence import Evidence
from assay.files import digest_bytes, write_text
from assay.groups import COMPOSITION, SYSTEM
from assay.layout import Layout
from assay.records import MAXIMUM_BYTES, Claim, Digest, Record, Text
from assay.sealing import encryption
from assay.settings import Settings

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:assay:certificate:1"


def write_statement(
    path: Path, signer: Any, subjects: Mapping[str, str], kind: str, predicate: Any
) -> None:
    """Sign a statement and write the envelope as JSON.

    Args:
        path: where to.
        signer: of securesystemslib.
        subjects: SHA-256 of what the statement is about, by name.
        kind: the type of the predicate.
        predicate: what it says, as JSON.
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
    except (KeyError, TypeError, ValueError, RecursionError):
        raise foreign(path, noun) from None
    if told != (STATEMENT_TYPE, kind):
        raise RefusedError(
            f"{path} is a statement of another type than {kind}: name a {noun}.",
            code="certificate.other-type",
        )
    if len(subjects) != len(listed):
        raise foreign(path, noun)
    return subjects, predicate


def foreign(path: str, noun: str) -> RefusedError:
    """What is said of a signed statement with another content than ours have."""
    return RefusedError(
        f"{path} is not a {noun} of this project: fetch it again.", code="certificate.foreign"
    )


def _payload(content: bytes, path: str, key: Any, noun: str) -> bytes:
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        envelope = Envelope.from_dict(json.loads(content))
        envelope.verify([key], 1)
    except VerificationError:
        raise RefusedError(
            f"{path} is not signed by certificate.pub, or was altered: fetch it again.",
            code="certificate.bad-signature",
        ) from None
    except Exception:  # noqa: BLE001 (any malformed envelope is refused alike)
        raise RefusedError(
            f"{path} is not a {noun}: fetch it again.", code="certificate.malformed"
        ) from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise RefusedError(
            f"{path} holds {envelope.payload_type!r}, not an in-toto statement: name a {noun}.",
            code="certificate.other-payload",
        )
    return bytes(envelope.payload)


class Predicate(Record):
    """What is certified, and under which rule; every digest is a SHA-256.

    `ledger_lines` and `ledger_digest` (of the last of them) are the state of the ledger that the
    certificate was issued on: a ledger without these lines was put back to an earlier one.
    `machinery` is the digest of the code of `assay` that trained, `fold_rule` names the folds of
    the out-of-fold predictions (`splits.fold_rule`), `grouping` says which rows go
    together and what that promises; older certificates lack them. With public `evidence` there is
    no sealed set, and `sealed_digest` names what is predicted.
    """

    verdict: Literal["PASS"]
    claim: Claim
    stage: Text
    metric: Text
    margin: float
    unit: Text
    level: float | None
    sealed: bool
    policy_digest: Digest
    predictions_digest: Digest
    train_digest: Digest
    sealed_digest: Digest
    lock_digest: Digest
    machinery: Digest | None = None
    machinery_version: Text | None = None
    fold_rule: Text | None = None
    ledger_lines: Annotated[int, Field(ge=0)]
    ledger_digest: Digest
    reference: Text
    commit: Text
    run: Text
    time: Text
    correlation_id: Text
    grouping: Text | None = None
    evidence: Evidence = "sealed"


class Certificate(Record):
    """A verified certificate: the model's name, its bundle digest and the predicate."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: Text
    bundle_digest: Digest
    predicate: Predicate


def policy_digest(settings: Settings) -> str:
    """Names the rule a verdict was reached under: target, split and gate of `assay.toml`."""
    rule = settings.model_dump(mode="json", include={"target", "split", "gate"})
    if rule["gate"]["evidence"] == "sealed":
        del rule["gate"]["evidence"]
    # so that a certificate holds that was issued before there were these keys
    for part in (rule["gate"], *rule["gate"]["slices"]):
        if not part["advisory"]:
            del part["advisory"]
    # nor anything but chemical systems to group by, and all rows of a group counted
    if rule["split"]["group"] != COMPOSITION:
        del rule["split"]["extent"]
    if rule["split"]["group"] == SYSTEM:
        del rule["split"]["group"]
    if rule["gate"]["rows_per_group"] is None:
        del rule["gate"]["rows_per_group"]
    return digest_bytes(json.dumps(rule, sort_keys=True).encode())


def new_signing_key(layout: Layout) -> None:
    """Make a signing key (`.assay/keys`, mode 0600) and its public half `certificate.pub`.

    Raises:
        RefusedError: there is one already.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = encryption.create(layout, encryption.SIGNING)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_text(layout.public_key, pem.decode())


def read_signer(layout: Layout) -> Any | None:
    """The signer of this machine or environment, or None where there is no key.

    Raises:
        NotCarriedOutError: the key is malformed or does not belong to `certificate.pub`.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import CryptoSigner

    seed = encryption.read(layout, encryption.SIGNING)
    if seed is None:
        return None
    signer = CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))
    if signer.public_key.keyval != read_public_key(layout.public_key).keyval:
        raise NotCarriedOutError(
            f"the signing key does not belong to {layout.public_key.name}: use the key that "
            "assay init made with it.",
            code="key.not-matching",
        )
    return signer


def issue(certificate: Certificate, signer: Any, path: Path) -> None:
    """Sign a certificate and write the envelope as JSON."""
    subjects = {certificate.model: certificate.bundle_digest}
    predicate = certificate.predicate.model_dump(mode="json")
    write_statement(path, signer, subjects, PREDICATE_TYPE, predicate)


def verify(path: Path, public_key: Path) -> Certificate:
    """Verify the signature of a certificate, offline, and read it.

    Raises:
        RefusedError: the certificate is missing, altered, not signed by the key, or not a
            statement of this kind.
    """
    key = read_public_key(public_key)
    if not path.is_file() or path.stat().st_size > MAXIMUM_BYTES:
        raise RefusedError(
            f"there is no certificate at {path}: put the certificate of the bundle there, or name "
            "it with --certificate.",
            code="certificate.missing",
        )
    return verify_content(path.read_bytes(), str(path), key)


def verify_content(content: bytes, path: str, key: Any) -> Certificate:
    """Verify a certificate's content as `verify` does; `path` is only named in errors."""
    subjects, predicate = read_statement(content, path, key, PREDICATE_TYPE, "certificate")
    try:
        ((model, digest),) = subjects.items()
        return Certificate(
            model=model, bundle_digest=digest, predicate=Predicate.model_validate(predicate)
        )
    except (ValueError, ValidationError):
        raise foreign(path, "certificate") from None


def read_public_key(path: Path) -> Any:
    """The key that certificates and the ledger's lines are verified against.

    Raises:
        RefusedError: there is none.
        NotCarriedOutError: the file is not a public key.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    if not path.is_file():
        raise RefusedError(
            f"there is no {path.name}, so no certificate can be verified: run `assay init` and "
            "commit the file it writes.",
            code="key.no-public-key",
        )
    try:
        return SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except ValueError:
        raise NotCarriedOutError(
            f"{path} is not a public key in PEM: restore it from git.", code="key.not-pem"
        ) from None
