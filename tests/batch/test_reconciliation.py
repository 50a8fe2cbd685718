"""Tables of predictions beside each other: what differs, how ranks move, whose rows these are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.batch.comparison import PredictionTable, read_predictions
from assay.batch.reconciliation import NEITHER, compare, origins, reconcile, sentences
from assay.errors import UsageError
from assay.layout import Layout

FORMULAS = ["Li7La3(SnO6)2", "Li3(WO3)8", "Li4Mn2P4H3O16", "Li2Ni(PO3)5", "MgV2O4"]
# made-up values; the puzzle is the one of the MRS Spring 2022 DS04 tutorial
V1 = [0.11, 0.52, 0.33, 1.00, 0.74]
V2 = [0.61, 0.12, 0.38, 1.00, 0.24]
FINAL = [0.11, 0.12, 0.38, 0.10, 0.74]


def write(path: Path, formulas: list[str], values: list[float], **more: list[str]) -> Path:
    """Write a table of predictions."""
    pd.DataFrame({"formula": formulas, "prediction": values, **more}).to_csv(path, index=False)
    return path


def table(values: dict[str, float], name: str = "a") -> PredictionTable:
    """A table of these values that does not say which model made them."""
    return PredictionTable(name, pd.Series(values, dtype=float), frozenset())


@pytest.fixture
def puzzle(tmp_path: Path) -> list[PredictionTable]:
    """Three flat files; the last mixes rows of both others, in another order and spelling."""
    other = ["MgV2O4", "Li3(WO3)8", "Li14La6Sn4O24", "Li4Mn2P4H3O16", "Li2NiP5O15"]
    order = [4, 1, 0, 2, 3]
    files = [
        write(tmp_path / "v1.csv", FORMULAS, V1),
        write(tmp_path / "v2.csv", FORMULAS, V2),
        write(tmp_path / "final.csv", other, [FINAL[place] for place in order]),
    ]
    return [read_predictions(path) for path in files]


def test_the_final_puzzle_is_solved(puzzle: list[PredictionTable], tmp_path: Path) -> None:
    """Two rows are v1's, two are v2's, and one, which both have as 1, is nobody's."""
    v1, v2, final = puzzle
    found = origins(final, [v1, v2])
    assert found.rows == {v1.name: 2, v2.name: 2, NEITHER: 1}
    (stranger,) = found.strangers
    assert stranger.material == "Li2Ni(PO3)5"
    assert stranger.predicted == {final.name: 0.1, v1.name: 1.0, v2.name: 1.0}
    said = "\n".join(sentences(reconcile(Layout(tmp_path), puzzle)))
    assert f"Li2Ni(PO3)5 agrees with none: 0.1 in {final.name}, 1 in {v1.name}, 1 in" in said
    assert f"rows are 2 of {v1.name}, 2 of {v2.name}, 1 of {NEITHER}" in said.replace(
        f"2 of {v2.name}, 2 of {v1.name}", f"2 of {v1.name}, 2 of {v2.name}"
    )


def test_a_puzzle_without_a_mistake_has_no_stranger(puzzle: list[PredictionTable]) -> None:
    """Rows that agree with both tables are told as such."""
    v1, v2, _ = puzzle
    found = origins(v1, [v1, v2])
    assert found.rows == {v1.name: 4, f"{v1.name} and {v2.name}": 1}
    assert found.strangers == []


def test_changes_are_told_with_the_largest_first() -> None:
    """Rows of both tables are compared, and those of one alone are counted."""
    one = table({"NaCl": 1.0, "KCl": 2.0, "LiCl": 3.0, "CsCl": 4.0})
    two = table({"NaCl": 1.0, "KCl": 2.5, "LiCl": 0.0, "RbCl": 9.0, "MgO": 1.0}, "b")
    found = compare(one, two, top=1)
    assert (found.shared, found.only_before, found.only_after, found.changed) == (3, 1, 2, 2)
    assert [row.material for row in found.largest] == ["LiCl", "KCl"]
    assert found.largest[0].predicted == {"a": 3.0, "b": 0.0}
    assert (found.top, found.kept) == (1, 0)
    assert found.kendall_tau == pytest.approx(-1 / 3)
    assert compare(one, two, top=1, highest=True).kept == 0
    assert compare(one, one, top=2).kept == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12, unique=True), st.randoms())
def test_order_does_not_count(values: list[float], shuffler) -> None:
    """A table in another order is the same one; one with other signs has its ranks reversed."""
    named = [(f"Li{n}O", round(value, 6)) for n, value in enumerate(values, start=1)]
    shuffled = named[:]
    shuffler.shuffle(shuffled)
    same = compare(table(dict(named)), table(dict(shuffled), "b"))
    assert (same.changed, same.kept) == (0, same.top)
    if len({value for _, value in named}) == len(named):
        turned = table({name: -value for name, value in named}, "c")
        assert same.kendall_tau == pytest.approx(1.0)
        assert compare(table(dict(named)), turned).kendall_tau == pytest.approx(-1.0)


def test_digits_that_no_table_holds_are_no_change() -> None:
    """A difference beyond nine digits is none, and one in the seventh is one."""
    one = table({"NaCl": 1.23456789})
    assert compare(one, table({"NaCl": 1.23456789 * (1 + 1e-12)}, "b")).changed == 0
    assert compare(one, table({"NaCl": 1.23456789 * (1 + 1e-6)}, "b")).changed == 1
    assert compare(one, one).kendall_tau is None


@pytest.mark.parametrize(
    ("formulas", "values", "words"),
    [
        (["NaCl", "ClNa"], [1.0, 2.0], "NaCl has 2 different values, 1, 2"),
        (["NaCl", "Xx"], [1.0, 2.0], "line 3: 'Xx' names"),
        (["NaCl"], [np.nan], "line 2: prediction"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_unfit_tables_are_refused(
    tmp_path: Path, kind: str, formulas: list[str], values: list[float], words: str
) -> None:
    """A material with two values, no formula and no number are named with their place."""
    frame = pd.DataFrame({"formula": formulas, "prediction": values})
    path = tmp_path / f"t.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        read_predictions(path)


def test_a_table_says_what_it_lacks(tmp_path: Path) -> None:
    """A file that is missing, broken, or without the column, is told of."""
    frame = pd.DataFrame({"formula": ["NaCl"], "gap": [1.0]})
    frame.to_parquet(tmp_path / "gap.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    assert read_predictions(tmp_path / "gap.parquet", "gap").predicted["NaCl"] == 1.0
    for name, words in (
        ("gap.parquet", "no column 'prediction'"),
        ("broken.parquet", "cannot be read as Parquet"),
        ("none.parquet", "does not exist"),
        ("none.csv", "does not exist"),
    ):
        with pytest.raises(UsageError, match=words):
            read_predictions(tmp_path / name)


def test_repeated_rows_that_agree_are_one(tmp_path: Path) -> None:
    """The same value in two spellings is one material."""
    path = write(tmp_path / "t.csv", ["NaCl", "ClNa", "KCl"], [1.0, 1.0, 2.0])
    assert dict(read_predictions(path).predicted) == {"NaCl": 1.0, "KCl": 2.0}
