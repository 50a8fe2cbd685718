"""`assay data add`: each new row has one place and a reason, and the gate accepts the change."""

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from assay.cli import app
from assay.compositions import chemical_system
from assay.errors import CheckFailedError, RefusedError, UsageError
from assay.growth import adding
from assay.growth.placing import ADDED, KNOWN, LATER, OTHER_VALUE, SEALED, counted
from assay.growth.rehearsal import Growth
from assay.intake.choices import Choices
from assay.intake.classes import read_classes
from assay.layout import Layout
from assay.repository import read_repository
from assay.schema.check import check_schema
from mini import ANIONS, VALUES, csv_of, initialize, kept
from report_samples import settings
from sentences import leftovers, told
from toy import commit, git

TARGET = "gap [eV]"
# of metals that the table lacks
CATIONS = ("Rb", "Cs", "Sr", "Ba", "Sc", "V", "Cr", "Mn")


@pytest.fixture
def root(mini: Path) -> Path:
    """A sealed repository on main, with nothing of a change yet."""
    (mini / "mine.csv").rename(mini.parent / "mine.csv")
    initialize(mini, str(mini.parent / "mine.csv"), TARGET, None)
    (mini / ".gitignore").write_text("/out/\n/.assay/\n")
    git(mini, "init", "--quiet", "--initial-branch=main")
    commit(mini, "Begin")
    return mini


def new(root: Path, values: dict[str, float], name: str = TARGET) -> str:
    """A table of these labels outside of the repository."""
    path = root.parent / "new.csv"
    path.write_text(csv_of(values, name))
    return str(path)


def add(root: Path, source: str, limit: int | None = None, **choices: str) -> adding.Addition:
    """Add the rows of a table, as the verb does."""
    repository = read_repository(root)
    found = adding.read_new(repository, source, Choices(**choices))
    made = adding.addition(repository, found, source, limit=limit, agreed=False)
    adding.write_addition(repository.layout, made)
    return made


def train(root: Path) -> pd.DataFrame:
    """The train set as text."""
    return pd.read_csv(root / "data" / "train.csv", dtype=str, keep_default_na=False)


def fresh(count: int, first: float = 2.0) -> dict[str, float]:
    """Labels like those of the table, of compositions that it lacks."""
    formulas = [f"{c}{n}{a}" for n in ("", "2", "3") for c in CATIONS for a in ANIONS][:count]
    return {formula: first + 0.11 * (i % 30) for i, formula in enumerate(formulas)}


def test_every_row_has_one_place(root):
    """New rows join, known ones stay as they are, and none of a sealed group comes in.

    A trace of another element hides no sealed group: that is the planted leak.
    """
    sealed = pd.read_csv(root / "data" / "sealed_inputs.csv")["formula"][0]
    before, (row_id, formula, label) = train(root), train(root).iloc[0]
    other = train(root).iloc[1]["formula"]
    one, two = chemical_system(sealed).split("-")
    planted = f"{one}97{two}100Sr2"
    values = {"RbO": 1.5, sealed: 9.0, planted: 3.0, formula: float(label), other: 7.75, "Xx": 1.0}
    lines = csv_of({**fresh(40), **values})
    (root.parent / "new.csv").write_text(lines)
    repository = read_repository(root)
    found = adding.read_new(repository, str(root.parent / "new.csv"), Choices())
    made = adding.addition(repository, found, "new.csv", limit=None, agreed=False)
    assert train(root).equals(before)  # nothing is written before it is asked for
    assert counted(made.rows) == {ADDED: 40, SEALED: 2, KNOWN: 1, OTHER_VALUE: 1}
    assert found.set_aside == 1
    [said] = made.rows[made.rows["place"] == OTHER_VALUE].itertuples()
    assert "7.75" in said.reason
    assert "corrections.csv" in said.suggestion
    adding.write_addition(repository.layout, made)
    after = train(root)
    assert len(after) == len(before) + 40
    assert dict(zip(after["row_id"], after[TARGET], strict=True))[row_id] == label
    systems = set(map(chemical_system, pd.read_csv(root / "data" / "sealed_inputs.csv")["formula"]))
    assert not systems & set(map(chemical_system, after["formula"]))


def test_bytes_of_other_rows_and_ids_go_on(root):
    """What stood there stays to the byte, with its line ends; ids go on from the last one known."""
    path = root / "data" / "train.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").rstrip())
    commit(root, "Save with another program")
    before = path.read_bytes()
    made = add(root, new(root, fresh(3)))
    assert path.read_bytes().startswith(before + b"\r\n")
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n")
    assert list(train(root)["row_id"][-3:]) == ["t00091", "t00092", "t00093"]
    assert made.ids == ("t00091", "t00093")
    assert not leftovers(root / "data")


def test_an_id_that_main_has_is_not_given_again(root):
    """A row that is withdrawn here keeps its id on main, and nothing else gets it."""
    path = root / "data" / "train.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert add(root, new(root, fresh(1))).ids == ("t00091", "t00091")


def test_the_gate_accepts_the_change(root):
    """After an addition the data checks hold, compared with main."""
    add(root, new(root, fresh(40)))
    report = check_schema(read_repository(root))
    assert (report.failures, report.details.endswith("compared with main")) == ([], True)


