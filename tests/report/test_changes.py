"""What changed: rows, labels, predictions, the model."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.report.changes import (
    Machinery,
    TrainRow,
    data_changes,
    largest_changes,
    largest_residuals,
    model_changes,
    reference_name,
)
from assay.report.public_rows import Predicted
from report_samples import DIGEST, card, verdict


def rows(*cells: tuple[str, str, str]) -> pd.DataFrame:
    """A train set as text."""
    return pd.DataFrame(cells, columns=["row_id", "formula", "y"], dtype=str)


def predicted(candidate: list[float], reference: list[float], target: list[float]) -> Predicted:
    """Rows named by their number."""
    ids = [f"t{number}" for number in range(len(candidate))]
    arrays = (np.array(values, dtype=float) for values in (candidate, reference, target))
    return Predicted(ids, ["NaCl"] * len(ids), *arrays)


def test_rows_are_told_apart_by_id_and_formula():
    """A new id is added, a missing one removed, another composition both, another label neither."""
    before = rows(("1", "NaCl", "1"), ("2", "KCl", "2"), ("3", "MgO", "3"), ("4", "CaO", "4"))
    after = rows(("1", "NaCl", "1.0"), ("3", "MgO", "3.5"), ("4", "SrO", "4"), ("5", "BaO", "5"))
    changes = data_changes(before, after, "y")
    assert changes.added == [TrainRow("4", "SrO", None, "4"), TrainRow("5", "BaO", None, "5")]
    assert changes.removed == [TrainRow("2", "KCl", "2", None), TrainRow("4", "CaO", "4", None)]
    assert changes.relabelled == [TrainRow("3", "MgO", "3", "3.5")]
    assert changes.rows[0].row_id == "3"


def test_a_composition_in_other_amounts_is_the_row_that_it_was():
    """`Ca0.5Mg0.5O` for `CaMgO2` adds and removes nothing; `CaMg2O3` does both."""
    before = rows(("1", "CaMgO2", "1"), ("2", "Fe2O3", "2"))
    assert (
        data_changes(before, rows(("1", "Ca0.5Mg0.5O", "1"), ("2", "Fe4O6", "2")), "y").rows == []
    )
    changed = data_changes(before, rows(("1", "CaMg2O3", "1"), ("2", "Fe0.4O0.6", "3")), "y")
    assert (len(changed.added), len(changed.removed)) == (1, 1)
    assert changed.relabelled == [TrainRow("2", "Fe0.4O0.6", "2", "3")]


def test_labels_that_changed_most_come_first():
    """A label that is no number any more outranks all."""
    before = rows(("1", "NaCl", "1"), ("2", "KCl", "2"), ("3", "MgO", "3"))
    after = rows(("1", "NaCl", "1.1"), ("2", "KCl", "wrong"), ("3", "MgO", "-3"))
    assert [row.row_id for row in data_changes(before, after, "y").relabelled] == ["2", "3", "1"]


def test_same_table_in_another_order_or_spelling_of_numbers_changes_nothing():
    """`1.50` is the label that 1.5 was, wherever the row stands."""
    before = rows(("1", "NaCl", "1.5"), ("2", "KCl", "nan"))
    after = rows(("2", "KCl", "nan"), ("1", "NaCl", "1.50"))
    assert data_changes(before, after, "y").rows == []


def test_largest_changes_are_those_of_compared_rows():
    """Rows of which the reference says nothing have no change."""
    found = largest_changes(predicted([1, 2, 3, 9], [1, 0, 2.5, np.nan], [0] * 4), 2)
    assert found.row_ids == ["t1", "t2"]
    assert [row.change for row in found] == [2, 0.5]


def test_largest_residuals_need_no_reference():
    """The furthest from the label comes first, on either side."""
    found = largest_residuals(predicted([1, 2, 3], [np.nan] * 3, [1, 5, 2.5]), 2)
    assert [(row.row_id, row.residual) for row in found] == [("t1", -3), ("t2", 0.5)]


@pytest.mark.parametrize(
    ("lock", "train", "wanted"),
    [
        (DIGEST, DIGEST, {"Train set": "as on main", "Environment lock": "as on main"}),
        ("0" * 64, DIGEST, {"Environment lock": "changed; on main"}),
        (None, None, {"Train set": "main's is not at hand"}),
    ],
)
def test_model_is_compared_with_main(lock: Any, train: Any, wanted: dict[str, str]):
    """Lock and train set are main's, or are told to be others."""
    facts = {fact.name: fact.compared for fact in model_changes(card(), verdict(), lock, train)}
    assert wanted.items() <= facts.items()


@pytest.mark.parametrize(
    ("trained", "reports", "told"),
    [("1" * 64, "1" * 64, False), ("1" * 64, "2" * 64, True), (None, "2" * 64, False)],
)
def test_another_machinery_than_the_report_is_told(trained: Any, reports: str, told: bool):
    """Another assay that trained is named, and nothing is said of the same one or of none."""
    own = Machinery(reports, "0.2.0+22222222")
    named = card(machinery=trained, machinery_version="0.2.0+11111111")
    facts = model_changes(named, verdict(), None, None, own)
    found = [(fact.value, fact.other) for fact in facts if fact.name == "Assay"]
    assert found == ([("0.2.0+11111111", "0.2.0+22222222")] if told else [])


def test_features_are_counted_where_they_are_known():
    """The number of features stands with the estimator, if the card has it."""
    told = [model_changes(card(features=n), None, None, None)[0].compared for n in (None, 1234)]
    assert "features" not in told[0]
    assert told[1].startswith("1,234 features, ")


def test_reference_is_named_as_people_read_it():
    """A baseline by its words, a model by twelve digits; the reference itself is called so."""
    assert reference_name(verdict(reference="baseline mean")) == "baseline mean"
    assert reference_name(verdict(reference=DIGEST)) == DIGEST[:12]
    facts = model_changes(card(), verdict(reference=DIGEST), None, None)
    assert facts[-1].compared == "the reference itself"
