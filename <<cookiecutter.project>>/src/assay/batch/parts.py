"""A batch divided among machines: how many parts it needs, and which shards each part has."""

import math
import os
import time
from collections.abc import Sequence

from assay.batch.jobs import Job
from assay.batch.records import BatchRecord
from assay.batch.shards import Shard, load, predict_shard
from assay.batch.workers import LOCAL
from assay.errors import UsageError

# Jobs of a matrix, at most (GitHub's limit of a workflow run).
MAXIMUM = 256


def needed(job: Job, seconds: float) -> int:
    """How many parts the batch needs, from the time that its first shard takes here.

    Raises as `predict_shard`.
    """
    first, batch = job.shards[0], job.batch
    load(batch)  # takes its time once a process
    begin = time.monotonic()
    predict_shard(batch, first)
    cores = (os.cpu_count() or 1) if job.options.scheduler == LOCAL else 1
    rate = cores * (first.stop - first.start) / (time.monotonic() - begin)
    return number_of_parts(batch.listed.rows, len(job.shards), rate, seconds)


def predict_part(job: Job, part: int, parts: int) -> int:
    """Predict the shards of one part and leave them where they lie; gives their number of rows.

    Raises:
        UsageError: there is no such part.
        AssayError: as `Job.predict`.
    """
    if not 1 <= part <= parts <= len(job.shards):
        raise UsageError(
            f"there is no part {part} of {parts} of {len(job.shards)} shards: write 1 to {parts}."
        )
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
