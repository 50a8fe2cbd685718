"""Labelled rows from matminer's own loader."""

import json

import pandas as pd
import pytest
from matminer.utils.io import store_dataframe_as_json
from pymatgen.core import Composition

from assay.errors import NotCarriedOutError, UsageError
from assay.intake.choices import Choices
from assay.intake.intake import take_in
from sentences import told

DATASET = "matbench_expt_gap"  # a name that matminer knows


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Put a table where matminer looks for a dataset that was fetched before."""
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))

    def place(frame):
        store_dataframe_as_json(frame, str(tmp_path / f"{DATASET}.json.gz"), pbar=False)

    return place


@pytest.mark.parametrize("as_objects", [False, True], ids=["text", "compositions"])
def test_matminer(dataset, as_objects):
    """The loader of matminer reads its file; compositions may be text or pymatgen objects."""
    formulas = ["Fe2O3", "Na2Cl2", "CaH2O2", "K0.5Na0.5NbO3"]
    cells = [Composition(text) for text in formulas] if as_objects else formulas
    dataset(
        pd.DataFrame({"composition": cells, "gap expt": [2.2, 8.5, 5.0, 3.3], "x": [1, 2, 3, 4]})
    )
    found = take_in(DATASET, Choices(target="gap expt", unit="eV"))
    rows = found.rows
    assert found.kind == "number"
    assert rows["formula"].tolist() == ["Fe2O3", "NaCl", "Ca(HO)2", "K0.5Na0.5Nb1O3"]
    assert rows["gap expt"].tolist() == [2.2, 8.5, 5.0, 3.3]


def test_matminer_class(dataset):
    """Booleans of a dataset are a class."""
    dataset(pd.DataFrame({"composition": ["Fe", "NaCl"], "is_metal": [True, False]}))
    found = take_in(DATASET, Choices(target="is_metal", unit="eV"))
    assert (found.kind, found.rows["is_metal"].tolist()) == ("class", [1, 0])


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"composition": ["Fe"], "other": [1.0]}, ["'gap'", "--target", "other"]),
        ({"kind": ["left"], "gap": [1.0]}, ["formulas", "--formula"]),
        ({"composition": ["XxO"], "gap": [1.0]}, ["line 1", "'Xx'"]),
        ({"composition": ["Fe"], "gap": [None]}, ["line 1", "gap is empty"]),
    ],
)
def test_bad_dataset(dataset, columns, parts):
    """A dataset that cannot be used says why."""
    dataset(pd.DataFrame(columns))
    with told(UsageError, 2, DATASET, *parts):
        take_in(DATASET, Choices(target="gap", unit="eV"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [("matbench_exp_gap", [f"did you mean '{DATASET}'"]), ("qqq", ["neither a file", "list"])],
)
def test_unknown_dataset(name, parts):
    """A name that matminer does not know is answered with the nearest one."""
    with told(UsageError, 2, repr(name), *parts):
        take_in(name, Choices(target="gap", unit="eV"))


def test_damaged_dataset(tmp_path, monkeypatch):
    """A file that matminer cannot read is not blamed on the person."""
    monkeypatch.setenv("MATMINER_DATA", str(tmp_path))
    (tmp_path / f"{DATASET}.json.gz").write_bytes(json.dumps({}).encode())
    with told(NotCarriedOutError, 3, DATASET, "could not be loaded"):
        take_in(DATASET, Choices(target="gap", unit="eV"))
