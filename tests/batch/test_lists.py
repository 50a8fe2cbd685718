"""Lists of candidates: any part of any format is those very rows, and nothing is guessed."""

import csv
import gzip
import io
import tracemalloc
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import text_tables
from assay.batch import lists, text_lists
from assay.batch.lists import open_list, read_range
from assay.errors import UsageError
from sentences import told

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=9
)
rows_of_two = st.lists(
    st.tuples(texts, st.sampled_from(["NaCl", "MgO", "Xx", "", "=1"])), min_size=1
)


def as_csv(rows: list[tuple[str, str]], end: str = "\n", header: str = "tag,formula") -> bytes:
    """A CSV in which every cell is quoted, so that no row is an empty line."""
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return f"{header}{end}{text.getvalue()}".encode()


def written(folder: Path, kind: str, rows: list[tuple[str, str]], end: str) -> Path:
    """The rows in a file of a kind."""
    path = folder / f"list.{kind}"
    if kind == "parquet":
        table = pa.table({"tag": [tag for tag, _ in rows], "formula": [f for _, f in rows]})
        pq.write_table(table, path, row_group_size=3)
    else:
        content = as_csv(rows, end)
        path.write_bytes(gzip.compress(content, mtime=0) if kind == "csv.gz" else content)
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
@given(rows=rows_of_two, data=st.data())
def test_any_part_is_its_rows(tmp_path_factory, kind, rows, data):
    """However blocks, lines and row groups fall, a range is the rows of that range in order."""
    folder = tmp_path_factory.mktemp("lists")
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    block = data.draw(st.integers(1, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_tables, "BLOCK", block)
        listed = open_list(written(folder, kind, rows, end))
        assert (listed.rows, listed.column) == (len(rows), "formula")
        start = data.draw(st.integers(0, len(rows)))
        stop = data.draw(st.integers(start, len(rows)))
        size = data.draw(st.integers(1, 5))
        parts = list(read_range(listed, start, stop, size))
    assert all(len(part) <= size for part in parts)
    found = [
        tuple(row) for part in parts for row in part[["tag", "formula"]].itertuples(index=False)
    ]
    assert found == rows[start:stop]


def test_formulas_are_found_by_name_or_by_reading(tmp_path):
    """The column `formula` is taken whatever it holds; else the first that mostly parses."""
    path = tmp_path / "list.csv"
    path.write_text("id,composition,formula\n1,NaCl,x\n2,MgO,y\n")
    assert open_list(path).column == "formula"
    path.write_text("id,composition,other\n1,NaCl,K\n2,??,C\n3,MgO,N\n")
    listed = open_list(path)
    assert listed.column == "composition"
    (part,) = read_range(listed, 0, 3, 10)
    assert list(part.columns) == ["formula", "id", "other"]
    assert list(part["formula"]) == ["NaCl", "??", "MgO"]
    path.write_text("precursor,Formula\nNa,NaCl\nMg,MgO\n")
    assert open_list(path).column == "Formula"
    assert open_list(path, "precursor").column == "precursor"
    with told(UsageError, 2, "list.csv", "'product'"):
        open_list(path, "product")
    path.write_text("id,remark\n1,NaCl\n2,??\n")
    with told(UsageError, 2, "list.csv", "'formula'", "id, remark", "--column"):
        open_list(path)


def test_empty_line_in_one_column_is_an_empty_formula(tmp_path):
    """It has its place; empty lines at the end are none, whatever block they are in."""
    path = tmp_path / "list.csv"
    path.write_text("formula\nNaCl\n\n\nMgO\n\n\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_tables, "BLOCK", 3)
        listed = open_list(path)
        assert listed.rows == 4
        parts = list(read_range(listed, 0, 4, 10)) + list(read_range(listed, 2, 4, 10))
    assert [list(part["formula"]) for part in parts] == [["NaCl", "", "", "MgO"], ["", "MgO"]]


def test_lines_without_end_cost_no_memory(tmp_path):
    """Millions of empty lines, packed small, are counted; a row after them makes cells of them."""
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"formula\nNaCl\n" + b"\n" * 3_000_000, mtime=0))
    tracemalloc.start()
    assert open_list(path).rows == 1
    path.write_bytes(gzip.compress(b"formula\nNaCl\n" + b"\n" * 3_000_000 + b"MgO\n", mtime=0))
    listed = open_list(path)
    assert listed.rows == 3_000_002
    (part,) = read_range(listed, 3_000_000, 3_000_002, 10)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(part["formula"]) == ["", "MgO"]
    assert most < 50_000_000


