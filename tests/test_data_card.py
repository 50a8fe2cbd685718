"""README and data card tell of the data that are there."""

import pandas as pd
import pytest

from assay.initialization import data_card, renamed
from assay.intake.choices import Choices
from assay.intake.intake import take_in
from assay.settings import Target
from assay.splits import Parts
from conftest import TEMPLATE

EXAMPLE = Target(column="formation_enthalpy", unit="eV/atom")
GAP = Target(column="gap expt", unit="eV")
README = "# x\n\nA model of **formation_enthalpy** (unit: eV/atom) from chemical formulas; from\n"


def test_readme_tells_of_another_target():
    """Column and unit in the template's line are those of the new target."""
    told = renamed(README, EXAMPLE, GAP)
    assert told == README.replace("formation_enthalpy", "gap expt").replace("eV/atom", "eV")
    assert renamed(README, EXAMPLE, EXAMPLE) == README


def test_readme_of_the_author_stays():
    """A line that the author rewrote is not touched, whatever it names."""
    own = README.replace("A model", "My model")
    assert renamed(own, EXAMPLE, GAP) == own


def test_template_has_the_line(rendered):
    """The README of a fresh repository holds the very line that `assay init` looks for."""
    text = (rendered / "README.md").read_text()
    assert "**gap expt** (unit: eV)" in renamed(text, EXAMPLE, GAP)
    assert "**formation_enthalpy**" in text
    assert "**formation_enthalpy**" not in renamed(text, EXAMPLE, GAP)


@pytest.mark.parametrize("name", ["pyproject.toml", "CITATION.cff"])
def test_other_papers_name_no_target(name):
    """What `assay init` does not rewrite is neutral."""
    assert "cookiecutter.target" not in (TEMPLATE / name).read_text()


def test_card_has_target_unit_and_rows(tmp_path):
    """The card names what a reader asks first."""
    path = tmp_path / "own.csv"
    path.write_text("formula,gap expt\nNaCl,8.5\nKCl,1.5\nXx,1\n")
    found = take_in(str(path), Choices(unit="eV"))
    rows = pd.DataFrame({"row_id": ["a"], "formula": ["NaCl"], "gap expt": [8.5]})
    card = data_card(Parts("gap expt", rows, rows.assign(**{"gap expt": 1.5})), found, GAP)
    for part in (
        "`own.csv`",
        "`gap expt` (number, unit eV)",
        "2 distinct",
        "1.5 to 8.5",
        "3 rows; 1 set",
    ):
        assert part in card
