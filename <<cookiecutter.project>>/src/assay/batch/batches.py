"""Batches of predictions: whether tables, quarantine and record are what their bundle makes."""

from pathlib import Path

import pandas as pd

from assay.batch.comparison import NOTHING, as_text, require_same
from assay.batch.models import CERTIFICATE
from assay.batch.prediction import (
    PARQUET,
    PREDICTIONS,
    QUARANTINE,
    RECORD,
    BatchRecord,
    batch_id_of,
    predict_rows,
)
from assay.batch.rows import prediction_rows, quarantine_rows
from assay.errors import RefusedError, UsageError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, verify
from assay.model.loading import LoadedBundle, load_bundle
from assay.records import read_record
from assay.settings import Settings
from assay.tables import for_spreadsheets, read_table


def verify_batch(
    root: Path, settings: Settings, path: Path, candidates: Path | None
) -> Certificate:
    """Verify the batch in a folder by making it again; gives the certificate of its model.

    With the list `candidates` that it was made of, each of the list's rows must be accounted for.

    Raises:
        RefusedError: something in it is not what the bundle makes; the sentence says what.
        UsageError: `candidates` cannot be read.
    """
    record = read_record(BatchRecord, path / RECORD)
    if not record.certified:
        raise RefusedError(f"{path} was predicted without a certificate: do not rely on it.")
    proof = _certificate_file(root, path, record)
    certificate = verify(proof, Layout(root).public_key)
    table = path / PREDICTIONS
    if not table.is_file() or digest_file(table) != record.predictions_digest:
        raise RefusedError(f"{table} is not the table that {RECORD} names: predict again.")
    rows = _table(table, ["formula", "prediction", "model_id"])
    quarantine = _table(path / QUARANTINE, ["formula", "line", "reason"])
    if certificate.bundle_digest != record.model_id or set(rows["model_id"]) - {record.model_id}:
        raise RefusedError(f"{path} holds rows of another model than its certificate names.")
    bundle = _bundle(root, settings, record)
    _require_true(record, certificate, proof, bundle, (len(rows), len(quarantine)))
    listed = None if candidates is None else _listed(candidates, record, rows, quarantine)
    _require_unpredictable(bundle, quarantine)
    _require_repeatable(bundle, record, rows, _parquet(path / PARQUET), listed)
    return certificate


def _certificate_file(root: Path, path: Path, record: BatchRecord) -> Path:
    # A model may be certified again: the certificate that let the batch through lies beside it.
    own = path / CERTIFICATE
    return own if own.is_file() else Layout(root).models / record.model_id / CERTIFICATE


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return read_table(path, columns, empty=True)
    except UsageError as error:
        raise RefusedError(f"the batch is not whole, since {error}") from None


def _parquet(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise RefusedError(f"{path} is missing: predict again.")
    try:
        with path.open("rb") as stream:
            return pd.read_parquet(stream).reset_index(drop=True)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise RefusedError(
            f"{path} cannot be read as Parquet ({type(error).__name__}): predict again."
        ) from None


def _bundle(root: Path, settings: Settings, record: BatchRecord) -> LoadedBundle:
    folder = Layout(root).models / record.model_id / "bundle"
    bundle = load_bundle(folder, settings.model.trusted_types)
    if bundle.digest != record.model_id:
        raise RefusedError(f"the stored bundle {record.model_id[:12]} was altered: fetch it again.")
    return bundle


def _require_true(
    record: BatchRecord,
    certificate: Certificate,
    proof: Path,
    bundle: LoadedBundle,
    counts: tuple[int, int],
) -> None:
    """Compare the record with all that tables, certificate and bundle say themselves."""
    predicted, quarantined = counts
    facts = {
        "predicted": predicted,
        "quarantined": quarantined,
        "rows": predicted + quarantined,
        "batch_id": batch_id_of(certificate.bundle_digest, record.candidates_digest),
        "certificate_digest": digest_file(proof),
        "correlation_id": certificate.predicate.correlation_id,
        "target": bundle.metadata.target,
        "unit": bundle.metadata.unit,
    }
    for key, fact in facts.items():
        told = getattr(record, key)
        if told != fact:
            raise RefusedError(
                f"{RECORD}: {key} is {told!r:.80}, but it must be {fact!r:.80}: predict again."
            )


def _listed(
    candidates: Path, record: BatchRecord, rows: pd.DataFrame, quarantine: pd.DataFrame
) -> pd.DataFrame:
    """The rows of the list that were predicted, if no other row than the quarantined is missing."""
    table = read_table(candidates, ["formula"])
    if digest_file(candidates) != record.candidates_digest:
        raise RefusedError(f"{candidates} is not the list that {RECORD} names: name that one.")
    told = dict(zip(quarantine["line"], quarantine["reason"], strict=True))
    reasons = [told.get(str(line)) for line in range(2, len(table) + 2)]
    made = as_text(for_spreadsheets(quarantine_rows(table, reasons)))
    require_same(QUARANTINE, quarantine, made)
    left = table[[reason is None for reason in reasons]]
    if list(left["formula"]) != list(rows["formula"]):
        raise RefusedError(
            f"{PREDICTIONS} and {QUARANTINE} do not hold each row of {candidates} once, in order: "
            "predict again."
        )
    return left


def _require_unpredictable(bundle: LoadedBundle, quarantine: pd.DataFrame) -> None:
    # What was disarmed for spreadsheets was no formula before either, so its cells serve as well.
    formulas = list(quarantine["formula"])
    reasons, _ = predict_rows(bundle, formulas)
    for line, (formula, reason) in enumerate(zip(formulas, reasons, strict=True), start=2):
        if reason is None:
            raise RefusedError(
                f"{QUARANTINE}, line {line}: the model does predict {formula!r:.80}: predict again."
            )


def _require_repeatable(
    bundle: LoadedBundle,
    record: BatchRecord,
    rows: pd.DataFrame,
    parquet: pd.DataFrame,
    listed: pd.DataFrame | None,
) -> None:
    """Make the rows again: nothing else shows that nobody wrote anything else in.

    What the list brought along is taken from the list; without it, from the CSV, where it is
    disarmed for spreadsheets.
    """
    reasons, values = predict_rows(bundle, list(rows["formula"]))
    for line, reason in enumerate(reasons, start=2):
        if reason:
            raise RefusedError(f"{PREDICTIONS}, line {line}: {reason}: predict again.")
    accounts = {"model_id": record.model_id, "batch_id": record.batch_id}
    given = rows[["formula"]] if listed is None else listed
    made = prediction_rows(given, values, bundle.metadata, bundle.domain, accounts)
    made = made.reset_index(drop=True)
    if listed is None:
        made = made.join(rows.drop(columns=list(made.columns), errors="ignore"))
        parquet = for_spreadsheets(parquet)
    width = bundle.metadata.interval_half_width
    nothing = NOTHING if width is None else NOTHING * min(1, width)
    require_same(PREDICTIONS, rows, as_text(for_spreadsheets(made)), nothing)
    require_same(PARQUET, parquet, made, nothing)
