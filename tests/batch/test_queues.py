"""Workers from a queueing system: what its file may say, and jobs that come, go and come again."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from test_clusters import ended, made_by_one_process, shards_of, started  # noqa: F401 (a fixture)

from assay.layout import Layout
from dask_machines import queue_file, wait_for
from toy import TEMPLATE, spoken

SHIPPED = TEMPLATE / "slurm.yaml"
SBATCH = """#!/bin/sh
n=$(ls "$JOBS" | grep -c script$)
cp "$1" "$JOBS/$n.script"
setsid sh "$JOBS/$n.script" > "$JOBS/$n.log" 2>&1 &
echo $! > "$JOBS/$n.process"
echo "Submitted batch job $n"
"""
SCANCEL = """#!/bin/sh
kill -KILL -- "-$(cat "$JOBS/$1.process")"
"""
REFUSING = """#!/bin/sh
echo "sbatch: error: invalid partition specified: normal" >&2
exit 1
"""

pytestmark = pytest.mark.usefixtures("laptop")


def smaller(path: Path) -> Path:
    """The shipped file with a job that fits on a laptop, and nothing else changed."""
    text, count = re.subn(r"(cores|processes): 16", r"\1: 2", SHIPPED.read_text())
    assert count == 2
    path.write_text(text.replace("jobs: 4", "jobs: 1"))
    return path


class Slurm:
    """Stand-ins for the commands of Slurm, which run a job at once in a session of its own."""

    def __init__(self, folder: Path, sbatch: str = SBATCH) -> None:
        """Put them into a folder, with a place for the jobs."""
        self.jobs, self.commands = folder / "jobs", folder / "bin"
        for place in (self.jobs, self.commands):
            place.mkdir(parents=True)
        for name, text in (("sbatch", sbatch), ("scancel", SCANCEL)):
            (self.commands / name).write_text(text)
            (self.commands / name).chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """What puts them on PATH; a lost job is given up at once."""
        return {
            "PATH": f"{self.commands}{os.pathsep}{os.environ['PATH']}",
            "JOBS": str(self.jobs),
            "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s",
        }

    def scripts(self) -> list[str]:
        """What was submitted."""
        return [path.read_text() for path in sorted(self.jobs.glob("*.script"))]

    def kill(self) -> None:
        """End all jobs, as at their walltime."""
        for path in self.jobs.glob("*.process"):
            with suppress(ProcessLookupError):
                os.killpg(int(path.read_text()), signal.SIGKILL)

    def running(self) -> bool:
        """Whether a process of a job is left."""
        for path in self.jobs.glob("*.process"):
            with suppress(ProcessLookupError):
                os.killpg(int(path.read_text()), 0)
                return True
        return False


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    """Slurm, whose jobs are over in the end."""
    found = Slurm(tmp_path / "slurm")
    yield found
    found.kill()


def test_shipped_file_starts_jobs_that_make_the_same_bytes(certified, whole, slurm):
    """The job has what the file says, talks encrypted, and is gone in the end with its key."""
    path = smaller(certified / "slurm.yaml")
    made, said = ended(certified, started(certified, path, **slurm.environment))
    assert made == whole
    assert "predict: asked slurm for 1 job, 2 processes each; the first is waited for" in said
    (script,) = slurm.scripts()
    for part in ("-p normal", "-t 02:00:00", "--cpus-per-task=2", "--lifetime 110m", " tls://"):
        assert part in script
    wait_for(lambda: not slurm.running())
    assert list((Layout(certified).out / "shards").iterdir()) == []


SIMPLER = pytest.mark.nightly("of one process; a job of two is ended whenever queues change")


@pytest.mark.parametrize("processes", [pytest.param(1, marks=SIMPLER), 2])
def test_job_that_ends_is_replaced(certified, whole, slurm, processes):
    """After its walltime another job goes on, whether a job is one worker or several."""
    path = smaller(certified / "slurm.yaml")
    path.write_text(path.read_text().replace("processes: 2", f"processes: {processes}"))
    process = started(certified, path, "--shard-rows", "1", **slurm.environment)
    wait_for(lambda: shards_of(certified), process)
    slurm.kill()
    assert ended(certified, process)[0] == whole
    assert len(slurm.scripts()) == 2


def test_refused_job_is_told_in_its_words(certified, whole, tmp_path):
    """What sbatch says against a job ends the start, with exit code 3."""
    slurm = Slurm(tmp_path / "slurm", REFUSING)
    process = started(certified, smaller(certified / "slurm.yaml"), **slurm.environment)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert len(spoken(said)) == 1
    assert "slurm did not take the jobs" in said
    assert "invalid partition specified" in said


def test_machine_without_the_command_is_told(certified, whole, tmp_path):
    """Where there is no sbatch the sentence says from where to start."""
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "git").symlink_to(shutil.which("git"))
    process = started(certified, SHIPPED, PATH=str(commands))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "there is no sbatch on this machine" in said


def test_jobs_of_this_machine_make_the_same_bytes(certified, whole):
    """Dask's own `local` queue goes from end to end, too."""
    made, said = ended(certified, started(certified, queue_file(certified)))
    assert made == whole
    assert "asked local for 1 job, 2 processes each" in said


@pytest.mark.nightly("waits until a job gives up; test_jobs.py kills the process of local workers")
@pytest.mark.slow
def test_jobs_end_with_the_process_that_was_killed(certified, whole, slurm):
    """SIGKILL to `assay predict` leaves no job in the queue that predicts, or waits for ever."""
    path = smaller(certified / "slurm.yaml")
    process = started(certified, path, "--shard-rows", "1", **slurm.environment)
    wait_for(lambda: shards_of(certified), process)
    process.kill()
    process.communicate()
    wait_for(lambda: not slurm.running(), seconds=120)
