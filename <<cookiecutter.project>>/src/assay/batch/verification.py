"""`assay verify`: what a certificate, a bundle or a batch of predictions is worth, offline."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.batch.authorization import require_standing
from assay.batch.models import CERTIFICATE
from assay.batch.prediction import PREDICTIONS, RECORD, BatchRecord, predict_rows
from assay.batch.rows import prediction_rows
from assay.errors import CheckFailedError, RefusedError, UsageError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, verify
from assay.ledger.record import read_ledger_at_hand
from assay.model.bundle import METADATA, digest_bundle
from assay.model.loading import load_bundle
from assay.provenance import short_commit
from assay.records import read_record
from assay.sealing.releases import COMMITMENT, check_release
from assay.settings import Settings
from assay.tables import read_table

# Tables hold nine significant digits, and two processors may differ in the last bits of a sum.
# Near zero these are no share of the value: there they are measured by the width of an interval.
SAME, NOTHING = 1e-8, 1e-9


def verify_path(root: Path, settings: Settings, path: Path) -> tuple[str, dict[str, Any]]:
    """Verify what lies at `path`; returns a sentence and its details.

    A certificate file is checked against `certificate.pub`, a bundle folder against the
    certificate beside it, a batch folder (or its table) against the certificate of its model, and
    by making its rows again, every column but those that the list brought along. The labels of a
    retired set are checked against the commitment.

    Raises:
        RefusedError: it does not hold, or the model was revoked.
        NotCarriedOutError: the ledger at hand was altered or put back to an earlier state.
        CheckFailedError: published labels are not those committed to.
        UsageError: there is nothing there that can be verified.
    """
    key = Layout(root).public_key
    if path.name == PREDICTIONS and (path.parent / RECORD).is_file():
        path = path.parent
    if path.is_file():
        return _certified(root, verify(path, key))
    if (path / METADATA).is_file():
        return _certified(root, _verify_bundle(path, key))
    if (path / RECORD).is_file():
        return _certified(root, _verify_batch(root, settings, path, key))
    if (path / COMMITMENT).is_file():
        return _verify_release(root, path)
    raise UsageError(f"{path} is no certificate, bundle, batch or retired set: name one.")


def _verify_release(root: Path, path: Path) -> tuple[str, dict[str, Any]]:
    record, table = check_release(Layout(root), path)
    entry = read_ledger_at_hand(root).retirement(record.sealed_digest)
    if entry is not None and entry.commitment != record.commitment:
        raise CheckFailedError(
            f"{path / COMMITMENT} names another commitment than the ledger: restore it from git."
        )
    told = "the ledger names it, too" if entry else "the ledger at hand does not name it"
    named = record.commitment[:12]
    sentence = f"holds: {path} has the {len(table)} labels that {named} commits to; {told}"
    return sentence, record.model_dump(mode="json")


def _certified(root: Path, certificate: Certificate) -> tuple[str, dict[str, Any]]:
    predicate, ledger = certificate.predicate, read_ledger_at_hand(root)
    if ledger.head is not None:
        require_standing(ledger, certificate)
    unknown = "" if ledger.head else "; whether it was revoked is not known without the ledger"
    sentence = (
        f"holds: bundle {certificate.bundle_digest[:12]} of {certificate.model} passed "
        f"({predicate.claim}, stage {predicate.stage}, commit {short_commit(predicate.commit)}, "
        f"{predicate.time}){unknown}"
    )
    return sentence, certificate.model_dump(mode="json")


def _verify_bundle(path: Path, key: Path) -> Certificate:
    certificate = verify(path.parent / CERTIFICATE, key)
    digest = digest_bundle(path)
    if certificate.bundle_digest != digest:
        raise RefusedError(
            f"{path} is bundle {digest[:12]}, but its certificate is for "
            f"{certificate.bundle_digest[:12]}: fetch both again."
        )
    return certificate


def _verify_batch(root: Path, settings: Settings, path: Path, key: Path) -> Certificate:
    record = read_record(BatchRecord, path / RECORD)
    if not record.certified:
        raise RefusedError(f"{path} was predicted without a certificate: do not rely on it.")
    certificate = verify(Layout(root).models / record.model_id / CERTIFICATE, key)
    table = path / PREDICTIONS
    if not table.is_file() or digest_file(table) != record.predictions_digest:
        raise RefusedError(f"{table} is not the table that {RECORD} names: predict again.")
    rows = read_table(table, ["formula", "prediction", "model_id"])
    if certificate.bundle_digest != record.model_id or set(rows["model_id"]) != {record.model_id}:
        raise RefusedError(f"{path} holds rows of another model than its certificate names.")
    _require_repeatable(root, settings, rows, record)
    return certificate


def _require_repeatable(
    root: Path, settings: Settings, rows: pd.DataFrame, record: BatchRecord
) -> None:
    """Make the rows again: nothing else shows that nobody wrote anything else in."""
    model_id = record.model_id
    bundle = load_bundle(Layout(root).models / model_id / "bundle", settings.model.trusted_types)
    if bundle.digest != model_id:
        raise RefusedError(f"the stored bundle {model_id[:12]} was altered: fetch it again.")
    reasons, values = predict_rows(bundle, list(rows["formula"]))
    for line, reason in enumerate(reasons, start=2):
        if reason:
            raise RefusedError(f"{PREDICTIONS}, line {line}: {reason}: predict again.")
    accounts = {"model_id": model_id, "batch_id": record.batch_id}
    made = prediction_rows(rows[["formula"]], values, bundle.metadata, accounts)
    width = bundle.metadata.interval_half_width
    nothing = NOTHING if width is None else NOTHING * min(1, width)
    for column in made:
        _require_column(rows, made, str(column), nothing)


def _require_column(rows: pd.DataFrame, made: pd.DataFrame, column: str, nothing: float) -> None:
    if column not in rows:
        raise RefusedError(f"{PREDICTIONS} has no column {column}: predict again.")
    if pd.api.types.is_float_dtype(made[column]):
        written = pd.to_numeric(rows[column], errors="coerce")
        same = np.isclose(written, made[column], rtol=SAME, atol=nothing, equal_nan=True)
    else:
        same = (rows[column] == made[column].astype(str)).to_numpy()
    differing = np.flatnonzero(~same)
    if differing.size:
        line = int(differing[0])
        raise RefusedError(
            f"{PREDICTIONS}, line {line + 2}: {column} is {rows[column].iloc[line]!r:.80}, but the "
            f"model gives {made[column].iloc[line]!s:.80} ({differing.size} such rows): predict "
            "again."
        )
