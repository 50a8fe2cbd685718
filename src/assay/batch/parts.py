"""A batch divided among machines: how many parts it needs, and which shards each part has."""

import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assay.batch.jobs import Job
from assay.batch.records import BatchRecord
from assay.batch.shards import Batch, Shard, predict_shard
from assay.batch.workers import LOCAL, on_one_thread
from assay.errors import UsageError
from assay.progress import stages

# Jobs of a matrix, at most (GitHub's limit of a workflow run).
MAXIMUM = 256
# Rows of a trial: enough to tell the speed, and no minute even at 50 a second.
TRIAL = 2_000
# How often its time may pass before the rows of the trials are taken to have misled.
OVERTIME = 2


def begun(job: Job, seconds: float) -> int:
    """Predict the batch if that takes no longer than a part may; else say how many parts it needs.

    One means that all its shards are there. Where the trials misled, what was predicted until it
    took twice as long tells the speed. Raises as `Job.predict`.
    """
    parts = needed(job, seconds)
    if parts > 1:
        return parts
    start = time.monotonic()
    left = job.predict(job.shards, OVERTIME * seconds)
    if not left:
        return 1
    rows, elapsed = job.batch.listed.rows, time.monotonic() - start
    return max(2, number_of_parts(rows, len(job.shards), (rows - left) / elapsed, seconds))


def needed(job: Job, seconds: float) -> int:
    """How many parts the batch needs, from the time that some of its rows take here.

    Raises as `predict_shard`.
    """
    if len(job.shards) == 1:
        return 1
    cores = (os.cpu_count() or 1) if job.options.scheduler == LOCAL else 1
    rate = cores * _rows_per_second(job, cores)
    return number_of_parts(job.batch.listed.rows, len(job.shards), rate, seconds)


def _rows_per_second(job: Job, processes: int) -> float:
    """The least of three trials, at the beginning, in the middle and at the end of the list.

    They are made as a process that has a core to itself predicts, and nothing is left of them.
    """
    rows = job.batch.listed.rows
    size = min(TRIAL, rows)
    trials = [Shard(start, start + size) for start in (0, (rows - size) // 2, rows - size)]
    with tempfile.TemporaryDirectory() as folder, on_one_thread(), stages("batch") as doing:
        doing(f"trying {len(trials)} times {size:,} rows")
        batch = replace(job.batch, folder=Path(folder), share=rows // processes)
        predict_shard(batch, trials[0])  # loading and compiling count once a process
        return min(size / _seconds(batch, trial) for trial in trials)


def _seconds(batch: Batch, trial: Shard) -> float:
    begin = time.monotonic()
    predict_shard(batch, trial)
    return time.monotonic() - begin


def predict_part(job: Job, part: int, parts: int) -> int:
    """Predict the shards of one part and leave them where they lie; gives their number of rows.

    Raises:
        UsageError: there is no such part.
        AssayError: as `Job.predict`.
    """
    count = len(job.shards)
    if not 1 <= parts <= count:
        raise UsageError(
            f"--parts is {parts}, but the list has {count} shards: write 1 to {count}."
        )
    if not 1 <= part <= parts:
        raise UsageError(f"--part is {part}, but there are {parts} parts: write 1 to {parts}.")
    shards = part_of(job.shards, part, parts)
    job.predict(shards)
    return shards[-1].stop - shards[0].start


def collected(job: Job) -> BatchRecord:
    """Put the parts of a batch together, without predicting anything; raises as `Job.collect`."""
    return job.done() or job.collect()


def number_of_parts(rows: int, shards: int, rows_per_second: float, seconds: float) -> int:
    """How many parts a batch needs for each to take about so long, but no more than there may be.

    Args:
        rows: of the list.
        shards: it is cut into; a part has one at least.
        rows_per_second: of one machine, measured.
        seconds: that a part may take.
    """
    wanted = math.ceil(rows / max(rows_per_second * seconds, 1))
    return max(1, min(wanted, shards, MAXIMUM))


def part_of(shards: Sequence[Shard], part: int, parts: int) -> Sequence[Shard]:
    """The shards of one part, counted from 1; parts follow each other and are nearly equal."""
    count = len(shards)
    return shards[count * (part - 1) // parts : count * part // parts]
