"""Sealed inputs, their labels and the pool: what is gone or altered is red before a model is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.layout import Layout
from assay.sealing.labels import open_sealed, sealed_digest
from assay.sealing.releases import write_release
from schema_samples import SEALED, check, commit, edit, found, only, write
from sealed import seal_labels

Lines = Callable[[list[str]], None]


@pytest.fixture
def sealed(sound: Path) -> Path:
    """A sound repository whose labels are sealed, as main has it."""
    relabel(sound)
    (sound / ".gitignore").write_text("/.assay/\n/out/\n")
    commit(sound)
    return sound


def relabel(root: Path, label: str = "-1.5") -> None:
    """Seal labels for the sealed inputs as they are."""
    layout = Layout(root)
    layout.sealed_labels.unlink(missing_ok=True)
    (layout.keys / "sealing.key").unlink(missing_ok=True)
    ids = [line.split(",")[0] for line in layout.sealed_inputs.read_text().splitlines()[1:]]
    write(layout.open_labels, "row_id,y", [f"{name},{label}" for name in ids])
    seal_labels(layout)


def swapped(lines: list[str]) -> None:
    """Exchange two rows."""
    lines[1], lines[2] = lines[2], lines[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines.pop(), "1 row missing, of 30 on main"),
        (lambda lines: lines.__delitem__(slice(4, 9)), "5 rows missing"),
        (lambda lines: lines.append("s90000,MgO"), "1 row added"),
        (lambda lines: lines.__setitem__(3, "s00003,MgO"), "1 row altered"),
        (lambda lines: lines.__setitem__(3, "s90003,LiN"), "1 row missing, 1 row added"),
        (swapped, "another order"),
        (lambda lines: lines.__setitem__(0, '"row_id",formula'), "bytes"),
    ],
)
def test_any_other_sealed_inputs_are_red_at_once(sealed: Path, change: Lines, words: str) -> None:
    """The rule says how many rows went, came or changed, and how to have the file again."""
    assert not found(check(sealed), "kept.inputs")
    edit(sealed, "sealed_inputs.csv", change)
    finding = only(check(sealed), "kept.inputs")
    assert (finding.file, finding.severity) == ("data/sealed_inputs.csv", "failure")
    assert words in finding.message
    assert "git checkout main -- data/sealed_inputs.csv" in finding.message


def test_without_main_the_seal_itself_tells(sound: Path) -> None:
    """A row that was deleted is noticed by the digest in the sealed file's header."""
    relabel(sound)
    assert not found(check(sound), "kept.inputs")
    edit(sound, "sealed_inputs.csv", lambda lines: lines.pop())
    assert only(check(sound), "kept.inputs").severity == "failure"


def test_sealed_labels_change_with_a_key_or_after_a_retirement_alone(sealed: Path) -> None:
    """Other labels under the same inputs are red; a fresh set after a retired one is none."""
    opened = open_sealed(Layout(sealed))[0]
    relabel(sealed, "-2.5")
    assert (
        "git checkout main -- data/sealed_labels.bin" in only(check(sealed), "kept.labels").message
    )
    write(
        Layout(sealed).sealed_inputs,
        "row_id,formula",
        [f"s{n:05d},{formula}" for n, formula in enumerate(SEALED[:-1], start=101)],
    )
    relabel(sealed)
    assert only(check(sealed), "kept.labels").severity == "failure"
    assert not found(check(sealed), "kept.inputs")
    fresh = {path: path.read_bytes() for path in (sealed / "data").glob("sealed_*")}
    mains(sealed)
    digest = sealed_digest(Layout(sealed))
    for path, content in fresh.items():
        path.write_bytes(content)
    write_release(Layout(sealed), digest, open_sealed(Layout(sealed))[0], "")
    assert only(check(sealed), "kept.labels").severity == "failure"  # labels that main never had
    write_release(Layout(sealed), digest, opened, "")
    assert not found(check(sealed), "kept.labels")


