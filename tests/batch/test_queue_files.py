"""Files of queueing systems: what they may say, and the sentence for everything else."""

import pytest
from test_jobs import predict

from assay.batch.queues import read_queue
from assay.errors import UsageError
from dask_machines import queue_file
from sentences import told
from toy import TEMPLATE

pytestmark = pytest.mark.usefixtures("laptop")

OPTIONS = {"cores": 2, "memory": "2 GB"}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"jobqueue": {}}, ["name one of slurm, pbs"]),
        ({"jobqueue": {"slurm": OPTIONS, "pbs": OPTIONS}}, ["name one of"]),
        ({"jobqueue": {"sulrm": OPTIONS}}, ["name one of"]),
        ({"jobqueue": {"slurm": None}}, ["keys below jobqueue.slurm"]),
        ({"jobqueue": {"slurm": OPTIONS | {"wall": 1}}}, ["unknown key 'wall'", "walltime"]),
        ({"jobqueue": {"slurm": OPTIONS | {"walltime": 7200}}}, ["walltime in quotes"]),
        ({"jobqueue": {"slurm": OPTIONS | {"cores": "2"}}}, ["jobqueue.slurm.cores"]),
        ({"jobqueue": {"slurm": OPTIONS | {"processes": 3}}}, ["more jobqueue.slurm.processes"]),
        ({"jobqueue": {"slurm": {"cores": 2}}}, ["jobqueue.slurm.memory in quotes"]),
        ({"assay": {"jobs": 0}}, ["one key below assay, jobs"]),
        ({"assay": {"jobs": True}}, ["one key below assay, jobs"]),
        ({"assay": {"jobs": 2, "job": 2}}, ["one key below assay, jobs"]),
        ({"distributed": {}}, ["the keys jobqueue and assay, and no other"]),
    ],
)
def test_wrong_keys_are_told_with_the_file(tmp_path, changes, parts):
    """The sentence names the file, the key and what it may be; without the change it is read."""
    assert read_queue(queue_file(tmp_path)).jobs == 1
    with told(UsageError, 2, "queue.yaml", *parts):
        read_queue(queue_file(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"jobqueue: [", b"\xff\xfe\x00", b"jobs", None])
def test_file_that_is_none_is_a_wrong_usage(certified, content):
    """No YAML, other bytes or no file at all: told before the list is read."""
    path = certified / "queue.yml"
    if content is not None:
        path.write_bytes(content)
    with told(UsageError, 2, "queue.yml"):
        predict(certified, certified / "none.csv", scheduler=str(path))


def test_shipped_file_is_sound():
    """What a user finds beside `assay.toml` is read as it stands."""
    queue = read_queue(TEMPLATE / "slurm.yaml")
    assert (queue.kind, queue.jobs, queue.processes) == ("slurm", 4, 16)
