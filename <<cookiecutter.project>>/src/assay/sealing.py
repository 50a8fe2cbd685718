"""Labels under lock: authenticated encryption, a published commitment, keys outside git.

A sealed file is one line of JSON that anybody may read (the public header), then the
ciphertext of ChaCha20-Poly1305 (RFC 8439), which authenticates the header too.
"""

import json
import secrets
from pathlib import Path

import numpy as np
import pandas as pd

from assay import keys
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_bytes, digest_file, write_bytes
from assay.layout import Layout
from assay.tables import parse_table, read_numbers, read_table

FORMAT = "assay-sealed-labels-1"
FIELDS = {"format", "inputs", "commitment", "nonce"}
SALT_BYTES = 32
NONCE_BYTES = 12


def read_key(layout: Layout) -> bytes:
    """The key of the sealed set.

    Raises:
        NotCarriedOutError: there is none, or it is not 32 bytes in base64.
    """
    key = keys.read(layout, keys.SEALING)
    if key is None:
        raise NotCarriedOutError(
            f"the labels are sealed and there is no key: set the secret {keys.SEALING.variable} of "
            f"the environment 'heldout', or put the key at {layout.keys / keys.SEALING.file}."
        )
    return key


def seal(labels: bytes, inputs_digest: str, key: bytes) -> bytes:
    """Encrypt a table of labels; the header commits to them by a salted SHA-256.

    The salt travels inside the ciphertext, so that the commitment can be checked once the labels
    are public, and not guessed before.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    header = {
        "format": FORMAT,
        "inputs": inputs_digest,
        "commitment": digest_bytes(salt + labels),
        "nonce": nonce.hex(),
    }
    line = json.dumps(header, sort_keys=True).encode() + b"\n"
    return line + ChaCha20Poly1305(key).encrypt(nonce, salt + labels, line)


def unseal(content: bytes, key: bytes, name: str) -> bytes:
    """Decrypt what `seal` made; the salt before the labels is checked against the commitment.

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
    if digest_bytes(plain) != header["commitment"]:
        raise NotCarriedOutError(f"{name} does not match its own commitment: restore it.")
    return plain[SALT_BYTES:]


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


def seal_labels(layout: Layout) -> None:
    """Encrypt the open labels, write the key, then delete the open file.

    Raises:
        RefusedError: the labels are sealed already, or a key exists.
        UsageError: there are no open labels, or they are not a table.
    """
    if layout.sealed_labels.exists():
        raise RefusedError(
            f"{layout.sealed_labels} exists: the labels are sealed already, nothing is to be done."
        )
    read_table(layout.open_labels, ["row_id"])
    write_sealed(layout, layout.open_labels.read_bytes())


def write_sealed(layout: Layout, labels: bytes) -> None:
    """Encrypt a table of labels under a new key; an open table of labels is deleted.

    Raises:
        RefusedError: a key exists.
    """
    key = keys.create(layout, keys.SEALING)
    write_bytes(layout.sealed_labels, seal(labels, digest_file(layout.sealed_inputs), key))
    layout.open_labels.unlink(missing_ok=True)


def open_labels(layout: Layout, target: str) -> np.ndarray:
    """The held-out labels (n,), in the order of the sealed inputs; only `score` calls this.

    Raises:
        NotCarriedOutError: no key, a wrong key, or a damaged file; or the labels do not belong to
            the sealed inputs, or hold no column `target`.
        UsageError: labels that are not sealed are missing, or not a table of finite numbers.
    """
    if not layout.sealed_labels.exists():
        path = layout.open_labels
        labels = read_table(path, ["row_id", target])
        return _ordered(labels, target, layout, path)
    path = layout.sealed_labels
    content = path.read_bytes()
    plain = unseal(content, read_key(layout), path.name)
    if read_header(content, path.name)["inputs"] != digest_file(layout.sealed_inputs):
        raise _strangers(layout, path)
    try:
        return _ordered(parse_table(plain, ["row_id", target], path), target, layout, path)
    except UsageError:
        # the sentence of a bad cell would quote a label
        raise NotCarriedOutError(
            f"{path.name} holds no column {target!r} of numbers: set target.column in assay.toml "
            "to the column that was sealed."
        ) from None


def _ordered(labels: pd.DataFrame, target: str, layout: Layout, path: Path) -> np.ndarray:
    inputs = read_table(layout.sealed_inputs, ["row_id", "formula"])
    if list(labels["row_id"]) != list(inputs["row_id"]):
        raise _strangers(layout, path)
    return read_numbers(labels, target, path)


def _strangers(layout: Layout, path: Path) -> NotCarriedOutError:
    return NotCarriedOutError(
        f"{path.name} does not belong to {layout.sealed_inputs.name}: restore both from git."
    )


def sealed_digest(layout: Layout) -> str:
    """The public name of the sealed set, without opening it.

    Raises:
        NotCarriedOutError: there are no labels, sealed or open.
    """
    for path in (layout.sealed_labels, layout.open_labels):
        if path.is_file():
            return digest_file(path)
    raise NotCarriedOutError(
        f"{layout.sealed_labels} does not exist: restore it from git, or run `assay init`."
    )
