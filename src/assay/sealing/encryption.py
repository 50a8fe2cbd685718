"""The format of sealed labels: authenticated encryption and a published commitment.

A sealed file is one line of JSON that anybody may read (the public header), then the
ciphertext of ChaCha20-Poly1305 (RFC 8439), which authenticates the header too. What is encrypted
is a salt and then the table of labels; the header commits to both by their SHA-256.
"""

import json
import secrets
from dataclasses import dataclass

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes

FORMAT = "assay-sealed-labels-1"
FIELDS = {"format", "inputs", "commitment", "nonce"}
SALT_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True)
class Opened:
    """What a sealed file holds: the salt (32 bytes) and the committed table, as CSV."""

    salt: bytes
    labels: bytes


def commit_to(salt: bytes, labels: bytes) -> str:
    """The salted commitment: SHA-256 of the salt's 32 bytes and then the table's."""
    return digest_bytes(salt + labels)


def seal(labels: bytes, inputs_digest: str, key: bytes, salt: bytes | None = None) -> bytes:
    """Encrypt a table of labels; the header commits to them by a salted SHA-256.

    The salt travels inside the ciphertext, so that the commitment can be checked once the labels
    are public, and not guessed before. Without one a new salt is drawn; the same salt keeps the
    commitment.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = salt or secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    header = {
        "format": FORMAT,
        "inputs": inputs_digest,
        "commitment": commit_to(salt, labels),
        "nonce": nonce.hex(),
    }
    line = json.dumps(header, sort_keys=True).encode() + b"\n"
    return line + ChaCha20Poly1305(key).encrypt(nonce, salt + labels, line)


def unseal(content: bytes, key: bytes, name: str) -> Opened:
    """Decrypt what `seal` made and check it against the commitment.

    Raises:
        NotCarriedOutError: wrong key, or a truncated or altered file; the two cannot be told apart.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header = read_header(content, name)
    line, _, ciphertext = content.partition(b"\n")
    try:
        nonce = bytes.fromhex(header["nonce"])
        plain = ChaCha20Poly1305(key).decrypt(nonce, ciphertext, line + b"\n")
    except ValueError:
        raise _not_sealed(name) from None
    except InvalidTag:
        raise NotCarriedOutError(
            f"{name} cannot be opened: the key is wrong, or the file was altered; restore "
            "the file from git and check the key."
        ) from None
    opened = Opened(plain[:SALT_BYTES], plain[SALT_BYTES:])
    if commit_to(opened.salt, opened.labels) != header["commitment"]:
        raise NotCarriedOutError(f"{name} does not match its own commitment: restore it.")
    return opened


def read_header(content: bytes, name: str) -> dict[str, str]:
    """The public header of a sealed file: `format`, `inputs`, `commitment`, `nonce`, all text.

    Raises:
        NotCarriedOutError: there is no such header.
    """
    try:
        header = json.loads(content.partition(b"\n")[0])
    except (ValueError, RecursionError):
        raise _not_sealed(name) from None
    fields = isinstance(header, dict) and header.get("format") == FORMAT and header.keys() == FIELDS
    if not fields or not all(isinstance(value, str) for value in header.values()):
        raise _not_sealed(name)
    return header


def _not_sealed(name: str) -> NotCarriedOutError:
    return NotCarriedOutError(f"{name} is truncated or not a sealed file: restore it from git.")
