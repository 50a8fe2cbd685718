"""What main has as well is told apart from what a change brings."""

from pathlib import Path

import pytest

from assay.settings import read_settings
from schema_samples import check, commit, edit, found, write


def standing(report, rule: str = "formula.reduced"):
    """The formulas that a rule names, with whether main has them, too."""
    return [(finding.formula, finding.on_main) for finding in found(report, rule)]


def respelt(sound: Path, line: int, formula: str) -> None:
    """Spell the formula of a line of the train set otherwise."""

    def change(lines: list[str]) -> None:
        row_id, _, label = lines[line].split(",")
        lines[line] = f"{row_id},{formula},{label}"

    edit(sound, "train.csv", change)


def test_a_warning_that_main_has_is_told_apart_wherever_the_row_moves(sound: Path) -> None:
    """The row that a change respells is new and comes first; main's own is known by its cells."""
    respelt(sound, 5, "Na2Cl2")
    commit(sound)
    assert standing(check(sound)) == [("Na2Cl2", True)]
    respelt(sound, 9, "K2I2")
    edit(sound, "train.csv", lambda lines: lines.insert(1, lines.pop(5)))
    assert standing(check(sound)) == [("K2I2", False), ("Na2Cl2", True)]


def test_without_main_nothing_is_claimed(sound: Path) -> None:
    """Where main is not at hand, no finding says whether main has it."""
    respelt(sound, 5, "Na2Cl2")
    assert standing(check(sound)) == [("Na2Cl2", None)]


def test_a_row_that_warns_because_of_another_table_is_new(sound: Path) -> None:
    """A list that is as on main warns anew of an element that the train set has lost."""
    write(sound / "data" / "candidates" / "list.csv", "name,formula", ["a,NaF", "b,PuF", "c,RbF"])
    commit(sound)
    old = found(check(sound), "formula.elements")
    assert [(one.count, one.line, one.on_main) for one in old] == [(1, None, True)]
    edit(sound, "train.csv", lambda lines: lines.__delitem__(slice(10, 13)))
    new, *old = found(check(sound), "formula.elements")
    assert (new.formula, new.line, new.on_main) == ("RbF", 4, False)
    assert [(one.count, one.line, one.on_main) for one in old] == [(1, None, True)]


def test_rows_beyond_the_listed_are_counted_apart(sound: Path) -> None:
    """Of seven respelt rows of main and six new ones five each are listed, and the rest counted."""
    lines = (sound / "data" / "train.csv").read_text().splitlines()
    formulas = [line.split(",")[1] for line in lines]
    twice = [formula.replace("F", "2F2") for formula in formulas if formula.endswith("F")]
    for place in range(7):
        respelt(sound, 1 + 3 * place, twice[place])
    commit(sound)
    for place in range(6):
        respelt(sound, 2 + 3 * place, formulas[2 + 3 * place].replace("Cl", "2Cl2"))
    findings = found(check(sound), "formula.reduced")
    assert [(one.on_main, one.count) for one in findings] == [
        *[(False, 1)] * 6,
        *[(True, 1)] * 5,
        (True, 2),
    ]


def test_a_rule_that_changes_with_the_change_is_no_warning_of_main(sound: Path) -> None:
    """A whole table that breaks a rule only by the change's own settings is not main's."""
    commit(sound)
    toml = sound / "assay.toml"
    toml.write_text(toml.read_text().replace("[gate]", "[gate]\nminimum_groups = 31"))
    assert read_settings(sound).gate.minimum_groups == 31
    [finding] = found(check(sound), "systems.enough")
    assert (finding.severity, finding.on_main) == ("warning", False)


@pytest.mark.parametrize("change", ["train.csv", "pool.csv"])
def test_a_table_that_main_lacks_brings_all_its_warnings(sound: Path, change: str) -> None:
    """What stands in a list that main has not is new."""
    commit(sound)
    edit(sound, change, lambda lines: lines.append(lines.pop()))
    write(sound / "data" / "candidates" / "other.csv", "formula", ["PuF"])
    new = [one for one in found(check(sound), "formula.elements") if "other" in str(one.file)]
    assert [(one.formula, one.on_main) for one in new] == [("PuF", False)]
