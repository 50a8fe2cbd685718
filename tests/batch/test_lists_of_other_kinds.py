"""Lists of candidates in the forms that people have, predicted like a plain CSV."""

import codecs
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from assay.batch.lists import open_any, open_list, read_range
from assay.errors import UsageError
from assay.layout import Layout
from sentences import told

TEXT = "Formula;note\nNaCl;a\nXx;b\nFe2O3;c\n"


def workbook(path: Path) -> None:
    """A sheet of notes before the sheet with the list."""
    book = openpyxl.Workbook()
    book.active.append(["mine"])
    for row in TEXT.split():
        (book["List"] if "List" in book.sheetnames else book.create_sheet("List")).append(
            row.split(";")
        )
    book.save(path)


FORMS = {
    "list.csv": lambda p: p.write_text(TEXT),
    "utf16.csv": lambda p: p.write_bytes(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")),
    "western.csv": lambda p: p.write_bytes(TEXT.replace(";a", ";gemäß").encode("cp1252")),
    "tabs.txt": lambda p: p.write_text(TEXT.replace(";", "\t")),
    "book.xlsx": workbook,
    "list.json": lambda p: pd.read_csv(__import__("io").StringIO(TEXT), sep=";").to_json(
        p, orient="records"
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_intake_reads_is_a_list(tmp_path, name):
    """Its rows are those of the file, unusable ones among them, whatever program wrote it."""
    FORMS[name](tmp_path / name)
    listed = open_any(Layout(tmp_path), tmp_path / name)
    rows = next(read_range(listed, 0, listed.rows, 9))
    assert list(rows["formula"]) == ["NaCl", "Xx", "Fe2O3"]
    assert list(rows["note"])[1:] == ["b", "c"]
    assert open_any(Layout(tmp_path), tmp_path / name).digest == listed.digest


def test_a_plain_list_is_opened_as_it_is(tmp_path):
    """Nothing is converted, copied or read otherwise that is a CSV already."""
    path = tmp_path / "list.csv"
    path.write_text(TEXT.replace(";", ","))
    assert open_any(Layout(tmp_path), path) == open_list(path)
    assert not (tmp_path / "out").exists()


def test_no_row_is_lost_on_the_way(tmp_path):
    """A row of the wrong length stands with its text, and every row has its line in the file."""
    path = tmp_path / "list.csv"
    path.write_text("# mine\nformula,note\n\nNaCl,a\nKCl,b,c\nFe2O3,d\n")
    listed = open_any(Layout(tmp_path), path)
    rows = next(read_range(listed, 0, listed.rows, 9))
    assert list(rows["formula"]) == ["NaCl", "KCl | b | c", "Fe2O3"]
    assert list(rows["line"]) == ["4", "5", "6"]


def test_what_is_no_table_is_refused_as_a_list(tmp_path):
    """The first refusal stands, of the list, and nothing is left behind."""
    path = tmp_path / "list.csv"
    path.write_bytes(bytes(range(256)))
    with told(UsageError, 2, "list.csv"):
        open_any(Layout(tmp_path), path)
    assert not (tmp_path / "out").exists()


def test_a_list_without_a_header_is_refused_by_its_own_name(tmp_path):
    """A fault of a plain list is no reason to convert it: the person's file is named."""
    path = tmp_path / "list.csv"
    path.write_text("NaCl\nKCl\nLiF\n")
    with pytest.raises(UsageError) as caught:
        open_any(Layout(tmp_path), path)
    assert (caught.value.code, str(path) in str(caught.value)) == ("list.no-header", True)
    assert not (tmp_path / "out").exists()
