"""Shards predicted by the workers of a Dask cluster, wherever they run.

The scheduler is somebody else's, at an address, or one of this process that has a queueing system
start the workers. Workers write the shards where this process would: all see the same files.
"""

import logging
import pickle
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.batch.queues import ENDINGS, read_queue, started
from assay.batch.records import SHARD, ShardRecord
from assay.batch.shards import Batch, Shard
from assay.batch.tasks import Task
from assay.errors import NotCarriedOutError
from assay.files import write_text
from assay.progress import say
from assay.texts import plural

if TYPE_CHECKING:
    from distributed import Client

AGAIN = "run the same command again, which keeps finished shards."
EXTRA = ("dask", "distributed", "dask_jobqueue")  # what the extra `cluster` installs
ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:\d+")
# Shards that are handed out for each thread of a worker, so that none waits for its next.
AHEAD = 4
# Another machine may know of a new folder that much later, where file systems keep what they saw.
SECONDS_TO_APPEAR = 90


@contextmanager
def connected(scheduler: str, folder: Path) -> Iterator[tuple["Client", int]]:
    """A client, and how many processes there are or will be."""
    if scheduler.endswith(ENDINGS):
        queue = read_queue(Path(scheduler))
        with started(queue, folder.parent) as cluster, _client(cluster, scheduler) as client:
            say(
                "predict",
                f"asked {queue.kind} for {plural(queue.jobs, 'job')}, "
                f"{plural(queue.processes, 'process', 'processes')} each; the first is waited for",
            )
            yield client, queue.jobs * queue.processes
    else:
        with _client(scheduler, scheduler) as client:
            processes = len(client.nthreads())
            if not processes:
                say("predict", f"{scheduler} has no worker yet; the first is waited for")
            yield client, processes


@contextmanager
def _client(target: Any, name: str) -> Iterator["Client"]:
    from distributed import Client

    try:
        client = Client(target, set_as_default=False, name="assay")
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise NotCarriedOutError(
            f"the Dask scheduler {name} cannot be reached ({_first_line(error)}): check that it "
            f"runs and, for tls, that Dask's configuration names its certificates; then {AGAIN}",
            code="cluster.unreachable",
        ) from None
    with client:
        yield client


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]


