"""A batch made again beside the one that was written, part by part and cell by cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.batch.comparison import NOTHING, as_text, require_same
from assay.batch.feeds import Feed
from assay.batch.lists import CandidateList, read_range
from assay.batch.prediction import CHUNK, predict_rows, predict_table
from assay.batch.records import PARQUET, PREDICTIONS, QUARANTINE, BatchRecord
from assay.batch.rows import REASON, prediction_rows
from assay.compositions import problem
from assay.errors import RefusedError
from assay.model.loading import LoadedBundle
from assay.spreadsheets import for_spreadsheets


@dataclass(frozen=True)
class Tables:
    """The tables of a batch, read in step; `csv` is None where there is none."""

    parquet: Feed
    csv: Feed | None
    quarantine: Feed


def require_alone(bundle: LoadedBundle, record: BatchRecord, tables: Tables) -> int:
    """Make the rows again from their formulas: nothing else shows that nobody altered a value.

    What the list brought along is taken as it stands. Gives the number of rows outside the domain.

    Raises:
        RefusedError: a row is not what the bundle makes of its formula.
    """
    from tqdm import tqdm

    start = outside = 0
    bar = tqdm(total=record.rows, desc="verify", unit=" rows", disable=None, leave=False)
    while len(parquet := tables.parquet.take(CHUNK)):
        bar.update(len(parquet))
        reasons, values = predict_rows(bundle, list(parquet["formula"]))
        for row, reason in enumerate(reasons, start=start + 1):
            if reason:
                raise RefusedError(f"{PARQUET}, row {row}: {reason}: predict again.")
        given, accounts = parquet[["formula"]], record.recipe.accounts
        made = prediction_rows(given, values, bundle.metadata, bundle.domain, accounts)
        made = made.join(parquet.drop(columns=list(made.columns), errors="ignore"))
        _require_part(bundle, tables, parquet, made, start)
        start, outside = start + len(parquet), outside + int((~made["in_domain"]).sum())
    if start != tables.parquet.rows:
        # the footer's number of rows is what the file says, not what it holds
        raise RefusedError(f"{PARQUET} has {start} rows, not {tables.parquet.rows}: predict again.")
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


def _require_unpredictable(bundle: LoadedBundle, quarantine: Feed) -> None:
    # What was disarmed for spreadsheets was no formula before either, so its cells serve as well.
    line = 2
    while len(part := quarantine.take(CHUNK)):
        require_same(QUARANTINE, part, for_spreadsheets(part), NOTHING, line - 2)
        formulas = list(part["formula"])
        reasons, _ = predict_rows(bundle, formulas)
        for formula, reason in zip(formulas, reasons, strict=True):
            if reason is None:
                raise RefusedError(
                    f"{QUARANTINE}, line {line}: the model does predict {formula!r:.80}: predict "
                    "again."
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
    from tqdm import tqdm

    at, start, rejected, outside = listed.first, 0, 0, 0
    parts = read_range(listed, 0, listed.rows, CHUNK)
    many = -(-listed.rows // CHUNK)
    for table in tqdm(parts, "verify", many, disable=None, leave=False):
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
        raise RefusedError(f"{PARQUET} has more than {start} rows: predict again.")
    return outside


def _with_reasons(made: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
    """What a model says of a row it refuses may differ, in an address for instance."""
    if len(made) != len(written):
        return made
    readable = [problem(formula) is None for formula in made["formula"]]
    return made.assign(**{REASON: made[REASON].where(~np.array(readable, bool), written[REASON])})
