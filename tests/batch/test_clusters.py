"""A batch by the workers of a cluster: the same bytes, whoever of them dies."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from test_jobs import candidates_of, files_of, predict

from assay.batch.records import BatchRecord
from assay.errors import UsageError
from assay.layout import Layout
from dask_machines import QUIET, wait_for
from sentences import told
from toy import ROOT, environment, spoken

pytestmark = pytest.mark.usefixtures("laptop")

ROWS = 60


@pytest.fixture(name="whole")
def made_by_one_process(certified) -> dict[str, bytes]:
    """The tables as one process makes them, which are then taken away."""
    whole = files_of(certified, predict(certified, candidates_of(certified, ROWS)))
    shutil.rmtree(Layout(certified).out / "batches")
    return whole


def started(root: Path, scheduler: object, *options: str, **variables: str) -> subprocess.Popen:
    """`assay predict` with a scheduler, under way."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "assay", "predict", str(root / "list.csv"), "--json"),
            *("--scheduler", str(scheduler), *(options or ("--shard-rows", "5"))),
        ],
        cwd=root,
        env=environment(**QUIET, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(root: Path, process: subprocess.Popen) -> tuple[dict[str, bytes], str]:
    """The tables of a start that ended well, and what it said."""
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return files_of(root, BatchRecord.model_validate(json.loads(printed))), said


def shards_of(root: Path) -> list[Path]:
    """The shards that lie there."""
    return list((Layout(root).out / "shards").glob("*/*/shard.json"))


def test_cluster_makes_the_same_bytes(certified, whole, machines):
    """Two workers that stand elsewhere write what one process writes, and leave nothing else."""
    _, address = machines.scheduler()
    workers = [machines.worker(address) for _ in range(2)]
    made, said = ended(certified, started(certified, address))
    assert made == whole
    assert len(spoken(said)) == 1, "the model's own sentence"
    assert list((Layout(certified).out / "shards").iterdir()) == []
    assert all(worker.poll() is None for worker in workers)


def test_killed_worker_loses_nothing(certified, whole, machines):
    """What a killed worker had in hand, the model and list with it, the next one does."""
    _, address = machines.scheduler()
    first = machines.worker(address)
    process = started(certified, address, "--shard-rows", "1")
    wait_for(lambda: shards_of(certified), process)
    first.kill()
    machines.worker(address)
    made, _ = ended(certified, process)
    assert made == whole


def test_killed_scheduler_is_told_and_a_second_start_does_the_rest(certified, whole, machines):
    """Exit code 3 and one sentence; what was done stays, and only the rest is predicted."""
    scheduler, address = machines.scheduler()
    machines.worker(address)
    process = started(certified, address, "--shard-rows", "1")
    wait_for(lambda: shards_of(certified), process)
    scheduler.kill()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    (sentence,) = spoken(said)
    assert f"{address} was lost" in sentence
    assert sentence.endswith("which keeps finished shards. [cluster.scheduler-lost]")
    done = len(shards_of(certified))
    assert 1 <= done < ROWS
    _, address = machines.scheduler()
    machines.worker(address)
    made, said = ended(certified, started(certified, address, "--shard-rows", "1"))
    assert made == whole
    assert f"{done} of {ROWS} rows are there already" in said


def test_interrupt_says_how_to_go_on_and_leaves_the_cluster_to_others(certified, whole, machines):
    """Ctrl-C ends in one sentence; scheduler and worker live on, and are not kept busy."""
    scheduler, address = machines.scheduler()
    worker = machines.worker(address)
    process = started(certified, address, "--shard-rows", "1")
    wait_for(lambda: shards_of(certified), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said == "assay: stopped; the same command goes on where it was.\n"
    assert (scheduler.poll(), worker.poll()) == (None, None)
    assert not list((Layout(certified).out / "shards").glob("*/.start-*"))
    made, _ = ended(certified, started(certified, address, "--shard-rows", "1"))
    assert made == whole


def other_machinery(root: Path, folder: Path) -> dict[str, str]:
    """A worker whose assay differs in a comment."""
    shutil.copytree(ROOT / "src" / "assay", folder / "assay")
    with (folder / "assay" / "texts.py").open("a") as stream:
        stream.write("# other\n")
    return {"PYTHONPATH": str(folder)}


def test_worker_of_another_version_is_refused(certified, whole, machines, tmp_path):
    """A worker with other code writes no shard, and the sentence says so."""
    _, address = machines.scheduler()
    machines.worker(address, **other_machinery(certified, tmp_path / "other"))
    process = started(certified, address)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert len(spoken(said)) == 1
    assert "has another version of assay" in said
    assert shards_of(certified) == []


def no_machinery(folder: Path) -> dict[str, str]:
    """A worker of a Python in which assay is not installed."""
    (folder / "assay").mkdir(parents=True)
    says = "raise ModuleNotFoundError(\"No module named 'assay'\")\n"
    (folder / "assay" / "__init__.py").write_text(says)
    return {"PYTHONPATH": str(folder)}


def test_worker_without_assay_is_refused(certified, whole, machines, tmp_path):
    """Where assay cannot be imported at all, the sentence names the python to start."""
    _, address = machines.scheduler()
    machines.worker(address, **no_machinery(tmp_path / "none"))
    process = started(certified, address)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert len(spoken(said)) == 1
    assert "No module named 'assay'" in said
    assert sys.executable in said


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_wrong_address_is_told(certified, whole, monkeypatch):
    """Where nobody listens, one sentence names the address; nothing is left behind."""
    address = f"tcp://127.0.0.1:{free_port()}"
    process = started(certified, address)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert len(spoken(said)) == 1
    assert address in said
    assert "cannot be reached" in said
    assert not list((Layout(certified).out / "shards").glob("*/*"))


@pytest.mark.parametrize("scheduler", ["slurm", "inproc://1:2", "tcp://host", "ftp://host:1", ""])
def test_no_address_is_a_wrong_usage(certified, scheduler):
    """What is neither an address nor a file is told before anything is read."""
    with told(UsageError, 2, "--scheduler is", "tcp://host:8786", "slurm.yaml", "local"):
        predict(certified, certified / "none.csv", scheduler=scheduler)


@pytest.mark.nightly("twelve kills at random; two tests above kill a worker and a scheduler once")
@pytest.mark.slow
def test_kills_on_a_cluster_lose_and_double_no_row(certified):
    """Workers, schedulers and starts killed at random: the undisturbed tables, or exit code 3."""
    path, kills = candidates_of(certified, ROWS), os.environ.get("KILLS", "12")
    script = Path(__file__).with_name("killing_clusters.py")
    done = subprocess.run(
        [sys.executable, script, certified, path, kills, "0"],
        env=environment(**QUIET, OPENBLAS_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=max(1800, 4 * int(kills)),
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["worker"] + said["scheduler"] + said["start"] >= int(kills)
    assert min(said["worker"], said["scheduler"] + said["start"]) >= 1
    assert said["ended"] >= 1
    assert (said["differ"], said["left"]) == (0, 0)
