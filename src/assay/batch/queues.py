"""Jobs of a queueing system that run Dask's workers: asked for, replaced, and given back."""

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.batch.queue_files import CLASSES, Queue
from assay.errors import NotCarriedOutError

if TYPE_CHECKING:
    from dask_jobqueue import JobQueueCluster
    from distributed.deploy import Adaptive


@contextmanager
def started(queue: Queue, folder: Path) -> Iterator["JobQueueCluster"]:
    """A scheduler in this process, with all jobs asked for; the block's end gives them back.

    What goes between it and the workers is encrypted, by a key that lies in `folder` as long.

    Raises:
        NotCarriedOutError: the queueing system is not there, or refuses the jobs.
    """
    import dask

    kind = _class(queue.kind)
    _require_ready(queue, kind, folder)
    with dask.config.set(_configuration(queue)), ExitStack() as stack:
        try:
            cluster = kind(
                processes=queue.processes,
                security=True,
                shared_temp_directory=queue.options.get("shared-temp-directory", str(folder)),
                silence_logs="critical",
            )
            stack.callback(_give_back, cluster)
            cluster.sync(_submit, cluster, queue.jobs)
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            told = " ".join(str(error).split())[:400]
            raise NotCarriedOutError(
                f"{queue.kind} did not take the jobs ({told}): correct the file that --scheduler "
                "names and start again; what is done stays."
            ) from None
        cluster.adapt(_replacing(), minimum_jobs=queue.jobs, maximum_jobs=queue.jobs)
        yield cluster


def _class(kind: str) -> "type[JobQueueCluster]":
    from importlib import import_module

    module, _, name = CLASSES[kind].partition(".")
    found: type[JobQueueCluster] = getattr(import_module(f"dask_jobqueue.{module}"), name)
    return found


def _require_ready(queue: Queue, kind: "type[JobQueueCluster]", folder: Path) -> None:
    command = kind.job_cls.submit_command
    if command and not shutil.which(shlex.split(command)[0]):
        raise NotCarriedOutError(
            f"there is no {command} on this machine: start from one that submits to {queue.kind}."
        )
    if len(str(folder).split()) != 1:
        raise NotCarriedOutError(
            f"{folder} has a space, which Dask's job scripts do not bear: move the repository."
        )


def _configuration(queue: Queue) -> dict[str, Any]:
    """Dask's settings, which it also reads while it runs; it shows no pages, for all could look."""
    options = dict(queue.options)
    given = options.get("worker-extra-args") or []
    options["worker-extra-args"] = [*given, "--no-dashboard"]
    quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    options["scheduler-options"] = quiet | (options.get("scheduler-options") or {})
    found = {f"jobqueue.{queue.kind}.{key}": value for key, value in options.items()}
    return found | {"distributed.scheduler.http.routes": []}


async def _submit(cluster: "JobQueueCluster", jobs: int) -> None:
    """What `cluster.scale` does, which says nothing when the jobs are refused."""
    while len(cluster.worker_spec) < jobs:
        cluster.worker_spec.update(cluster.new_worker_spec())
    await cluster._correct_state()  # noqa: SLF001


def _give_back(cluster: "JobQueueCluster") -> None:
    with suppress(OSError, RuntimeError, AssertionError):  # a job may be over
        cluster.close()


def _replacing() -> "type[Adaptive]":
    """Dask's way to keep up the number of jobs, which by itself overlooks those of many workers."""
    import dask
    from dask.utils import parse_timedelta
    from distributed.deploy import Adaptive

    class Replacing(Adaptive):
        last_seen: dict[str, float]

        async def recommendations(self, target: int) -> dict[str, Any]:
            over = self.over(time.monotonic())
            if over:
                await self.cluster.scale_down(over)
            return await super().recommendations(target)

        def over(self, now: float) -> list[str]:
            """Jobs that had workers and have had none for as long as Dask waits for a lost one."""
            grace = parse_timedelta(dask.config.get("distributed.deploy.lost-worker-timeout"))
            seen = self.__dict__.setdefault("last_seen", {})
            jobs = [
                (name, {f"{name}{suffix}" for suffix in spec["group"]})
                for name, spec in self.cluster.worker_spec.items()
                if "group" in spec
            ]
            seen |= {name: now for name, workers in jobs if workers & self.observed}
            found = [name for name, _ in jobs if now - seen.get(name, now) > grace]
            for name in found:
                del seen[name]
            return found

    return Replacing
