"""Corrections that a change lists: shown to people, and just what was done, or refused."""

import re
from pathlib import Path

import pytest

from assay.records import CheckReport
from schema_samples import NUMBER, SETTINGS, check, commit, edit, found, only, write

HEADER = "row_id,column,old,new,reason,source"
WIDE = SETTINGS.format(target=NUMBER) + "[data]\nmaximum_rows_removed = 0.4\n"
# AlI is -3 and AlCl -2.9 on main; the quartiles are 1.45 apart
FAR = {30: "t00030,AlI,-0.3", 29: "t00029,AlCl,-0.29"}
LINES = [
    "t00030,y,-3,-0.3,misprint in table 2 of the source,doi:10.1000/1",
    "t00029,y,-2.9,-0.29,misprint in table 2 of the source,",
]


@pytest.fixture
def far(sound: Path) -> Path:
    """Two labels that moved farther than main's limit."""
    (sound / "assay.toml").write_text(WIDE)
    commit(sound)
    for line, row in FAR.items():
        edit(sound, "train.csv", lambda lines, line=line, row=row: lines.__setitem__(line, row))
    return sound


def listed(toy: Path, lines: list[str]) -> CheckReport:
    """Check with these lines in the list."""
    write(toy / "data" / "corrections.csv", HEADER, lines)
    return check(toy)


def test_a_listed_correction_passes_and_each_is_shown(far: Path) -> None:
    """What no limit allows is refused with the line to paste; listed, it passes and is named."""
    refused = check(far)
    assert {"history.relabelled"} <= set(refused.failed)
    assert "t00030,y,-3,-0.3," in found(refused, "history.relabelled")[1].message
    report = listed(far, LINES)
    assert report.passed
    shown = found(report, "corrections.shown")
    assert [(one.line, one.severity, one.file) for one in shown] == [
        (2, "warning", "data/corrections.csv"),
        (3, "warning", "data/corrections.csv"),
    ]
    assert "misprint" in shown[0].message
    assert not found(report, "history.labels")


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (LINES[:1], "corrections.complete"),
        ([LINES[0], LINES[1].replace("-0.29,", "-0.28,")], "corrections.exact"),
        ([LINES[0], LINES[1].replace("-2.9,", "-2.8,")], "corrections.exact"),
        (
            [LINES[0], LINES[1].replace("misprint in table 2 of the source", "typo")],
            "corrections.exact",
        ),
        ([*LINES, "t00001,y,-0.1,-0.2,misprint in table 2,"], "corrections.exact"),
        ([*LINES, LINES[0].replace("table 2", "table 3")], "corrections.exact"),
        ([*LINES, "t00099,y,-0.1,-0.2,misprint in table 2,"], "corrections.exact"),
        ([*LINES, "t00001,z,-0.1,-0.2,misprint in table 2,"], "corrections.exact"),
    ],
)
def test_a_list_that_is_not_what_was_done_is_refused(
    far: Path, lines: list[str], rule: str
) -> None:
    """A change that is missing, another number, no reason, no change, a repetition, no row."""
    report = listed(far, lines)
    assert rule in report.failed


def test_corrections_still_count_among_the_rows_that_may_change(sound: Path) -> None:
    """A list is no way round the share of rows, nor round the number that people look at."""
    commit(sound)
    for line, row in FAR.items():
        edit(sound, "train.csv", lambda lines, line=line, row=row: lines.__setitem__(line, row))
    assert listed(sound, LINES).failed == ["history.rows"]
    (sound / "assay.toml").write_text(WIDE + "maximum_corrections = 1\n")
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00030,AlI,-0.31"))
    edit(sound, "train.csv", lambda lines: lines.__setitem__(29, "t00029,AlCl,-0.28"))
    more = ["t00030,y,-0.3,-0.31,read again in table 2,", "t00029,y,-0.29,-0.28,read again in it,"]
    assert listed(sound, [*LINES, *more]).failed == ["corrections.few"]
    assert "corrections.kept" in listed(sound, more).failed
    (sound / "data" / "corrections.csv").unlink()
    assert "corrections.kept" in check(sound).failed


