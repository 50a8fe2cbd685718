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


def test_labels_rounded_on_saving_are_told_as_such(sound: Path) -> None:
    """Labels that a spreadsheet rounded by a harmless amount are a warning; by more, the reason."""
    exact = [-n / 10 + 0.00123456 * n / 30 for n in range(1, 31)]
    changed(sound, lambda frame: frame.assign(y=exact))
    commit(sound)
    for saved in (
        lambda frame: frame["y"].map("{:.4f}".format),
        lambda frame: frame["y"].astype("float32"),
        lambda frame: frame["y"].map("{:.4g}".format),
    ):
        changed(sound, lambda frame, saved=saved: frame.assign(y=saved(frame.assign(y=exact))))
        report = check(sound)
        assert report.passed
        assert "rounded when the table was saved" in found(report, "history.rounded")[0].message
        assert not found(report, "history.labels")
    (sound / "assay.toml").write_text(
        SETTINGS.format(target=NUMBER).replace("margin = 0.1", "margin = 0.001")
    )
    commit_settings(sound, exact)
    changed(sound, lambda frame: frame.assign(y=[f"{one:.3f}" for one in exact]))
    finding = only(check(sound), "history.rows")
    assert "rounded" in finding.message
    assert "missing" not in finding.message


def test_labels_that_gain_digits_are_no_lost_digits(sound: Path) -> None:
    """Labels that main has rounded stand, and which they are is said; a coarser one is another."""
    exact = [-n / 10 + 0.00123456 * n / 30 for n in range(1, 31)]
    changed(sound, lambda frame: frame.assign(y=[f"{one:.4f}" for one in exact]))
    commit(sound)
    for finer in (exact, [round(one, 4) * 1.0000001 for one in exact]):
        changed(sound, lambda frame, finer=finer: frame.assign(y=[f"{one:.9f}" for one in finer]))
        report = check(sound)
        assert report.passed
        assert "more digits" in found(report, "history.rounded")[0].message
        assert not [one for one in found(report, "history.rounded") if "lost" in one.message]
        assert not found(report, "history.labels")
    changed(sound, lambda frame: frame.assign(y=[f"{one + 0.0001:.9f}" for one in exact]))
    assert "history.rows" in check(sound).failed


def test_new_rows_with_other_rows_labels_are_a_warning(sound: Path) -> None:
    """Added rows with just the labels of main's are named with their owners; others are not."""
    (sound / "assay.toml").write_text(
        SETTINGS.format(target=NUMBER) + "[data]\nmaximum_growth = 3.0\n"
    )
    commit(sound)
    rows = [f"t{n:05d},{formula},{-(n - 39) / 10:g}" for n, formula in enumerate(FRESH, start=40)]
    edit(sound, "train.csv", lambda lines: lines.extend(rows))
    report = check(sound)
    assert report.passed
    findings = found(report, "history.copied")
    assert (findings[0].line, findings[0].severity) == (32, "warning")
    assert "main's label of LiF (t00001, line 2 there)" in findings[0].message
    edit(
        sound,
        "train.csv",
        lambda lines: lines.__setitem__(slice(-10, None), [f"{row}3" for row in rows]),
    )
    assert not found(check(sound), "history.copied")


def commit_settings(sound: Path, labels: list[float]) -> None:
    """Make main of these labels and the settings that lie there."""
    changed(sound, lambda frame: frame.assign(y=labels))
    commit(sound)


@pytest.mark.parametrize(
    "spelt",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "\n".join(
            ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
        ),
        lambda text: text.replace("\n", "0\n").replace("y0\n", "y\n").replace("-1\n", "-1.0\n"),
        lambda text: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]) + "\n",
        lambda text: text.replace("-0.1\n", "-1.0e-1\n"),
    ],
    ids=["line ends", "byte order mark", "quoted", "trailing zeros", "reordered", "exponents"],
)
def test_a_table_that_is_written_otherwise_says_the_same(sound: Path, spelt) -> None:
    """The same rows and numbers in another writing bring no finding of the comparison."""
    edit(sound, "train.csv", lambda lines: lines.__setitem__(slice(None), [*map(fraction, lines)]))
    commit(sound)
    path = sound / "data" / "train.csv"
    path.write_bytes(spelt(path.read_text()).encode())
    report = check(sound)
    assert report.passed
    assert not [one for one in report.findings if one.rule.startswith("history")]


