"""Secret keys: 32 bytes in base64, in a file outside git or in a secret of GitHub's environment."""

import base64
import os
import secrets
from dataclasses import dataclass

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import write_bytes
from assay.layout import Layout

BYTES = 32


@dataclass(frozen=True)
class SecretKey:
    """What a key is for, the file below `.assay/keys` and the variable that may hold it."""

    purpose: str
    file: str
    variable: str


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
    content = secrets.token_bytes(BYTES)
    layout.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(path, base64.b64encode(content) + b"\n", mode=0o600)
    return content


def read(layout: Layout, key: SecretKey) -> bytes | None:
    """The key from the environment or from `.assay/keys`, or None where there is neither.

    Raises:
        NotCarriedOutError: it is not 32 bytes in base64.
    """
    path = layout.keys / key.file
    text = os.environ.get(key.variable, "").encode()
    if not text and path.is_file():
        text = path.read_bytes()
    if not text:
        return None
    try:
        content = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        content = b""
    if len(content) != BYTES:
        raise NotCarriedOutError(
            f"the {key.purpose} key is not {BYTES} bytes in base64: copy {key.file} again."
        )
    return content
