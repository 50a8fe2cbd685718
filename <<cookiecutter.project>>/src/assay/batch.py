"""Batch prediction: authorize, predict row by row accountably, write table and quarantine."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from assay import provenance
from assay.bundle import LoadedBundle, digest_bundle, load_bundle
from assay.certificate import Certificate, policy_digest, verify
from assay.compositions import elements, problem, reduced_formula
from assay.errors import CheckFailedError, RefusedError
from assay.files import digest_bytes, digest_file, replaced_folder
from assay.layout import Layout
from assay.records import Record
from assay.settings import Settings
from assay.tables import read_table, write_table

CHUNK = 5_000
MAIN_REF = "refs/heads/main"
# Cells that a spreadsheet would execute begin with one of these (OWASP, CSV injection).
EXECUTABLE = ("=", "+", "-", "@", "\t", "\r")


class BatchRecord(Record):
    """What a table of predictions was made from; written beside it as `batch.json`."""

    batch_id: str
    model_id: str
    certified: bool
    certificate_digest: str | None
    correlation_id: str | None
    candidates: str
    candidates_digest: str
    rows: int
    predicted: int
    quarantined: int
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


@dataclass(frozen=True)
class Authorization:
    """A bundle that may predict, and the certificate that says so (None: uncertified, marked)."""

    bundle: Path
    digest: str
    certificate: Certificate | None
    certificate_digest: str | None


def authorize(root: Path, settings: Settings, bundle: Path, certificate: Path) -> Authorization:
    """Let a bundle predict only if a valid certificate names its digest.

    Raises:
        RefusedError: wrong branch, no or a forged certificate, a certificate of another bundle, or
            of an older policy; the message says what to do.
    """
    require_main()
    digest = digest_bundle(bundle)
    statement = verify(certificate, Layout(root).public_key)
    if statement.bundle_digest != digest:
        raise RefusedError(
            f"the certificate is for bundle {statement.bundle_digest[:12]}, but {bundle} is "
            f"{digest[:12]}: the bundle was altered or is another one; fetch both again."
        )
    if statement.predicate.policy_digest != policy_digest(settings):
        raise RefusedError(
            "the gate's policy in assay.toml changed after this model was certified: merge a "
            "commit that passes under the new policy."
        )
    return Authorization(bundle, digest, statement, digest_file(certificate))


def require_main() -> None:
    """Refuse, in Actions, to predict from anywhere but main."""
    ref = os.environ.get("GITHUB_REF", "")
    if os.environ.get("GITHUB_ACTIONS") and ref != MAIN_REF:
        raise RefusedError(
            f"predictions start from {MAIN_REF} only, not from {ref or 'an unknown ref'}: "
            "dispatch the workflow again and choose the branch main."
        )


def without_certificate(bundle: Path) -> Authorization:
    """For a laptop only: predict without a certificate; every row and the table's name say so.

    Raises:
        RefusedError: in Actions, where nothing uncertified ever predicts.
    """
    if os.environ.get("GITHUB_ACTIONS"):
        raise RefusedError("--uncertified does not exist in Actions: merge a model that passes.")
    return Authorization(bundle, digest_bundle(bundle), None, None)


def predict_batch(
    root: Path, settings: Settings, candidates: Path, authorization: Authorization
) -> BatchRecord:
    """Predict a list of candidates; writes `out/batches/<batch_id>/`.

    Raises:
        CheckFailedError: no row could be predicted.
        UsageError: the list cannot be read.
    """
    table = read_table(candidates, ["formula"])
    bundle = load_bundle(authorization.bundle, settings.model.trusted_types)
    batch_id = provenance.correlation_id(authorization.digest, digest_file(candidates))
    reasons, values = predict_rows(bundle, list(table["formula"]))
    good = np.array([reason is None for reason in reasons], dtype=bool)
    rows = _prediction_rows(table["formula"], values, good, bundle, batch_id)
    rejected = table[~good].assign(
        line=np.flatnonzero(~good) + 2, reason=[reason for reason in reasons if reason]
    )
    record = _record(root, candidates, authorization, bundle, batch_id, good)
    _write(Layout(root).out / "batches" / record.folder, rows, rejected, record)
    if not good.any():
        raise CheckFailedError(
            f"none of the {len(table)} rows of {candidates} could be predicted: see quarantine.csv."
        )
    return record


def predict_rows(
    bundle: LoadedBundle, formulas: Sequence[str]
) -> tuple[list[str | None], np.ndarray]:
    """Predict what can be predicted: reasons (None if fine) and values (n,), NaN where not."""
    from tqdm import tqdm

    reasons: list[str | None] = [problem(formula) for formula in formulas]
    values = np.full(len(formulas), np.nan)
    readable = [index for index, reason in enumerate(reasons) if reason is None]
    with tqdm(total=len(readable), desc="predict", unit="row", disable=None) as progress:
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
    except ValueError as error:
        if len(part) == 1:
            reasons[part[0]] = str(error)
            return
        middle = len(part) // 2
        for half in (part[:middle], part[middle:]):
            _predict_part(bundle, formulas, half, values, reasons)
        return
    for index, value in zip(part, predicted, strict=True):
        values[index] = value
        if not np.isfinite(value):
            reasons[index] = f"the model gave {value} for {formulas[index]!r}"


def domain_reason(formula: str, known: frozenset[str]) -> str:
    """Why a composition lies outside the model's domain; empty if it lies inside."""
    unseen = sorted(elements(formula) - known)
    return f"no training row holds {', '.join(unseen)}" if unseen else ""


