"""The predictions file crosses from untrusted to trusted ground: it is parsed strictly."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.batch.comparison import NOTHING, SAME
from assay.errors import NotCarriedOutError, UsageError
from assay.predictions import (
    BYTES_PER_ROW,
    bounds_of,
    read_predictions,
    rounded,
    write_predictions,
)
from sentences import leftovers, told

ANY = bounds_of("number")
IDS = ["t00001", "s00001", "p00001"]
GOOD = "row_id,prediction\nt00001,1.5\ns00001,-2e-3\np00001,0\n"


@pytest.fixture
def handed(tmp_path):
    """Write a predictions file and give its path."""

    def write(content):
        path = tmp_path / "predictions.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@given(st.lists(st.floats(-1e12, 1e12, allow_nan=False)))
def test_rounded_values_have_nine_digits(values):
    """Rounding is that of the file, is done once, and moves less than `assay verify` lets pass."""
    made = rounded(np.array(values, dtype=float))
    assert [f"{value:.9g}" for value in values] == [f"{value:.9g}" for value in made]
    assert all(repr(value) == repr(float(f"{value:.9g}")) for value in made.tolist())
    for before, after in zip(values, made.tolist(), strict=True):
        assert math.isclose(before, after, rel_tol=SAME, abs_tol=NOTHING)


def test_read(handed):
    """Exactly the rows asked for, in any order."""
    expected = {"t00001": 1.5, "s00001": -0.002, "p00001": 0.0}
    assert read_predictions(handed(GOOD), IDS, ANY) == expected
    header, *rows = GOOD.splitlines()
    assert read_predictions(handed("\n".join([header, *reversed(rows)])), IDS, ANY) == expected


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("p00001,0\n", "", ["lacks 1 of 3", "'p00001'"]),
        ("p00001,0\n", "p00002,0\n", ["line 4", "'p00002'", "not asked for"]),
        ("p00001,0\n", "p00001,0\np00002,0\n", ["line 5", "'p00002'", "not asked for"]),
        ("p00001,0\n", "s00001,0\n", ["line 4", "'s00001'", "twice"]),
        ("p00001,0\n", "p00001,0\np00001,0\n", ["line 5", "'p00001'", "twice"]),
        ("p00001,0\n", "p00001,0\n\n", ["line 5", "''"]),
        ("1.5", "nan", ["line 2", "'nan'", "finite"]),
        ("1.5", "inf", ["line 2", "'inf'", "finite"]),
        ("1.5", "-Infinity", ["line 2", "finite"]),
        ("1.5", "1e999", ["line 2", "'1e999'", "finite"]),
        ("1.5", "1e99999999", ["line 2", "finite"]),
        ("1.5", "1e13", ["line 2", "1e+12"]),
        ("1.5", "", ["line 2", "''", "finite"]),
        ("1.5", "1_5", ["line 2", "'1_5'", "finite"]),
        ("1.5", " 1.5", ["line 2", "finite"]),
        ("1.5", "1.5\r", ["line 2", "finite"]),
        ("1.5", "1,5", ["line 2", "'1,5'", "finite"]),
        ("1.5", "0x1p3", ["line 2", "finite"]),
        ("1.5", "=1", ["line 2", "finite"]),
        ("1.5", '"1.5"', ["line 2", "finite"]),
        ("1.5", "1.5\x0c", ["line 2", "finite"]),
        ("1.5", "1.5\0", ["line 2", "finite"]),
        ("t00001,", '"t00001,', ["line 2", "not asked for"]),
        ("t00001,", "t00001;", ["line 2", "not asked for"]),
        ("row_id,prediction", "prediction,row_id", ["line 1", "header"]),
        ("row_id,prediction\n", "", ["line 1", "header"]),
        ("row_id", "\ufeffrow_id", ["not a text table"]),
        ("1.5", "١", ["not a text table"]),
    ],
)
def test_altered(handed, old, new, parts):
    """Each deviation is one sentence that names file and line; exit code 3."""
    assert old in GOOD
    with told(NotCarriedOutError, 3, "predictions.csv", *parts):
        read_predictions(handed(GOOD.replace(old, new, 1)), IDS, ANY)


@pytest.mark.parametrize(
    "content",
    [b"", pickle.dumps({"t00001": 1.0}), b"PAR1" + bytes(20), b"\xff\xfe" + GOOD.encode("utf-16")],
    ids=["empty", "pickle", "parquet", "UTF-16"],
)
def test_other_formats(handed, content):
    """Nothing but a text table is read; a pickle is never opened."""
    with told(NotCarriedOutError, 3, "predictions.csv"):
        read_predictions(handed(content), IDS, ANY)


def test_pickle_is_not_run(handed, tmp_path):
    """A pickle that would run code does not."""

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    with told(NotCarriedOutError, 3, "predictions.csv"):
        read_predictions(handed(pickle.dumps(Bomb(), protocol=0)), IDS, ANY)
    assert not (tmp_path / "ran").exists()


def test_size(handed):
    """A file larger than its rows can be is not read, whatever is in it."""
    limit = (len(IDS) + 1) * BYTES_PER_ROW
    with told(NotCarriedOutError, 3, "larger than", str(limit)):
        read_predictions(handed(GOOD.replace("1.5", "1.5" + "0" * limit)), IDS, ANY)


def test_links(handed, tmp_path):
    """A link is refused though it points to a good file, and so is a folder."""
    good = handed(GOOD)
    link = tmp_path / "link.csv"
    link.symlink_to(good)
    for path in (link, tmp_path, tmp_path / "none.csv"):
        with told(NotCarriedOutError, 3, path.name, "not a regular file"):
            read_predictions(path, IDS, ANY)


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(st.dictionaries(st.from_regex(r"[tsp][0-9]{5}", fullmatch=True), finite, min_size=1))
def test_round_trip(tmp_path_factory, rows):
    """What is written is read: every row, to nine significant digits, within the size limit."""
    path = tmp_path_factory.mktemp("trip") / "predictions.csv"
    write_predictions(path, list(rows), np.array(list(rows.values())), ANY)
    back = read_predictions(path, list(rows), ANY)
    assert back.keys() == rows.keys()
    for row, value in rows.items():
        assert back[row] == pytest.approx(value, rel=1e-8, abs=5e-324)
    write_predictions(path, list(back), np.array(list(back.values())), ANY)
    assert read_predictions(path, list(rows), ANY) == back


@pytest.mark.parametrize(
    ("row", "value", "parts"),
    [
        ("t00002", float("nan"), ["'t00002'", "nan"]),
        ("t00002", float("-inf"), ["'t00002'", "-inf"]),
        ("t,2", 1.0, ["'t,2'"]),
        ("t\n2", 1.0, ["'t\\n2'"]),
        ("t" * 41, 1.0, ["40"]),
    ],
)
def test_unfit_to_write(tmp_path, row, value, parts):
    """A row that could not be read again is not written, nor is any other."""
    path = tmp_path / "predictions.csv"
    with told(UsageError, 2, *parts):
        write_predictions(path, ["t00001", row], np.array([1.0, value]), ANY)
    assert not path.exists()
    assert not leftovers(tmp_path)


def test_probability_lies_between_none_and_one(handed):
    """For a class, a prediction that is no probability is not read; for a number it may be."""
    assert read_predictions(handed(GOOD), IDS, ANY)
    with told(NotCarriedOutError, 3, "predictions.csv", "line 2", "from 0 to 1"):
        read_predictions(handed(GOOD), IDS, bounds_of("class"))