def test_the_card_says_what_was_added(root):
    """Date, file, digest, ids and what was left out stand in the data card, a line an addition."""
    add(root, new(root, fresh(3)))
    add(root, new(root, fresh(5)))
    card = (root / "data" / "README.md").read_text()
    assert card.count("## Rows added since") == 1
    assert "| 3 | t00091 to t00093 | none |" in card
    assert "| 2 | t00094 to t00095 | 3 known.same-value |" in card


def test_too_many_rows_at_once_name_how_many(root):
    """Where the quartiles would move too far, the sentence has a number that then holds."""
    source = new(root, fresh(100, first=6.0))
    before = kept(root)
    with pytest.raises(CheckFailedError) as refused:
        add(root, source)
    assert (refused.value.code, kept(root)) == ("data.not-accepted", before)
    said = str(refused.value)
    limit = int(re.search(r"--limit (\d+)`", said)[1])
    assert "history.scale" in said
    assert 0 < limit < 100
    made = add(root, source, limit)
    assert counted(made.rows) == {ADDED: limit, LATER: 100 - limit}
    assert check_schema(read_repository(root)).failures == []
    git(root, "checkout", "--quiet", "data")
    with pytest.raises(CheckFailedError):  # the planted mistake: more than that at once
        add(root, source, limit + 20)


def test_labels_of_another_size_name_the_key(root):
    """Where new labels are of another size, a reviewer is named the key and a value that holds."""
    source = new(root, {formula: 90 + value for formula, value in fresh(12).items()})
    with pytest.raises(CheckFailedError) as refused:
        add(root, source)
    assert "history.new_scale" in str(refused.value)
    scale = float(re.search(r"data.maximum_scale = (\S+)", str(refused.value))[1])
    toml = (root / "assay.toml").read_text()
    assert "[data]" in toml
    (root / "assay.toml").write_text(toml.replace("[data]", f"[data]\nmaximum_scale = {scale}"))
    commit(root, "Allow it")
    assert counted(add(root, source).rows) == {ADDED: 12}


def test_nothing_new_is_said(root):
    """A table of known rows alone adds nothing, and says why of each."""
    before = kept(root)
    formulas = list(train(root)["formula"][:5])
    with told(RefusedError, 1, "no row goes to the train set", "placed.csv"):
        add(root, new(root, {formula: VALUES.get(formula, 1.0) for formula in formulas}))
    assert kept(root) == before
    assert (Layout(root).intake / "placed.csv").read_text().count("known.") == 5


@pytest.mark.parametrize(
    ("values", "name", "choices", "code"),
    [
        ({"RbO": 1.0}, "gap [K]", {"target": "gap [K]"}, "data.other-unit"),
        ({"RbO": 1.0}, "gap", {"target": "gap", "unit": "K"}, "data.other-unit"),
        ({"Xx": 1.0}, TARGET, {}, "intake.no-rows"),
    ],
)
def test_bad_tables_change_nothing(root, values, name, choices, code):
    """A table of another unit, or without one readable row, is refused as by `init`."""
    before = kept(root)
    with pytest.raises(UsageError) as refused:
        add(root, new(root, values, name), **choices)
    assert (refused.value.code, kept(root)) == (code, before)


def test_two_numbers_are_no_classes(root):
    """Rows that join numbers are numbers, though 0 and 1 alone would pass for classes."""
    assert counted(add(root, new(root, {"RbO": 1, "CsO": 0})).rows) == {ADDED: 2}


def test_without_main_it_says_so(root):
    """Where git knows no main the rows are added, and that nothing was compared is said."""
    git(root, "branch", "--move", "other")
    made = add(root, new(root, fresh(3)))
    assert not made.compared
    assert "not compared with main" in adding.addition_text(Layout(root), made)


def test_a_train_set_beyond_what_the_gate_reads_is_refused():
    """The limit of bytes, of rows and of quartiles each give the largest number that holds."""
    numbers = pd.Series(range(100), dtype=float).to_numpy()
    growth = Growth(
        settings(),
        numbers,
        numbers,
        numbers + 1000,
        numbers * 0 + 10,
        here=1900,
        on_main=100,
    )
    assert growth.most_by_size() == 10
    assert growth.most_by_growth() == 100
    most = growth.most_by_quartiles()
    assert 0 < most < 100


@pytest.mark.parametrize(
    ("classes", "expected", "codes"),
    [
        (("insulator", "metal"), "0 0 nan", ["class.unknown"]),
        (("not metal", "metal"), "0 0 0", []),
    ],
)
def test_rows_that_join_classes_are_of_these(classes, expected, codes):
    """One class alone joins as what it is, and a third label is a fault, never another class."""
    cells = ["Insulator", "insulator", "semimetal"]
    found = read_classes(cells, [2, 3, 4], "kind", classes[1], classes)
    assert " ".join(f"{value:g}" for value in vars(found)["values"]) == expected
    assert [fault.code for fault in found.faults] == codes


def test_the_verb_adds_what_the_dry_run_shows(root, monkeypatch):
    """A dry run prints where the rows go and leaves every file; the verb itself adds them."""
    monkeypatch.chdir(root)
    source, before = new(root, fresh(3)), kept(root)
    shown = CliRunner().invoke(app, ["data", "add", source, "--dry-run"])
    assert (shown.exit_code, kept(root)) == (0, before)
    done = CliRunner().invoke(app, ["data", "add", source])
    assert (done.exit_code, len(train(root))) == (0, 93)
    for said in (shown.output, done.output):
        assert "as t00091 to t00093" in said
