"""A composition is one, whatever amounts it is written in, wherever rows are compared."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from assay.batch.comparison import read_predictions
from assay.batch.prediction import prediction_ids
from assay.batch.reconciliation import compare
from assay.compositions import identity, parse, problem, reduced_formula
from assay.datasets import Dataset
from assay.errors import RefusedError
from assay.features.parsing import amounts
from assay.intake.choices import Choices
from assay.intake.intake import take_in
from assay.layout import Handover, Layout
from assay.repository import Repository
from assay.sanity.strategies import compositions, spelt
from assay.schema.formulas import Relatives
from assay.scoring.acceptance import shared_predictions
from assay.scoring.references import of_same_rows
from assay.sealing.labels import digest_of_formulas
from assay.sealing.renewal import require_unseen
from assay.settings import Settings
from schema_samples import check, commit, edit, found, only, sound
from sentences import told

__all__ = ["sound"]

SAME = [
    ("CaMgO2", "Ca0.5Mg0.5O"),
    ("Fe2O3", "Fe0.4O0.6"),
    ("LiO", "Li1.0000000000000001O"),
    ("K0.5Na0.5NbO3", "KNaNb2O6"),
    ("La0.7Sr0.3MnO3", "Sr3La7(MnO3)10"),
    ("LiO3", "Li0.3333333333333333O"),
    ("Fe", "Fe3"),
]
OTHERS = [("CaMgO2", "CaMg2O3"), ("LiO3", "Li0.3333O"), ("Fe2O3", "Fe0.4001O0.5999"), ("CO", "Co")]
ELEMENTS = ["Li", "O", "Na", "Cl", "Fe", "Ca", "Mg", "Sr", "La", "N"]


def ids(formulas: list[str]) -> list[str]:
    """What a batch calls the predictions of formulas."""
    return prediction_ids(amounts(formulas), "model")


@pytest.mark.parametrize(("one", "other"), SAME)
def test_other_amounts_are_the_same_composition(one: str, other: str) -> None:
    """Multiples, shares and decimals have one identity, one prediction id and one sealed name."""
    assert identity(one) == identity(other)
    assert len(set(ids([one, other]))) == 1
    assert digest_of_formulas([one]) == digest_of_formulas([other])


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_rounded_amounts_are_another_composition(one: str, other: str) -> None:
    """A model says another number for a third that is rounded, so it is another composition."""
    assert identity(one) != identity(other)
    assert len(set(ids([one, other]))) == 2
    assert digest_of_formulas([one]) != digest_of_formulas([other])


@given(
    compositions(ELEMENTS), compositions(ELEMENTS), st.sampled_from([2, 7, 0.5, 0.1, 0.0625, 1.6])
)
@example((("Li", 1), ("O", 3)), (("Li", 1), ("O", 3)), 0.1)
def test_identity_is_that_of_prediction_ids(one, other, factor):
    """Formulas have one identity if and only if they have one prediction id."""
    assume(len(one) > 1)
    texts = [spelt(one), spelt([(s, n * factor) for s, n in one[::-1]]), spelt(other)]
    assume(all(problem(text) is None for text in texts))
    names, found = [identity(text) for text in texts], ids(texts)
    assert names[0] == names[1] == reduced_formula(texts[0])
    assert (names[0] == names[2]) == (found[0] == found[2])
    assert found[0] == found[1]


@given(
    st.lists(st.decimals("0.00001", 900, places=5), min_size=3, max_size=3),
    st.lists(st.decimals("0.00001", 900, places=5), min_size=3, max_size=3),
)
@example([1, 2, 3], [1, 2, 3])
def test_decimals_are_told_apart_as_by_prediction_ids(one, other):
    """No two compositions of any decimals share an identity unless they share the prediction id."""
    texts = [
        "".join(f"{s}{float(n):f}" for s, n in zip(("Li", "Fe", "O"), part, strict=True))
        for part in (one, other)
    ]
    assert (identity(texts[0]) == identity(texts[1])) == (len(set(ids(texts))) == 1)


def test_what_cannot_be_read_is_its_own_identity() -> None:
    """A text of two readings shares no identity with either of them."""
    assert identity("SIO2") == "SIO2" != identity("SiO2")
    assert identity("CuSO4.5H2O") not in {identity("CuSO4(H2O)5"), identity("CuO4.5SH2O")}


def test_init_sees_a_duplicate_in_other_amounts(tmp_path: Path) -> None:
    """Rows that agree are one composition, and rows that do not are faults."""
    path = tmp_path / "mine.csv"
    path.write_text("formula,gap\nCaMgO2,5\nFe2O3,2\nCa0.5Mg0.5O,5\nFe0.4O0.6,2\n")
    loaded = take_in(str(path), Choices(unit="eV"))
    assert (len(loaded.rows), loaded.merged.repeated, loaded.merged.faults) == (2, 2, ())
    path.write_text("formula,gap\nCaMgO2,-5\nFe2O3,2\nCa0.5Mg0.5O,-9\n")
    assert [one.line for one in take_in(str(path), Choices(unit="eV")).merged.faults] == [2, 4]


def test_checks_of_the_data_see_a_composition_in_other_amounts(sound: Path) -> None:
    """Contrary labels, a sealed composition and a changed label are found whatever the amounts."""
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.append("t00031,Na0.5Cl0.5,4"))
    assert [one.line for one in found(check(sound), "duplicates.agree")] == [6, 32]
    edit(sound, "train.csv", lambda lines: lines.__setitem__(31, "t00031,Li0.5O0.5,4"))
    assert only(check(sound), "leakage.composition").line == 32
    edit(sound, "train.csv", lambda lines: lines.pop(31))
    edit(sound, "train.csv", lambda lines: lines.__setitem__(5, "t00005,Na0.5Cl0.5,-0.5"))
    assert check(sound).passed
    edit(sound, "train.csv", lambda lines: lines.__setitem__(5, "t00005,Na0.5Cl0.5,4"))
    assert only(check(sound), "history.relabelled").line == 6


def test_relatives_are_identical_in_other_amounts() -> None:
    """A sealed composition is found in a train set of decimals, and a neighbour is only near."""
    known = Relatives(["La0.7Sr0.3MnO3", "Fe0.4O0.6", "Li0.3333O"])
    assert known.kin("Fe2O3") == known.kin("La7Sr3Mn10O30") == "identical"
    assert known.kin("LiO3") == "near"


def test_references_keep_rows_that_are_spelt_otherwise() -> None:
    """A respelt row keeps the reference's prediction; another composition does not."""
    train = pd.DataFrame({"row_id": [f"t{n}" for n in range(20)], "formula": ["CaMgO2"] * 20})
    formulas = dict.fromkeys(train["row_id"], "Ca0.5Mg0.5O")
    values = dict.fromkeys(train["row_id"], 1.0)
    assert of_same_rows(values, formulas, train) == values
    assert "t3" not in of_same_rows(values, formulas | {"t3": "CaMg2O3"}, train)


