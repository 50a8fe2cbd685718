"""A batch goes on where it was broken off, and is the same however it was cut up and by whom."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.batch import collection, shards
from assay.batch.authorization import authorize, without_certificate
from assay.batch.jobs import BatchOptions, plan, predict_batch
from assay.batch.lists import open_list
from assay.batch.records import BatchRecord
from assay.batch.shards import Batch, Shard, divide, finished, predict_shard
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.machinery import machinery_digest
from assay.model.loading import PRIVATE
from assay.repository import read_repository
from sentences import told
from toy import environment, pool_formulas, write_rows

pytestmark = pytest.mark.usefixtures("laptop")

ROWS = 40


def candidates_of(root: Path, rows: int = ROWS) -> Path:
    """A list of formulas, some of them none."""
    path = root / "list.csv"
    formulas = [*pool_formulas()[: rows - 3], "=cmd", "", "Xx"]
    write_rows(path, ["tag", "formula"], [(f"-{n}", text) for n, text in enumerate(formulas)])
    return path


def predict(root: Path, path: Path, **options: object) -> BatchRecord:
    """Predict by the toy's certified model."""
    handover = Handover(Layout(root).out)
    permission = authorize(read_repository(root), handover.bundle, handover.certificate)
    return predict_batch(read_repository(root), path, permission, BatchOptions(**options))


def planned(root: Path, path: Path) -> Batch:
    """The same batch, not yet predicted."""
    handover = Handover(Layout(root).out)
    permission = authorize(read_repository(root), handover.bundle, handover.certificate)
    return plan(read_repository(root), open_list(path), permission, BatchOptions())


def files_of(root: Path, record: BatchRecord) -> dict[str, bytes]:
    """The tables of a batch by name."""
    folder = Layout(root).out / "batches" / record.folder
    return {name: (folder / name).read_bytes() for name in record.files}


@pytest.mark.parametrize("scheduler", [None, "local"])
def test_tables_do_not_tell_how_they_were_cut_up(certified, monkeypatch, scheduler):
    """Shards of any size, here or side by side, with groups across them: equal files."""
    monkeypatch.setattr(collection, "GROUP", 9)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    path = candidates_of(certified)
    whole = files_of(certified, predict(certified, path))
    assert len(whole) == 3
    shutil.rmtree(Layout(certified).out / "batches")
    record = predict(certified, path, scheduler=scheduler, shard_rows=7)
    assert files_of(certified, record) == whole
    assert (record.rows, record.predicted, record.quarantined) == (ROWS, ROWS - 3, 3)


def test_note_is_kept_and_a_story_is_not(certified):
    """What is said of a batch stands in its record, whatever it holds; too long is wrong usage."""
    path = candidates_of(certified)
    note = 'for "Tuesday"\n::error::x | \u202e'
    assert predict(certified, path, note=note).note == note
    for amiss, sentence in (("x" * 1001, "--note has 1,001 characters"), ("\udc80", "no text")):
        with pytest.raises(UsageError, match=sentence):
            predict(certified, path, note=amiss)


def test_what_a_killed_start_left_under_a_temporary_name_is_no_shard(certified):
    """A shard whose record was written, but not its name, neither counts nor stands in the way."""
    path = candidates_of(certified)
    batch = planned(certified, path)
    first = Shard(0, 10)
    predict_shard(batch, first)
    place = batch.place(first)
    shutil.copytree(place, place.with_name(f".{place.name}.abcd"))
    assert predict(certified, path, shard_rows=10).rows == ROWS
    shutil.rmtree(Layout(certified).out / "batches")
    predict_shard(batch, first)
    place.rename(place.with_name(f".{place.name}.abcd"))
    with pytest.raises(NotCarriedOutError, match="rows 1 to 40 of 40 are in no whole shard"):
        collection.shards_in(batch)


def test_what_is_done_is_not_done_again(certified, monkeypatch):
    """Of four shards the one that is there, and whole, is taken; the damaged one is made again."""
    path = candidates_of(certified)
    batch = planned(certified, path)
    first, second, *_ = divide(ROWS, 10)
    predict_shard(batch, first)
    predict_shard(batch, second)
    table = batch.place(second) / "predictions.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    assert finished(batch, first)
    assert finished(batch, second) is None
    made = []
    monkeypatch.setattr(
        "assay.batch.workers.predict_shard",
        lambda batch, shard: made.append(shard.start) or predict_shard(batch, shard),
    )
    record = predict(certified, path, shard_rows=10)
    assert made == [10, 20, 30]
    assert record.rows == ROWS
    assert not batch.folder.exists()
    made.clear()
    assert predict(certified, path, shard_rows=10) == record
    assert made == []


