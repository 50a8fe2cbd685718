"""Rows: classes, repeated compositions, faults side by side, and what a person must agree to."""

import re

import numpy as np
import pandas as pd
import pytest

from assay.compositions import identity
from assay.errors import RefusedError, UsageError
from assay.intake.choices import Choices
from assay.intake.intake import take_in
from assay.intake.repeats import RULES, merge
from assay.intake.report import aside_text, intake_text, require_usable, write_intake
from assay.layout import Layout
from assay.repository import Repository
from assay.settings import parse_settings
from sentences import told

SETTINGS = """
[project]
name = "mine"
package = "mine"
[target]
column = "gap"
unit = "eV"
[gate]
margin = 1.0
baseline = "mean"
"""


def taken(tmp_path, text, **choices):
    """What a table of this text is taken in as."""
    path = tmp_path / "t.csv"
    path.write_text(text)
    return take_in(str(path), Choices(**({"unit": "eV"} | choices)))


def test_every_fault_of_a_row_is_told(tmp_path):
    """A formula that cannot be read hides no value that cannot be, and no other row."""
    found = taken(tmp_path, "formula,gap\nXx,<1\nNaCl,8.5\n,~2\nKCl,\nKBr,7\n")
    assert [(fault.line, fault.code) for fault in sorted(found.faults, key=lambda f: f.line)] == [
        (2, "formula.unreadable"),
        (2, "number.below"),
        (4, "formula.empty"),
        (4, "number.approximate"),
        (5, "number.empty"),
    ]
    assert (found.total, found.set_aside, len(found.rows)) == (5, 3, 2)


def test_rows_in_are_rows_used_and_rows_set_aside(tmp_path):
    """No row is lost, whatever is amiss: they are used, merged or told."""
    lines = ["NaCl,1", "ClNa,1", "Xx,2", "formula,gap", "KCl,1,2,3", "KBr", "LiF,3", "Fe,n/a"]
    found = taken(tmp_path, "formula,gap\n" + "\n".join(lines) + "\n")
    assert found.total == len(lines)
    assert len(found.rows) + found.merged.repeated + found.set_aside == len(lines)


def test_the_table_of_faults(tmp_path):
    """Every fault is one row of `rejected.csv` with file, line, value, code, reason and advice."""
    found = taken(tmp_path, 'formula,gap\nNaCl.2H2O,1\nKCl,=1+1\nKBr,"<0,1"\nLiF,2\nFe,1\n')
    layout = Layout(tmp_path)
    write_intake(found, layout)
    rejected = pd.read_csv(layout.rejected, dtype=str)
    assert list(rejected) == ["file", "line", "column", "value", "code", "reason", "suggestion"]
    assert list(rejected["line"]) == ["2", "3", "4"]
    assert "NaCl(H2O)2" in rejected["suggestion"][0]
    assert rejected["value"][1] == "'=1+1"
    assert not rejected.isna().any().any()
    assert intake_text(found) in (layout.intake / "summary.txt").read_text()


def test_the_counts_of_the_page_add_up(tmp_path):
    """A row is counted under its first fault, on the page and in the card; others are named."""
    rows = "Xx,<1\n,~2\nKCl,\nXy,1\nKF.2H2O,1\nNaCl,1\nKBr,2\n"
    found = taken(tmp_path, f"formula,gap\n{rows}")
    page = intake_text(found)
    counts = [int(n) for n in re.findall(r"^ +(\d+)  [a-z]+\.", page, re.MULTILINE)]
    assert sum(counts) == found.set_aside == 5
    assert sorted(counts) == [1, 1, 3]
    assert "1 number.below" in page
    assert "1 number.approximate" in page
    assert aside_text(found).startswith("5 set aside (3 formula.unreadable, 1 ")
    assert "below" not in aside_text(found)
    assert len(found.faults) == 7


def test_advice_for_a_formula_is_on_the_page(tmp_path):
    """What each of the first unreadable formulas may be is said where it is seen first."""
    page = intake_text(taken(tmp_path, "formula,gap\nKF.2H2O,1\nXx,1\nNaCl,1\nKBr,2\n"))
    assert "KF(H2O)2" in next(line for line in page.splitlines() if "line 2" in line)


def test_formulas_that_are_respelt_are_counted(tmp_path):
    """The page says how many formulas change their letters on the way to train.csv, and how."""
    page = intake_text(taken(tmp_path, "formula,gap\nO3Fe2,1\nNaCl,1\nO2Ti,2\nKBr,3\n"))
    assert "O2Ti -> TiO2, O3Fe2 -> Fe2O3" in page
    assert "respelt" not in intake_text(taken(tmp_path, "formula,gap\nFe2O3,1\nNaCl,1\n"))


