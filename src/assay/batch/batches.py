"""A batch verified: predicted again beside the one that was written, cell by cell."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assay.batch.authorization import CERTIFICATE
from assay.batch.collection import ACCOUNT, account
from assay.batch.comparison import (
    NOTHING,
    TableReader,
    as_text,
    csv_reader,
    parquet_reader,
    require_same,
)
from assay.batch.lists import CandidateList, open_any, read_range
from assay.batch.manifests import is_signed
from assay.batch.prediction import (
    CHUNK,
    LINE,
    OURS,
    REASON,
    predict_rows,
    predict_table,
    prediction_rows,
    schema,
)
from assay.batch.records import PARQUET, PREDICTIONS, QUARANTINE, RECORD, BatchRecord, table_names
from assay.compositions import problem
from assay.errors import RefusedError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import Certificate, verify
from assay.model.loading import LoadedBundle, load_bundle
from assay.records import read_record
from assay.repository import Repository
from assay.tables import for_spreadsheets

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Tables:
    """The tables of a batch, read in step; `csv` is None where there is none."""

    parquet: TableReader
    csv: TableReader | None
    quarantine: TableReader


def require_alone(bundle: LoadedBundle, record: BatchRecord, tables: Tables) -> int:
    """Make the rows again from their formulas: nothing else shows that nobody altered a value.

    What the list brought along is taken as it stands. Gives the number of rows outside the domain.

    Raises:
        RefusedError: a row is not what the bundle makes of its formula.
    """
    from assay.progress import counting

    start = outside = 0
    bar = counting("verify", record.rows, " rows", leave=False)
    while len(parquet := tables.parquet.take(CHUNK)):
        bar.update(len(parquet))
        reasons, values, content = predict_rows(bundle, list(parquet["formula"]))
        for row, reason in enumerate(reasons, start=start + 1):
            if reason:
                raise RefusedError(
                    f"{PARQUET}, row {row}: {reason}: run `assay predict` again.",
                    code="batch.unpredictable-row",
                )
        given, accounts = parquet[["formula"]], record.recipe.accounts
        made = prediction_rows(given, content, values, bundle, accounts)
        made = made.join(parquet.drop(columns=list(made.columns), errors="ignore"))
        _require_part(bundle, tables, parquet, made, start)
        start, outside = start + len(parquet), outside + int((~made["in_domain"]).sum())
    if start != tables.parquet.rows:
        # the footer's number of rows is what the file says, not what it holds
        raise RefusedError(
            f"{PARQUET} has {start} rows, not {tables.parquet.rows}: run `assay predict` again.",
            code="batch.wrong-row-count",
        )
    _require_unpredictable(bundle, tables.quarantine)
    bar.close()
    return outside


def _require_part(
    bundle: LoadedBundle, tables: Tables, parquet: pd.DataFrame, made: pd.DataFrame, start: int
) -> None:
    width = bundle.metadata.interval_half_width
    nothing = NOTHING if width is None else NOTHING * min(1, width)
    require_same(PARQUET, parquet, made, nothing, start)
    if tables.csv is not None:
        rows = tables.csv.take(len(made))
        require_same(PREDICTIONS, rows, as_text(for_spreadsheets(made)), nothing, start)


def _require_unpredictable(bundle: LoadedBundle, quarantine: TableReader) -> None:
    # What was disarmed for spreadsheets was no formula before either, so its cells serve as well.
    line = 2
    while len(part := quarantine.take(CHUNK)):
        require_same(QUARANTINE, part, for_spreadsheets(part), NOTHING, line - 2)
        formulas = list(part["formula"])
        reasons, _, _ = predict_rows(bundle, formulas)
        for formula, reason in zip(formulas, reasons, strict=True):
            if reason is None:
                raise RefusedError(
                    f"{QUARANTINE}, line {line}: the model does predict {formula!r:.80}: run "
                    "`assay predict` again.",
                    code="batch.wrong-quarantine",
                )
            line += 1


def require_listed(
    bundle: LoadedBundle, record: BatchRecord, tables: Tables, listed: CandidateList
) -> int:
    """Make all rows again from the list, those of the quarantine with them; as `require_alone`.

    Raises:
        RefusedError: a row is not what the bundle makes of the list.
        UsageError: the list cannot be read any more.
    """
    from assay.progress import counted

    at, start, rejected, outside = listed.first, 0, 0, 0
    parts = read_range(listed, 0, listed.rows, CHUNK)
    many = -(-listed.rows // CHUNK)
    for table in counted(parts, "verify", many, " parts"):
        made, quarantined = predict_table(bundle, table, at, record.recipe.accounts)
        made = made.reset_index(drop=True)
        _require_part(bundle, tables, tables.parquet.take(len(made)), made, start)
        written = tables.quarantine.take(len(quarantined))
        told = _with_reasons(quarantined.reset_index(drop=True), written)
        require_same(QUARANTINE, written, as_text(for_spreadsheets(told)), NOTHING, rejected)
        at, start, rejected = at + len(table), start + len(made), rejected + len(quarantined)
        outside += int((~made["in_domain"]).sum())
    # the footer's number of rows is what the file says, not what it holds
    if len(tables.parquet.take(1)):
        raise RefusedError(
            f"{PARQUET} has more than {start} rows: run `assay predict` again.",
            code="batch.wrong-row-count",
        )
    return outside


def _with_reasons(made: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
    """What a model says of a row it refuses may differ, in an address for instance."""
    if len(made) != len(written):
        return made
    readable = [problem(formula) is None for formula in made["formula"]]
    return made.assign(**{REASON: made[REASON].where(~np.array(readable, bool), written[REASON])})


def verify_batch(
    repository: Repository, path: Path, candidates: Path | None
) -> tuple[Certificate, bool]:
    """Verify the batch in a folder by making it again; gives the certificate of its model.

    The second value tells whether a manifest is signed for the very files.

    With the list `candidates` that it was made of, each of the list's rows must be accounted for.
    Of no table more than a part is in memory.

    Raises:
        RefusedError: something in it is not what the bundle makes; the sentence says what.
        UsageError: `candidates` cannot be read.
    """
    record = read_record(BatchRecord, path / RECORD)
    if not record.certified:
        raise RefusedError(
            f"{path} was predicted without a certificate: predict with a certified model.",
            code="batch.uncertified",
        )
    proof = _certificate_file(repository.layout, path, record)
    certificate = verify(proof, repository.layout.public_key)
    if certificate.bundle_digest != record.recipe.bundle_digest:
        raise RefusedError(
            f"{path} holds rows of another model than its certificate names: run `assay predict` "
            "again.",
            code="batch.other-model",
        )
    _require_files(path, record)
    signed = is_signed(repository.root, path, record)
    tables, told = _tables(path, record)
    bundle = _bundle(repository, record)
    _require_true(record, certificate, proof, bundle, tables)
    listed = None if candidates is None else _listed(repository.layout, candidates, record)
    if listed is None:
        outside = require_alone(bundle, record, tables)
    else:
        outside = require_listed(bundle, record, tables, listed)
    if record.outside != outside:
        raise RefusedError(
            f"{RECORD}: outside is {record.outside}, but it must be {outside}: run `assay "
            "predict` again.",
            code="batch.wrong-record",
        )
    if told != account(record.recipe, bundle.metadata.classes):
        raise RefusedError(
            f"{path / PARQUET} does not say itself what {RECORD} says of it: run `assay predict` "
            "again.",
            code="batch.other-metadata",
        )
    return certificate, signed


def _certificate_file(layout: Layout, path: Path, record: BatchRecord) -> Path:
    # A model may be certified again: the certificate that let the batch through lies beside it.
    own = path / CERTIFICATE
    return own if own.is_file() else layout.models / record.recipe.bundle_digest / CERTIFICATE


def _require_files(path: Path, record: BatchRecord) -> None:
    if set(record.files) != set(table_names(record.recipe)):
        raise RefusedError(
            f"{path / RECORD} names other files than a batch has: run `assay predict` again.",
            code="batch.wrong-file-names",
        )
    for name in sorted({PREDICTIONS, PARQUET, QUARANTINE} - set(record.files)):
        if (path / name).exists():
            raise RefusedError(
                f"{path / name} is no table that {RECORD} names: take it out.",
                code="batch.foreign-file",
            )
    for name, digest in record.files.items():
        if not (path / name).is_file():
            raise RefusedError(
                f"{path / name} is missing: run `assay predict` again.", code="batch.missing-file"
            )
        if digest_file(path / name) != digest:
            raise RefusedError(
                f"{path / name} is not the table that {RECORD} names, so one of them was altered: "
                "run `assay predict` again.",
                code="batch.altered",
            )


def _tables(path: Path, record: BatchRecord) -> tuple[Tables, object]:
    parquet, types = parquet_reader(path / PARQUET)
    _require_plain(path / PARQUET, types)
    csv = csv_reader(path / PREDICTIONS, ["formula"]) if record.recipe.with_csv else None
    quarantine = csv_reader(path / QUARANTINE, ["formula", LINE, REASON])
    try:
        told = json.loads((types.metadata or {}).get(ACCOUNT, b""))
    except (ValueError, RecursionError):
        told = None
    return Tables(parquet, csv, quarantine), told


def _require_plain(path: Path, types: "pa.Schema") -> None:
    # pandas has names of columns in metadata of its own, by which it would read another table
    wanted = schema([name for name in types.names if name not in OURS])
    known = [name for name in types.names if name in wanted.names]
    same = all(types.field(name).type == wanted.field(name).type for name in known)
    if set(types.metadata or {}) - {ACCOUNT} or not same:
        raise RefusedError(
            f"{path} is not of the types that a batch has: run `assay predict` again.",
            code="batch.wrong-types",
        )


def _bundle(repository: Repository, record: BatchRecord) -> LoadedBundle:
    settings = repository.settings
    folder = repository.layout.models / record.recipe.bundle_digest / "bundle"
    package, trusted = settings.project.package, settings.model.trusted_types
    return load_bundle(folder, package, trusted, record.recipe.bundle_digest)


def _require_true(
    record: BatchRecord,
    certificate: Certificate,
    proof: Path,
    bundle: LoadedBundle,
    tables: Tables,
) -> None:
    """Compare the record with all that tables, certificate and bundle say themselves."""
    predicted, quarantined = tables.parquet.rows, tables.quarantine.rows
    recipe = record.recipe
    facts = {
        "model_id": certificate.bundle_digest,
        "evidence": certificate.predicate.evidence,
        "predicted": predicted,
        "quarantined": quarantined,
        "rows": predicted + quarantined,
        "batch_id": recipe.batch_id,
        "certificate_digest": digest_file(proof),
        "correlation_id": certificate.predicate.correlation_id,
        "grouping": certificate.predicate.grouping,
        "target": bundle.metadata.target,
        "unit": bundle.metadata.unit,
        "classes": bundle.metadata.classes,
    }
    for key, fact in facts.items():
        told = getattr(record, key)
        if told != fact:
            raise RefusedError(
                f"{RECORD}: {key} is {told!r:.80}, but it must be {fact!r:.80}: run `assay "
                "predict` again.",
                code="batch.wrong-record",
            )
    if tables.csv is not None and tables.csv.rows != predicted:
        raise RefusedError(
            f"{PREDICTIONS} has {tables.csv.rows} rows, not {predicted}: run `assay predict` "
            "again.",
            code="batch.wrong-row-count",
        )


def _listed(layout: Layout, candidates: Path, record: BatchRecord) -> CandidateList:
    listed = open_any(layout, candidates, record.recipe.column)
    if listed.digest != record.recipe.candidates_digest:
        raise RefusedError(
            f"{candidates} is not the list that {RECORD} names: give {record.candidates!r:.80}, "
            "unchanged, to --candidates.",
            code="batch.other-list",
        )
    if listed.rows != record.rows:
        raise RefusedError(
            f"{candidates} has {listed.rows} rows, but {record.rows} are predicted or quarantined: "
            "run `assay predict` again.",
            code="batch.rows-unaccounted",
        )
    return listed
