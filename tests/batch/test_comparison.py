"""Tables against themselves made again: every planted difference is named, rounding is none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import toy
from assay.batch.comparison import NOTHING, as_text, require_same
from assay.batch.prediction import prediction_rows
from assay.errors import RefusedError
from assay.features.parsing import amounts
from assay.model.bundle import BundleMetadata
from assay.model.domain import Domain
from assay.model.loading import LoadedBundle
from toy import domain_of

METADATA = toy.METADATA.model_copy(update={"interval_half_width": 4e-13, "unit": "m2/s"})
DOMAIN = Domain.of(domain_of(["NaCl", "KCl"]))


def made_of(values: list[float], metadata: BundleMetadata = METADATA) -> pd.DataFrame:
    """Rows of two salts."""
    table = pd.DataFrame({"formula": ["NaCl", "KCl"], "tag": ["a", ""]}, dtype=str)
    accounts = {"model_id": "m", "batch_id": "b"}
    bundle = LoadedBundle("0" * 64, metadata, DOMAIN, None, Path())
    content = amounts(list(table["formula"]))
    return prediction_rows(table, content, np.array(values), bundle, accounts)


def test_values_in_a_unit_that_makes_them_tiny_are_compared_too():
    """Diffusivities of 1e-12 are no zeros: a changed one is noticed, a last bit is not."""
    made = as_text(made_of([2e-12, 1e-27]))
    nothing = NOTHING * METADATA.interval_half_width
    rows = made.astype(str)
    rows["prediction"] = ["2.000000001e-12", "0"]
    require_same("a.csv", rows, made, nothing)
    rows["prediction"] = ["2.1e-12", "0"]
    with pytest.raises(RefusedError, match=r"a.csv, line 2: prediction is '2.1e-12', but it must"):
        require_same("a.csv", rows, made, nothing)


@pytest.mark.parametrize("cell", ["nothing", "nan", "0.5", " "])
def test_where_there_is_no_interval_only_an_empty_cell_is_the_same(cell):
    """A text that is no number does not pass for a number that is missing."""
    metadata = METADATA.model_copy(update={"interval_half_width": None})
    made = as_text(made_of([1.0, 2.0], metadata))
    rows = made.astype(str).assign(lower="", upper="")
    require_same("a.csv", rows, made)
    rows.loc[1, "upper"] = cell
    with pytest.raises(RefusedError, match=f"line 3: upper is '{cell}', but it must be nan"):
        require_same("a.csv", rows, made)


def test_number_that_is_missing_is_not_the_same():
    """An empty cell does not pass where the model gives a number."""
    made = as_text(made_of([1.0, 2.0]))
    rows = made.astype(str)
    rows.loc[0, "lower"] = ""
    with pytest.raises(RefusedError, match="line 2: lower is '', but it must be"):
        require_same("a.csv", rows, made)


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows.astype({"prediction": str}),
        lambda rows: rows.assign(in_domain=[1, 1]),
        lambda rows: rows.assign(tag=[["a"], ""]),
        lambda rows: rows.assign(tag=[None, ""]),
        lambda rows: rows.assign(lower=[np.nan, 2.0]),
    ],
)
def test_parquet_holds_the_same_types(edit):
    """Numbers as text, a flag as a number, a list or nothing for a text: none of them passes."""
    made = made_of([1.0, 2.0])
    require_same("a.parquet", made.copy(), made)
    with pytest.raises(RefusedError, match=r"a.parquet, row 1: \w+ is .*, but it must be"):
        require_same("a.parquet", edit(made), made)


def test_columns_are_those_made_in_any_order():
    """A missing, an added and a doubled column are named; another order is no difference."""
    made = made_of([1.0, 2.0])
    require_same("a.parquet", made[made.columns[::-1]], made)
    with pytest.raises(RefusedError, match="has no column tag"):
        require_same("a.parquet", made.drop(columns="tag"), made)
    for doubtful in (made.assign(note="x")[[*made.columns, "note"]], made[[*made.columns, "tag"]]):
        with pytest.raises(RefusedError, match=r"has a column '(note|tag)' that does not belong"):
            require_same("a.parquet", doubtful, made)
    with pytest.raises(RefusedError, match="has 1 rows, not 2"):
        require_same("a.parquet", made.iloc[:1], made)
