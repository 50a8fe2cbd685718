"""One table of measurements, in every form in which people have it."""

import codecs
import gzip
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from assay.compositions import identity
from assay.errors import UsageError
from assay.intake import raw
from assay.intake.choices import Choices, UndecidedError
from assay.intake.files import read_raw
from assay.intake.intake import take_in
from assay.intake.units import split_unit
from sentences import assert_sentence, told

ROWS = [("NaCl", 8.5), ("Fe2O3", 2.2), ("Si", 1.12), ("CuSO4(H2O)5", 0.001), ("Ga0.5Al0.5As", 1.9)]
HEADER = ("formula", "gap")


def text_of(separator=",", decimal=".", header=HEADER, rows=ROWS):
    """The table as text, cells with the separator in them quoted."""
    lines = [separator.join(header)]
    for formula, value in rows:
        number = str(value).replace(".", decimal)
        lines.append(separator.join([formula, f'"{number}"' if separator in number else number]))
    return "\n".join(lines) + "\n"


def workbook(path, *sheets):
    """Write an `.xlsx` with sheets of rows, each `(name, rows)`."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def opendocument(path, rows):
    """Write an `.ods` with one sheet."""
    document = OpenDocumentSpreadsheet()
    table = Table(name="measured")
    for row in rows:
        line = TableRow()
        for cell in row:
            number = {"valuetype": "float", "value": cell} if isinstance(cell, float) else {}
            made = TableCell(**(number or {"valuetype": "string"}))
            made.addElement(P(text=str(cell)))
            line.addElement(made)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    document.save(path)


def _columns():
    return {name: [row[at] for row in ROWS] for at, name in enumerate(HEADER)}


def _records():
    return [dict(zip(HEADER, row, strict=True)) for row in ROWS]


FORMS = {
    "plain.csv": lambda p: p.write_text(text_of()),
    "semicolons.csv": lambda p: p.write_text(text_of(";")),
    "german.csv": lambda p: p.write_text(text_of(";", ",")),
    "quoted-commas.csv": lambda p: p.write_text(text_of(",", ",")),
    "tabs.tsv": lambda p: p.write_text(text_of("\t")),
    "tabs-german.txt": lambda p: p.write_text(text_of("\t", ",")),
    "bars.txt": lambda p: p.write_text(text_of("|")),
    "mark.csv": lambda p: p.write_bytes(codecs.BOM_UTF8 + text_of().encode()),
    "windows.csv": lambda p: p.write_bytes(text_of().replace("\n", "\r\n").encode()),
    "old-mac.csv": lambda p: p.write_bytes(text_of().replace("\n", "\r").encode()),
    "utf16.csv": lambda p: p.write_bytes(text_of("\t").encode("utf-16")),
    "utf16-big.csv": lambda p: p.write_bytes(
        codecs.BOM_UTF16_BE + text_of("\t").encode("utf-16-be")
    ),
    "utf16-bare.csv": lambda p: p.write_bytes(text_of("\t").encode("utf-16-le")),
    "packed.csv.gz": lambda p: p.write_bytes(gzip.compress(text_of().encode())),
    "no-last-line-end.csv": lambda p: p.write_text(text_of().rstrip("\n")),
    "spaces.csv": lambda p: p.write_text(text_of(" , ")),
    "blank-lines.csv": lambda p: p.write_text("\n" + text_of().replace("\n", "\n\n") + ",\n,\n"),
    "remark.csv": lambda p: p.write_text("# measured in 2024\nRun 7\n" + text_of()),
    "trailing-comma.csv": lambda p: p.write_text(text_of().replace("\n", ",\n")),
    "book.xlsx": lambda p: workbook(p, ("measured", [HEADER, *ROWS])),
    "book-below.xlsx": lambda p: workbook(p, ("m", [["Run 7"], [], HEADER, [], *ROWS])),
    "second-sheet.xlsx": lambda p: workbook(p, ("notes", [["mine"]]), ("m", [HEADER, *ROWS])),
    "misnamed.csv": lambda p: workbook(p, ("measured", [HEADER, *ROWS])),
    "book.ods": lambda p: opendocument(p, [HEADER, *ROWS]),
    "table.parquet": lambda p: pd.DataFrame(_columns()).to_parquet(p),
    "records.json": lambda p: p.write_text(json.dumps(_records())),
    "columns.json": lambda p: p.write_text(json.dumps(_columns())),
    "pandas.json": lambda p: pd.DataFrame(_columns()).to_json(p),
    "split.json": lambda p: pd.DataFrame(_columns()).to_json(p, orient="split"),
    "lines.jsonl": lambda p: p.write_text("\n".join(map(json.dumps, _records()))),
    "wrapped.json": lambda p: p.write_text(json.dumps({"version": 1, "data": _records()})),
    "packed.json.gz": lambda p: p.write_bytes(gzip.compress(json.dumps(_records()).encode())),
}


@pytest.mark.parametrize("name", FORMS)
def test_one_table_in_every_form(tmp_path, name):
    """Formulas and numbers are the same to the last digit, whatever program wrote the table."""
    path = tmp_path / name
    FORMS[name](path)
    found = take_in(str(path), Choices(unit="eV"))
    named = [(identity(formula), value) for formula, value in ROWS]
    assert list(zip(found.rows["formula"].map(identity), found.rows["gap"], strict=True)) == named
    assert not found.faults
    assert found.total == len(ROWS)


def test_lines_are_those_of_the_file(tmp_path):
    """A row's line is where it begins in the file, behind blank lines and cells over two lines."""
    text = '# mine\nformula,gap,note\n\nNaCl,8.5,"two\nlines"\nFe2O3,2.2,\n,,\nXx,1,\n'
    path = tmp_path / "t.csv"
    path.write_text(text)
    found = take_in(str(path), Choices(unit="eV", target="gap"))
    assert list(found.rows.index) == [4, 6]
    assert [fault.line for fault in found.faults] == [8]


