"""What candidates are compared with: baselines, recorded predictions, and how rows are paired."""

import numpy as np
import pandas as pd
import pytest

from assay.datasets import Dataset
from assay.errors import NotCarriedOutError
from assay.scoring.references import baseline, compare, of_same_rows, recorded
from assay.settings import Settings
from assay.splits import grouped_folds
from toy import pool_formulas

FORMULAS = pool_formulas()[::15][:90]


def settings(kind: str = "number", name: str = "mean") -> Settings:
    """Settings of a small case."""
    return Settings.model_validate(
        {
            "project": {"name": "toy", "package": "toy"},
            "target": {"column": "y", "kind": kind},
            "gate": {"margin": 0.1, "baseline": name},
        }
    )


def table(letter: str, formulas: list[str]) -> pd.DataFrame:
    """Rows with ids."""
    ids = [f"{letter}{number}" for number in range(len(formulas))]
    return pd.DataFrame({"row_id": ids, "formula": formulas})


@pytest.fixture
def data() -> Dataset:
    """50 train, 20 sealed and 20 pool rows; the target is the number of oxygen letters."""
    train = table("t", FORMULAS[:50])
    target = train["formula"].str.count("O").to_numpy(dtype=float)
    return Dataset(train, target, table("s", FORMULAS[50:70]), table("p", FORMULAS[70:90]))


def as_class(data: Dataset) -> Dataset:
    """The same with a target of yes and no."""
    return Dataset(data.train, (data.target > 0).astype(float), data.sealed, data.pool)


def ids(data: Dataset) -> list[str]:
    """All row ids."""
    return [row for rows in (data.train, data.sealed, data.pool) for row in rows["row_id"]]


def test_mean_baseline_knows_the_train_labels_alone(data):
    """Sealed and pool rows get the mean of the train set, train rows that of the other folds."""
    found = baseline(data, settings())
    assert sorted(found) == sorted(ids(data))
    assert {found[row] for row in data.sealed["row_id"]} == {data.target.mean()}
    folds = grouped_folds(data.groups, 5, 0)
    for index, row in enumerate(data.train["row_id"]):
        others = data.target[folds != folds[index]]
        assert found[row] == pytest.approx(others.mean())


def test_mean_baseline_of_a_class_is_the_share_of_yes(data):
    """For yes/no the baseline's probability is the share of yes."""
    found = baseline(as_class(data), settings("class"))
    assert found["p0"] == pytest.approx((data.target > 0).mean())


@pytest.mark.parametrize("kind", ["number", "class"])
def test_ridge_baseline_beats_the_mean(data, kind):
    """A linear model on Magpie features knows where oxygen is, the mean does not."""
    case = data if kind == "number" else as_class(data)
    errors = {}
    for name in ("mean", "ridge"):
        found = baseline(case, settings(kind, name))
        errors[name] = np.median(
            [
                (found[row] - y) ** 2
                for row, y in zip(data.train["row_id"], case.target, strict=True)
            ]
        )
    assert errors["ridge"] < 0.3 * errors["mean"]


def test_recorded_predictions_are_read_back():
    """What `score` stored is what the next comparison uses."""
    assert recorded(b"row_id,prediction\nt1,0.5\ns1,-2\n", "m") == {"t1": 0.5, "s1": -2.0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"row_id,value\nt1,1\n",
        b"row_id,prediction\nt1\n",
        b"row_id,prediction\nt1,x\n",
        b"\xff",
    ],
)
def test_damaged_record_is_not_carried_out(content):
    """A damaged record stops the scoring, it does not judge the model."""
    with pytest.raises(NotCarriedOutError, match="damaged"):
        recorded(content, "m")


def test_rows_are_paired_by_id_not_by_order(data):
    """A reference in any order meets the candidate's rows by their ids."""
    values = {row: float(number) for number, row in enumerate(ids(data))}
    shuffled = dict(reversed(values.items()))
    found = compare(values, shuffled, data, settings(), "no-regression")
    for part in ("train", "sealed", "pool"):
        assert np.array_equal(getattr(found.candidate, part), getattr(found.reference, part))
    assert found.primary.public.mean == 0


