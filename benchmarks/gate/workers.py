"""Jobs on several cores, with results that do not depend on how many there are."""

import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmarks.gate.bars import SEED

Key = tuple[Any, ...]
Outcome = dict[str, list[float]]
Results = dict[Key, Outcome]


@dataclass(frozen=True)
class Job:
    """`function(rng, *arguments)`, run `times` times; every run gives named numbers.

    `key` names what is measured; results of equal keys are put together in order.
    """

    key: Key
    function: Callable[..., dict[str, float]]
    arguments: tuple[Any, ...]
    times: int
    chunk: int = 50


@dataclass(frozen=True)
class _Part:
    job: Job
    first: int
    last: int


def _run(part: _Part) -> tuple[Outcome, float]:
    start, gathered = time.process_time(), defaultdict(list)
    name = zlib.crc32(repr(part.job.key).encode())
    for number in range(part.first, part.last):
        seed = np.random.SeedSequence(SEED, spawn_key=(name, number))
        result = part.job.function(np.random.default_rng(seed), *part.job.arguments)
        for key, value in result.items():
            gathered[key].append(float(value))
    return dict(gathered), time.process_time() - start


def run(jobs: Sequence[Job], workers: int) -> tuple[Results, dict[str, float]]:
    """Run all jobs.

    Returns:
        what they gave by key, and the processor seconds by the key's first part.
    """
    from tqdm import tqdm

    parts = [
        _Part(job, first, min(first + job.chunk, job.times))
        for job in jobs
        for first in range(0, job.times, job.chunk)
    ]
    gathered: Results = {}
    seconds: dict[str, float] = defaultdict(float)
    results = tqdm(_mapped(parts, workers), total=len(parts), file=sys.stderr, unit="part")
    for part, (outcome, taken) in zip(parts, results, strict=True):
        own = gathered.setdefault(part.job.key, {})
        for key, values in outcome.items():
            own.setdefault(key, []).extend(values)
        seconds[part.job.key[0]] += taken
    return gathered, dict(seconds)


def _mapped(parts: Sequence[_Part], workers: int) -> Iterable[tuple[Outcome, float]]:
    if workers == 1:
        yield from map(_run, parts)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_run, parts)
