"""From an id back to what made the row, and how that is proven."""

from pathlib import Path

import pandas as pd
import pytest

from assay.batch.authorization import authorize, without_certificate
from assay.batch.jobs import predict_batch
from assay.batch.lineage import sentences, trace
from assay.batch.records import BatchRecord
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.layout import Handover, Layout
from assay.ledger.certificate import verify
from assay.ledger.record import read_ledger
from assay.ledger.revocation import revoke
from assay.repository import read_repository
from sentences import told
from toy import write_rows

pytestmark = pytest.mark.usefixtures("laptop")


def predicted(root: Path, *formulas: str) -> BatchRecord:
    """A batch of these formulas by the certified model."""
    path = root / "list.csv"
    write_rows(path, ["formula"], [[formula] for formula in formulas])
    handover, repository = Handover(Layout(root).out), read_repository(root)
    permission = authorize(repository, handover.bundle, handover.certificate)
    return predict_batch(repository, path, permission)


def table(root: Path, record: BatchRecord) -> pd.DataFrame:
    """The rows of a batch."""
    return pd.read_parquet(Layout(root).out / "batches" / record.folder / "predictions.parquet")


def test_a_row_leads_to_all_that_made_it(certified: Path) -> None:
    """From the id of one row to its batch, model, data, code, environment and ledger line."""
    record = predicted(certified, "NaCl", "MgO")
    row = table(certified, record).iloc[1]
    found = trace(certified, row["prediction_id"])
    proof = verify(Handover(Layout(certified).out).certificate, Layout(certified).public_key)
    (traced,) = found.rows
    assert (traced.formula, traced.prediction) == ("MgO", row["prediction"])
    assert (traced.batch, traced.unit) == (record.folder, "eV/atom")
    assert (found.model, found.certificate) == (record.model_id, proof.predicate)
    assert found.unproven == ""
    assert found.ledger_lines == [len(read_ledger(certified).entries)]
    said = "\n".join(sentences(found))
    for fact in ("MgO", record.folder, proof.predicate.train_digest, proof.predicate.lock_digest):
        assert fact in said


def test_a_value_is_told_as_what_its_table_says(certified: Path) -> None:
    """Behind a row stands that nobody verified it; a table beside another record is refused."""
    record = predicted(certified, "NaCl", "MgO")
    rows = table(certified, record)
    identifier = rows["prediction_id"].iloc[0]
    lines = list(sentences(trace(certified, identifier)))
    assert "value not verified" in lines[1]
    assert f"assay verify out/batches/{record.folder}" in lines[1]
    path = Layout(certified).out / "batches" / record.folder / "predictions.parquet"
    rows.assign(prediction=-9.9).to_parquet(path)
    with told(RefusedError, 1, "predictions.parquet", "not the table that batch.json names"):
        trace(certified, identifier)
    path.write_bytes(path.read_bytes()[:-9])
    with told(NotCarriedOutError, 3, "predictions.parquet", "cannot be read as Parquet"):
        trace(certified, identifier)


def test_every_kind_of_id_leads_to_the_model(certified: Path) -> None:
    """Batch, correlation id, digest and its beginning have one model; other ids are refused."""
    record = predicted(certified, "NaCl")
    wanted = record.model_id
    for known in (record.batch_id, record.correlation_id, wanted, wanted[:12]):
        assert known is not None
        assert trace(certified, known).model == wanted
    for unknown in ("asy-0", wanted[:4], "", "*", "../../etc"):
        with pytest.raises(UsageError, match="no batch or certified model"):
            trace(certified, unknown)


def test_a_row_of_two_batches_is_told_of_both(certified: Path) -> None:
    """An id is that of model and composition: every batch with the row is named."""
    first, second = predicted(certified, "NaCl"), predicted(certified, "MgO", "ClNa")
    found = trace(certified, table(certified, first)["prediction_id"].iloc[0])
    assert {row.batch for row in found.rows} == {first.folder, second.folder}


def test_what_is_not_proven_is_said(certified: Path) -> None:
    """A batch whose certificate was altered and one of a revoked model have no proof."""
    record = predicted(certified, "NaCl")
    own = Layout(certified).out / "batches" / record.folder / "certificate.json"
    kept = own.read_text()
    own.write_text(kept.replace("payload", "paid"))
    assert trace(certified, record.batch_id).certificate is None
    own.write_text(kept)
    assert trace(certified, record.batch_id).certificate is not None
    revoke(certified, record.model_id, "wrong units", None)
    found = trace(certified, record.batch_id)
    assert (found.certificate, "wrong units" in found.unproven) == (None, True)


def test_an_uncertified_row_has_no_proof(toy: Path) -> None:
    """What was predicted without a certificate leads to its model, and to no proof."""
    path = toy / "list.csv"
    write_rows(path, ["formula"], [["NaCl"]])
    bundle = Handover(Layout(toy).out).bundle
    marked = predict_batch(read_repository(toy), path, without_certificate(bundle))
    found = trace(toy, marked.batch_id)
    assert (found.model, found.certificate) == (marked.model_id, None)
    assert "no certificate" in found.unproven
