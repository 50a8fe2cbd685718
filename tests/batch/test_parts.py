"""A batch divided among machines is the batch that one machine makes."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.batch import jobs
from assay.batch.jobs import MAXIMUM, BatchOptions, Job, number_of_parts, part_of, prepare
from assay.batch.shards import divide
from assay.layout import Layout
from assay.repository import read_repository
from toy import assay, permission_of, pool_formulas, write_rows

pytestmark = pytest.mark.usefixtures("laptop")

SHARDS = ("--shard-rows", "10")


@given(st.integers(1, 10**6), st.integers(1, 5000), st.integers(1, 300))
def test_parts_are_all_shards_once_and_nearly_equal(rows, size, parts):
    """Whatever the sizes, parts in order are all shards, and differ by one shard at most."""
    shards = divide(rows, size)
    parts = min(parts, len(shards))
    made = [part_of(shards, number, parts) for number in range(1, parts + 1)]
    assert [shard for part in made for shard in part] == shards
    assert max(map(len, made)) - min(map(len, made)) <= 1
    assert all(made)


@pytest.mark.parametrize(
    ("rows", "shards", "rate", "seconds", "wanted"),
    [
        (1_000, 1, 10.0, 600.0, 1),
        (60_000, 3, 100.0, 600.0, 1),
        (60_001, 4, 100.0, 600.0, 2),
        (10**9, 50_000, 40_000.0, 600.0, 42),
        (10**9, 50_000, 400.0, 600.0, MAXIMUM),
        (40_000, 2, 0.1, 600.0, 2),
        (60, 6, 1e5, 0.0, 6),
    ],
)
def test_number_of_parts_follows_from_what_was_measured(rows, shards, rate, seconds, wanted):
    """As many as the time asks for, one shard each at least, and no more than a matrix has."""
    assert number_of_parts(rows, shards, rate, seconds) == wanted


def candidates_of(root: Path) -> Path:
    """A list of forty rows, some of them no formulas, and with formulas in a second column, too."""
    path, formulas = root / "list.csv", [*pool_formulas()[:37], "=cmd", "", "Xx"]
    write_rows(path, ["formula", "parent"], zip(formulas, reversed(formulas), strict=True))
    return path


def job_of(root: Path) -> Job:
    """The batch of that list in four shards."""
    options = BatchOptions(shard_rows=10)
    return prepare(read_repository(root), candidates_of(root), permission_of(root), options)


def files_of(root: Path) -> dict[str, bytes]:
    """The tables of the only batch."""
    (folder,) = (Layout(root).out / "batches").iterdir()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "batch.json"}


def outputs(path: Path) -> dict[str, str]:
    """What a step told the workflow."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_parts_on_machines_of_their_own_make_the_batch_of_one(certified, tmp_path):
    """Begun here, predicted in two copies, collected here: equal to the byte to one prediction."""
    path, parent = candidates_of(certified), ("--column", "parent")
    assert assay(certified, "predict", path.name, *parent).returncode == 0
    whole = files_of(certified)
    shutil.rmtree(Layout(certified).out / "batches")
    told = tmp_path / "told"
    begun = assay(
        certified,
        *("batch", "begin", path.name, "--minutes", "0", *SHARDS, *parent),
        GITHUB_OUTPUT=str(told),
    )
    assert begun.returncode == 0, begun.stderr
    said = outputs(told)
    assert json.loads(said["parts"]) == [1, 2, 3, 4]
    assert said["candidates"] == path.name
    commands = [line.split() for line in begun.stdout.splitlines() if line.startswith("  assay")]
    assert commands[1] == [
        "assay",
        "batch",
        "collect",
        path.name,
        "--model",
        said["model"],
        *parent,
    ]
    assert commands[0][:3] == ["assay", "batch", "part"]
    assert commands[0][-6:] == [*SHARDS, "--part", "1", "--parts", "4"]
    assert not (Layout(certified).out / "batches").exists()
    shutil.rmtree(Layout(certified).out / "shards")
    copies = [shutil.copytree(certified, tmp_path / f"machine{n}") for n in (1, 2)]
    for number in (1, 2, 3, 4):
        done = assay(
            copies[number % 2],
            *("batch", "part", said["candidates"], "--model", said["model"], *SHARDS, *parent),
            *("--part", str(number), "--parts", said["parts"]),
        )
        assert done.returncode == 0, done.stderr
    collect = ("batch", "collect", path.name, "--model", said["model"], *parent)
    for copy in copies[1:]:  # half of the parts is not enough
        shutil.copytree(copy / "out" / "shards", Layout(certified).out / "shards")
        short = assay(certified, *collect)
        assert short.returncode == 3
        assert "are in no whole shard" in short.stderr
    shutil.copytree(copies[0] / "out/shards", certified / "out/shards", dirs_exist_ok=True)
    done = assay(certified, *collect, "--note", "x")
    assert done.returncode == 0, done.stderr
    assert files_of(certified) == whole
    (record,) = (Layout(certified).out / "batches").glob("*/batch.json")
    assert json.loads(record.read_text())["note"] == "x"