@pytest.mark.parametrize(
    ("labels", "names", "ones"),
    [
        (["metal", "insulator", "metal"], ("insulator", "metal"), [1, 0, 1]),
        (["nonmetal", "metal", "Metal"], ("nonmetal", "metal"), [0, 1, 1]),
        (["T", "F", "t"], ("F", "T"), [1, 0, 1]),
        (["Y", "N", "Y"], ("N", "Y"), [1, 0, 1]),
        (["yes", " No ", "YES"], ("No", "yes"), [1, 0, 1]),
        (["1", "0", "1"], ("0", "1"), [1, 0, 1]),
        (["1.0", "0.0", "1.0"], ("0.0", "1.0"), [1, 0, 1]),
        (["stable", "unstable", "stable"], ("unstable", "stable"), [1, 0, 1]),
        (["-", "+", "+"], ("-", "+"), [0, 1, 1]),
    ],
)
def test_two_labels_of_any_spelling_are_classes(tmp_path, labels, names, ones):
    """The class with a negation, or else the first of the alphabet, is 0; names stay as spelt."""
    formulas = ["NaCl", "KCl", "LiF", "MgO", "CaO", "ZnO"]
    rows = "\n".join(f"{f},{label}" for f, label in zip(formulas, labels * 2, strict=True))
    found = taken(tmp_path, f"formula,kind\n{rows}\n", target="kind")
    assert (found.kind, found.unit, found.classes) == ("class", "1", names)
    assert list(found.rows["kind"]) == ones * 2


def test_one_class_against_the_rest(tmp_path):
    """`positive` makes yes and no of three classes, and turns a pair round; another is no class."""
    text = "formula,kind\n" + "".join(
        f"{f},{k}\n" for f, k in zip(["NaCl", "KCl", "LiF"] * 3, "abc" * 3, strict=True)
    )
    found = taken(tmp_path, text, target="kind", positive="B")
    assert found.classes == ("not b", "b")
    assert "which is 'a' 3, 'c' 3" in intake_text(found)
    pair = taken(tmp_path, text.replace("c\n", "a\n"), target="kind", positive="a")
    assert pair.classes == ("b", "a")
    with told(UsageError, 2, "'d'", "--positive"):
        taken(tmp_path, text, target="kind", positive="d")


def test_numbers_are_no_classes(tmp_path):
    """1, 0 and 2 are numbers, and so are two numbers other than 1 and 0."""
    for labels in (["1", "0", "2"], ["0.5", "0", "0.5"]):
        text = "formula,gap\n" + "".join(
            f"{f},{v}\n" for f, v in zip(["K", "Na", "Li"], labels, strict=True)
        )
        assert taken(tmp_path, text).kind == "number"


REPEATS = "formula,gap,note\nCaMgO2,5,a\nNaCl,8,b\nCa0.5Mg0.5O,9,c\nMg2Ca2O4,7,d\nClNa,8.0,e\n"


@pytest.mark.parametrize(
    ("rule", "value", "line"),
    [("median", 7, 2), ("mean", 7, 2), ("lowest", 5, 2), ("highest", 9, 4), ("first", 5, 2)],
)
def test_one_row_stands_for_each_composition(tmp_path, rule, value, line):
    """Compositions are one where their atomic shares are, and the rule says which value stands."""
    found = taken(tmp_path, REPEATS, duplicates=rule, target="gap", further=["note"])
    assert len(found.rows) == 2
    row = found.rows[found.rows["formula"].map(identity) == identity("CaMgO2")]
    assert (row["gap"].item(), row.index.item()) == (value, line)
    assert found.merged.repeated == 3
    assert rule in intake_text(found)


def test_values_that_disagree_are_refused_with_the_way_on(tmp_path):
    """Under `refuse` all rows of such compositions are listed, with the option that helps."""
    found = taken(tmp_path, REPEATS, target="gap")
    assert found.merged.disagreeing == 1
    assert [fault.line for fault in found.merged.faults] == [2, 4, 5]
    with told(UsageError, 2, "1 composition", "--duplicates median"):
        require_usable(found, Repository(tmp_path, parse_settings(SETTINGS)), agreed=True)