def test_whole_batch_that_was_altered_is_made_again(certified):
    """A second start does not take a table whose bytes changed."""
    path = candidates_of(certified)
    record = predict(certified, path)
    before = files_of(certified, record)
    table = Layout(certified).out / "batches" / record.folder / "predictions.csv"
    table.write_text(table.read_text().replace("eV/atom", "kJ/mol"))
    assert files_of(certified, predict(certified, path)) == before


def test_all_that_rows_follow_from_is_in_a_shards_name(certified):
    """Another range, model, list, column, machinery or kind of file is another shard."""
    batch = planned(certified, candidates_of(certified))
    places = {batch.place(Shard(0, 5)), batch.place(Shard(0, 6))}
    for key, value in (
        ("bundle_digest", "0" * 64),
        ("certified", False),
        ("candidates_digest", "0" * 64),
        ("column", "another"),
        ("machinery", "0" * 64),
        ("with_csv", False),
    ):
        recipe = batch.recipe.model_copy(update={key: value})
        places.add(replace(batch, recipe=recipe).place(Shard(0, 5)))
    assert len(places) == 8
    assert batch.recipe.machinery == machinery_digest()


def gap(batch: Batch) -> None:
    """Take a shard out."""
    shutil.rmtree(batch.place(Shard(10, 20)))


def overlap(batch: Batch) -> None:
    """Predict some rows twice."""
    predict_shard(batch, Shard(15, 25))


def foreign(batch: Batch) -> None:
    """Put a shard of another model there."""
    path = batch.place(Shard(10, 20)) / "shard.json"
    record = json.loads(path.read_text())
    record["recipe"]["certified"] = False
    path.write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("amiss", "kind", "parts"),
    [
        (gap, NotCarriedOutError, ["rows 11 to 20 of 40", "predict what is missing"]),
        (overlap, RefusedError, ["rows 16 to 20 of 40", "more than one", "take one out"]),
        (foreign, RefusedError, ["another batch", "certified is False, not True", "take it out"]),
    ],
)
def test_shards_that_are_not_just_the_list_are_refused(certified, amiss, kind, parts):
    """A gap, an overlap and a stranger are each told as what they are."""
    batch = planned(certified, candidates_of(certified))
    for shard in divide(ROWS, 10):
        predict_shard(batch, shard)
    assert len(collection.shards_in(batch)) == 4
    amiss(batch)
    with told(kind, kind.exit_code, *parts):
        collection.shards_in(batch)


@pytest.mark.parametrize("files", [{}, {"quarantine.csv": None}])
def test_shard_that_names_too_few_files_is_not_whole(certified, files):
    """A record that vouches for nothing counts as missing, and the shard is made again."""
    batch, shard = planned(certified, candidates_of(certified)), Shard(0, 10)
    predict_shard(batch, shard)
    path = batch.place(shard) / "shard.json"
    record = json.loads(path.read_text())
    kept = {name: record["files"][name] for name in files}
    path.write_text(json.dumps(record | {"files": kept}))
    assert finished(batch, shard) is None


def test_shard_with_other_rows_than_it_noted_is_not_joined(certified, tmp_path):
    """A table that lost a row, with a record of its digest to match, is told of and left out."""
    batch = planned(certified, candidates_of(certified))
    for shard in divide(ROWS, 20):
        predict_shard(batch, shard)
    folder = batch.place(Shard(0, 20))
    table = folder / "predictions.parquet"
    pq.write_table(pq.read_table(table)[1:], table)
    record = json.loads((folder / "shard.json").read_text())
    record["files"][table.name] = digest_file(table)
    (folder / "shard.json").write_text(json.dumps(record))
    with told(NotCarriedOutError, 3, "has 19 rows, not the 20", "delete the folder"):
        collection.join(batch, collection.shards_in(batch), tmp_path)


def test_list_that_changes_meanwhile_is_refused(certified, monkeypatch):
    """What is predicted is what was digested, or nothing is written."""
    path = candidates_of(certified)
    changed = []

    def change(batch: Batch, shard: Shard):
        record = predict_shard(batch, shard)
        if not changed:
            changed.append(path.write_text(path.read_text().replace("-39", "-40")))
        return record

    monkeypatch.setattr("assay.batch.workers.predict_shard", change)
    with told(RefusedError, 1, "list.csv", "changed while it was predicted", "run the same"):
        predict(certified, path, shard_rows=10)
    assert not (Layout(certified).out / "batches").exists()


def test_full_disk_is_not_carried_out_and_leaves_what_is_done(certified, monkeypatch):
    """Exit code 3 and room asked for; the shard before stays, of the one at fault nothing."""
    path = candidates_of(certified)
    batch = planned(certified, path)
    predict_shard(batch, Shard(0, 10))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards, "digests", full)
    with told(NotCarriedOutError, 3, "rows 11 to 20", "No space left", "make room"):
        predict_shard(batch, Shard(10, 20))
    assert [place.name for place in batch.folder.iterdir()] == [batch.place(Shard(0, 10)).name]


