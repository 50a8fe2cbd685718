"""Who predicts the shards of a batch: this process, several on this machine, or a cluster."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from assay.batch.records import ShardRecord
from assay.batch.shards import Batch, Shard, predict_shard
from assay.errors import NotCarriedOutError, UsageError
from assay.processes import end_with_parent, pool_of, safe_path, variable_set

LOCAL = "local"
THREADS = "OMP_NUM_THREADS"


def require_known(scheduler: str | None) -> None:
    """Insist that there is such a kind of scheduler.

    Raises:
        UsageError: there is none, or the file that configures it is not as it must be.
    """
    if scheduler in {None, LOCAL} or _is_cluster(scheduler):
        return
    raise UsageError(
        f"--scheduler is {scheduler!r:.80}: write {LOCAL}, the address of a Dask scheduler "
        "(tcp://host:8786, tls://host:8786), or the name of a file for dask-jobqueue "
        "(slurm.yaml), or leave it out.",
        code="cluster.bad-scheduler",
    )


def _is_cluster(scheduler: str | None) -> bool:
    from assay.batch import clusters

    return scheduler is not None and clusters.is_cluster(scheduler)


def predicted(
    batch: Batch, shards: Sequence[Shard], scheduler: str | None
) -> Generator[ShardRecord]:
    """Predict shards in any order, and give the record of each when it is done.

    Raises:
        NotCarriedOutError: a process was ended from outside, or the cluster failed; what is done
            stays.
        AssayError: as `predict_shard` raises.
    """
    if shards and scheduler is not None and scheduler != LOCAL:
        from assay.batch import clusters

        yield from clusters.predicted(batch, shards, scheduler)
        return
    processes = min(os.cpu_count() or 1, len(shards)) if scheduler == LOCAL else 1
    rows = sum(shard.stop - shard.start for shard in shards)
    batch = replace(batch, share=rows // max(processes, 1))
    if processes > 1:
        yield from _side_by_side(batch, shards, processes)
    else:
        yield from (predict_shard(batch, shard) for shard in shards)


def _begin() -> None:
    """Have a process that has a core to itself start no threads for linear algebra or trees.

    It ends when the one that started it does, however that was ended.
    """
    from threadpoolctl import threadpool_limits

    end_with_parent()
    threadpool_limits(1)
    os.environ[THREADS] = "1"


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Have this process do for a while as those that `_begin` made ready."""
    from threadpoolctl import threadpool_limits

    with variable_set(THREADS), threadpool_limits(1):
        yield


def _side_by_side(batch: Batch, shards: Sequence[Shard], processes: int) -> Iterator[ShardRecord]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with safe_path():
        pool = pool_of(processes, _begin)
        futures = [pool.submit(predict_shard, batch, shard) for shard in shards]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise NotCarriedOutError(
            "a process that predicted was killed, perhaps because memory ran out: run the same "
            "command again, which keeps finished shards.",
            code="batch.process-ended",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