@contextmanager
def lost_in_words(name: str) -> Iterator[None]:
    """What goes wrong between machines, as one sentence."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        yield
    except KilledWorker:
        raise NotCarriedOutError(
            f"workers of {name} were lost again and again while they predicted, perhaps for want "
            f"of memory or time: see their logs and {AGAIN}",
            code="cluster.workers-lost",
        ) from None
    except (CancelledError, OSError) as error:
        raise NotCarriedOutError(
            f"the Dask scheduler {name} was lost ({_first_line(error)}): {AGAIN}",
            code="cluster.scheduler-lost",
        ) from None
    except (ImportError, AttributeError, RuntimeError) as error:
        raise NotCarriedOutError(
            f"the scheduler {name} or its workers failed at what they were asked to do "
            f"({type(error).__name__}: {_first_line(error)}): start them with this environment's "
            f"own python, {sys.executable}, from this commit.",
            code="cluster.other-environment",
        ) from None


def is_cluster(scheduler: str) -> bool:
    """Whether it is an address, or a file of a queueing system, which is read.

    Raises:
        NotCarriedOutError: the extra `cluster` is not installed.
        UsageError: the file is not as it must be.
    """
    is_file = scheduler.endswith(ENDINGS)
    if not is_file and ADDRESS.fullmatch(scheduler) is None:
        return False
    _require_installed()
    if is_file:
        read_queue(Path(scheduler))
    return True


def _require_installed() -> None:
    for name in EXTRA:
        if find_spec(name) is None:
            raise NotCarriedOutError(
                f"--scheduler needs the extra `cluster` of assay, of which {name} is not "
                "installed: run `rm -f .venv/locked && make setup`, or where requirements.lock "
                'lacks it, write "assay-materials[cluster]" in pyproject.toml and run '
                "`make lock setup`.",
                code="cluster.not-installed",
            )


def predicted(batch: Batch, shards: Sequence[Shard], scheduler: str) -> Iterator[ShardRecord]:
    """Predict shards by a cluster in any order, and give the record of each when it is done.

    Raises:
        NotCarriedOutError: there is no such scheduler, or it was lost, or workers were again and
            again, or one lacks files or has another version of assay; what is done stays.
        AssayError: as `predict_shard` raises.
    """
    from distributed.utils import silence_logging_cmgr

    batch = _anywhere(batch)
    with (
        silence_logging_cmgr(logging.CRITICAL),
        _token(batch.folder) as token,
        lost_in_words(scheduler),
        connected(scheduler, batch.folder) as (client, processes),
    ):
        rows = sum(shard.stop - shard.start for shard in shards)
        batch = replace(batch, share=rows // max(processes, 1))
        content = pickle.dumps(batch)
        yield from _in_windows(
            client,
            batch,
            shards,
            Task(machinery=batch.recipe.machinery, batch=content, token=token),
        )


def _anywhere(batch: Batch) -> Batch:
    """The batch with absolute paths, since a worker stands in another folder."""
    listed = replace(batch.listed, path=batch.listed.path.absolute())
    return replace(
        batch, listed=listed, bundle=batch.bundle.absolute(), folder=batch.folder.absolute()
    )


@contextmanager
def _token(folder: Path) -> Iterator[str]:
    path = folder / f".start-{uuid.uuid4().hex}"
    write_text(path, "")
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _in_windows(
    client: "Client", batch: Batch, shards: Sequence[Shard], task: Task
) -> Iterator[ShardRecord]:
    """Hand out a few shards a thread at a time, or 50,000 would be on the way at once.

    It is submitted, not scattered as data: when all who hold it are lost, it is made again.
    """
    from distributed import as_completed

    name, waiting, window = f"assay-{uuid.uuid4().hex}", iter(shards), _Window(client)
    shared = client.submit(dict, task, key=f"{name}-task", pure=False)
    predict = _sent_by_code()
    running = as_completed([], loop=client.loop)

    def hand_out() -> None:
        for shard in islice(waiting, max(window.size() - running.count(), 0)):
            key = f"{name}-{shard.start}"
            running.add(
                client.submit(predict, shared, shard.start, shard.stop, key=key, pure=False)
            )

    hand_out()
    for future in running:
        record = ShardRecord.model_validate_json(future.result())
        _await_shard(batch, record)
        yield record
        hand_out()


def _sent_by_code() -> Callable[[Any, int, int], str]:
    """What a worker is to call.

    No module has it by a name, so that Dask sends its code. The name of one that a worker cannot
    import would end the worker unheard, and for the same reason no type of ours may stand here.
    """

    def predict(task: Any, start: int, stop: int) -> str:
        from assay.batch.tasks import predict_there

        return predict_there(task, start, stop)

    return predict


class _Window:
    """How many shards may be on the way, by the threads that there are; asked once a second."""

    def __init__(self, client: "Client") -> None:
        self._client, self._asked, self._size = client, float("-inf"), AHEAD

    def size(self) -> int:
        if time.monotonic() > self._asked + 1:
            self._size = AHEAD * max(sum(self._client.nthreads().values()), 1)
            self._asked = time.monotonic()
        return self._size


def _await_shard(batch: Batch, record: ShardRecord) -> None:
    path = batch.place(Shard(record.start, record.stop)) / SHARD
    end = time.monotonic() + SECONDS_TO_APPEAR
    while not path.exists():
        if time.monotonic() > end:
            raise NotCarriedOutError(
                f"a worker wrote {path}, which is not seen here: out/ must lie on a file system "
                "that all machines have at the same path.",
                code="cluster.not-shared",
            )
        time.sleep(0.1)
