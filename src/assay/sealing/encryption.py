"""Secret keys, and the format of sealed labels: authenticated encryption and a commitment.

A sealed file is one line of JSON that anybody may read (the public header), then the
ciphertext of ChaCha20-Poly1305 (RFC 8439), which authenticates the header too. What is encrypted
is a salt and then the table of labels; the header commits to both by their SHA-256. A key is 32
bytes in base64, in a file outside git or in a secret of GitHub's environment.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_bytes, write_bytes
from assay.layout import Layout

FORMAT = "assay-sealed-labels-1"
FIELDS = {"format", "inputs", "commitment", "nonce"}
SALT_BYTES = 32
NONCE_BYTES = 12
BYTES = 32


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
            "the file from git and check the key.",
            code="sealed.not-opened",
        ) from None
    opened = Opened(plain[:SALT_BYTES], plain[SALT_BYTES:])
    if commit_to(opened.salt, opened.labels) != header["commitment"]:
        raise NotCarriedOutError(
            f"{name} does not match its own commitment: restore it from git.", code="sealed.damaged"
        )
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
    return NotCarriedOutError(
        f"{name} is truncated or not a sealed file: restore it from git.", code="sealed.unreadable"
    )


@dataclass(frozen=True)
class SecretKey:
    """What a key is for, the file below `.assay/keys` and the variable that may hold it."""

    purpose: str
    file: str
    variable: str

    @property
    def next_file(self) -> str:
        """Where the key that will take its place lies, while keys are changed."""
        return f"{self.purpose}.next.key"

    def kept_file(self, content: bytes) -> str:
        """Where an old key is kept: named by the first eight digits of the key's SHA-256."""
        return f"{self.purpose}-{digest_bytes(content)[:8]}.key"


SEALING = SecretKey("sealing", "sealing.key", "ASSAY_SEALING_KEY")
SIGNING = SecretKey("signing", "signing.key", "ASSAY_SIGNING_KEY")


def create(layout: Layout, key: SecretKey) -> bytes:
    """Make a key and write it to `.assay/keys` with mode 0600.

    Raises:
        RefusedError: there is one already, and what it opened or signed would be lost with it.
    """
    path = layout.keys / key.file
    if path.exists():
        raise RefusedError(
            f"{path} exists already: move it away, and run the same command again.",
            code="key.exists",
        )
    return _write(path, secrets.token_bytes(BYTES))


def create_next(layout: Layout, key: SecretKey) -> bytes:
    """Make the key that `promote_next` will put in the place of the one in use."""
    return _write(layout.keys / key.next_file, secrets.token_bytes(BYTES))


def keep(layout: Layout, key: SecretKey, content: bytes) -> Path:
    """Keep an old key under a name of its own; gives its path."""
    path = layout.keys / key.kept_file(content)
    _write(path, content)
    return path


def promote_next(layout: Layout, key: SecretKey) -> None:
    """Put the next key in the place of the one in use, whose file is kept first."""
    present = _read_file(layout.keys / key.file, key)
    if present is not None:
        keep(layout, key, present)
    (layout.keys / key.next_file).replace(layout.keys / key.file)


def withdraw_next(layout: Layout, key: SecretKey) -> None:
    """Put the next key among the kept ones: it did not come into use."""
    content = read_next(layout, key)
    if content is not None:
        keep(layout, key, content)
        (layout.keys / key.next_file).unlink()


def _write(path: Path, content: bytes) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(path, base64.b64encode(content) + b"\n", mode=0o600)
    return content


def read(layout: Layout, key: SecretKey) -> bytes | None:
    """The key from the environment or from `.assay/keys`, or None where there is neither.

    Raises:
        NotCarriedOutError: it is not 32 bytes in base64.
    """
    text = os.environ.get(key.variable, "").encode()
    if text:
        return _parsed(text, key, key.variable)
    return _read_file(layout.keys / key.file, key)


def read_next(layout: Layout, key: SecretKey) -> bytes | None:
    """The key that `create_next` made, or None; raises as `read` does."""
    return _read_file(layout.keys / key.next_file, key)


def _read_file(path: Path, key: SecretKey) -> bytes | None:
    return _parsed(path.read_bytes(), key, path.name) if path.is_file() else None


def _parsed(text: bytes, key: SecretKey, place: str) -> bytes:
    try:
        content = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        content = b""
    if len(content) != BYTES:
        raise NotCarriedOutError(
            f"the {key.purpose} key in {place} is not {BYTES} bytes in base64: copy it again.",
            code="key.malformed",
        )
    return content