@pytest.mark.parametrize(("option", "value"), [("scheduler", "slurm"), ("shard_rows", 0)])
def test_unknown_ways_are_a_wrong_usage(certified, option, value):
    """The sentence names the option and what it may be."""
    with told(UsageError, 2, f"--{option.replace('_', '-')} is", "write"):
        predict(certified, candidates_of(certified), **{option: value})


def test_uncertified_batch_says_so_in_its_shards_place(toy):
    """Shards of an unproven model never lie where a certified one would look for its own."""
    bundle = Handover(Layout(toy).out).bundle
    listed, permission = open_list(candidates_of(toy)), without_certificate(bundle)
    batch = plan(read_repository(toy), listed, permission, BatchOptions())
    assert batch.folder.name.endswith("-uncertified")
    assert batch.recipe.model_id.startswith("uncertified-")


def test_worker_that_is_killed_is_not_carried_out_and_another_start_ends_it(certified):
    """SIGKILL to a process that predicts: one sentence, exit code 3, and no row is lost."""
    path = candidates_of(certified, 300)
    whole = files_of(certified, predict(certified, path))
    shutil.rmtree(Layout(certified).out / "batches")
    command = [sys.executable, "-m", "assay", "predict", str(path), "--scheduler", "local"]
    command += ["--shard-rows", "1"]
    with subprocess.Popen(
        command, cwd=certified, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        workers = wait_for_shards(Layout(certified).out / "shards", process)
        os.kill(workers[0], signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 3, said
    assert "batch.process-ended" in said
    assert len(list((Layout(certified).out / "shards").glob("*/*/shard.json"))) >= 1
    assert files_of(certified, predict(certified, path, shard_rows=1)) == whole


@pytest.mark.parametrize(
    "end",
    [
        signal.SIGKILL,
        pytest.param(
            signal.SIGTERM,
            marks=pytest.mark.nightly("test_processes.py ends a smaller process so"),
        ),
    ],
)
def test_workers_and_their_files_end_with_the_process_that_was_ended(certified, tmp_path, end):
    """Nobody goes on predicting, or waits for ever, and no copy of a model is left behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "assay", "predict", str(candidates_of(certified, 300))]
    command += ["--scheduler", "local", "--shard-rows", "1"]
    variables = environment(TMPDIR=str(temporary))
    with subprocess.Popen(
        command, cwd=certified, env=variables, stderr=subprocess.PIPE, text=True
    ) as process:
        workers = wait_for_shards(Layout(certified).out / "shards", process)
        assert workers
        assert len(list(temporary.glob(f"{PRIVATE}*"))) >= 1, "or this shows nothing"
        process.send_signal(end)
    latest = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").is_dir() for worker in workers):
        assert time.monotonic() < latest
        time.sleep(0.05)
    left = [path.name for path in temporary.iterdir()]
    assert [name for name in left if end == signal.SIGTERM or name.startswith(PRIVATE)] == []


@pytest.mark.parametrize(
    "scheduler",
    [
        [],
        pytest.param(
            ["--scheduler", "local"],
            marks=pytest.mark.nightly("workers are killed by two more tests on every push"),
        ),
    ],
)
def test_interrupt_says_how_to_go_on(certified, scheduler):
    """Ctrl-C, which a terminal sends to all processes, ends with one sentence; the rest is kept."""
    command = [sys.executable, "-m", "assay", "predict", str(candidates_of(certified, 300))]
    with subprocess.Popen(
        [*command, "--shard-rows", "1", *scheduler],
        cwd=certified,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_for_shards(Layout(certified).out / "shards", process)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "assay: stopped; the same command goes on where it was."
    assert "Traceback" not in said
    done = len(list((Layout(certified).out / "shards").glob("*/*/shard.json")))
    assert 1 <= done < 300
    again = subprocess.run(
        [*command, "--shard-rows", "1"],
        cwd=certified,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{done:,} of 300 rows are there already" in again.stderr


def wait_for_shards(folder: Path, process: subprocess.Popen) -> list[int]:
    """Wait until a shard is done; gives the processes that predict."""
    end = time.monotonic() + 60
    while not list(folder.glob("*/*/shard.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
    return [int(child) for child, command in commands.items() if "spawn_main" in command]


@pytest.mark.nightly("forty kills; test_worker_that_is_killed_is_not_carried_out makes one")
@pytest.mark.slow
def test_kills_lose_and_double_no_row(certified):
    """Starts killed at random moments, in any phase, end in the tables of an undisturbed one."""
    path, kills = candidates_of(certified, 60), os.environ.get("KILLS", "40")
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, script, certified, path, kills, "0"],
        env=environment(OPENBLAS_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=max(900, 2 * int(kills)),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["killed"] >= int(kills)
    assert told["ended"] >= 2
    assert (told["differ"], told["left"]) == (0, 0)
