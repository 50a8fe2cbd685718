"""A verdict and a report go by checks of the code, data and settings as they are."""

import shutil
from pathlib import Path

import pytest

from assay.errors import RefusedError
from assay.layout import Handover, Layout
from assay.repository import read_repository
from assay.staleness import PARTS, changed_since_check, inputs_noted, require_current, told
from sealed import seal_labels
from toy import PACKAGE, add_checks, assay, commit

pytestmark = pytest.mark.usefixtures("laptop")


@pytest.fixture
def checked(toy: Path) -> Path:
    """The trained toy as `assay check` leaves it: each record with what it was made of."""
    seal_labels(Layout(toy))
    (toy / "tests").mkdir()
    (toy / "tests" / "helpers.py").write_text("SIZE = 1\n")
    repository = read_repository(toy)
    add_checks(repository.handover)
    for part in PARTS:
        with inputs_noted(repository, part):
            pass
    return toy


def changed(root: Path) -> list[str]:
    """What is said to have changed."""
    repository = read_repository(root)
    return changed_since_check(repository, repository.handover)


def append(path: Path, text: str) -> None:
    """Write something at the end of a file."""
    path.write_text((path.read_text() if path.exists() else "") + text)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (f"src/{PACKAGE}/model.py", "# other\n"),
        (f"src/{PACKAGE}/features.py", "ADDED = 1\n"),
        ("data/train.csv", "t09999,NaCl,-1\n"),
        ("data/pool.csv", "p09999,NaCl\n"),
        ("data/corrections.csv", "row_id\n"),
        ("assay.toml", "[split]\nseed = 7\n"),
        ("requirements.lock", "numpy==0\n"),
        ("tests/helpers.py", "SIZE = 2\n"),
    ],
)
def test_each_change_of_code_data_and_settings_is_named(checked, file, text):
    """Whatever decides about the checks is named once it changed, and is current again undone."""
    assert changed(checked) == []
    before = (checked / file).read_text() if (checked / file).exists() else None
    append(checked / file, text)
    assert changed(checked) == [file]
    if before is None:
        (checked / file).unlink()
    else:
        (checked / file).write_text(before)
    assert changed(checked) == []


def test_a_file_that_is_gone_is_named(checked):
    """A module that was deleted counts as a change."""
    (checked / "src" / PACKAGE / "__init__.py").unlink()
    assert changed(checked) == [f"src/{PACKAGE}/__init__.py"]


def test_what_decides_nothing_changes_nothing(checked):
    """Comments in assay.toml, caches, lists to predict, the data card and commits are no change."""
    append(checked / "assay.toml", "# a comment\n")
    for file in ("data/README.md", "data/candidates/few.csv", "src/toy.egg-info/PKG-INFO"):
        (checked / file).parent.mkdir(exist_ok=True)
        append(checked / file, "NaF\n")
    cache = checked / "src" / PACKAGE / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "model.pyc").write_bytes(b"0")
    commit(checked, "Change what decides nothing")
    assert changed(checked) == []


def test_records_of_elsewhere_are_never_out_of_date(checked, tmp_path):
    """The trusted half takes artifacts of another commit: of these nothing is said.

    Neither are records that were put in the place of this folder's own.
    """
    append(checked / f"src/{PACKAGE}/model.py", "# other\n")
    shutil.copytree(checked / "out", tmp_path / "handover")
    repository = read_repository(checked)
    assert changed_since_check(repository, Handover(tmp_path / "handover")) == []
    for part in (repository.handover.candidate, repository.handover.sanity):
        append(part, "\n")
    assert changed_since_check(repository, repository.handover) == []


def test_a_check_that_fails_to_run_notes_nothing(checked):
    """An error leaves no note of an earlier time that would vouch for an earlier record."""
    repository = read_repository(checked)
    with pytest.raises(ZeroDivisionError), inputs_noted(repository, "candidate"):
        raise ZeroDivisionError
    append(checked / f"src/{PACKAGE}/model.py", "# other\n")
    assert changed(checked) == [f"src/{PACKAGE}/model.py"]  # of sanity alone
    assert not (checked / "out" / "inputs" / "candidate.json").exists()


def test_score_and_report_refuse_and_say_so(checked):
    """Both end with 1 and the code, without a verdict; told otherwise they go on and name it."""
    append(checked / f"src/{PACKAGE}/model.py", "# other\n")
    for verb in ("score", "report"):
        refused = assay(checked, verb)
        assert (refused.returncode, "[handover.stale]" in refused.stderr) == (1, True)
        assert "assay check" in refused.stderr
    assert not Handover(checked / "out").verdict.exists()
    scored = assay(checked, "score", "--stale-ok")
    assert (scored.returncode, "model.py changed" in scored.stdout) == (0, True), scored.stderr
    assert assay(checked, "report", "--stale-ok").returncode == 0
    for file in ("comment.md", "index.html"):
        assert "Out of date" in (checked / "out" / "report" / file).read_text()
    for part in PARTS:
        with inputs_noted(read_repository(checked), part):
            pass
    assert assay(checked, "report").returncode == 0
    assert "Out of date" not in (checked / "out" / "report" / "comment.md").read_text()


def test_many_changes_are_counted():
    """The sentence stays short, however much changed."""
    assert told(["a"]) == "a changed"
    assert told(["a", "b"]) == "a and b changed"
    assert told(list("abcdef")) == "a, b, c and 3 further files changed"


def test_the_refusal_is_an_expected_error(checked):
    """`require_current` gives what changed only if that is allowed."""
    append(checked / "data/train.csv", "t09999,NaCl,-1\n")
    repository = read_repository(checked)
    with pytest.raises(RefusedError) as refused:
        require_current(repository, repository.handover, stale_ok=False)
    assert refused.value.code == "handover.stale"
    assert require_current(repository, repository.handover, stale_ok=True) == ["data/train.csv"]
