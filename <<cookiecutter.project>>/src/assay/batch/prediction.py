"""Batch prediction, row by row accountably: a table of predictions and one of the rest."""

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from assay import provenance
from assay.batch.authorization import Authorization
from assay.batch.models import CERTIFICATE
from assay.batch.rows import prediction_rows, quarantine_rows
from assay.errors import CheckFailedError, RefusedError
from assay.features.parsing import problems
from assay.files import digest_file, replaced_folder
from assay.layout import Layout
from assay.model.bundle import BundleMetadata
from assay.model.loading import LoadedBundle, load_bundle
from assay.progress import stages
from assay.records import Count, Digest, Record
from assay.settings import Settings
from assay.tables import for_spreadsheets, read_table, write_table

CHUNK = 5_000
PREDICTIONS, PARQUET = "predictions.csv", "predictions.parquet"
QUARANTINE, RECORD = "quarantine.csv", "batch.json"


class BatchRecord(Record):
    """What a table of predictions was made from; written beside it as `batch.json`."""

    batch_id: str
    model_id: str
    certified: bool
    certificate_digest: str | None
    correlation_id: str | None
    candidates: str
    candidates_digest: str
    predictions_digest: Digest
    rows: Count
    predicted: Count
    quarantined: Count
    target: str
    unit: str
    commit: str
    lock_digest: str
    workflow_run: str | None
    time: str

    @property
    def folder(self) -> str:
        """The name of the batch's folder; an uncertified one cannot be mistaken."""
        return self.batch_id if self.certified else f"{self.batch_id}-uncertified"


def predict_batch(
    root: Path, settings: Settings, candidates: Path, authorization: Authorization
) -> BatchRecord:
    """Predict a list of candidates; writes `out/batches/<batch_id>/`.

    Raises:
        CheckFailedError: no row could be predicted.
        RefusedError: the bundle is not the one that was let through any more.
        UsageError: the list cannot be read.
    """
    table = read_table(candidates, ["formula"])
    bundle = _let_through(settings, authorization)
    batch_id = batch_id_of(authorization.digest, digest_file(candidates))
    reasons, values = predict_rows(bundle, list(table["formula"]))
    good = np.array([reason is None for reason in reasons], dtype=bool)
    accounts = {"model_id": authorization.model_id, "batch_id": batch_id}
    name = batch_id if authorization.certificate else f"{batch_id}-uncertified"
    place = Layout(root).out / "batches" / name
    with stages("predict") as doing, replaced_folder(place) as folder:
        doing("writing the tables")
        rows = prediction_rows(table[good], values[good], bundle.metadata, bundle.domain, accounts)
        _write_tables(folder, rows, quarantine_rows(table, reasons))
        record = _record(
            root, candidates, authorization, bundle.metadata, good, folder / PREDICTIONS
        )
        record.write(folder / RECORD)
        if authorization.certificate_file:
            shutil.copyfile(authorization.certificate_file, folder / CERTIFICATE)
    if not good.any():
        raise CheckFailedError(
            f"none of the {len(table)} rows of {candidates} could be predicted: see {QUARANTINE}."
        )
    return record


def _let_through(settings: Settings, authorization: Authorization) -> LoadedBundle:
    with stages("predict") as doing:
        doing("loading the model")
        bundle = load_bundle(authorization.bundle, settings.model.trusted_types)
    if bundle.digest != authorization.digest:
        raise RefusedError(
            f"{authorization.bundle} changed after it was let through: fetch it again."
        )
    return bundle


def _write_tables(folder: Path, rows: pd.DataFrame, rejected: pd.DataFrame) -> None:
    write_table(for_spreadsheets(rows), folder / PREDICTIONS)
    rows.to_parquet(folder / PARQUET, index=False)
    write_table(for_spreadsheets(rejected), folder / QUARANTINE)


def batch_id_of(bundle_digest: str, candidates_digest: str) -> str:
    """The id that all batches of one list by one bundle share."""
    return provenance.correlation_id(bundle_digest, candidates_digest)


def predict_rows(
    bundle: LoadedBundle, formulas: Sequence[str]
) -> tuple[list[str | None], np.ndarray]:
    """Predict what can be predicted: reasons (None if fine) and values (n,), NaN where not."""
    from tqdm import tqdm

    with stages("predict") as doing:
        doing("reading the formulas")
        reasons = problems(formulas)
    values = np.full(len(formulas), np.nan)
    readable = [index for index, reason in enumerate(reasons) if reason is None]
    with tqdm(total=len(readable), desc="predict", unit=" rows", disable=None) as progress:
        for start in range(0, len(readable), CHUNK):
            part = readable[start : start + CHUNK]
            _predict_part(bundle, formulas, part, values, reasons)
            progress.update(len(part))
    return reasons, values


def _predict_part(
    bundle: LoadedBundle,
    formulas: Sequence[str],
    part: Sequence[int],
    values: np.ndarray,
    reasons: list[str | None],
) -> None:
    # Halving finds the rows that the model refuses in a few calls, whatever its features are.
    try:
        predicted = bundle.predict([formulas[index] for index in part])
    except Exception as error:  # noqa: BLE001 (the author's features may raise anything)
        if len(part) == 1:
            told = str(error) if isinstance(error, ValueError) else repr(error)
            reasons[part[0]] = told or type(error).__name__
            return
        middle = len(part) // 2
        for half in (part[:middle], part[middle:]):
            _predict_part(bundle, formulas, half, values, reasons)
        return
    for index, value in zip(part, predicted, strict=True):
        values[index] = value
        if not np.isfinite(value):
            reasons[index] = f"the model gave {value} for {formulas[index]!r}"


def _record(  # noqa: PLR0913 (a record of six things)
    root: Path,
    candidates: Path,
    authorization: Authorization,
    metadata: BundleMetadata,
    good: np.ndarray,
    predictions: Path,
) -> BatchRecord:
    certificate, listed = authorization.certificate, digest_file(candidates)
    return BatchRecord(
        batch_id=batch_id_of(authorization.digest, listed),
        model_id=authorization.model_id,
        certified=certificate is not None,
        certificate_digest=authorization.certificate_digest,
        correlation_id=certificate.predicate.correlation_id if certificate else None,
        candidates=candidates.name,
        candidates_digest=listed,
        predictions_digest=digest_file(predictions),
        rows=len(good),
        predicted=int(good.sum()),
        quarantined=int((~good).sum()),
        target=metadata.target,
        unit=metadata.unit,
        commit=provenance.commit_of(root),
        lock_digest=provenance.lock_digest(root),
        workflow_run=provenance.run_url(),
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )
