"""The labels of a retired set, published so that anybody can check what was committed to.

`data/retired/<first 12 digits of the set's name>/` holds the table that was sealed, to the byte,
and the salt. The commitment stood in the public header of the sealed file from the first day.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from assay.datasets import reduced_formulas
from assay.errors import AssayError, CheckFailedError, NotCarriedOutError
from assay.files import digest_file, replaced_folder, write_bytes
from assay.layout import Layout
from assay.records import Digest, Record, read_record
from assay.sealing.encryption import Opened, commit_to, read_header
from assay.sealing.labels import digest_of_formulas, former_digest, sealed_digest
from assay.tables import read_table

LABELS, COMMITMENT, SCORES = "labels.csv", "commitment.json", "scores.csv"
DIGITS = 12


class Commitment(Record):
    """Names the set, and what SHA-256 over `salt` (as 32 bytes) and `labels.csv` must give."""

    sealed_digest: Digest
    commitment: Digest
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def folder_of(layout: Layout, digest: str) -> Path:
    """Where the labels of the set of this name are published when it is retired."""
    return layout.retired / digest[:DIGITS]


def is_released(layout: Layout, digest: str) -> bool:
    """Whether the labels of a set are public, so that nothing may pass on it any more."""
    return (folder_of(layout, digest) / LABELS).exists()


def is_genuine(folder: Path, commitment: str | None) -> bool:
    """Whether published labels are, to the byte, those that a sealed file committed to."""
    try:
        record = read_record(Commitment, folder / COMMITMENT)
        labels = (folder / LABELS).read_bytes()
    except (AssayError, OSError):
        return False
    return record.commitment == commitment == commit_to(bytes.fromhex(record.salt), labels)


def write_release(layout: Layout, digest: str, opened: Opened, scores: str) -> Path:
    """Publish labels, salt and score history, all or nothing; gives the folder."""
    folder = folder_of(layout, digest)
    committed = commit_to(opened.salt, opened.labels)
    record = Commitment(sealed_digest=digest, commitment=committed, salt=opened.salt.hex())
    with replaced_folder(folder) as temporary:
        write_bytes(temporary / LABELS, opened.labels)
        record.write(temporary / COMMITMENT)
        write_bytes(temporary / SCORES, scores.encode())
    return folder


def read_release(folder: Path) -> tuple[Commitment, pd.DataFrame]:
    """Check published labels against their commitment, and read them as text.

    This shows that labels, formulas and their pairing are those that the commitment was made for.
    That the commitment is the one made at the beginning, `check_release` compares.

    Returns:
        The commitment, and the table `row_id, formula, <target>`.

    Raises:
        CheckFailedError: the labels are not those, or belong to another set.
        NotCarriedOutError: the folder is not whole.
    """
    path = folder / LABELS
    if not path.is_file() or not (folder / COMMITMENT).is_file():
        raise NotCarriedOutError(
            f"{folder} lacks {LABELS} or {COMMITMENT}: restore it from git.",
            code="labels.release-incomplete",
        )
    record = read_record(Commitment, folder / COMMITMENT)
    if commit_to(bytes.fromhex(record.salt), path.read_bytes()) != record.commitment:
        raise CheckFailedError(
            f"{path} does not hold the labels that {record.commitment[:DIGITS]} commits to: "
            "restore the folder from git.",
            code="labels.not-committed",
        )
    table = read_table(path, ["row_id", "formula"])
    reduced = reduced_formulas(table["formula"], path)
    named = digest_of_formulas(reduced)
    if record.sealed_digest == former_digest(reduced):
        named = record.sealed_digest
    if named != record.sealed_digest or not named.startswith(folder.resolve().name):
        raise CheckFailedError(
            f"{path} holds the set {named[:DIGITS]}, not the one its folder is named after: "
            "restore the folder from git.",
            code="labels.other-set",
        )
    return record, table


def check_release(layout: Layout, folder: Path) -> tuple[Commitment, pd.DataFrame]:
    """Check published labels, and the commitment against the sealed file as long as it is there.

    A sealed file that does not belong to the sealed inputs is of the set that comes next, while
    `assay seal fresh` writes it.

    Raises:
        CheckFailedError: the labels are not those committed to.
        NotCarriedOutError: the folder or the sealed file is not whole.
    """
    record, table = read_release(folder)
    if layout.sealed_labels.is_file() and sealed_digest(layout) == record.sealed_digest:
        header = read_header(layout.sealed_labels.read_bytes(), layout.sealed_labels.name)
        own = header["inputs"] == digest_file(layout.sealed_inputs)
        if own and header["commitment"] != record.commitment:
            raise CheckFailedError(
                f"{folder / COMMITMENT} names another commitment than {layout.sealed_labels.name}: "
                "restore both from git.",
                code="labels.other-commitment",
            )
    return record, table