def test_made_up_labels_end_no_sealed_set(sealed: Path) -> None:
    """A file where a retired set's labels belong is red unless it is what was committed to."""
    layout = Layout(sealed)
    digest, opened = sealed_digest(layout), open_sealed(layout)[0]
    folder = layout.retired / digest[:12]
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text("row_id,formula,y\n")
    assert only(check(sealed), "kept.labels").severity == "failure"
    write_release(layout, digest, opened, "")
    assert not found(check(sealed), "kept.labels")


def mains(root: Path) -> None:
    """Take the sealed inputs back from main."""
    from toy import git

    git(root, "checkout", "--quiet", "main", "--", "data/sealed_inputs.csv")


def test_a_missing_or_damaged_sealed_file_is_red(sealed: Path) -> None:
    """Without it nothing could be scored."""
    Layout(sealed).sealed_labels.write_bytes(b"{}")
    assert only(check(sealed), "kept.labels").severity == "failure"
    Layout(sealed).sealed_labels.unlink()
    assert "missing" in only(check(sealed), "kept.labels").message


def test_a_new_key_for_the_same_labels_is_no_change(sealed: Path) -> None:
    """What `assay seal rotate` writes has the same commitment."""
    from assay.sealing.rotation import rotate

    before = Layout(sealed).sealed_labels.read_bytes()
    rotate(Layout(sealed))
    assert Layout(sealed).sealed_labels.read_bytes() != before
    assert not found(check(sealed), "kept.labels")


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (lambda lines: lines.append("p00003,MgO"), "warning"),
        (lambda lines: lines.pop(), "failure"),
        (lambda lines: lines.__setitem__(1, "p00001,MgO"), "failure"),
        (swapped, "failure"),
        (lambda lines: lines.__setitem__(0, '"row_id",formula'), "failure"),
    ],
)
def test_the_pool_may_grow_and_loses_nothing(sealed: Path, change: Lines, severity: str) -> None:
    """Rows that are added are a warning; rows that go, change or move are red."""
    assert not found(check(sealed), "kept.pool")
    edit(sealed, "pool.csv", change)
    finding = only(check(sealed), "kept.pool")
    assert finding.severity == severity
    assert "git checkout main -- data/pool.csv" in finding.message


def test_a_pool_that_grows_keeps_the_groups_of_its_rows(sealed: Path) -> None:
    """A cell that is altered is red whatever is added, although ids and formulas are main's."""
    edit(sealed, "pool.csv", lambda lines: lines.__setitem__(slice(None), grouped(lines)))
    commit(sealed)
    edit(sealed, "pool.csv", lambda lines: lines.append("p90000,MgO,MgO"))
    assert only(check(sealed), "kept.pool").severity == "warning"
    edit(sealed, "pool.csv", lambda lines: lines.__setitem__(1, f"{lines[1]}2"))
    assert only(check(sealed), "kept.pool").severity == "failure"


def grouped(lines: list[str]) -> list[str]:
    """The lines with a further column."""
    return [lines[0] + ",group", *(f"{line},{line.split(',')[1]}" for line in lines[1:])]


def test_open_labels_are_mains_until_they_are_sealed(sound: Path) -> None:
    """An altered or deleted label is red, and sealing them is not."""
    path = Layout(sound).open_labels
    lines = [f"s{n:05d},{-n / 10}" for n in range(1, len(SEALED) + 1)]
    write(path, "row_id,y", lines)
    (sound / ".gitignore").write_text("/.assay/\n/out/\n")
    commit(sound)
    assert not found(check(sound), "kept.labels")
    write(path, "row_id,y", [*lines[:-1], "s00030,0.5"])
    assert "sealed_labels.csv" in only(check(sound), "kept.labels").message
    path.unlink()
    assert "missing" in only(check(sound), "kept.labels").message
    write(path, "row_id,y", lines)
    seal_labels(Layout(sound))
    assert not found(check(sound), "kept.labels")


def test_another_certificate_key_is_named(sealed: Path) -> None:
    """A public key that main does not have is red; a first one is none of this rule's business."""
    key = Layout(sealed).public_key
    key.write_text("one")
    assert not found(check(sealed), "kept.key")
    commit(sealed)
    key.write_text("another")
    assert "certificate.pub" in only(check(sealed), "kept.key").message