def test_agreement_is_relative_to_the_spread(tmp_path):
    """The same table in millionths of the unit gives the same answer."""
    rows = [("NaCl", 1.0), ("ClNa", 1.04), ("KCl", 2), ("LiF", 5), ("MgO", 9), ("Na2Cl2", 1.5)]
    told_apart = []
    for scale in (1.0, 1e-6, 1e6):
        text = "formula,gap\n" + "".join(f"{f},{v * scale:.9g}\n" for f, v in rows)
        found = taken(tmp_path, text)
        told_apart.append((found.merged.disagreeing, [f.line for f in found.merged.faults]))
    assert told_apart == [(1, [2, 3, 7])] * 3


@pytest.mark.parametrize("rule", RULES)
def test_merging_keeps_what_occurs_once(rule):
    """Whatever the rule, rows of other compositions keep line and value, and none is invented."""
    rows = pd.DataFrame(
        {"formula": ["KCl", "NaCl", "ClNa"], "gap": [1.5, 2.0, 2.0]}, index=[2, 3, 9]
    )
    found = merge(rows, "gap", rule, 0.1)
    assert found.rows.loc[2, "gap"] == 1.5
    assert sorted(found.rows["gap"]) == [1.5, 2.0]
    assert not found.faults


def test_many_rows_set_aside_need_a_word(tmp_path):
    """Above the share of `assay.toml` a person must agree; below it nothing is asked."""
    formulas = ["NaCl", "KCl", "LiF", "MgO", "CaO", "ZnO", "Fe2O3", "TiO2", "SiO2"]
    rows = "".join(f"{f},{n}\n" for n, f in enumerate(formulas))
    few = taken(tmp_path, f"formula,gap\n{rows}Xx,1\n")
    settings = parse_settings(SETTINGS)
    with told(RefusedError, 1, "10.0%", "5%", "--set-aside"):
        require_usable(few, Repository(tmp_path, settings), agreed=False)
    require_usable(few, Repository(tmp_path, settings), agreed=True)
    wider = parse_settings(SETTINGS + "[data]\nmaximum_set_aside = 0.1\n")
    require_usable(few, Repository(tmp_path, wider), agreed=False)


def test_a_constant_target_is_refused(tmp_path):
    """Where every label is the same there is nothing to learn."""
    found = taken(tmp_path, "formula,gap\nNaCl,2\nKCl,2\n")
    with told(UsageError, 2, "2 in every row", "--target"):
        require_usable(found, Repository(tmp_path, parse_settings(SETTINGS)), agreed=True)


def test_the_unit_of_the_table_is_not_overruled_in_silence(tmp_path):
    """A header in kelvin beside `unit = "eV"` is asked about; for another target it is taken."""
    text = "formula,{} (K)\nNb3Sn,18\nMgB2,39\n"
    path = tmp_path / "t.csv"
    path.write_text(text.format("gap"))
    choices = Choices().within(parse_settings(SETTINGS))
    with pytest.raises(UsageError) as caught:
        take_in(str(path), choices)
    assert caught.value.code == "intake.which-unit"
    path.write_text(text.format("Tc"))
    found = take_in(str(path), choices)
    assert (found.target.name, found.unit) == ("Tc", "K")


def test_no_value_changes_by_the_way(tmp_path):
    """Plain numbers come out with the bits that Python reads in the file."""
    values = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    formulas = [f"NaCl{n}" for n in range(2, 52)]
    text = "formula,gap\n" + "".join(
        f"{f},{v!r}\n" for f, v in zip(formulas, values.tolist(), strict=True)
    )
    found = taken(tmp_path, text)
    assert list(found.rows["gap"]) == values.tolist()


def test_nan_is_no_nitride(tmp_path):
    """What programs write for a missing cell is set aside, as in lists; `Na1N1` is the nitride."""
    found = taken(tmp_path, "formula,gap\nNaN,1\nNa1N1,2\nKCl,3\n")
    assert [(fault.line, fault.code) for fault in found.faults] == [(2, "formula.unreadable")]
    assert "Na1N1" in found.faults[0].advice
    assert len(found.rows) == 2


def test_lines_of_values_that_disagree_are_named(tmp_path):
    """A fault names the other lines of its composition."""
    found = taken(tmp_path, REPEATS, target="gap")
    assert "lines 2, 4 and 5" in found.merged.faults[0].reason


def test_a_target_that_counts_the_rows_is_named(tmp_path):
    """Where the only numbers count the rows, the option that takes them all the same is said."""
    rows = "".join(f"Ni{n}Ti{100 - n},{n}\n" for n in range(1, 20))
    with told(UsageError, 2, "--target 'Eg'"):
        taken(tmp_path, f"formula,Eg\n{rows}")
    assert len(taken(tmp_path, f"formula,Eg\n{rows}", target="Eg").rows) == 19
