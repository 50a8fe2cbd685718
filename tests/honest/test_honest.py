"""The honest changes themselves: that each changes something, and that the page is the record's."""

import csv
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from gauntlet.base import TEMPLATE, git
from gauntlet.cases import TRAIN, rows_of, write_rows
from honest.changes import Change, all_changes
from honest.edits import PACKAGE
from honest.example import HELD_BACK
from honest.verdicts_page import BEGIN, END, PAGE, RECORD, page, read

SOURCE = TEMPLATE / "<<cookiecutter.project>>"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's files as a repository has them, with the last rows held back."""
    root = tmp_path_factory.mktemp("honest") / "example"
    shutil.copytree(SOURCE, root)
    (package,) = (root / "src").iterdir()
    package.rename(root / "src" / PACKAGE)
    settings = root / "assay.toml"
    settings.write_text(settings.read_text().replace("examples = 25", "examples = 3"))
    rows = rows_of(root, TRAIN)
    write_rows(root, TRAIN, rows[:-40])
    git(root.parent, "init", "--quiet", str(root))
    with (root / ".git" / HELD_BACK).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[-40:])
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    return root


def test_there_are_a_hundred_of_many_kinds():
    """Names are unique, no kind has most of them, and each says what it is."""
    changes = all_changes()
    kinds = Counter(change.kind for change in changes)
    assert len({change.name for change in changes}) == len(changes) >= 100
    assert len(kinds) >= 15
    assert max(kinds.values()) <= len(changes) / 5
    assert all(change.sentence.endswith(".") for change in changes)


@pytest.mark.parametrize("change", all_changes(), ids=lambda change: change.name)
def test_each_changes_what_it_says(example: Path, change: Change):
    """Every change alters files, and one of a row alters one line of the train set."""
    try:
        change.apply(example)
        git(example, "add", "--all")
        told = git(example, "diff", "--cached", "--numstat")
    finally:
        git(example, "reset", "--quiet", "--hard")
        git(example, "clean", "--quiet", "-d", "--force")
    assert bool(told) == (change.name != "nothing")
    if re.fullmatch("one row .*|one label .*|a row .*", change.kind):
        added, gone, name = told.split()
        assert name == f"data/{TRAIN}"
        assert {added, gone} <= {"0", "1"}


def test_the_page_is_made_from_the_record():
    """docs/appendix/honest.md shows what the record says of every change that there still is."""
    kept = read(RECORD)
    text = PAGE.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == page(kept)
    assert {one["name"] for one in kept} <= {change.name for change in all_changes()}


def test_no_change_of_one_row_is_punished():
    """In the record every change of one row passes, and no honest change fails."""
    kept = read(RECORD)
    assert [one["name"] for one in kept if one["ended"] == "FAIL"] == []
    rows = [one for one in kept if one["kind"] in {"one row removed", "one row added"}]
    assert {one["ended"] for one in rows} <= {"PASS without labels", "PASS"}
