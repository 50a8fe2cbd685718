"""The comparison with main: what was changed is told, and what must not change fails."""

from pathlib import Path

import pandas as pd
import pytest

from schema_samples import NUMBER, SETTINGS, check, commit, edit, found, only

FRESH = ["MgSr", "MgBa", "CaSr", "CaBa", "SrBa", "LiNa", "LiK", "NaK", "KRb", "RbCs"]


def changed(sound: Path, function) -> None:
    """Make another frame of the train set."""
    path = sound / "data" / "train.csv"
    function(pd.read_csv(path)).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda row: 96.485, "as from eV to kJ/mol"),
        (lambda row: 1 / 27.2114, "as from eV to hartree"),
        (lambda row: -1.0, "other sign"),
        (lambda row: 2.0, "number of atoms"),
    ],
)
def test_three_labels_in_another_unit_fail(sound: Path, factor, words: str) -> None:
    """Labels that were all multiplied alike fail with what was done to them; two do not."""
    commit(sound)
    changed(
        sound,
        lambda frame: frame.assign(y=frame["y"].where(frame.index > 1, frame["y"] * factor(0))),
    )
    assert not found(check(sound), "history.unit")
    changed(
        sound,
        lambda frame: frame.assign(y=frame["y"].where(frame.index != 2, frame["y"] * factor(0))),
    )
    findings = found(check(sound), "history.unit")
    assert [finding.line for finding in findings] == [2, 3, 4]
    assert all(words in finding.message for finding in findings)


def test_a_label_that_moved_far_fails_and_one_that_moved_little_warns(sound: Path) -> None:
    """A lost sign is a failure with the old value, a corrected digit a warning."""
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__setitem__(4, "t00004,NaF,-0.41"))
    assert check(sound).passed
    edit(sound, "train.csv", lambda lines: lines.__setitem__(30, "t00030,AlI,3"))
    finding = only(check(sound), "history.relabelled")
    assert (finding.line, finding.severity) == (31, "failure")
    assert "but -3 on main" in finding.message


def test_an_id_that_is_given_to_another_composition_fails(sound: Path) -> None:
    """Two rows that exchange their ids are named with what these stood for; a respelling is not."""
    commit(sound)
    lines = (sound / "data" / "train.csv").read_text().splitlines()
    (one, *first), (two, *second) = (lines[place].split(",") for place in (4, 5))

    def exchange(lines: list[str]) -> None:
        lines[4], lines[5] = ",".join([two, *first]), ",".join([one, *second])

    edit(sound, "train.csv", exchange)
    findings = found(check(sound), "history.ids")
    assert [(finding.line, finding.severity) for finding in findings] == [
        (5, "failure"),
        (6, "failure"),
    ]
    assert f"row_id {two} stands for {second[0]} on main, not for {first[0]}" in findings[0].message
    # one of two rows of a composition moves to another id: the hint is of that id
    rows = (sound / "data" / "train.csv").read_text().splitlines()
    again = f"t00990,{first[0]},{first[1]}"
    edit(sound, "train.csv", lambda lines: lines.append(again))
    findings = found(check(sound), "history.ids")
    assert [finding.value for finding in findings] == [two, one]
    assert f"stands for {first[0]} on main, not for {second[0]}" in findings[1].message
    (sound / "data" / "train.csv").write_text("\n".join([*rows, ""]))
    respelt = [",".join([one, f"({first[0]})2", *first[1:]]), ",".join([two, *second])]
    edit(sound, "train.csv", lambda lines: lines.__setitem__(slice(4, 6), respelt))
    assert not found(check(sound), "history.ids")


def test_new_labels_of_another_size_fail(sound: Path) -> None:
    """Ten new compositions twenty times as large as main's labels fail, of main's size do not."""
    commit(sound)
    rows = [f"t{n:05d},{formula},-1.4" for n, formula in enumerate(FRESH, start=40)]
    edit(sound, "train.csv", lambda lines: lines.extend(rows))
    assert not found(check(sound), "history.new_scale")
    edit(
        sound,
        "train.csv",
        lambda lines: lines.__setitem__(slice(-10, None), [r.replace("1.4", "0.05") for r in rows]),
    )
    assert "usual size" in only(check(sound), "history.new_scale").message


def test_a_lost_element_fails_and_is_named(sound: Path) -> None:
    """Without the rows of one element the train set covers less than main's."""
    (sound / "assay.toml").write_text(
        SETTINGS.format(target=NUMBER) + "[data]\nmaximum_rows_removed = 0.5\n"
    )
    commit(sound)
    changed(sound, lambda frame: frame[~frame["formula"].str.contains("Al")])
    finding = only(check(sound), "history.elements")
    assert finding.message.startswith("no row holds Al any more")
    assert finding.line is None


def test_another_mixture_of_elements_is_a_warning(sound: Path) -> None:
    """Where an element becomes much more frequent, both shares are told."""
    commit(sound)
    rows = [f"t{n:05d},LiCl{n},{-0.75 if n % 2 else -2.3}" for n in range(40, 60)]
    edit(sound, "train.csv", lambda lines: lines.extend(rows))
    report = check(sound)
    assert report.passed
    said = [finding.message for finding in found(report, "history.chemistry")]
    assert any(
        message.startswith("Li is in 46.0% of the rows, on main in 10.0%") for message in said
    )


def test_a_column_that_carries_the_target_fails(sound: Path) -> None:
    """A column that increases with the target is named; one of chance is not."""
    changed(
        sound, lambda frame: frame.assign(rank=frame["y"].rank() ** 3, batch=frame.index * 7 % 5)
    )
    finding = only(check(sound), "leakage.column")
    assert finding.message.startswith("the column rank carries the target")