@pytest.mark.parametrize("place", ["above", "below"])
def test_a_line_of_units(tmp_path, place):
    """A line of units above or below the header is no row, and tells the target's unit."""
    lines = ["formula,Tc", "NaCl,1", "Nb3Sn,18"]
    lines.insert(0 if place == "above" else 1, ",K")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    found = take_in(str(path), Choices())
    assert (found.unit, len(found.rows)) == ("K", 2)


@pytest.mark.parametrize("place", ["above", "below"])
def test_one_unknown_unit_spoils_no_line_of_units(tmp_path, place):
    """Most units are known or in brackets: the line is one, and the target's is kept as it is."""
    lines = ["formula,Tc,H,count,x", "NaCl,1,2,3,4", "Nb3Sn,18,2,4,5"]
    lines.insert(0 if place == "above" else 1, ",K,GPa,shots,[clicks]")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    told_units = {name: take_in(str(path), Choices(target=name)).unit for name in ("Tc", "count")}
    assert told_units == {"Tc": "K", "count": "shots"}
    assert take_in(str(path), Choices(target="x")).unit == "clicks"
    assert take_in(str(path), Choices(target="x")).total == 2


@pytest.mark.parametrize("line", ["Xx,K,3,4", ",K,low,high", ",1.5,K,eV", "KCl,K,eV,K"])
def test_a_row_is_no_line_of_units(tmp_path, line):
    """A row with a formula or a number, or of words, is a row that is set aside."""
    path = tmp_path / "t.csv"
    path.write_text(f"formula,Tc,a,b\n{line}\nNaCl,1,2,3\nNb3Sn,18,3,4\n")
    found = take_in(str(path), Choices(target="Tc", unit="K"))
    assert (found.total, len(found.rows)) == (3, 2)


GROUPED = [
    ["", "Mechanical", "", "Thermal", ""],
    ["formula", "E (GPa)", "H", "Tc (K)", "kappa"],
    ["NaCl", 1, 2, 3, 4],
    ["KCl", 5, 6, 7, 8],
]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("units", [False, True])
def test_a_line_of_groups_above_the_header(tmp_path, kind, units):
    """Groups of columns, as of merged cells, are no header: the line below is, and it is said."""
    rows = [*GROUPED[:2], *([["", "GPa", "GPa", "K", "W/m/K"]] if units else []), *GROUPED[2:]]
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    else:
        workbook(path, ("m", rows))
        book = openpyxl.load_workbook(path)
        book["m"].merge_cells("B1:C1")
        book["m"].merge_cells("D1:E1")
        book.save(path)
    found = take_in(str(path), Choices(target="Tc"))
    assert (found.unit, list(found.rows["Tc"])) == ("K", [3, 7])
    assert any("groups" in reading for reading in found.readings)