def test_long_cell_is_a_row_and_endless_line_an_error(tmp_path, monkeypatch):
    """Ten megabytes in a cell lose nothing beside them; a line without end is no table."""
    path = tmp_path / "list.csv"
    path.write_text("formula\nNaCl\n" + "Na" * 5_000_000 + "\nMgO\n")
    listed = open_list(path)
    (part,) = read_range(listed, 0, 3, 10)
    assert [len(cell) for cell in part["formula"]] == [4, 10_000_000, 3]
    monkeypatch.setattr(text_lists, "LONGEST_LINE", 2**20)
    with told(UsageError, 2, "list.csv", "line 3", "longer than 1,048,576"):
        open_list(path)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["empty"]),
        (b"\n\n", ["empty"]),
        (b"\nNaCl\n", ["line 1", "names of the columns"]),
        (b"formula\n", ["no rows"]),
        (b"formula,formula\nNaCl,NaCl\n", ["'formula'", "twice"]),
        (b"formula;x\nNaCl;1\n", ["semicolons"]),
        (b"formula,x\nNaCl,1\nMgO\n", ["line 3", "1 cells", "2"]),
        (b"formula,x\nNaCl,1\n\nMgO,1\n", ["line 3", "0 cells", "2"]),
        (b'formula,x\nNaCl,1\n"Mg\nO",1\n', ["line 3", "line break"]),
        (b'formula,x\nNaCl,1\n"MgO"x,1\n', ["line 3", "quotes"]),
        (b'formula,x\nNaCl,1\n"MgO,1\n', ["line 3", "quotes"]),
        ("formula\nNaCl\nNä\n".encode("latin-1"), ["line 3", "UTF-8"]),
        (b"formula\nNaCl\0\n", ["UTF-8", "export"]),
        (b"\x89PNG\r\n\x1a\n\0\0", ["UTF-8"]),
        (b"\x1f\x8b nothing", ["unpacked"]),
        (gzip.compress(b"formula\nNaCl\n", mtime=0)[:-9], ["unpacked"]),
        (b"PAR1 nothing", ["Parquet"]),
    ],
)
def test_what_is_no_list_is_one_sentence(tmp_path, content, parts):
    """Exit code 2, the file, the line where there is one, and what to do."""
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with told(UsageError, 2, str(path), *parts):
        open_list(path)


def test_missing_list_is_one_sentence(tmp_path):
    """A name that is no file is told as such."""
    with told(UsageError, 2, str(tmp_path), "is a folder"):
        open_list(tmp_path)
    with told(UsageError, 2, "none.csv", "does not exist"):
        open_list(tmp_path / "none.csv")


def test_parquet_of_any_plain_type_is_carried_along_as_text(tmp_path):
    """Numbers, dates and categories become text, missing cells empty, line breaks spaces."""
    path = tmp_path / "list.parquet"
    frame = pd.DataFrame(
        {
            "formula": ["NaCl", None],
            "n": [1, 2],
            "kind": pd.Categorical(["a", None]),
            "note": ["x\ny", "z"],
        }
    )
    frame.to_parquet(path)
    listed = open_list(path)
    assert listed.first == 1
    (part,) = read_range(listed, 0, 2, 9)
    assert part.to_dict("list") == {
        "formula": ["NaCl", ""],
        "n": ["1", "2"],
        "kind": ["a", ""],
        "note": ["x y", "z"],
    }
    pq.write_table(pa.table({"formula": ["NaCl"], "deep": [{"a": 1}]}), path)
    with told(UsageError, 2, "'deep'", "text", "leave it out"):
        open_list(path)


def test_the_list_is_told_by_what_it_holds_not_by_its_name(tmp_path):
    """A gzipped file called .csv, as browsers leave it, is read as what it is."""
    path = tmp_path / "list.csv"
    path.write_bytes(gzip.compress(b"formula\nNaCl\n", mtime=0))
    assert open_list(path).format == "gzip"
    assert lists.given(open_list(path)) == ["formula"]


def test_column_called_formula_beside_the_named_one_is_kept(tmp_path):
    """Formulas of the column that was named are read, and the other goes along under a new name."""
    path = tmp_path / "list.csv"
    path.write_text("given_formula,formula,parent\na,NaCl,MgO\n")
    listed = open_list(path, "parent")
    (part,) = lists.read_range(listed, 0, 1, 10)
    assert lists.given(listed) == list(part.columns)
    assert part.to_dict("records") == [
        {"formula": "MgO", "given_formula": "a", "given_given_formula": "NaCl"}
    ]


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\0b"])
def test_name_of_a_column_that_no_csv_could_hold_is_told(tmp_path, name):
    """A line end or zero byte in a header would make a table that nobody can read again."""
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"formula": ["NaCl"], name: ["x"]}), path)
    with told(UsageError, 2, str(path), "name of the column", "rename"):
        open_list(path)


@pytest.mark.parametrize(("one", "other"), [("=a", "'=a"), ("b;=a", "b;'=a")])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_disarming_makes_equal_are_told(tmp_path, kind, one, other):
    """Two names that are one in a table for spreadsheets would be one column."""
    path = tmp_path / f"list.{kind}"
    frame = pd.DataFrame({"formula": ["NaCl"], one: ["x"], other: ["y"]})
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    with told(UsageError, 2, str(path), repr(one), repr(other), "rename one"):
        open_list(path)


def test_text_that_is_none_is_told_wherever_it_stands(tmp_path, monkeypatch):
    """Bytes that are not UTF-8 in a column of text are one sentence, in the sample or behind it."""
    path = tmp_path / "list.parquet"
    cells = [b"NaCl", b"MgO", b"N\xe4"]
    offsets = pa.array([0, 4, 7, 9], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"".join(cells))])
    pq.write_table(pa.table({"formula": ["NaCl", "MgO", "KCl"], "note": text}), path)
    with told(UsageError, 2, str(path), "'note'", "leave it out"):
        open_list(path)
    monkeypatch.setattr(lists, "SAMPLE", 2)
    listed = open_list(path)
    with told(UsageError, 2, str(path), "'note'", "leave it out"):
        list(read_range(listed, 0, 3, 3))


def test_list_without_a_header_is_refused(tmp_path):
    """Its first row would be lost as the name of a column; who names that column means it."""
    path = tmp_path / "plain.csv"
    path.write_text("NaCl\nMgO\nFe2O3\n")
    with told(UsageError, 2, "plain.csv", "line 1", "'NaCl'", "put a header above it"):
        open_list(path)
    assert open_list(path, "NaCl").rows == 2