def test_candidates_rows_are_paired_by_composition(tmp_path: Path) -> None:
    """A pull request that respells a row is compared on it; another composition is not."""
    settings = Settings.model_validate(
        {
            "project": {"name": "toy", "package": "toy"},
            "target": {"column": "y"},
            "gate": {"margin": 1},
        }
    )
    layout, handover = Layout(tmp_path), Handover(tmp_path / "out")
    layout.train.parent.mkdir(parents=True)
    layout.train.write_text("row_id,formula\n" * 20)
    handover.train.parent.mkdir(parents=True)
    handover.train.write_text("row_id,formula\nt1,Ca0.5Mg0.5O\nt2,CaMg2O3\n")
    handover.predictions.write_text("row_id,prediction\nt1,1\nt2,2\n")
    train = pd.DataFrame({"row_id": ["t1", "t2"], "formula": ["CaMgO2", "CaMgO2"]})
    none = train.iloc[:0]
    data = Dataset(train, pd.Series([1.0, 2.0]).to_numpy(), none, none)
    assert shared_predictions(Repository(tmp_path, settings), handover, data) == {"t1": 1.0}


def test_fresh_rows_may_not_be_known_in_other_amounts(tmp_path: Path) -> None:
    """A row to be sealed is named with the train row of its composition."""
    layout = Layout(tmp_path)
    layout.train.parent.mkdir(parents=True)
    layout.train.write_text("row_id,formula,y\nt1,Ca0.5Mg0.5O,1\n")
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\n")
    rows = pd.DataFrame({"formula": ["CaMgO2"]}, index=[2])
    with told(RefusedError, 1, "CaMgO2: data/train.csv, line 2"):
        require_unseen(layout, rows, "fresh.csv")


def test_diff_joins_tables_by_composition(tmp_path: Path) -> None:
    """A material that two tables write in other amounts is shared, and shown as it is written."""
    (tmp_path / "a.csv").write_text("formula,prediction\nCa0.5Mg0.5O,1\nFe2O3,2\n")
    (tmp_path / "b.csv").write_text("formula,prediction\nCaMgO2,3\nFe0.4O0.6,2\n")
    made = compare(read_predictions(tmp_path / "a.csv"), read_predictions(tmp_path / "b.csv"))
    assert (made.shared, made.only_before, made.only_after, made.changed) == (2, 0, 0, 1)
    assert parse(made.largest[0].material) == parse("Ca0.5Mg0.5O")