def test_names_that_stand_in_two_groups_are_told_apart(tmp_path):
    """`gap` below `theory` and below `experiment` are two columns, called by both."""
    path = tmp_path / "t.csv"
    path.write_text(",theory,,experiment,\nformula,gap,x,gap,x\nNaCl,1,2,3,4\nKCl,5,6,7,8\n")
    found = take_in(str(path), Choices(target="experiment gap", unit="eV"))
    assert list(found.rows["experiment gap"]) == [3, 7]
    assert list(read_raw(path).cells) == [
        *("formula", "theory gap", "theory x", "experiment gap", "experiment x"),
    ]


def test_a_header_with_gaps_is_no_line_of_groups(tmp_path):
    """A nameless column, or a first row that is all text, makes no header of a row."""
    path = tmp_path / "t.csv"
    path.write_text("formula,,kind\nNaCl,a,x\nKCl,b,y\nLiF,c,x\nKBr,d,y\nLiBr,e,x\nKF,f,y\n")
    assert take_in(str(path), Choices(target="kind")).total == 6
    path.write_text("formula,kind\nXx,x,long\nKCl,y\nLiF,x\nKBr,y\nLiBr,x\nKF,y\nK,x\n")
    assert take_in(str(path), Choices(target="kind")).total == 7


def test_a_first_row_of_elements_is_no_line_of_units(tmp_path):
    """K, V and C are elements as well: a first row without a value is a row set aside."""
    path = tmp_path / "t.csv"
    path.write_text("formula,Tc\nV,-\nK,1\nC,2\n")
    found = take_in(str(path), Choices(unit="K"))
    assert len(found.rows) == 2
    assert [(fault.line, fault.code) for fault in found.faults] == [(2, "number.missing")]


def test_western_text_beside_the_formulas(tmp_path):
    """A table of Windows' Western encoding is read, and the report says so."""
    path = tmp_path / "t.csv"
    path.write_bytes("formula,Tc (K),Bemerkung\nNb3Sn,18,gemäß\nMgB2,39,1 µm\n".encode("cp1252"))
    found = take_in(str(path), Choices())
    assert (found.unit, len(found.rows)) == ("K", 2)
    assert any("Windows-1252" in reading for reading in found.readings)


def test_a_sheet_is_said_and_chosen(tmp_path):
    """Of several sheets with tables the first is taken and named; `sheet` takes another."""
    path = tmp_path / "five.xlsx"
    other = [HEADER, ("KCl", 8.0), ("KBr", 7.0)]
    workbook(path, ("empty", []), ("first", [HEADER, *ROWS]), ("second", other))
    assert read_raw(path).sheet == "first"
    assert "'first', of 3" in read_raw(path).readings[0]
    assert list(read_raw(path, "second").cells["formula"]) == ["KCl", "KBr"]
    with told(UsageError, 2, "third", "--sheet", "second"):
        read_raw(path, "third")


def test_numbers_of_single_precision_keep_their_digits(tmp_path):
    """0.1 of a float32 is 0.1, and not the double that is nearest to it."""
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"formula": ["NaCl", "KCl"], "gap": np.array([0.1, 2.7], np.float32)})
    frame.to_parquet(path)
    assert list(take_in(str(path), Choices(unit="eV")).rows["gap"]) == [0.1, 2.7]


def test_nested_columns_are_left_out_and_named(tmp_path):
    """Lists and records beside formula and target do not matter."""
    nested = {"formula": ["NaCl", "KCl"], "gap": [1.0, 2.0], "sites": [[1, 2], [3]]}
    pd.DataFrame(nested).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.json").write_text(json.dumps(nested))
    for name in ("t.parquet", "t.json"):
        table = read_raw(tmp_path / name)
        assert list(table.cells) == ["formula", "gap"]
        assert "sites" in table.readings[0]


def _zip_of_nothing(path):
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no workbook")


