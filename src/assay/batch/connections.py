"""Connections to a Dask scheduler, and in one sentence what goes wrong with it or its workers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.batch.queue_files import ENDINGS, read_queue
from assay.batch.queues import started
from assay.errors import NotCarriedOutError
from assay.progress import say
from assay.texts import plural

if TYPE_CHECKING:
    from distributed import Client

AGAIN = "start again; what is done stays."


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
            f"runs and, for tls, that Dask's configuration names its certificates; then {AGAIN}"
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
            f"of memory or time: see their logs and {AGAIN}"
        ) from None
    except (CancelledError, OSError) as error:
        raise NotCarriedOutError(
            f"the Dask scheduler {name} was lost ({_first_line(error)}): {AGAIN}"
        ) from None
    except (ImportError, AttributeError, RuntimeError) as error:
        raise NotCarriedOutError(
            f"scheduler or workers of {name} cannot do what they are asked "
            f"({type(error).__name__}: {_first_line(error)}): start them with this environment's "
            f"own python, {sys.executable}, from this commit."
        ) from None