def test_new_train_rows_are_left_out_of_the_comparison(data):
    """Rows added since the reference was recorded are nobody's loss; the target follows."""
    values = dict.fromkeys(ids(data), 1.0)
    old = {row: value for row, value in values.items() if row not in {"t3", "t7"}}
    found = compare(values, old, data, settings(), "no-regression")
    kept = np.delete(data.target, [3, 7])
    assert np.array_equal(found.target, kept)
    assert len(found.groups.train.codes) == len(found.candidate.train) == 48
    assert len(found.candidate.sealed) == 20


def test_removed_train_rows_are_left_out_of_the_comparison(data):
    """Rows that the reference knows and the data no longer has are ignored."""
    values = dict.fromkeys(ids(data), 1.0)
    found = compare(values, {**values, "t999": 5.0}, data, settings(), "no-regression")
    assert len(found.reference.train) == 50


@pytest.mark.parametrize(
    "lost", [["s4"], [f"p{n}" for n in range(5)], [f"t{n}" for n in range(50)]]
)
def test_reference_for_other_data_is_not_carried_out(data, lost):
    """A reference without a sealed row, much of the pool or any train row cannot be compared."""
    values = dict.fromkeys(ids(data), 1.0)
    old = {row: value for row, value in values.items() if row not in lost}
    with pytest.raises(NotCarriedOutError, match="not evaluated"):
        compare(values, old, data, settings(), "no-regression")


def test_an_id_that_stands_for_another_composition_now_is_left_out(data):
    """A reference's prediction is not paired with a row that it is not of; respelt is the same."""
    values = dict.fromkeys(ids(data), 1.0)
    then = dict(zip(data.train["row_id"], data.train["formula"], strict=True))
    assert of_same_rows(values, then, data.train) == values
    assert of_same_rows(values, {**then, "t3": f"({then['t3']})2"}, data.train) == values
    kept = of_same_rows(values, {**then, "t3": "Xe2Kr", "t7": then["t3"]}, data.train)
    assert values.keys() - kept.keys() == {"t3", "t7"}
    later = {row_id: formula for row_id, formula in then.items() if row_id != "t5"}
    assert values.keys() - of_same_rows(values, later, data.train).keys() == {"t5"}


def test_a_train_set_that_was_numbered_anew_is_not_compared(data):
    """If more than a tenth of the ids moved, the reference is refused with what to do."""
    then = dict(zip(data.train["row_id"], data.train["formula"], strict=True))
    moved = dict(zip(then, [*list(then.values())[1:], "NaCl"], strict=True))
    with pytest.raises(NotCarriedOutError, match="give the rows their ids back"):
        of_same_rows(dict.fromkeys(ids(data), 1.0), moved, data.train)


@pytest.mark.parametrize("most", [1, 2])
def test_at_most_so_many_rows_of_a_group_are_compared(data, most):
    """Train rows, sealed rows and pool alike; rows of others do not change which of them count."""
    train, sealed, pool = (
        rows.assign(paper=[f"paper {n % 9}" for n in range(len(rows))])
        for rows in (data.train, data.sealed, data.pool)
    )
    capped = Dataset(train, data.target, sealed, pool, "paper", most)
    values = {row: float(number) for number, row in enumerate(ids(data))}
    found = compare(values, values, capped, settings(), "no-regression")
    for grouping in (found.groups.train, found.groups.sealed, found.groups.pool):
        assert grouping.sizes.max() <= most
    assert len(found.candidate.sealed) == capped.counted[1].sum() < len(data.sealed)
    fewer = {row: value for row, value in values.items() if row not in {"t3", "t7"}}
    again = compare(fewer, values, capped, settings(), "no-regression")
    assert set(again.candidate.train) <= set(found.candidate.train)
    # without a cap all rows are compared
    assert len(compare(values, values, data, settings(), "no-regression").target) == len(data.train)