BAD = {
    "folder.csv": lambda p: p.mkdir(),
    "empty.csv": lambda p: p.write_text(""),
    "blank.csv": lambda p: p.write_text("\n\n ,\n"),
    "header.csv": lambda p: p.write_text("formula,gap\n"),
    "one-column.csv": lambda p: p.write_text("formula\nNaCl\n"),
    "binary.csv": lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
    "quote.csv": lambda p: p.write_text('formula,gap\nNaCl,"8.5\nKCl,2\n'),
    "long-cell.csv": lambda p: p.write_text("formula,gap\nNaCl," + "9" * 10_000_000 + "\n"),
    "twice.csv": lambda p: p.write_text("formula,gap,gap\nNaCl,1,2\n"),
    "no-workbook.xlsx": _zip_of_nothing,
    "empty.xlsx": lambda p: workbook(p, ("a", [])),
    "protected.xlsx": lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)),
    "cut.parquet": lambda p: p.write_bytes(b"PAR1" + bytes(100)),
    "cut.csv.gz": lambda p: p.write_bytes(gzip.compress(text_of().encode())[:-9]),
    "broken.json": lambda p: p.write_text('[{"formula": "NaCl", '),
    "deep.json": lambda p: p.write_text("[" * 100_000),
    "number.json": lambda p: p.write_text("[1, 2]"),
    "uneven.json": lambda p: p.write_text('{"formula": ["NaCl"], "gap": [1, 2]}'),
    "no-formulas.csv": lambda p: p.write_text("a,b\nfoo,1\nbar,2\n"),
    "no-numbers.csv": lambda p: p.write_text("formula,b\nNaCl,x\nKCl,y\nLiF,z\n"),
    "all-bad.csv": lambda p: p.write_text("formula,gap\nXx,1\nNaCl,-\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_table_is_one_sentence(tmp_path, name):
    """Whatever a file holds, it is read or refused by one sentence that goes on; exit code 2."""
    path = tmp_path / name
    BAD[name](path)
    with pytest.raises(UsageError) as caught:
        take_in(str(path), Choices(unit="eV", target=None))
    assert caught.value.exit_code == 2
    assert caught.value.code
    assert_sentence(str(caught.value), Path(name).name.split(".")[0])


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_more_rows_than_memory_holds_are_refused(tmp_path, monkeypatch, kind):
    """Before they are held as text, in whatever format they are."""
    monkeypatch.setattr(raw, "MOST_ROWS", 100)
    path = tmp_path / f"t.{kind}"
    for rows in (100, 101):
        frame = pd.DataFrame({"formula": ["NaCl", "KCl"] * 51, "gap": [1.5] * 102})[:rows]
        write = {"csv": frame.to_csv, "json": frame.to_json, "parquet": frame.to_parquet}[kind]
        write(path, index=False) if kind == "csv" else write(path)
        if rows == 100:
            assert len(read_raw(path).cells) == 100
            continue
        with told(UsageError, 2, "t.", "101 rows", "part of them"):
            read_raw(path)


def test_a_cell_that_failed_and_one_that_is_merged(tmp_path):
    """In a workbook both read as empty: their rows are set aside, and the page says of merged ones.

    A row of the first cell of merged ones is used.
    """
    path = tmp_path / "t.xlsx"
    rows = [("formula", "gap (eV)"), ("NaCl", 1), ("KCl", 2), (None, 3), ("LiF", 4), ("KBr", 5)]
    workbook(path, ("m", rows))
    book = openpyxl.load_workbook(path)
    book["m"].merge_cells("A3:A4")
    book["m"]["B5"].value, book["m"]["B5"].data_type = "#DIV/0!", "e"
    book["m"]["B6"] = "=1/0"
    book.save(path)
    found = take_in(str(path), Choices())
    assert list(found.rows.index) == [2, 3]
    assert [(fault.line, fault.code) for fault in found.faults] == [
        (4, "formula.empty"),
        (5, "number.empty"),
        (6, "number.empty"),
    ]
    assert any("merged cells" in reading for reading in found.readings)


def test_what_a_person_must_choose(tmp_path):
    """Two targets, two columns of formulas, no unit, three classes, and commas are asked about."""
    cases = {
        "target": "formula,gap,band\nNaCl,1,2\nKCl,3,4\n",
        "formula": "compound,material,gap\nNaCl,KCl,1\nKBr,LiF,2\n",
        "unit": "formula,gap\nNaCl,1\nKCl,3\n",
        "positive": "formula,kind\n" + "MgO,x\nCaO,y\nZnO,z\n" * 3,
        "decimal": 'formula,gap\nNaCl,"1,234"\nKCl,"2,345"\n',
    }
    for option, text in cases.items():
        path = tmp_path / f"{option}.csv"
        path.write_text(text)
        with pytest.raises(UndecidedError) as caught:
            take_in(str(path), Choices())
        assert caught.value.option == option
        assert f"--{option}" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("rho [g/cm3]", "rho", "g/cm3"),
        ("Dichte (g/cm³)", "Dichte", "g/cm³"),
        ("kappa (W/m/K)", "kappa", "W/m/K"),
        ("kappa (W/(m K))", "kappa", "W/(m K)"),
        ("E (eV/atom)", "E", "eV/atom"),
        ("x [eV/atom]", "x", "eV/atom"),
        ("Tc / K", "Tc", "K"),
        ("Tc, K", "Tc", "K"),
        ("Tc in K", "Tc", "K"),
        ("log(sigma / S/cm)", "log(sigma / S/cm)", None),
        ("gap (indirect)", "gap (indirect)", None),
        ("a/b", "a/b", None),
    ],
)
def test_the_unit_of_a_header_is_whole_or_none(header, name, unit):
    """A header is divided into name and unit where its end is a unit, and nowhere else."""
    assert split_unit(header) == (name, unit)


