"""Secret keys: 32 bytes in base64, in a file outside git or in a secret of GitHub's environment."""

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_bytes, write_bytes
from assay.layout import Layout

BYTES = 32


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
        raise RefusedError(f"{path} exists already: move it away if it is not needed any more.")
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
            f"the {key.purpose} key in {place} is not {BYTES} bytes in base64: copy it again."
        )
    return content
