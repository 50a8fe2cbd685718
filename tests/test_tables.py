"""CSV tables: what people's programs really write, and the sentence for each."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import tables
from assay.errors import UsageError
from assay.tables import (
    parse_table,
    read_labelled,
    read_numbers,
    read_table,
    table_text,
    write_table,
)
from sentences import leftovers, told

GOOD = "row_id,formula,gap\nt1,NaCl,8.5\nt2,Fe2O3,2.2\n"


@pytest.fixture
def table(tmp_path):
    """Write bytes to a table and give its path."""

    def write(content):
        path = tmp_path / "rows.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("NaCl", '"NaCl"'),
    ],
    ids=["plain", "no last line end", "blank end", "Windows", "old Mac", "BOM", "quoted"],
)
def test_read(table, content):
    """Line ends, a byte order mark and quotes make no difference; cells stay text."""
    frame = read_table(table(content), ["formula", "gap"])
    expected = pd.DataFrame(
        {"row_id": ["t1", "t2"], "formula": ["NaCl", "Fe2O3"], "gap": ["8.5", "2.2"]}
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_text_is_kept(table):
    """NA, NaN, numbers with zeros, commas in quotes and odd spaces are text like any other."""
    cells = ["NA", "nan", "007", "a, b", "x\x0cy", "x\u2028y", 'say "hi"', " "]
    frame = pd.DataFrame({"formula": cells, "n": cells})
    assert list(read_table(table(table_text(frame)), ["formula"])["formula"]) == cells


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["empty"]),
        (" \n\n", ["empty"]),
        ("row_id,formula,gap\n", ["no rows"]),
        ("\n" + GOOD, ["line 1", "names of the columns"]),
        (GOOD.replace(",", ";").replace("8.5", "8,5"), ["semicolons", "commas"]),
        (GOOD.replace(",", ";"), ["semicolons"]),
        (GOOD.replace(",", "\t"), ["tabs"]),
        (GOOD.replace("8.5", "8,5"), ["line 2", "4 cells", "point"]),
        (GOOD.replace(",2.2", ""), ["line 3", "2 cells"]),
        (GOOD.replace("t2", "\nt2"), ["line 3", "0 cells"]),
        (GOOD.replace("formula", "Formula"), ["'formula'", "rename 'Formula'"]),
        (GOOD.replace("gap", "gap_eV"), ["'gap'", "rename 'gap_eV'"]),
        (GOOD.replace("gap", "xyz"), ["'gap'", "row_id, formula, xyz"]),
        (GOOD.replace("row_id", "gap"), ["'gap'", "twice"]),
        (GOOD.replace("NaCl", '"Na\nCl"'), ["line 2", "line break"]),
        (GOOD.replace("NaCl", '"NaCl"x'), ["line 2", "quotes"]),
        (GOOD.replace("Fe2O3", '"Fe2O3'), ["line 3", "quotes"]),
        (GOOD.replace("Fe2O3", "F" * 200_000), ["line 3", "longer than 131,072 bytes"]),
        (GOOD.replace("NaCl", "Nä").encode("latin-1"), ["line 2", "UTF-8"]),
        (GOOD.encode("utf-16"), ["UTF-8"]),
        (b"PK\x03\x04\x14\x00\x06\x00", ["UTF-8", "export"]),
    ],
)
def test_bad_tables(table, content, parts):
    """Each is one sentence that names the file and the place; exit code 2."""
    path = table(content)
    with told(UsageError, 2, str(path), *parts):
        read_table(path, ["formula", "gap"])


@pytest.mark.parametrize(
    ("target", "header", "remedy"),
    [
        ("Gap", "gap,spin", "has 'gap', 'spin': set it to 'gap'"),
        ("gap_ev", "spin,Gap (eV)", "has 'spin', 'Gap (eV)': set it to 'Gap (eV)'"),
        ("energy", "gap,spin", "has 'gap', 'spin': set it to the column to learn"),
        ("row-id", "gap,spin", "has 'gap', 'spin': set it to the column to learn"),
        ("energy", "gap", "has 'gap': set it to 'gap'"),
    ],
)
def test_target_that_is_not_there(table, target, header, remedy):
    """The key, the file, the columns it may mean and the likely one; ids are not among them."""
    cells = ",1" * len(header.split(","))
    path = table(f"row_id,formula,{header}\nt1,NaCl{cells}\n")
    with told(UsageError, 2, f"assay.toml: target.column is '{target}', but {path} {remedy}"):
        read_labelled(path, ["row_id", "formula"], target)


def test_target_where_there_are_ids_alone(table):
    """A table without any further column is told as such; the target that is there is read."""
    with told(UsageError, 2, "no column but row_id and formula: set it to the column to learn"):
        read_labelled(table("row_id,formula\nt1,NaCl\n"), ["formula"], "gap")
    assert list(read_labelled(table(GOOD), ["formula"], "gap")["gap"]) == ["8.5", "2.2"]


def test_no_file(tmp_path):
    """A missing file and a folder are named."""
    for path in (tmp_path / "no.csv", tmp_path):
        with told(UsageError, 2, str(path), "does not exist"):
            read_table(path, [])


def test_size(table, monkeypatch):
    """A table over the limit is not read into memory."""
    monkeypatch.setattr(tables, "MAXIMUM_BYTES", 10)
    with told(UsageError, 2, "larger than 10 bytes"):
        read_table(table(GOOD), [])


@pytest.mark.parametrize("cell", ["1", "-1.5", "+2e-3", " 3 ", "1E5", ".5", "5."])
def test_numbers(tmp_path, cell):
    """Numbers as programs write them are read as Python reads them."""
    numbers = read_numbers(pd.DataFrame({"gap": [cell]}), "gap", tmp_path)
    assert numbers.tolist() == [float(cell)]


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("", "finite"),
        ("nan", "finite"),
        ("NaN", "finite"),
        ("inf", "finite"),
        ("-Infinity", "finite"),
        ("1e999", "finite"),
        ("n/a", "finite"),
        ("0x10", "finite"),
        ("1_000", "finite"),
        ("١", "finite"),
        ("8,5", "point"),
        ("=1+1", "finite"),
    ],
)
def test_bad_numbers(tmp_path, cell, hint):
    """A cell that is no finite number is named by file, line and column, never guessed at."""
    frame = pd.DataFrame({"gap": ["1", "2", cell]})
    with told(UsageError, 2, "rows.csv", "line 4", "gap", repr(cell), hint):
        read_numbers(frame, "gap", tmp_path / "rows.csv")


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), min_size=1),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_round_trip(rows):
    """What is written is read back: text as it was, floats to the last bit, lines in order."""
    frame = pd.DataFrame(rows, columns=["name", "value"])
    back = parse_table(table_text(frame).encode(), ["name", "value"], None)
    assert list(back["name"]) == list(frame["name"])
    np.testing.assert_array_equal(read_numbers(back, "value", None), frame["value"])


def test_write(tmp_path):
    """A table is written whole, with no temporary file left."""
    write_table(pd.DataFrame({"a": [1], "b": ["x,y"]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b'a,b\n1,"x,y"\n'
    assert not leftovers(tmp_path)
