"""What is no table is named for what it is, by the hook of cookiecutter and by `assay init`."""

import gzip
import io
import pickle
import runpy
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.errors import UsageError
from assay.file_kinds import other_kind
from assay.intake.files import read_raw
from sentences import assert_sentence, told

TEMPLATE = Path(__file__).parents[1]
TABLE = "formula,gap\nNaCl,1\nKCl,2\n"


def zipped(*members):
    """The bytes of a zip archive of files, each `(name, content)`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred():
    """The bytes of a tar archive with one table."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("t.csv")
        member.size = len(TABLE)
        archive.addfile(member, io.BytesIO(TABLE.encode()))
    return stream.getvalue()


def database(path):
    """Write an SQLite database with a table."""
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (formula text, gap real)")


def array():
    """The bytes of a NumPy array."""
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


OTHERS = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "DOCX": zipped(("[Content_Types].xml", ""), ("word/document.xml", "")),
    "PPTX": zipped(("[Content_Types].xml", ""), ("ppt/presentation.xml", "")),
    "OpenDocument": zipped(("mimetype", "application/vnd.oasis.opendocument.text")),
    "'in/t.csv'": zipped(("in/t.csv", TABLE), ("README", "mine")),
    "2 tables": zipped(("a.csv", TABLE), ("b.csv", TABLE)),
    "no table": zipped(("readme.txt", "nothing")),
    "SQLite": database,
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "pickle": pickle.dumps(pd.DataFrame({"formula": ["NaCl"]})),
    "NumPy": array(),
    "(tar)": tarred(),
    "packed archive (tar)": gzip.compress(tarred()),
    "HTML": b"\xef\xbb\xbf\n<!DOCTYPE html><html><title>Sign in</title>",
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="x">',
    "XML": b'<?xml version="1.0"?><rows/>',
    "7z": b"7z\xbc\xaf'\x1c\0\4",
    "RTF": b"{\\rtf1\\ansi formula gap}",
    "empty": b"",
}
# tables, and what only their readers can judge
TABLES = {
    "csv": TABLE.encode(),
    "gz": gzip.compress(TABLE.encode()),
    "utf16": TABLE.encode("utf-16"),
    "less": b"<0.1,formula\n1,NaCl\n",
    "ods": zipped(("mimetype", "application/vnd.oasis.opendocument.spreadsheet")),
    "xlsx": zipped(("xl/workbook.xml", "")),
    "cut zip": zipped(("xl/workbook.xml", ""))[:30],
    "json": b'[{"formula": "NaCl"}]',
    "parquet": b"PAR1" + bytes(20),
    "euro": "€\u2022,1".encode("cp1252"),
}


def written(path, content):
    """A file with the content, or made by it."""
    content(path) if callable(content) else path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_table_is_named(tmp_path, kind):
    """The sentence says what the file is and what to do, whatever it is called."""
    path = written(tmp_path / "mine.csv", OTHERS[kind])
    with pytest.raises(UsageError) as caught:
        read_raw(path)
    assert_sentence(str(caught.value), "mine.csv", kind)
    assert caught.value.code in {"table.other-kind", "table.empty"}


@pytest.mark.parametrize("kind", TABLES)
def test_what_may_be_a_table_is_left_to_its_reader(tmp_path, kind):
    """No table is taken for another kind of file."""
    assert other_kind(written(tmp_path / "mine.csv", TABLES[kind])) is None


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """The hook's judgement of answers, as from a new folder beside the person's table."""
    monkeypatch.setenv("PWD", str(tmp_path))
    text = (TEMPLATE / "hooks" / "pre_gen_project.py").read_text()
    path = tmp_path / "hook.py"
    path.write_text(text)
    return runpy.run_path(str(path))["data_problems"]


@pytest.mark.parametrize("kind", OTHERS)
def test_the_hook_refuses_it_before_anything_is_made(hook, tmp_path, kind):
    """Cookiecutter says the same; a table, and a file behind a template not found, are taken."""
    written(tmp_path / "mine.csv", OTHERS[kind])
    answers = {"data": "mine.csv", "_repo_dir": str(TEMPLATE)}
    assert kind in next(hook(answers))
    assert not list(hook(answers | {"_repo_dir": "gone"}))
    (tmp_path / "mine.csv").write_text(TABLE)
    assert not list(hook(answers))


def test_a_list_of_another_kind_is_named(tmp_path):
    """A zip as a list of candidates is no text with a null byte."""
    from assay.batch.lists import open_any
    from assay.layout import Layout

    path = written(tmp_path / "list.csv", OTHERS["'in/t.csv'"])
    with told(UsageError, 2, "list.csv", "'in/t.csv'"):
        open_any(Layout(tmp_path), path)


def test_the_judge_imports_the_standard_library_alone():
    """Cookiecutter's environment has no more."""
    import ast
    import sys

    tree = ast.parse((TEMPLATE / "src" / "assay" / "file_kinds.py").read_text())
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)
