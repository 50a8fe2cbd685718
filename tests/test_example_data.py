"""The shipped example is what the documented script derives from pymatgen and matminer."""

import gzip

import pandas as pd
import pytest

import derive_example
from assay.compositions import chemical_system
from conftest import TEMPLATE

TABLES = (
    "train.csv",
    "sealed_inputs.csv",
    "sealed_labels.csv",
    "pool.csv",
    "candidates/transport.csv",
)


@pytest.fixture(scope="module")
def derived():
    """The tables, derived afresh."""
    return derive_example.derive()


def shipped(name):
    """A shipped table."""
    return pd.read_csv(TEMPLATE / "data" / name, keep_default_na=False)


@pytest.mark.parametrize("name", TABLES)
def test_shipped_table_is_derived(derived, name):
    """Every byte of a shipped table follows from the packages' files."""
    assert derive_example.render(derived[name]).encode() == (TEMPLATE / "data" / name).read_bytes()


def test_every_shipped_table_is_compared(derived):
    """No table lies in data/ that the script does not make."""
    found = {str(path.relative_to(TEMPLATE / "data")) for path in TEMPLATE.glob("data/**/*.csv")}
    assert found == set(derived) == set(TABLES)


def test_altered_source_is_refused(tmp_path):
    """A source with another digest stops the derivation and names the file."""
    altered = tmp_path / "exp_compounds.json.gz"
    altered.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(SystemExit, match="exp_compounds"):
        derive_example.read_checked(altered, derive_example.ENTHALPIES_DIGEST)


def test_energies_are_per_atom():
    """The oxide of lithium has its textbook enthalpy: -598 kJ/mol, three atoms, eV/atom."""
    rows = derive_example.read_enthalpies().set_index("formula")
    assert rows.loc["Li2O", derive_example.TARGET] == pytest.approx(-598 / 96.485 / 3, abs=0.02)


def test_no_chemical_system_on_both_sides():
    """The sealed rows show chemistry that the train set never has."""
    train, sealed = (
        {chemical_system(formula) for formula in shipped(name)["formula"]}
        for name in ("train.csv", "sealed_inputs.csv")
    )
    assert not train & sealed
    assert len(train) + len(sealed) == 1319


def test_labels_belong_to_inputs():
    """Sealed inputs and labels have the same ids, each once, and the inputs carry no label."""
    inputs, labels = shipped("sealed_inputs.csv"), shipped("sealed_labels.csv")
    assert list(inputs["row_id"]) == list(labels["row_id"])
    assert labels["row_id"].is_unique
    assert list(inputs.columns) == ["row_id", "formula"]


def test_data_card_counts_rows():
    """The card's table states the numbers of rows that are in the files."""
    card = (TEMPLATE / "data" / "README.md").read_text()
    for name in TABLES:
        assert f"| `{name}` | {len(shipped(name)):,} |" in card
