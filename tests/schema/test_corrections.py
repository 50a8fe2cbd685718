"""Corrections that a change lists: shown to people, and just what was done, or refused."""

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