def _prediction_rows(
    formulas: Sequence[str],
    values: np.ndarray,
    good: np.ndarray,
    bundle: LoadedBundle,
    batch_id: str,
) -> pd.DataFrame:
    metadata = bundle.metadata
    kept = [formula for formula, is_good in zip(formulas, good, strict=True) if is_good]
    known = frozenset(metadata.elements)
    reasons = [domain_reason(formula, known) for formula in kept]
    width = metadata.interval_half_width
    width = np.nan if width is None else width
    return pd.DataFrame(
        {
            "formula": kept,
            "prediction": values[good],
            "unit": metadata.unit,
            "lower": values[good] - width,
            "upper": values[good] + width,
            "in_domain": [not reason for reason in reasons],
            "domain_reason": reasons,
            "model_id": bundle.digest,
            "batch_id": batch_id,
            "prediction_id": [
                digest_bytes(f"{bundle.digest} {reduced_formula(f)}".encode())[:16] for f in kept
            ],
        }
    )


def _record(  # noqa: PLR0913 (a record of six things)
    root: Path,
    candidates: Path,
    authorization: Authorization,
    bundle: LoadedBundle,
    batch_id: str,
    good: np.ndarray,
) -> BatchRecord:
    certificate = authorization.certificate
    return BatchRecord(
        batch_id=batch_id,
        model_id=bundle.digest,
        certified=certificate is not None,
        certificate_digest=authorization.certificate_digest,
        correlation_id=certificate.predicate.correlation_id if certificate else None,
        candidates=candidates.name,
        candidates_digest=digest_file(candidates),
        rows=len(good),
        predicted=int(good.sum()),
        quarantined=int((~good).sum()),
        target=bundle.metadata.target,
        unit=bundle.metadata.unit,
        commit=provenance.commit_of(root),
        lock_digest=provenance.lock_digest(root),
        workflow_run=provenance.run_url(),
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def _write(
    folder: Path, rows: pd.DataFrame, rejected: pd.DataFrame, record: BatchRecord
) -> None:
    harmless = rejected.map(lambda cell: f"'{cell}" if str(cell).startswith(EXECUTABLE) else cell)
    with replaced_folder(folder) as temporary:
        write_table(rows, temporary / "predictions.csv")
        rows.to_parquet(temporary / "predictions.parquet", index=False)
        write_table(harmless, temporary / "quarantine.csv")
        record.write(temporary / "batch.json")
