"""What a worker of a cluster is asked to do: predict one shard, if it has what that takes.

Whatever goes over the wire is of Python's own types, and nothing of `assay` is imported before the
versions were compared: a worker of another version says so.
"""

import os
import pickle
import socket
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from assay.errors import NotCarriedOutError

if TYPE_CHECKING:
    from assay.batch.shards import Batch

_TURN = threading.Lock()


class Task(TypedDict):
    """What all shards of a start have in common.

    `machinery` is the digest of the code of `assay`, `batch` a pickled `Batch` with absolute paths;
    `token` is a file in its folder that is there as long as somebody waits for the shards.
    """

    machinery: str
    batch: bytes
    token: str


def predict_there(task: Task, start: int, stop: int) -> str:
    """Predict a shard on a worker, one at a time in a process; gives its record as JSON.

    Raises:
        NotCarriedOutError: the worker has another version of assay, or other files at the paths.
        AssayError: as `predict_shard` raises.
    """
    with _TURN:
        _require_same_machinery(task["machinery"])
        from assay.batch.shards import Shard, predict_shard

        _require_seen(Path(task["token"]))
        return predict_shard(_opened(task["batch"]), Shard(start, stop)).model_dump_json()


def _require_same_machinery(theirs: str) -> None:
    from assay.machinery import machinery_digest

    if machinery_digest() != theirs:
        raise NotCarriedOutError(
            f"the worker on {socket.gethostname()} has another version of assay "
            f"({machinery_digest()[:12]}, not {theirs[:12]}): start it again from this commit.",
            code="cluster.other-version",
        )


def _require_seen(path: Path) -> None:
    if not path.exists():
        raise NotCarriedOutError(
            f"the worker on {socket.gethostname()} does not see {path}: the list, the model and "
            "out/ must lie on a file system that all machines have at the same path.",
            code="cluster.not-shared",
        )


@lru_cache(maxsize=1)  # a worker serves one batch after the other
def _opened(content: bytes) -> "Batch":
    from assay.files import digest_file

    batch: Batch = pickle.loads(content)  # noqa: S301 (who sends it has this function called)
    _require_seen(batch.bundle)
    _require_seen(batch.listed.path)
    if digest_file(batch.listed.path) != batch.listed.digest:
        raise NotCarriedOutError(
            f"the worker on {socket.gethostname()} sees another list at {batch.listed.path}: put "
            "it on a file system that all machines share, and run the same command again.",
            code="cluster.other-list",
        )
    _make_room(batch.bundle, batch.trusted, batch.recipe.bundle_digest)
    _limit_threads()
    return batch


@lru_cache(maxsize=1)  # so that nothing is done for the model that was the last one
def _make_room(_bundle: Path, _trusted: tuple[str, ...], _digest: str) -> None:
    """Forget the model before this one: packages of both may have one name and other code."""
    from assay.batch.shards import forget_loaded
    from assay.model.loading import forget_bundles

    forget_loaded()
    forget_bundles()


def _limit_threads() -> None:
    """Have linear algebra and trees use the threads that the worker was given, and no more."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    threads = get_worker().state.nthreads
    threadpool_limits(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