def test_a_formula_is_corrected_by_a_row_of_its_own(sound: Path) -> None:
    """Another compound under a new id with the old label is refused unless it is listed."""
    edit(sound, "train.csv", lambda lines: lines.__setitem__(29, "t00029,CoCl2,-2.9"))
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00030,CoBr2,-3"))
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00031,COBr2,-3"))
    finding = only(check(sound), "history.formulas")
    assert (finding.line, finding.severity) == (31, "failure")
    assert "CoBr2 (t00030 on main" in finding.message
    report = listed(sound, ["t00031,formula,CoBr2,COBr2,carbonyl bromide in the source,"])
    assert report.passed
    assert found(report, "corrections.shown")
    # the same list with another label than main's corrects nothing that it says
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00031,COBr2,-2"))
    assert "corrections.exact" in check(sound).failed


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        ({28: "t00028,AlF,-0.3"}, {"history.relabelled"}),
        (
            {n: f"t{n:05d},{f},{-9.6485 * n:g}" for n, f in ((1, "LiF"), (2, "LiCl"), (3, "LiI"))},
            {"history.unit", "history.relabelled"},
        ),
        ({29: "t00029,CoCl3,-2.9"}, {"history.ids"}),
        ({30: "t00030,COBr2,-3"}, {"history.ids", "history.formulas"}),
        ({30: "t00030,COBr2,-2.4"}, {"history.ids", "history.formulas"}),
        ({30: "t00031,COBr2,-3"}, {"history.formulas"}),
        ({30: "t00031,COBr2,-2.4"}, {"history.formulas"}),
        ({28: "t00028,ScF,-2.8"}, {"history.ids", "history.elements"}),
    ],
    ids=["far", "unit", "formula", "case", "and label", "new id", "new id and label", "element"],
)
def test_advice_that_is_followed_passes(sound: Path, rows: dict[int, str], rules: set[str]) -> None:
    """With the lines that the failing rules print, and reasons, nothing fails, and all is shown."""
    wide = SETTINGS.format(target='unit = "eV/atom"')
    (sound / "assay.toml").write_text(wide + "[data]\nmaximum_rows_removed = 0.4\n")
    for line, row in {29: "t00029,CoCl2,-2.9", 30: "t00030,CoBr2,-3"}.items():
        edit(sound, "train.csv", lambda lines, line=line, row=row: lines.__setitem__(line, row))
    commit(sound)
    for line, row in rows.items():
        edit(sound, "train.csv", lambda lines, line=line, row=row: lines.__setitem__(line, row))
    report = check(sound)
    assert set(report.failed) == rules
    said = [one.message for rule in rules for one in found(report, rule)]
    lines = {line for words in said for line in re.findall(r"`(t[^`]*,WHY,SOURCE)`", words)}
    reason = "misprint in table 2 of the source,"
    report = listed(sound, [line.replace("WHY,SOURCE", reason) for line in sorted(lines)])
    assert report.failed == []
    assert len(found(report, "corrections.shown")) == len(lines) >= len(rows)


def test_a_list_frees_no_other_row_under_its_id(far: Path) -> None:
    """An id keeps its composition in rows that are not listed, or listed as another's formula."""
    for line, row in ((28, "t00028,AlF3,-2.8"), (27, "t00027,BaI2,-2.7")):
        edit(far, "train.csv", lambda lines, line=line, row=row: lines.__setitem__(line, row))
    own = "t00028,formula,AlF,AlF3,misprint in table 2 of the source,"
    report = listed(far, [*LINES, own])
    assert [one.value for one in found(report, "history.ids")] == ["t00027"]
    other = "t00027,formula,AlF,BaI2,misprint in table 2 of the source,"
    report = listed(far, [*LINES, own, other])
    assert {"history.ids", "corrections.exact"} <= set(report.failed)


@pytest.mark.parametrize("left_out", [0, 1])
def test_the_last_rows_of_an_element_go_with_a_reason_for_each(sound: Path, left_out: int) -> None:
    """Rows that are listed as withdrawn are shown and pass; one that is not listed still fails."""
    (sound / "assay.toml").write_text(WIDE)
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__delitem__(slice(28, 31)))
    refused = check(sound)
    assert refused.failed == ["history.elements"]
    [finding] = found(refused, "history.elements")
    lines = re.findall(r"`(t[^`]*),WHY,SOURCE`", finding.message)
    assert lines == ["t00028,formula,AlF,", "t00029,formula,AlCl,", "t00030,formula,AlI,"]
    lines = [f"{line},retracted by its authors," for line in lines]
    report = listed(sound, lines[left_out:])
    assert report.failed == (["history.elements"] if left_out else [])
    assert len(found(report, "corrections.shown")) == len(lines) - left_out


@pytest.mark.parametrize(
    "line",
    [
        "t00001,formula,LiF,,retracted by its authors,",
        "t00099,formula,LiF,,retracted by its authors,",
        "t00030,formula,AlCl,,retracted by its authors,",
        "t00030,formula,AlI,,gone,",
        "t00030,y,-3,,retracted by its authors,",
    ],
    ids=["stands", "never was", "another formula", "no reason", "a label"],
)
def test_a_withdrawal_says_just_which_row_went(sound: Path, line: str) -> None:
    """A row that stands, that main lacks, or that was another material, is no withdrawal."""
    (sound / "assay.toml").write_text(WIDE)
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__delitem__(30))
    assert not check(sound).failed
    assert listed(sound, [line]).failed == ["corrections.exact"]