def test_short_list_is_predicted_at_once(certified, tmp_path):
    """A list that takes no time is done where it is begun, and no part is asked for."""
    path, told = candidates_of(certified), tmp_path / "told"
    done = assay(certified, "batch", "begin", path.name, "--note", "why", GITHUB_OUTPUT=str(told))
    assert done.returncode == 0, done.stderr
    assert "37 rows predicted" in done.stdout
    assert outputs(told)["parts"] == "[]"
    assert set(files_of(certified)) >= {"predictions.parquet", "quarantine.csv"}


@pytest.mark.parametrize(
    ("part", "parts"),
    [("0", "2"), ("3", "2"), ("1", "9"), ("1", "many"), ("1", "1e400"), ("1", "true")],
)
def test_there_is_no_such_part(certified, part, parts):
    """A part out of range, more parts than shards, and a number that is none are wrong usage."""
    path = candidates_of(certified)
    done = assay(certified, "batch", "part", path.name, "--part", part, "--parts", parts, *SHARDS)
    assert done.returncode == 2
    assert "write" in done.stderr
    assert not (Layout(certified).out / "shards").exists()


def test_the_slowest_of_the_trials_decides(certified, monkeypatch):
    """A list whose end takes longer than its beginning is divided by what the end takes."""
    job = job_of(certified)
    monkeypatch.setattr(jobs, "TRIAL", 10)
    monkeypatch.setattr(jobs, "_seconds", lambda _, trial: 100.0 if trial.stop == 40 else 0.1)
    assert jobs.needed(job, 200.0) == 2
    assert jobs.needed(job, 400.0) == 1
    assert not job.batch.folder.exists(), "nothing is left of the trials"


@pytest.mark.parametrize(("seconds", "wanted"), [(1e9, 1), (0.0, 4)])
def test_what_was_misjudged_is_broken_off(certified, monkeypatch, seconds, wanted):
    """Where trials promised one part and it takes over twice the time, the parts are counted."""
    job = job_of(certified)
    monkeypatch.setattr(jobs, "needed", lambda *_: 1)
    assert jobs.begun(job, seconds) == wanted
    assert len(list(job.batch.folder.glob("*/shard.json"))) == (4 if wanted == 1 else 1)


def test_batch_that_is_made_is_not_begun_again(certified, tmp_path):
    """What lies there whole is told at once, however little time a part may take."""
    path, told = candidates_of(certified), tmp_path / "told"
    assert assay(certified, "predict", path.name).returncode == 0
    again = ("--minutes", "0", *SHARDS)
    done = assay(certified, "batch", "begin", path.name, *again, GITHUB_OUTPUT=str(told))
    assert done.returncode == 0, done.stderr
    assert outputs(told)["parts"] == "[]"


def test_list_whose_name_could_tell_the_workflow_more_is_refused(certified, tmp_path):
    """A line end in a path would add an output of the list's own choosing."""
    path = candidates_of(certified).rename(certified / "a\nmodel=0")
    told = tmp_path / "told"
    done = assay(certified, "batch", "begin", path.name, GITHUB_OUTPUT=str(told))
    assert done.returncode == 2
    assert "github.bad-output" in done.stderr
    assert "model" not in outputs(told) or outputs(told)["model"] != "0"
