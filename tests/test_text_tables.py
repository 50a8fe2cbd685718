"""The one reader of CSV: whole or part by part, a file has the same rows or the same fault."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay import text_tables
from assay.batch import text_lists
from assay.errors import UsageError
from assay.tables import parse_table, read_table
from assay.text_tables import OpenTable, read_header, read_rows

Outcome = tuple[str, object]


def outcome(read: Callable[[], list[list[str]]]) -> Outcome:
    """The rows that are read, or the code of the fault and its sentence."""
    try:
        return "", read()
    except UsageError as error:
        return error.code, str(error)


def whole(path: Path) -> Outcome:
    """A table as `read_table` takes it, its header with it."""

    def read() -> list[list[str]]:
        frame = read_table(path, [], empty=True)
        return [list(frame.columns), *frame.to_numpy().tolist()]

    return outcome(read)


def by_parts(path: Path, block: int) -> Outcome:
    """The same file as a list, read in blocks, and each row from the last mark before it."""

    def read() -> list[list[str]]:
        found = text_lists.survey(path, 0)
        rows = [found.header]
        for row in range(found.rows):
            mark = max(one for one in found.marks if one[0] <= row)
            width = len(found.header)
            for part in text_lists.columns(path, width, mark, (row, row + 1), 1):
                rows += [list(cells) for cells in zip(*part, strict=True)]
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_tables, "BLOCK", block)
        return outcome(read)


@given(
    content=st.text(st.sampled_from('ab",;\n\n\r\t \x0c\u2028é'), max_size=30),
    block=st.integers(1, 12),
)
@example(content='a,b\n"x\ny",1\n', block=6)  # the quote is open where a block ends
@example(content="\n\n\n\na\nb\n", block=2)  # the header stands below a block of empty lines
@example(content="a\nb\n\n\nc\n\n", block=3)
@example(content='a;b\n"x;1";2\n', block=40)  # the header says more than the quote
def test_whole_and_by_parts_are_one(tmp_path_factory, content, block):
    """Rows, fault, sentence and line are the same, wherever blocks end and marks lie."""
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    path.write_bytes(content.encode())
    assert by_parts(path, block) == whole(path)


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        (b'a,b\n"x\ny",1\n', "table.line-break", "line 2:"),
        (b'a,b\n1,"x\n2,y\n', "table.bad-quotes", "line 2:"),
        (b'a,b\n1,2\n1,"x"y\n', "table.bad-quotes", "line 3:"),
        (b"\n\n\n\na\nb\n", "table.no-header", "line 1 "),
        (b'a;b\n"x;1";2\n', "table.wrong-separator", "semicolons"),
        (b"a,b\n1,2\n\n3,4\n", "table.wrong-width", "line 3: 0 cells"),
        (b"a,b\n1,2\n3\n\n", "table.wrong-width", "line 3: 1 cells"),
        (b"a\rb\rN\xe4\r", "table.wrong-encoding", "line 3:"),
        (b"a\r\nb\r\nN\xe4\r\n", "table.wrong-encoding", "line 3:"),
        (b"a\nb\0\n", "table.null-byte", "line 2:"),
        (b"a\nb\nc\n\0\xe4\n", "table.null-byte", "line 4:"),
        ("a\nb\n".encode("utf-16"), "table.wrong-encoding", "line 1:"),
        ("a\nb\n".encode("utf-16-le"), "table.null-byte", "export"),
        (b"\xef\xbb\xbf\n \n", "table.empty", "empty"),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 3, 5, 8, 13, 100])
def test_fault_is_named_alike_by_both(tmp_path, content, code, part, block):
    """The code and the line are those of the fault, for a table and for a list in any blocks."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    for found in (whole(path), by_parts(path, block)):
        assert (found[0], part in str(found[1])) == (code, True)


def test_empty_line_in_one_column_is_an_empty_cell(tmp_path):
    """A table has it as a list has it, so that the rows below keep their lines."""
    path = tmp_path / "rows.csv"
    path.write_text('formula\nNaCl\n\nMgO\n""\n\n')
    frame = parse_table(path.read_bytes(), ["formula"], path)
    assert list(frame["formula"]) == ["NaCl", "", "MgO", ""]
    assert by_parts(path, 4) == whole(path)


@pytest.mark.parametrize(("length", "code"), [(64, ""), (65, "table.line-too-long")])
@pytest.mark.parametrize("block", [1, 7, 16, 64])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_limit_of_a_line_is_exact(monkeypatch, block, end, length, code):
    """A line of as many bytes as may be is read, one more is a fault, wherever blocks end."""
    monkeypatch.setattr(text_tables, "BLOCK", block)
    table = OpenTable(io.BytesIO(f"a\nb\n{'x' * length}{end}".encode()), Path("rows.csv"), 64)
    found = outcome(lambda: [row for _, rows in read_rows(table, 1) for row in rows.to_pylist()])
    assert (found[0], "line 3 " in str(found[1])) == (code, bool(code))


def test_stream_may_be_read_again(tmp_path):
    """Header and rows are read from the beginning, wherever the stream stands."""
    table = OpenTable(io.BytesIO(b"\xef\xbb\xbfa,b\r\n1,2\r\n"), tmp_path, 2**17)
    assert [read_header(table, ["b"]) for _ in range(2)] == [["a", "b"]] * 2
    assert [rows.to_pydict() for _, rows in read_rows(table, 2)] == [
        {"0": ["a", "1"], "1": ["b", "2"]}
    ]
