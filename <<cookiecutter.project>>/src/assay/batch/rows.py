"""The rows that a batch hands out: predictions with their account, and the quarantine."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from assay.compositions import reduced_formula
from assay.features.parsing import amounts
from assay.files import digest_bytes
from assay.model.bundle import BundleMetadata
from assay.model.domain import Domain
from assay.predictions import rounded


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
    reasons = domain.reasons(amounts(formulas))
    width = np.nan if metadata.interval_half_width is None else metadata.interval_half_width
    values = rounded(values)
    model = accounts["model_id"]
    columns = {
        "formula": formulas,
        "prediction": values,
        "unit": metadata.unit,
        "lower": rounded(values - width),
        "upper": rounded(values + width),
        "in_domain": [not reason for reason in reasons],
        "domain_reason": reasons,
        **accounts,
        "prediction_id": [
            digest_bytes(f"{model} {reduced_formula(formula)}".encode())[:16]
            for formula in formulas
        ],
    }
    ours = pd.DataFrame(columns, index=table.index)
    return ours.join(_renamed(table.drop(columns="formula"), list(columns)))


def quarantine_rows(table: pd.DataFrame, reasons: Sequence[str | None]) -> pd.DataFrame:
    """The candidates with a reason, as they were given, with their line and the reason."""
    bad = [index for index, reason in enumerate(reasons) if reason is not None]
    columns = {"line": [index + 2 for index in bad], "reason": [reasons[index] for index in bad]}
    return _renamed(table.iloc[bad], list(columns)).assign(**columns)


def _renamed(table: pd.DataFrame, taken: Sequence[str]) -> pd.DataFrame:
    # A list may be an earlier table of predictions: its columns must not pass for ours.
    names: list[str] = []
    for name in table.columns:
        while name in taken or name in names:
            name = f"given_{name}"  # noqa: PLW2901 (until it is free)
        names.append(name)
    return table.set_axis(names, axis="columns")
