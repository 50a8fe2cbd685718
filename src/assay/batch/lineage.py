"""The lineage of a row: from its id to model, data, code, environment, run and certificate."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.batch.authorization import CERTIFICATE, require_standing
from assay.batch.records import PARQUET, RECORD, BatchRecord
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, Predicate, verify
from assay.ledger.entries import DecisionEntry
from assay.ledger.record import Ledger, read_ledger_at_hand
from assay.provenance import short_commit
from assay.records import Count, Record, Text, read_record

# shorter beginnings of a digest may be those of several models
SHORTEST = 8


class TracedRow(Record):
    """A row of a batch's table with the id that was asked for, as the table tells it.

    The table is the one that the batch's record names; whether the model makes this value is for
    `assay verify` to say.
    """

    batch: Text
    formula: Text
    prediction: float
    unit: Text


class Trace(Record):
    """What is known of an id: the rows and batches with it, their model, and how that is proven.

    `certificate` is what the signed certificate says, absent where there is none that holds, and
    then `unproven` says why; `ledger_lines` are those that decided on the model.
    """

    id: Text
    model: Text
    rows: list[TracedRow]
    batches: list[Text]
    commit_of_batch: Text | None
    run_of_batch: Text | None
    certificate: Predicate | None
    unproven: Text
    ledger_lines: list[Count]


class _Batch(NamedTuple):
    folder: Path
    record: BatchRecord


def trace(root: Path, identifier: str) -> Trace:
    """Look up a prediction id, a batch id, a correlation id, or a model's digest or its beginning.

    Raises:
        UsageError: nothing at hand has it, or several models do.
        RefusedError: the table with the row is not the one that the batch's record names.
        NotCarriedOutError: the record or a table of a batch, or the ledger, cannot be read.
    """
    identifier = identifier.removesuffix("-uncertified")  # as a batch's folder is called
    layout, ledger = Layout(root), read_ledger_at_hand(root)
    batches, rows = _batches(layout, identifier)
    model = _model(layout, identifier, batches)
    certificate, unproven = _certificate(layout, ledger, model, batches)
    first = batches[0].record if batches else None
    return Trace(
        id=identifier,
        model=model,
        rows=rows,
        batches=[batch.folder.name for batch in batches],
        commit_of_batch=first.commit if first else None,
        run_of_batch=first.workflow_run if first else None,
        certificate=certificate.predicate if certificate else None,
        unproven=unproven,
        ledger_lines=[
            number
            for number, entry in enumerate(ledger.entries, start=1)
            if isinstance(entry, DecisionEntry) and entry.bundle_digest == model
        ],
    )


def _batches(layout: Layout, identifier: str) -> tuple[list[_Batch], list[TracedRow]]:
    """The batches that have the id, or else those with a row that does, and these rows."""
    paths = sorted((layout.out / "batches").glob(f"[!.]*/{RECORD}"))
    known = [_Batch(path.parent, read_record(BatchRecord, path)) for path in paths]
    named = [
        batch
        for batch in known
        if identifier in {batch.record.batch_id, batch.record.correlation_id}
        or (len(identifier) >= SHORTEST and batch.record.model_id.startswith(identifier))
    ]
    if named:
        return named, []
    found = [(batch, row) for batch in known for row in _rows(batch, identifier)]
    holding = {batch.folder: batch for batch, _ in found}
    return list(holding.values()), [row for _, row in found]


def _rows(batch: _Batch, identifier: str) -> Iterator[TracedRow]:
    import pandas as pd

    table = batch.folder / PARQUET
    if not table.is_file():
        return
    columns = ["formula", "prediction", "unit"]
    try:
        found = [("prediction_id", "==", identifier)]
        held = pd.read_parquet(table, columns=columns, filters=found)
    except Exception as error:  # noqa: BLE001 (pyarrow raises what the content provokes)
        raise NotCarriedOutError(
            f"{table} cannot be read as Parquet ({type(error).__name__}): run `assay predict` "
            "again.",
            code="lineage.unreadable-parquet",
        ) from None
    if len(held) and digest_file(table) != batch.record.files.get(PARQUET):
        raise RefusedError(
            f"{table} is not the table that {RECORD} names, so one of them was altered: run "
            "`assay predict` again.",
            code="batch.altered",
        )
    for formula, prediction, unit in held.drop_duplicates().itertuples(index=False):
        yield TracedRow(batch=batch.folder.name, formula=formula, prediction=prediction, unit=unit)


def _model(layout: Layout, identifier: str, batches: list[_Batch]) -> str:
    """The one model that the id leads to."""
    found = {batch.record.model_id for batch in batches} | set(_stored(layout, identifier))
    if len(found) != 1:
        many = f"{len(found)} models have" if found else "no batch or certified model here has"
        raise UsageError(
            f"{many} the id {identifier!r:.80}: copy the whole id from a table or a record.",
            code="lineage.no-single-model",
        )
    return found.pop()


def _stored(layout: Layout, identifier: str) -> Iterator[str]:
    for path in layout.models.glob(f"*/{CERTIFICATE}"):
        digest = path.parent.name
        if len(identifier) >= SHORTEST and digest.startswith(identifier):
            yield digest
            continue
        try:
            if verify(path, layout.public_key).predicate.correlation_id == identifier:
                yield digest
        except RefusedError:
            continue


def _certificate(
    layout: Layout, ledger: Ledger, model: str, batches: list[_Batch]
) -> tuple[Certificate | None, str]:
    """The model's certificate, beside a batch or in the store, if it holds and stands."""
    places = [batch.folder for batch in batches] + [layout.models / model]
    paths = [place / CERTIFICATE for place in places if (place / CERTIFICATE).is_file()]
    if not paths:
        return None, "no certificate of this model is here"
    try:
        found = verify(paths[0], layout.public_key)
        if found.bundle_digest != model:
            return None, f"the certificate beside it is for {found.bundle_digest[:12]}"
        if ledger.head is not None:
            require_standing(ledger, found)
    except RefusedError as error:
        return None, str(error)
    return found, ""


def sentences(found: Trace) -> Iterator[str]:
    """The trace in words, from the row to the certificate."""
    for row in found.rows:
        yield f"{found.id}: {row.formula}, {row.prediction:.9g} {row.unit}, in batch {row.batch}"
        yield f"  value not verified: `assay verify out/batches/{row.batch}` checks it"
    for batch in [] if found.rows else found.batches:
        yield f"batch {batch}"
    if found.commit_of_batch:
        run = f", run {found.run_of_batch}" if found.run_of_batch else ""
        yield f"  predicted at commit {short_commit(found.commit_of_batch)}{run}"
    yield f"  model {found.model}"
    if found.certificate is None:
        yield f"  not proven: {found.unproven}"
    else:
        yield from _proof(found.certificate)
    lines = ", ".join(map(str, found.ledger_lines)) or "none"
    yield f"  its lines in the ledger: {lines}"


def _proof(proof: Predicate) -> Iterator[str]:
    yield (
        f"  certified {proof.time}: {proof.claim}, {proof.evidence} evidence, stage {proof.stage}, "
        f"correlation id {proof.correlation_id}"
    )
    yield f"  code: commit {proof.commit}"
    held = f"sealed set {proof.sealed_digest}" if proof.evidence == "sealed" else "nothing sealed"
    yield f"  data: train set {proof.train_digest}, {held}"
    yield f"  environment: lock {proof.lock_digest}"
    if proof.machinery is not None:
        yield f"  machinery: assay {proof.machinery_version or ''} {proof.machinery}"
    yield f"  run: {proof.run}"
