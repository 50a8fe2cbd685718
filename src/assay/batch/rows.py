"""The rows that a batch hands out: predictions with their account, and the quarantine."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assay.batch.lists import free_names
from assay.compositions import SHARES
from assay.features.parsing import Amounts, amounts_of
from assay.model.bundle import BundleMetadata
from assay.model.domain import Domain
from assay.predictions import rounded

if TYPE_CHECKING:
    import pyarrow as pa

NUMBERS = ("prediction", "lower", "upper")
OURS = (
    *("formula", "prediction", "unit", "lower", "upper", "in_domain", "domain_reason"),
    *("model_id", "batch_id", "prediction_id"),
)
LINE, REASON = "line", "reason"


def prediction_ids(content: Amounts, model: str) -> list[str]:
    """An id a row, which all spellings of a composition share: 16 digits of a SHA-256.

    It is that of the model's id, and of atomic numbers and shares as 64-bit integers: formulas have
    one id if they have one `compositions.identity`.
    """
    parts = np.column_stack([content.numbers, np.rint(content.fractions * SHARES)])
    view = memoryview(parts.astype("<i8").tobytes())
    ends = np.append(content.starts, len(content.rows))[1:].tolist()
    ids = []
    for start, end in zip(content.starts.tolist(), ends, strict=True):
        found = _opened(model).copy()
        found.update(view[16 * start : 16 * end])
        ids.append(found.hexdigest()[:16])
    return ids


@lru_cache(maxsize=1)
def _opened(model: str) -> "hashlib._Hash":
    return hashlib.sha256(model.encode())


def prediction_rows(
    table: pd.DataFrame,
    values: np.ndarray,
    metadata: BundleMetadata,
    domain: Domain,
    accounts: dict[str, str],
) -> pd.DataFrame:
    """The table of predictions; what stood beside the formulas is carried along at its end.

    Numbers have nine significant digits, as those that the model was scored on.

    Args:
        table: the candidates that were predicted, as text, with a column `formula`.
        values: their predictions (n,), in the unit of `metadata`.
        metadata: of the bundle that predicted them.
        domain: of the same bundle.
        accounts: `model_id` and `batch_id`, which every row bears.
    """
    formulas = list(table["formula"])
    content = amounts_of(tuple(formulas))
    reasons = domain.reasons(content)
    width = np.nan if metadata.interval_half_width is None else metadata.interval_half_width
    values = rounded(values)
    columns = {
        "formula": formulas,
        "prediction": values,
        "unit": metadata.unit,
        "lower": rounded(values - width),
        "upper": rounded(values + width),
        "in_domain": np.array([not reason for reason in reasons], dtype=bool),
        "domain_reason": reasons,
        **accounts,
        "prediction_id": prediction_ids(content, accounts["model_id"]),
    }
    ours = pd.DataFrame(columns, index=table.index)
    others = table.drop(columns="formula")
    return ours.join(others.set_axis(free_names(list(others.columns), OURS), axis="columns"))


def quarantine_rows(
    table: pd.DataFrame, reasons: Sequence[str | None], first: int = 2
) -> pd.DataFrame:
    """The candidates with a reason, as they were given, with their line and the reason.

    `first` is the line of the table's first row.
    """
    bad = [index for index, reason in enumerate(reasons) if reason is not None]
    columns = {
        LINE: [index + first for index in bad],
        REASON: [reasons[index] for index in bad],
    }
    names = free_names(list(table.columns), (LINE, REASON))
    return table.iloc[bad].set_axis(names, axis="columns").assign(**columns)


def schema(others: Sequence[str]) -> "pa.Schema":
    """The types of a table of predictions with the columns `others` of a list."""
    import pyarrow as pa

    kinds = dict.fromkeys(NUMBERS, pa.float64()) | {"in_domain": pa.bool_()}
    names = [*OURS, *free_names(others, OURS)]
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])
