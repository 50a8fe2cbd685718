"""The certificate: a signed statement that one model bundle, by digest, passed.

An in-toto Statement v1 in a DSSE envelope, signed with Ed25519; verified offline against
`certificate.pub`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_bytes, write_text
from assay.layout import Layout
from assay.ledger.statements import foreign, read_statement, write_statement
from assay.records import MAXIMUM_BYTES, Claim, Digest, Record, Text
from assay.sealing import keys
from assay.settings import Settings

PREDICATE_TYPE = "urn:assay:certificate:1"


class Predicate(Record):
    """What is certified, and under which rule; every digest is a SHA-256.

    `ledger_lines` and `ledger_digest` (of the last of them) are the state of the ledger that the
    certificate was issued on: a ledger without these lines was put back to an earlier one.
    `machinery` is the digest of the code of `assay` that trained, `fold_rule` names the folds of
    the out-of-fold predictions (`splits.fold_rule`); older certificates lack them.
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


class Certificate(Record):
    """A verified certificate: the model's name, its bundle digest and the predicate."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: Text
    bundle_digest: Digest
    predicate: Predicate


def policy_digest(settings: Settings) -> str:
    """Names the rule a verdict was reached under: target, split and gate of `assay.toml`."""
    rule = settings.model_dump(mode="json", include={"target", "split", "gate"})
    # so that a certificate holds that was issued before there was anything advisory
    for part in (rule["gate"], *rule["gate"]["slices"]):
        if not part["advisory"]:
            del part["advisory"]
    return digest_bytes(json.dumps(rule, sort_keys=True).encode())


def new_signing_key(layout: Layout) -> None:
    """Make a signing key (`.assay/keys`, mode 0600) and its public half `certificate.pub`.

    Raises:
        RefusedError: there is one already.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = keys.create(layout, keys.SIGNING)
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

    seed = keys.read(layout, keys.SIGNING)
    if seed is None:
        return None
    signer = CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))
    if signer.public_key.keyval != read_public_key(layout.public_key).keyval:
        raise NotCarriedOutError(
            f"the signing key does not belong to {layout.public_key.name}: use the key that "
            "assay init made with it."
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
            f"there is no certificate at {path}: only a certified model may predict."
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
            "commit the file it writes."
        )
    try:
        return SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except ValueError:
        raise NotCarriedOutError(f"{path} is not a public key in PEM: restore it.") from None
