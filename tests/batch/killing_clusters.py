"""Starts a batch on a Dask cluster over and over and kills who takes part; in a process of its own.

`python killing_clusters.py ROOT LIST KILLS SEED` kills workers, the scheduler and starts at random
moments, and puts others in their places. It prints how many of each were killed, how many starts
came to their end or said that they could not, and in how many batches a table differed from the
first, undisturbed one.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import distributed
from killing import OPTIONS, digests, ended, finish, forked, prepared

from assay.batch.authorization import authorize
from assay.batch.jobs import BatchOptions, predict_batch
from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.repository import read_repository

WORKERS = 2
SLOWEST = 60


@dataclass
class Cluster:
    """A scheduler and its workers, each a process forked when all libraries were loaded."""

    folder: Path
    scheduler: int = 0
    workers: list[int] = field(default_factory=list)
    generation: int = 0

    @property
    def file(self) -> Path:
        """Where the scheduler's address stands."""
        return self.folder / f"scheduler-{self.generation}.json"

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return json.loads(self.file.read_text())["address"]

    def begin(self) -> None:
        """Start a new scheduler with new workers; those of the last one are ended."""
        while self.workers:
            kill(self.workers.pop())
        self.generation += 1
        self.scheduler = forked(lambda: serve(schedule(self.file)))
        end = time.monotonic() + SLOWEST
        while not (self.file.exists() and self.file.read_text().endswith("}")):
            assert time.monotonic() < end
            time.sleep(0.01)
        for _ in range(WORKERS):
            self.add_worker()

    def add_worker(self) -> None:
        """Start a worker."""
        address, folder = self.address, str(self.folder)
        self.workers.append(forked(lambda: serve(work(address, folder))))


def serve(server) -> None:
    """Run a server in a process that says nothing, until it ends."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.dup2(silence, 1)
    asyncio.run(server)


async def schedule(file: Path) -> None:
    """Be a scheduler that writes down where it listens."""
    async with distributed.Scheduler(
        host="127.0.0.1",
        dashboard=False,
        dashboard_address="127.0.0.1:0",
        scheduler_file=str(file),
    ) as scheduler:
        await scheduler.finished()


async def work(address: str, folder: str) -> None:
    """Be a worker with one thread."""
    async with distributed.Worker(
        address, nthreads=1, host="127.0.0.1", dashboard=False, local_directory=folder
    ) as worker:
        await worker.finished()


def kill(process: int) -> None:
    """End a process and wait until it is gone."""
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def predict(root: Path, path: Path, address: str) -> None:
    """Predict by the cluster; the exit code is that of the command line."""
    handover, repository = Handover(Layout(root).out), read_repository(root)
    permission = authorize(repository, handover.bundle, handover.certificate)
    options = BatchOptions(scheduler=address, shard_rows=OPTIONS.shard_rows)
    try:
        predict_batch(repository, path, permission, options)
    except NotCarriedOutError:
        os._exit(NotCarriedOutError.exit_code)


def main(root: Path, path: Path, kills: int, seed: int) -> None:
    """Kill `kills` processes; then let one start come to its end without a cluster."""
    out, chance = Layout(root).out, random.Random(seed)
    alone = prepared(root, path)
    finish(alone)
    first = digests(out)
    shutil.rmtree(out / "batches")
    told = dict.fromkeys(("worker", "scheduler", "start", "ended", "refused", "differ"), 0)
    cluster = Cluster(root)
    cluster.begin()
    begin = time.monotonic()
    finish(lambda: predict(root, path, cluster.address))
    longest = time.monotonic() - begin
    while told["worker"] + told["scheduler"] + told["start"] < kills:
        if ended(out):
            told["differ"] += digests(out) != first
            shutil.rmtree(out / "batches")
        start = forked(lambda: predict(root, path, cluster.address))
        disturb(cluster, start, told, longest, chance)
    shutil.rmtree(out / "batches", ignore_errors=True)
    for process in (cluster.scheduler, *cluster.workers):
        kill(process)
    finish(alone)
    told["differ"] += digests(out) != first
    sys.stdout.write(json.dumps(told | {"left": len(list((out / "shards").glob("*")))}))


def disturb(
    cluster: Cluster, start: int, told: dict[str, int], longest: float, chance: random.Random
) -> None:
    """Kill now this, now that while a start goes on, until it is over."""
    begin = time.monotonic()
    while True:
        time.sleep(chance.uniform(0, longest))
        assert time.monotonic() < begin + SLOWEST, "a start hangs"
        done, status = os.waitpid(start, os.WNOHANG)
        if done:
            told[{0: "ended", 3: "refused"}[os.waitstatus_to_exitcode(status)]] += 1
            return
        victim = chance.choice(("worker", "worker", "worker", "scheduler", "start", "nobody"))
        if victim == "start":
            kill(start)
            told["start"] += 1
            return
        if victim == "worker":
            kill(cluster.workers.pop(0))
            cluster.add_worker()
        if victim == "scheduler":
            kill(cluster.scheduler)
            cluster.begin()
        told[victim] = told.get(victim, 0) + 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
