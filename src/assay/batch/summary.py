"""A batch on one page of Markdown, for the summary of the workflow run that made it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assay.batch.records import PARQUET, QUARANTINE, BatchRecord
from assay.report.bars import spark
from assay.report.markdown import block, code, plain, table, with_unit
from assay.texts import plural

BINS, TOP = 60, 10
COLUMNS = ["formula", "prediction", "lower", "upper", "in_domain", "domain_reason"]


def render_summary(record: BatchRecord, folder: Path) -> str:
    """Counts, the share outside the domain, a histogram, and the rows at both ends.

    Of the table no more than a part is in memory.

    Args:
        record: of the batch.
        folder: where its tables lie.
    """
    parts = [f"## {plain(_verdict(record))}", _facts(record)]
    if record.predicted:
        parts += _of_rows(record, folder / PARQUET)
    if record.quarantined:
        parts.append(plain(f"What was not predicted stands in {QUARANTINE} with the reason."))
    return "\n\n".join(parts) + "\n"


def _verdict(record: BatchRecord) -> str:
    proven = "a certified" if record.certified else "an UNCERTIFIED"
    return f"{plural(record.predicted, 'row')} predicted by {proven} model"


def _facts(record: BatchRecord) -> str:
    facts = [
        ("List", code(record.candidates, cell=True)),
        ("Rows", f"{record.rows:,}"),
        ("Quarantined", f"{record.quarantined:,}"),
        ("Model", code(record.model_id, cell=True)),
        ("Batch", code(record.batch_id, cell=True)),
        ("Target", f"{code(record.target, cell=True)} {with_unit('', record.unit)}".strip()),
    ]
    if record.note:
        facts.append(("Note", code(record.note, cell=True)))
    return table(["Batch", ""], facts)


def _of_rows(record: BatchRecord, path: Path) -> Iterator[str]:
    lowest, highest = _range(path)
    edges = np.linspace(lowest, highest, BINS + 1)
    counts, outside, ends = np.zeros(BINS, dtype=int), 0, pd.DataFrame(columns=COLUMNS)
    for rows in _parts(path):
        counts += np.histogram(rows["prediction"], edges)[0]
        outside += int((~rows["in_domain"]).sum())
        ends = _ends(pd.concat([ends, rows]) if len(ends) else rows)
    share = outside / record.predicted
    yield plain(f"{share:.1%} of the predicted rows lie outside what the model knows.")
    axis = f"{lowest:<.4g}".ljust(BINS // 2) + f"{highest:>.4g}".rjust(BINS - BINS // 2)
    yield block(f"{spark(counts / max(counts.max(), 1), 1.0)}\n{axis}")
    yield _table("Lowest", ends.head(TOP))
    if record.predicted > TOP:
        yield _table("Highest", ends.tail(TOP)[::-1])


def _range(path: Path) -> tuple[float, float]:
    found = [rows["prediction"].agg(["min", "max"]) for rows in _parts(path)]
    return float(min(one["min"] for one in found)), float(max(one["max"] for one in found))


def _parts(path: Path) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for part in file.iter_batches(columns=COLUMNS):
            yield part.to_pandas()


def _ends(rows: pd.DataFrame) -> pd.DataFrame:
    """The lowest and the highest rows, in order; equal ones in the order of the list."""
    ordered = rows.sort_values("prediction", kind="stable")
    return ordered if len(ordered) <= 2 * TOP else pd.concat([ordered[:TOP], ordered[-TOP:]])


def _table(title: str, rows: pd.DataFrame) -> str:
    cells = [_cells(row) for row in rows.to_dict("records")]
    return table([title, "Prediction", "Interval", "Outside the domain"], cells)


def _cells(row: dict[str, Any]) -> list[str]:
    interval = "" if np.isnan(row["lower"]) else f"{row['lower']:.4g} to {row['upper']:.4g}"
    return [
        code(row["formula"], cell=True),
        f"{row['prediction']:.4g}",
        interval,
        code(row["domain_reason"], cell=True),
    ]