def fraction(line: str) -> str:
    """A line whose label has a decimal point, so that a zero behind it changes nothing."""
    return line if line.endswith("y") or "." in line else f"{line}.0"


def test_decimal_commas_are_no_missing_rows(sound: Path) -> None:
    """Labels that cannot be read are named as such, and not as rows that are gone."""
    commit(sound)
    edit(
        sound,
        "train.csv",
        lambda lines: lines.__setitem__(
            slice(1, 20),
            [
                f'{one.rsplit(",", 1)[0]},"{one.rsplit(",", 1)[1].replace(".", ",")}"'
                for one in lines[1:20]
            ],
        ),
    )
    failed = check(sound).failed
    assert "target.number" in failed
    assert "history.rows" not in failed


def test_rows_under_new_ids_are_told(sound: Path) -> None:
    """One row under another id is a warning with its own; a table numbered again fails."""
    commit(sound)
    edit(
        sound, "train.csv", lambda lines: lines.__setitem__(4, lines[4].replace("t00004", "t00104"))
    )
    report = check(sound)
    assert report.passed
    assert "t00004 on main" in only(report, "history.renumbered").message
    changed(sound, lambda frame: frame.assign(row_id=[f"t{n:05d}" for n in range(500, 530)]))
    assert "history.renumbered" in check(sound).failed


def test_of_duplicates_the_one_that_stays_is_told(sound: Path) -> None:
    """Where one of two rows of a composition goes, the other one's label is to be looked at."""
    edit(sound, "train.csv", lambda lines: lines.append("t00031,LiF,-0.12"))
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.__delitem__(1))
    finding = only(check(sound), "history.duplicates")
    assert (finding.severity, finding.value) == ("warning", "-0.12")
    assert "t00001 with -0.1 is gone" in finding.message


def test_exchanged_labels_fail_with_the_rows(sound: Path) -> None:
    """Labels of one system that were exchanged within all limits fail, with whose they are."""
    (sound / "assay.toml").write_text(
        SETTINGS.format(target=NUMBER) + "[data]\nmaximum_rows_removed = 0.4\n"
    )
    changed(sound, lambda frame: frame.assign(y=frame["y"] - frame.index * 0.00137))
    commit(sound)
    changed(sound, lambda frame: frame.assign(y=[frame["y"][1], frame["y"][0], *frame["y"][2:]]))
    report = check(sound)
    assert report.failed == ["history.exchanged"]
    findings = found(report, "history.exchanged")
    assert [one.line for one in findings] == [2, 3]
    assert "main's label of LiCl (t00002, line 3 there)" in findings[0].message


def test_a_leak_is_named_where_the_change_is(sound: Path) -> None:
    """Every train row that leaks is named at its line; where sealed inputs change, at theirs."""
    commit(sound)
    leaks = [f"t{n:05d},{metal}2O{n}S,-1.5" for n, metal in enumerate(("Li", "Na", "Rb"), start=31)]
    sealed = [f"s{n:05d},{metal}OS" for n, metal in enumerate(("Li", "Na", "Rb"), start=31)]
    edit(sound, "sealed_inputs.csv", lambda lines: lines.extend(sealed))
    commit(sound)
    edit(sound, "train.csv", lambda lines: lines.extend(leaks))
    findings = found(check(sound), "leakage.system")
    assert [(one.file, one.line) for one in findings] == [
        ("data/train.csv", line) for line in (32, 33, 34)
    ]
    edit(sound, "train.csv", lambda lines: lines.__delitem__(slice(-3, None)))
    edit(sound, "sealed_inputs.csv", lambda lines: lines.append("s00040,Li3F"))
    finding = only(check(sound), "leakage.system")
    assert (finding.file, finding.line) == ("data/sealed_inputs.csv", 35)
