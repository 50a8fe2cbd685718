"""What assay.toml asks for, as metrics over all rows and over slices."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from assay.errors import UsageError
from assay.gate.policy import Family
from assay.gate.slices import family, requirements
from assay.settings import Settings

FORMULAS = ["NaCl", "Fe2O3", "MgO", "LiF", "Al", "CuZn"]


def table(**columns: list[str]) -> pd.DataFrame:
    """Rows with these formulas."""
    return pd.DataFrame({"formula": FORMULAS, **columns})


def settings(kind: str = "number", **gate: object) -> Settings:
    """Settings with this gate."""
    return Settings.model_validate(
        {
            "project": {"name": "toy", "package": "toy"},
            "target": {"column": "y", "kind": kind},
            "gate": {"margin": 0.1, **gate},
        }
    )


def masks(rule: dict[str, object], tables: list[pd.DataFrame] | None = None) -> list[list[bool]]:
    """The rows of a slice among train rows, sealed rows and pool."""
    asked = requirements(settings(slices=[{"name": "part", **rule}]), tables or [table()] * 3)
    rows = asked[-1].slice
    assert rows is not None
    return [list(mask) for mask in (rows.train, rows.sealed, rows.pool)]


def test_plain_policy_asks_for_one_metric():
    """MAE for a number, Brier score for a class, unless another is named."""
    (mae,) = requirements(settings(), [table()] * 3)
    assert (mae.metric.key, mae.margin, mae.primary, mae.slice) == ("mae", 0.1, True, None)
    (brier,) = requirements(settings("class"), [table()] * 3)
    assert brier.metric.key == "brier"
    (wrong,) = requirements(settings("class", metric="error_rate"), [table()] * 3)
    assert wrong.metric.key == "error_rate"


def test_further_metrics_follow_with_their_margins():
    """They are never what an improvement is claimed on."""
    first, second = requirements(settings(further={"rmse": 0.3}), [table()] * 3)
    assert first.primary
    assert not second.primary
    assert (second.metric.key, second.margin, second.name) == ("rmse", 0.3, "RMSE")


@pytest.mark.parametrize(
    ("rule", "formulas"),
    [
        ({"elements": ["O"]}, {"Fe2O3", "MgO"}),
        ({"elements": ["O", "Zn"]}, {"Fe2O3", "MgO", "CuZn"}),
        ({"family": "halogen"}, {"NaCl", "LiF"}),
        ({"family": "alkaline"}, {"MgO"}),
    ],
)
def test_slice_holds_the_rows_with_such_an_element(rule, formulas):
    """Any of the named elements, or any of a family, in all three tables."""
    wanted = [formula in formulas for formula in FORMULAS]
    assert masks(rule) == [wanted] * 3


@pytest.mark.parametrize("name", get_args(Family))
def test_every_family_of_the_policy_has_elements(name):
    """Whatever pymatgen calls it now."""
    assert family(name)


def test_slice_by_a_column():
    """Rows whose cell is one of the values, table by table."""
    tables = [table(source=list(text)) for text in ("aabbcc", "cccccc", "abcabc")]
    found = masks({"column": "source", "values": ["a", "b"]}, tables)
    assert [sum(mask) for mask in found] == [4, 0, 4]


def test_slice_has_its_own_margin_or_that_of_all_rows():
    """`margin` of a slice goes before that of the gate."""
    rules = [{"name": "a", "elements": ["O"]}, {"name": "b", "elements": ["F"], "margin": 0.7}]
    asked = requirements(settings(slices=rules), [table()] * 3)
    assert [one.margin for one in asked] == [0.1, 0.1, 0.7]
    assert [one.name for one in asked] == ["MAE", "MAE on a", "MAE on b"]


def test_unknown_element_is_named():
    """A misspelt element is an error of assay.toml, not an empty slice."""
    with pytest.raises(UsageError, match="'Oxygen', which is no element"):
        masks({"elements": ["Oxygen"]})


def test_missing_column_is_named():
    """The tables must hold the column that a slice is named by."""
    with pytest.raises(UsageError, match="needs the column 'source'"):
        masks({"column": "source", "values": ["a"]})


@pytest.mark.parametrize(
    ("gate", "word"),
    [
        ({"slices": [{"name": "a"}]}, "one of elements, family or column"),
        ({"slices": [{"name": "a", "elements": ["O"], "family": "halogen"}]}, "one of elements"),
        ({"slices": [{"name": "a", "column": "source"}]}, "column and values together"),
        ({"slices": [{"name": "a", "column": "y", "values": ["1"]}]}, "not by the target"),
        ({"slices": [{"name": "a", "elements": ["O"]}] * 2}, "the same name"),
        ({"metric": "brier"}, "'brier'"),
        ({"further": {"error_rate": 0.1}}, "'error_rate'"),
        ({"further": {"mae": 0.1}}, "repeats"),
        ({"uses": 3, "disagreements": 5}, "at most uses"),
        ({"alpha": 0.2}, "less than or equal to 0.05"),
        ({"minimum_groups": 5}, "greater than or equal to 30"),
        ({"tail": 1000.0}, "less than or equal to 10"),
    ],
)
def test_policy_that_makes_no_sense_or_voids_the_guarantee_is_refused(gate, word):
    """Each with the key and what is allowed."""
    with pytest.raises(ValueError, match=word):
        settings(**gate)


def test_masks_are_boolean():
    """Masks select rows; numbers would select by position."""
    rows = requirements(settings(slices=[{"name": "o", "elements": ["O"]}]), [table()] * 3)[1].slice
    assert rows is not None
    assert rows.train.dtype == np.bool_


def test_what_is_advisory_is_marked_and_the_rest_blocks():
    """Metrics and slices block unless assay.toml says that they advise; the claim's always does."""
    slices = [{"name": "a", "family": "oxide", "advisory": True}, {"name": "b", "elements": ["Na"]}]
    asked = requirements(
        settings(further={"rmse": 1.0}, advisory=["rmse"], slices=slices), [table()] * 3
    )
    assert [part.advisory for part in asked] == [False, True, True, False]
    assert not any(
        part.advisory for part in requirements(settings(further={"rmse": 1.0}), [table()] * 3)
    )
    with pytest.raises(ValueError, match="advisory names 'rmse'"):
        settings(advisory=["rmse"])
