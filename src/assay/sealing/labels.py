"""Labels under lock: where they lie, which key opens them, and the public name of their set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import identity
from assay.datasets import reduced_formulas
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_bytes, digest_file, write_bytes
from assay.layout import Layout
from assay.sealing import encryption
from assay.sealing.encryption import Opened, read_header, seal, unseal
from assay.tables import parse_table, read_numbers, read_table, table_text


def write_sealed(layout: Layout, rows: pd.DataFrame) -> None:
    """Encrypt `row_id, formula, <target>` under a new key; an open table of labels is deleted.

    What is committed to is `table_text` of the rows: the table that becomes public when the set
    is retired, to the byte.

    Raises:
        RefusedError: a key exists.
    """
    key = encryption.create(layout, encryption.SEALING)
    write_bytes(layout.sealed_labels, sealed_content(layout, rows, key))
    layout.open_labels.unlink(missing_ok=True)


def sealed_content(layout: Layout, rows: pd.DataFrame, key: bytes) -> bytes:
    """The sealed file for rows that belong to the sealed inputs as they are now."""
    return seal(table_text(rows).encode(), digest_file(layout.sealed_inputs), key)


def open_sealed(layout: Layout) -> tuple[Opened, bytes]:
    """Open the sealed file; gives the key that opened it, too.

    The key in use is tried first, then the next one, which is there only if `assay seal` was
    interrupted while it changed keys.

    Raises:
        NotCarriedOutError: no key, a wrong key, or a damaged file.
    """
    path = layout.sealed_labels
    content = path.read_bytes()
    key = encryption.read(layout, encryption.SEALING)
    try:
        if key is not None:
            return unseal(content, key, path.name), key
    except NotCarriedOutError:
        if encryption.read_next(layout, encryption.SEALING) is None:
            raise
    pending = encryption.read_next(layout, encryption.SEALING)
    if pending is None:
        secret, file = encryption.SEALING.variable, layout.keys / encryption.SEALING.file
        raise NotCarriedOutError(
            f"the labels are sealed and there is no key: set the secret {secret} of the "
            f"environment 'heldout', or put the key at {file}.",
            code="key.missing",
        )
    return unseal(content, pending, path.name), pending


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
    return opened_labels(layout, open_sealed(layout)[0], target)[1]


def opened_labels(layout: Layout, opened: Opened, target: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The sealed table, as text, and its numbers (n,), in the order of the sealed inputs.

    Raises:
        NotCarriedOutError: the labels do not belong to the sealed inputs, or hold no column
            `target` of numbers; no label is quoted.
    """
    path = layout.sealed_labels
    if read_header(path.read_bytes(), path.name)["inputs"] != digest_file(layout.sealed_inputs):
        raise _strangers(layout, path)
    try:
        table = parse_table(opened.labels, ["row_id"], path)
        return table, _ordered(table, label_column(table, target, layout), layout, path)
    except UsageError:
        # the sentence of a bad cell would quote a label
        raise NotCarriedOutError(
            f"{path.name} holds no column {target!r} of numbers: set target.column in assay.toml "
            "to the column that was sealed.",
            code="sealed.no-target",
        ) from None


def label_column(table: pd.DataFrame, target: str, layout: Layout) -> str:
    """The column of sealed labels: `target`, or the one that was renamed since in `train.csv`.

    Raises:
        UsageError: there is neither.
    """
    others = [name for name in table.columns if name not in {"row_id", "formula"}]
    if target in others:
        return target
    train = read_table(layout.train, ["row_id", target])
    if len(others) != 1 or others[0] in train:
        raise UsageError(
            f"no column {target!r} was sealed: set target.column to that which was.",
            code="settings.target-not-sealed",
        )
    return others[0]


def _ordered(labels: pd.DataFrame, target: str, layout: Layout, path: Path) -> np.ndarray:
    inputs = read_table(layout.sealed_inputs, ["row_id", "formula"])
    if list(labels["row_id"]) != list(inputs["row_id"]):
        raise _strangers(layout, path)
    return read_numbers(labels, target, path)


def _strangers(layout: Layout, path: Path) -> NotCarriedOutError:
    return NotCarriedOutError(
        f"{path.name} does not belong to {layout.sealed_inputs.name}: restore both from git.",
        code="sealed.other-inputs",
    )


def sealed_digest(layout: Layout) -> str:
    """The public name of the sealed set: `digest_of_formulas` of its inputs.

    Labels, key and ciphertext have no part in it, so that encrypting again buys no new budget.

    Raises:
        NotCarriedOutError: there are no labels, sealed or open.
        UsageError: the sealed inputs are missing, or a formula cannot be read.
    """
    _require_labels(layout)
    formulas = read_table(layout.sealed_inputs, ["formula"])["formula"]
    return digest_of_formulas(reduced_formulas(formulas, layout.sealed_inputs))


def digest_of_formulas(formulas: Sequence[str]) -> str:
    """SHA-256 of the distinct compositions, sorted by code point, each with a line end.

    It is that of `LC_ALL=C sort -u | sha256sum` of their `compositions.identity`, which is the
    reduced formula of whole amounts. Order, ids, repetitions and spelling (`O2Li4`, `Li2O`,
    `Li0.5O0.25`) do not matter.
    """
    return former_digest(list(map(identity, formulas)))


def former_digest(reduced: Sequence[str]) -> str:
    """The same of formulas as they stand: sets with decimals were named so before assay 0.3."""
    return digest_bytes("".join(f"{formula}\n" for formula in sorted(set(reduced))).encode())


def commitment(layout: Layout) -> str | None:
    """The salted commitment of the sealed file's public header; None if the labels lie open.

    Raises:
        NotCarriedOutError: there are no labels, or the sealed file is damaged.
    """
    _require_labels(layout)
    path = layout.sealed_labels
    return read_header(path.read_bytes(), path.name)["commitment"] if path.is_file() else None


def _require_labels(layout: Layout) -> None:
    if not layout.sealed_labels.is_file() and not layout.open_labels.is_file():
        raise NotCarriedOutError(
            f"{layout.sealed_labels} does not exist: restore it from git, or run `assay init`.",
            code="labels.missing",
        )
