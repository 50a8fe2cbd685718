"""Labelled rows from a CSV or from matminer's own loader."""

import json

import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Composition

from assay.datasets import kind_of, load_source
from assay.errors import NotCarriedOutError, UsageError
from sentences import told

DATASET = "matbench_expt_gap"  # a name that matminer knows


@pytest.fixture
def source(tmp_path):
    """Write a CSV and give its path as text."""

    def write(text):
        path = tmp_path / "mine.csv"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Put a table where matminer looks for a dataset that was fetched before."""
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))

    def place(frame):
        store_dataframe_as_json(frame, str(tmp_path / f"{DATASET}.json.gz"), pbar=False)

    return place


def test_csv(source):
    """Formulas get their reduced spelling, equal rows are one, other columns are left out."""
    found = load_source(
        source("note,gap,formula\na,8.5,Na2Cl2\nb,2.2,O3Fe2\nc,8.50,ClNa\n"), "gap", 0
    )
    assert (found.kind, found.repeated) == ("number", 1)
    expected = pd.DataFrame({"formula": ["NaCl", "Fe2O3"], "gap": [8.5, 2.2]}, index=[2, 3])
    pd.testing.assert_frame_equal(found.rows, expected)


DUPLICATES = "formula,gap\nKCl,3\nNaCl,2\nFe,1\nCl2Na2,1.5\nClNa,1.75\nFe2,1.5\n"


def test_further_columns(source):
    """Further columns are taken along as text, and a missing one is told."""
    path = source("phase,gap,formula\n007,8.5,NaCl\n,2.2,Fe2O3\n")
    found = load_source(path, "gap", 0, ["phase"])
    assert list(found.rows.columns) == ["formula", "gap", "phase"]
    assert list(found.rows["phase"]) == ["007", ""]
    with told(UsageError, 2, path, "'site'"):
        load_source(path, "gap", 0, ["site"])


def test_duplicates_within_the_tolerance(source):
    """The first value of a composition stays, and what was left out is counted."""
    found = load_source(source(DUPLICATES), "gap", 0.5)
    assert dict(zip(found.rows["formula"], found.rows["gap"], strict=True)) == {
        "KCl": 3,
        "NaCl": 2,
        "Fe": 1,
    }
    assert list(found.rows.index) == [2, 3, 4]
    assert found.repeated == 3


def test_duplicates_beyond_the_tolerance(source):
    """Nothing is merged silently: the two values furthest apart are told with their lines."""
    path = source(DUPLICATES)
    parts = ["line 5: NaCl is 1.5 here and 2 in line 3", "0.25 apart", "5 rows of 2 compositions"]
    with told(UsageError, 2, path, *parts, "data.duplicate_tolerance"):
        load_source(path, "gap", 0.25)


def test_class_has_no_tolerance(source):
    """Yes and no are never near each other, whatever the tolerance."""
    path = source("formula,metal\nFe,yes\nNaCl,no\nFe2,no\n")
    with told(UsageError, 2, "line 4: Fe is 0 here and 1 in line 2"):
        load_source(path, "metal", 5)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["yes", "No"], "class"),
        (["True", "FALSE"], "class"),
        (["1", "0", "1"], "class"),
        (["1.0", "0.0"], "class"),
        ([" yes", "no "], "class"),
        (["1", "0", "2"], "number"),
        (["1", "1"], "number"),
        (["0.5", "0"], "number"),
        (["yes", "no", "maybe"], "number"),
        ([], "number"),
    ],
)
def test_kinds(labels, kind):
    """A target is a class exactly if its labels are yes and no in some spelling, both present."""
    assert kind_of(labels) == kind


def test_class(source):
    """A yes/no column becomes 1 and 0."""
    found = load_source(source("formula,metal\nFe,yes\nNaCl,No\nCu,YES\n"), "metal", 0.05)
    assert found.kind == "class"
    assert found.rows["metal"].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("formula,gp\nNaCl,1\n", ["target.column in assay.toml", "'gap'", "set it to 'gp'"]),
        ("material,gap\nNaCl,1\n", ["'formula'", "material"]),
        ("formula,gap\nNaCl,1\nXxO,2\n", ["line 3", "'Xx'", "correct or remove"]),
        ("formula,gap\nNaCl,1\n,2\n", ["line 3", "empty"]),
        ("formula,gap\nNaCl,nan\n", ["line 2", "'nan'", "finite"]),
        ("formula,gap\nNaCl,1\nKCl,-inf\n", ["line 3", "'-inf'", "finite"]),
        ('formula,gap\nNaCl,"8,5"\n', ["line 2", "point"]),
        ("formula,gap\nNaCl,yes\nKCl,maybe\n", ["line 2", "'yes'"]),
        ("formula,gap\nNaCl,1\nKCl,2\nCl2Na2,3\n", ["line 4", "NaCl", "3", "1 in line 2"]),
        ("formula,gap\nFe,yes\nNaCl,no\nFe2,no\n", ["line 4", "Fe", "line 2"]),
        ("formula,gap\n", ["no rows"]),
        ("", ["empty"]),
    ],
)
def test_bad_csv(source, text, parts):
    """Each bad input is one sentence that names the file and the line; exit code 2."""
    path = source(text)
    with told(UsageError, 2, path, *parts):
        load_source(path, "gap", 0.05)


def test_missing_csv(tmp_path):
    """A path that does not exist is taken for a file, not for a dataset."""
    with told(UsageError, 2, "no.csv", "does not exist"):
        load_source(str(tmp_path / "no.csv"), "gap", 0.05)


@pytest.mark.parametrize("as_objects", [False, True], ids=["text", "compositions"])
def test_matminer(dataset, as_objects):
    """The loader of matminer reads its file; compositions may be text or pymatgen objects."""
    formulas = ["Fe2O3", "Na2Cl2", "CaH2O2", "K0.5Na0.5NbO3"]
    cells = [Composition(text) for text in formulas] if as_objects else formulas
    dataset(
        pd.DataFrame({"composition": cells, "gap expt": [2.2, 8.5, 5.0, 3.3], "x": [1, 2, 3, 4]})
    )
    found = load_source(DATASET, "gap expt", 0.05)
    rows = found.rows
    assert found.kind == "number"
    assert rows["formula"].tolist() == ["Fe2O3", "NaCl", "Ca(HO)2", "K0.5Na0.5Nb1O3"]
    assert rows["gap expt"].tolist() == [2.2, 8.5, 5.0, 3.3]


def test_matminer_class(dataset):
    """Booleans of a dataset are a class."""
    dataset(pd.DataFrame({"composition": ["Fe", "NaCl"], "is_metal": [True, False]}))
    found = load_source(DATASET, "is_metal", 0.05)
    assert (found.kind, found.rows["is_metal"].tolist()) == ("class", [1, 0])


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"composition": ["Fe"], "other": [1.0]}, ["'gap'", "--target", "other"]),
        ({"name": ["Fe"], "gap": [1.0]}, ["'formula'"]),
        ({"composition": ["Fe", "NaCl"], "gap": [1.0, None]}, ["line 3", "'nan'", "CSV"]),
        ({"composition": ["Fe", "XxO"], "gap": [1.0, 2.0]}, ["line 3", "'Xx'", "CSV"]),
    ],
)
def test_bad_dataset(dataset, columns, parts):
    """A dataset that cannot be used says why, and how to mend what lies in matminer's folder."""
    dataset(pd.DataFrame(columns))
    with told(UsageError, 2, DATASET, *parts):
        load_source(DATASET, "gap", 0.05)


@pytest.mark.parametrize(
    ("name", "parts"),
    [("matbench_exp_gap", [f"did you mean '{DATASET}'"]), ("qqq", ["neither a file", "list"])],
)
def test_unknown_dataset(name, parts):
    """A name that matminer does not know is answered with the nearest one."""
    with told(UsageError, 2, repr(name), *parts):
        load_source(name, "gap", 0.05)


def test_damaged_dataset(tmp_path, monkeypatch):
    """A file that matminer cannot read is not blamed on the person."""
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))
    (tmp_path / f"{DATASET}.json.gz").write_bytes(json.dumps({}).encode())
    with told(NotCarriedOutError, 3, DATASET, "could not be loaded"):
        load_source(DATASET, "gap", 0.05)
