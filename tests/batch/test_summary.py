"""The summary of a batch: its counts and ends are the table's, and nothing in it is live."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.batch.collection import render_summary
from assay.batch.prediction import schema
from assay.batch.records import BatchRecord, Recipe
from assay.report.comment import MARKER
from hostile_strings import STRINGS
from inert import assert_inert
from toy import assay

RECIPE = Recipe(
    bundle_digest="0" * 64,
    certified=True,
    candidates_digest="1" * 64,
    column="formula",
    machinery="2" * 64,
    with_csv=False,
)


def record_of(predicted: int, quarantined: int = 0, **fields: object) -> BatchRecord:
    """The record of a batch with so many rows."""
    told = {
        "batch_id": RECIPE.batch_id,
        "model_id": RECIPE.model_id,
        "recipe": RECIPE,
        "certificate_digest": None,
        "correlation_id": None,
        "candidates": "list.csv",
        "files": {},
        "rows": predicted + quarantined,
        "predicted": predicted,
        "outside": 0,
        "quarantined": quarantined,
        "fallback": None,
        "target": "gap",
        "unit": "eV",
        "commit": "c",
        "lock_digest": "l",
        "workflow_run": None,
        "time": "now",
    }
    return BatchRecord(**told | fields)


def write(folder, values, reasons=None, formula="NaCl"):
    """A table of predictions with an interval of half a unit to both sides."""
    reasons = reasons or [""] * len(values)
    frame = pd.DataFrame({"formula": formula, "prediction": np.array(values, dtype=float)})
    frame = frame.assign(lower=frame["prediction"] - 0.5, upper=frame["prediction"] + 0.5)
    frame = frame.assign(domain_reason=reasons, in_domain=[not reason for reason in reasons])
    rest = {name: "x" for name in schema([]).names if name not in frame.columns}
    table = pa.Table.from_pandas(frame.assign(**rest), schema([]), preserve_index=False)
    pq.write_table(table, folder / "predictions.parquet", row_group_size=7)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_ends_and_counts_are_the_tables(tmp_path_factory, values):
    """The lowest ten come first, and every row is in the histogram."""
    folder = tmp_path_factory.mktemp("summary")
    write(folder, values)
    text = render_summary(record_of(len(values)), folder)
    lowest = text.split("| Lowest |")[1].split("\n\n")[0].splitlines()[2:]
    shown = [row.split(" | ")[1] for row in lowest]
    assert shown == [f"{value:.4g}" for value in sorted(values)[:10]]
    assert ("| Highest |" in text) is (len(values) > 10)


def test_share_outside_and_quarantine_are_told(tmp_path):
    """A quarter outside is a quarter, with the reason at the row; the rest is named."""
    write(tmp_path, [1, 2, 3, 4], ["", "no training row holds Xe", "", ""])
    text = render_summary(record_of(4, 1), tmp_path)
    assert "25.0% of the predicted rows are outside" in text
    assert "`no training row holds Xe`" in text
    assert "quarantine.csv with the reason" in text
    assert text.startswith("## 4 rows predicted by a certified model")
    plain = RECIPE.model_copy(update={"certified": False})
    assert "UNCERTIFIED" in render_summary(record_of(4, recipe=plain), tmp_path)


def test_equal_predictions_and_no_interval_are_drawn(tmp_path):
    """A table of one value has a histogram, and a class no interval."""
    write(tmp_path, [1.5, 1.5])
    path = tmp_path / "predictions.parquet"
    frame = pd.read_parquet(path).assign(lower=np.nan, upper=np.nan)
    frame.to_parquet(path)
    assert pq.read_metadata(path).num_rows == 2
    text = render_summary(record_of(2), tmp_path)
    assert "1.5" in text
    assert "nan" not in text


@pytest.mark.parametrize("hostile", STRINGS)
def test_nothing_of_a_list_is_live(tmp_path, hostile):
    """Names of lists, targets, units and formulas are code, whatever they hold."""
    write(tmp_path, [1.0], [hostile], formula=hostile)
    told = record_of(1, candidates=hostile, target=hostile, unit=hostile)
    assert_inert(f"{MARKER}\n{render_summary(told, tmp_path)}")


def test_run_in_actions_writes_it(certified, tmp_path):
    """The verb adds it to the run's summary, and to nothing on a laptop."""
    summary = tmp_path / "summary.md"
    done = assay(certified, "predict", "data/candidates/few.csv", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert "3 rows predicted by a certified model" in summary.read_text()
