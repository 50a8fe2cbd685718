"""Tables of a class name the predicted one, and say what the probability is of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_summary import RECIPE, record_of, write

from assay.batch.collection import account, render_summary
from assay.batch.prediction import (
    OURS,
    PREDICTED_CLASS,
    columns_of,
    prediction_rows,
    schema,
)
from assay.features.parsing import amounts
from assay.model.bundle import BundleMetadata
from assay.model.domain import Domain
from assay.model.loading import LoadedBundle
from toy import METADATA, domain_of

FORMULAS = ["NaCl", "MgO", "NaCl"]
VALUES = np.array([0.2, 0.5, 0.9])
NAMES = ("insulator", "metal")
ACCOUNTS = {"model_id": "m", "batch_id": "b"}


def metadata(**changes: object) -> BundleMetadata:
    """That of a class."""
    usual = {"kind": "class", "unit": "1", "interval_half_width": None, "classes": NAMES}
    return METADATA.model_copy(update=usual | changes)


def rows(told: BundleMetadata) -> pd.DataFrame:
    """Three rows, and a column of the list that is called like one of ours."""
    bundle = LoadedBundle("0" * 64, told, Domain.of(domain_of(["NaCl", "MgO"])), None, Path())
    table = pd.DataFrame({"formula": FORMULAS, PREDICTED_CLASS: "x"}, dtype=str)
    return prediction_rows(table, amounts(FORMULAS), VALUES, bundle, ACCOUNTS)


def test_class_of_even_odds_and_more_is_the_second_name():
    """Directly behind the probability, whose column keeps its name and place."""
    found = rows(metadata())
    assert list(found[PREDICTED_CLASS]) == ["insulator", "metal", "metal"]
    assert list(found["prediction"]) == list(VALUES)
    assert list(found.columns)[:4] == ["formula", "prediction", PREDICTED_CLASS, "unit"]
    assert list(found["given_predicted_class"]) == ["x"] * 3
    swapped = rows(metadata(classes=NAMES[::-1]))
    assert not (swapped[PREDICTED_CLASS] == found[PREDICTED_CLASS]).any()


def test_numbers_and_older_classes_have_the_columns_they_had():
    """A table that was verified before is the same table now."""
    for told in (METADATA, metadata(classes=None)):
        found = rows(told)
        before = [name for name in OURS if name != "evidence"]
        assert list(found.columns) == [*before, PREDICTED_CLASS]
        assert set(found[PREDICTED_CLASS]) == {"x"}
    assert columns_of(None) == OURS
    assert set(columns_of(NAMES)) - set(OURS) == {PREDICTED_CLASS}
    assert account(RECIPE, None).keys().isdisjoint({"classes", "prediction"})


def test_table_says_of_what_its_probabilities_are():
    """In its own metadata, which `assay verify` compares."""
    told = account(RECIPE, NAMES)
    assert told["classes"] == ["insulator", "metal"]
    assert told["prediction"] == "probability of metal"
    assert schema([], NAMES).names == list(columns_of(NAMES))


@pytest.mark.parametrize("names", [NAMES, ("`|", "<b>")])
def test_summary_counts_the_rows_of_each_class_by_name(tmp_path, names):
    """And heads the probabilities with the name of what they are of."""
    write(tmp_path, [0.2, 0.5, 0.9])
    path = tmp_path / "predictions.parquet"
    frame = pd.read_parquet(path).assign(lower=np.nan, upper=np.nan)
    frame[PREDICTED_CLASS] = [names[0], names[1], names[1]]
    types = schema([], names)
    pq.write_table(pa.Table.from_pandas(frame[types.names], types, preserve_index=False), path)
    text = render_summary(record_of(3, classes=names), tmp_path)
    if names == NAMES:
        assert "Predicted `metal`: 2 rows; `insulator`: 1." in text
        assert "probability of `metal` (1), against `insulator` (0)" in text
        assert "| Lowest | Probability of `metal` | Predicted class |" in text
    else:
        assert "<b>" not in text.replace("`<b>`", "")
    assert "Predicted class" not in render_summary(record_of(3), tmp_path)


def test_record_names_the_classes():
    """Strictly read, as it was written."""
    told = record_of(3, classes=NAMES)
    assert type(told).model_validate_json(told.model_dump_json(), strict=True) == told
