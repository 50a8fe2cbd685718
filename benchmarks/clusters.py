"""Measures one and two workers of a Dask cluster on the same batch, and adds them to batch.json.

`make bench` runs this on the repository that `make demo` left behind. Scheduler and workers, each a
process with one thread, run and have predicted once before anything is timed; the two clusters take
turns, and the least time of each counts. Measured, too: what the one process does that puts the
shards together, and how large the files are, for the plan in docs/appendix/batch-benchmark.md.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pages
from end_to_end import REPOSITORY, batch, shipped, write

ROWS, TURNS = 1_000_000, 2
WORKERS = (1, 2)
BAR = 1.8
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Job:
    """A batch of the demo's certified model that can be predicted over and over."""

    planned: Any
    place: Path

    def clear(self) -> None:
        """Take away what was made of it."""
        for folder in (self.planned.folder, self.place):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Print one line a figure with its bar; an argument is another number of rows."""
    warnings.simplefilter("ignore")
    if not REPOSITORY.is_dir():
        sys.exit("bench: run `make demo` first; its repository is what is measured.")
    os.chdir(REPOSITORY)
    rows, formulas = int((sys.argv[1:] or [ROWS])[0]), shipped()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "list.csv"
        write(path, formulas, rows)
        job = planned(path)
        addresses = {n: stack.enter_context(cluster(Path(folder), n)) for n in WORKERS}
        alone = {n: partial(predicting, job, address) for n, address in addresses.items()}
        whole = {n: partial(end_to_end, job, formulas, address) for n, address in addresses.items()}
        found: dict[str, Any] = {"rows": rows, "seconds": in_turns(alone)}
        found["seconds_end_to_end"] = in_turns(whole)
        found |= collecting(job, addresses[max(WORKERS)], path)
    for key in ("seconds", "seconds_end_to_end"):
        found[f"ratio_{key}"] = found[key][WORKERS[0]] / found[key][WORKERS[-1]]
    tell(found)
    record = json.loads(pages.RECORD.read_text())
    pages.RECORD.write_text(json.dumps(record | {"cluster": found}, indent=2) + "\n")
    pages.main()


def planned(path: Path) -> Job:
    """The batch of a list, as `assay predict LIST --no-csv` plans it."""
    from assay.batch import authorization, jobs, lists
    from assay.layout import Layout
    from assay.repository import read_repository

    repository, found = read_repository(REPOSITORY), authorization.find(REPOSITORY, "champion")
    permission = authorization.authorize(
        repository, found.bundle, found.bundle.parent / authorization.CERTIFICATE
    )
    options = jobs.BatchOptions(with_csv=False)
    batch = jobs.plan(repository, lists.open_list(path), permission, options)
    return Job(batch, Layout(REPOSITORY).out / "batches" / batch.recipe.folder)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler with so many workers, all of which are there; gives its address."""
    from distributed import Client

    file = folder / f"scheduler-{workers}.json"
    with ExitStack() as stack:
        listening = ("--port", "0", "--dashboard-address", "127.0.0.1:0")
        start(stack, "scheduler", file, *listening)
        for _ in range(workers):
            single = ("--no-nanny", "--nthreads", "1", "--local-directory", str(folder))
            start(stack, "worker", file, *single)
        while not (file.exists() and file.read_text().endswith("}")):
            time.sleep(0.1)
        address = str(json.loads(file.read_text())["address"])
        with Client(address) as client:
            client.wait_for_workers(workers)
        yield address


def start(stack: ExitStack, part: str, file: Path, *options: str) -> None:
    """Start a part of a cluster on the loopback, which ends with the stack."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--scheduler-file", str(file)]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--no-dashboard", *options],
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)


def in_turns(ways: dict[int, Callable[[], float]]) -> dict[int, float]:
    """The least seconds of each way; the first turn warms up and does not count."""
    least = dict.fromkeys(ways, float("inf"))
    for turn in range(TURNS + 1):
        for name, way in ways.items():
            seconds = way()
            least[name] = min(least[name], seconds) if turn else least[name]
    return least


def predicting(job: Job, address: str) -> float:
    """Seconds from the start of the predicting to the last shard."""
    from assay.batch import records, shards, workers

    job.clear()
    parts = shards.divide(job.planned.listed.rows, records.SHARD_ROWS)
    start = time.perf_counter()
    made = sum(1 for _ in workers.predicted(job.planned, parts, address))
    seconds = time.perf_counter() - start
    assert made == len(parts)
    return seconds


def end_to_end(job: Job, formulas: list[str], address: str) -> float:
    """Seconds of one `assay predict`, start-up and collecting included."""
    job.clear()
    found = batch(formulas, job.planned.listed.rows, ("--scheduler", address, "--no-csv"))
    return float(found["seconds"])


def collecting(job: Job, address: str, path: Path) -> dict[str, Any]:
    """Rows a second of processor time to verify and to join the shards, and bytes a row."""
    from assay.batch import collection

    predicting(job, address)
    rows, folder = job.planned.listed.rows, path.parent / "joined"
    folder.mkdir()
    start = time.process_time()
    parts = collection.shards_in(job.planned)
    verified = time.process_time()
    collection.join(job.planned, parts, folder)
    joined = time.process_time()
    size = sum(file.stat().st_size for part, _ in parts for file in part.iterdir())
    job.clear()
    return {
        "rows_per_second_of_collecting": {
            "verifying": rows / (verified - start),
            "joining": rows / (joined - verified),
        },
        "bytes_per_row": {
            "list": path.stat().st_size / rows,
            "shards": size / rows,
            "table": sum(file.stat().st_size for file in folder.iterdir()) / rows,
        },
    }


def tell(found: dict[str, Any]) -> None:
    """One line a figure."""
    for key, what in (("seconds", "predicting"), ("seconds_end_to_end", "end to end")):
        told = ", ".join(f"{n} workers {s:.1f} s" for n, s in found[key].items())
        print(f"cluster, {found['rows']:,} rows, {what}: {told}: {found[f'ratio_{key}']:.2f} times")
    print(f"  (bar {BAR} for the predicting)")
    for name, speed in found["rows_per_second_of_collecting"].items():
        print(f"  {name} the shards, one process: {speed:,.0f} rows/s")
    sizes = ", ".join(f"{name} {size:.1f}" for name, size in found["bytes_per_row"].items())
    print(f"  bytes a row: {sizes}")


if __name__ == "__main__":
    main()