def test_a_name_finds_its_column_with_whatever_stands_in_brackets(tmp_path):
    """`--target rho` finds `rho [counts]`."""
    path = tmp_path / "t.csv"
    path.write_text("formula,rho [counts],x\nNaCl,1,2\nKCl,3,4\n")
    assert take_in(str(path), Choices(target="rho", unit="1")).target.column == "rho [counts]"


def test_points_that_may_separate_thousands_are_no_decimals(tmp_path):
    """`6.887` beside `992` in a table of decimal commas, or of semicolons, is not 6.887."""
    rows = "".join(
        f"{f};{v};{d}\n"
        for f, v, d in zip(
            ("NaCl", "KCl", "LiF", "MgO"),
            ("6.887", "992", "3.335", "1.100"),
            ("2,5", "3,1", "2", "4,75"),
            strict=True,
        )
    )
    path = tmp_path / "t.csv"
    path.write_text(f"formula;melting (K);density\n{rows}")
    found = take_in(str(path), Choices(target="melting"))
    assert [fault.code for fault in found.faults] == ["number.thousands"] * 3
    told_so = take_in(str(path), Choices(target="melting", decimal=","))
    assert list(told_so.rows["melting"]) == [6887, 992, 3335, 1100]
    path.write_text("formula;melting (K)\nNaCl;6.887\nKCl;992\nLiF;3.335\n")
    with pytest.raises(UndecidedError) as caught:
        take_in(str(path), Choices())
    assert caught.value.option == "decimal"


def test_a_column_of_thousands_is_a_column_of_numbers(tmp_path):
    """What cannot be read as it stands may be the target all the same: two are asked about."""
    path = tmp_path / "t.csv"
    path.write_text("formula;E;density\nNaCl;404.988,73;2,5\nKCl;133.895,5;3,1\n")
    with pytest.raises(UndecidedError) as caught:
        take_in(str(path), Choices(unit="MPa"))
    assert caught.value.choices == ("E", "density")
    found = take_in(str(path), Choices(target="E", unit="MPa", decimal=","))
    assert list(found.rows["E"]) == [404988.73, 133895.5]


def test_a_sheet_without_formulas_is_passed_by(tmp_path):
    """A cover sheet that looks like a table is not taken for the one with the measurements."""
    path = tmp_path / "book.xlsx"
    cover = [("Author", "J. Doe"), ("Date", "2024"), ("Device", "XRD")]
    workbook(path, ("Info", cover), ("measured", [HEADER, *ROWS]))
    assert read_raw(path).sheet == "measured"


def test_row_numbers_are_no_target(tmp_path):
    """A column that counts the rows, by whatever name, is not learnt."""
    rows = "".join(f"{n},Na{n}Cl,{n * 7 % 5}.5\n" for n in range(1, 15))
    path = tmp_path / "t.csv"
    path.write_text(f",formula,gap\n{rows}")
    assert take_in(str(path), Choices(unit="eV")).target.column == "gap"


def test_two_columns_of_the_same_formulas_are_no_question(tmp_path):
    """Where a second column spells the same compositions otherwise, the first is taken."""
    path = tmp_path / "t.csv"
    path.write_text("compound,pretty_formula,gap\nNa2Cl2,NaCl,1\nFe2O3,O3Fe2,2\n")
    assert take_in(str(path), Choices(unit="eV")).formula in {"compound", "pretty_formula"}
