"""Queueing systems: their file, such as `slurm.yaml`, and jobs that run Dask workers."""

import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import NotCarriedOutError, UsageError

if TYPE_CHECKING:
    from dask_jobqueue import JobQueueCluster
    from distributed.deploy import Adaptive

ENDINGS = (".yaml", ".yml")
CLASSES = {
    "slurm": "slurm.SLURMCluster",
    "pbs": "pbs.PBSCluster",
    "sge": "sge.SGECluster",
    "lsf": "lsf.LSFCluster",
    "oar": "oar.OARCluster",
    "moab": "moab.MoabCluster",
    "htcondor": "htcondor.HTCondorCluster",
    "local": "local.LocalCluster",
}


@dataclass(frozen=True)
class Queue:
    """So many jobs of one queueing system; `options` are Dask's own, below `jobqueue.<kind>`."""

    kind: str
    jobs: int
    options: Mapping[str, Any]

    @property
    def processes(self) -> int:
        """Workers in a job; each predicts one shard at a time."""
        return int(self.options["processes"])


def read_queue(path: Path) -> Queue:
    """Read a file with Dask's section `jobqueue` and ours, `assay`.

    Raises:
        UsageError: the sentence names the file, the key and what is allowed.
    """
    content = _sections(path)
    kinds = content["jobqueue"]
    if not isinstance(kinds, dict) or len(kinds) != 1 or not kinds.keys() <= CLASSES.keys():
        raise UsageError(
            f"{path} must name one of {', '.join(CLASSES)} below jobqueue.",
            code="queue.unknown-kind",
        )
    ((kind, options),) = kinds.items()
    ours = content["assay"]
    if not isinstance(ours, dict) or ours.keys() != {"jobs"} or not _is_count(ours["jobs"]):
        raise UsageError(
            f"{path} must have one key below assay, jobs: how many, 1 or more.",
            code="queue.bad-jobs",
        )
    return Queue(kind, ours["jobs"], _checked(options, kind, path))


def _sections(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): check its name.", code="queue.unreadable"
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{path} is no YAML ({told}): correct it.", code="queue.not-yaml"
        ) from None
    if not isinstance(content, dict) or content.keys() != {"jobqueue", "assay"}:
        raise UsageError(
            f"{path} must have the keys jobqueue and assay, and no other.",
            code="queue.wrong-sections",
        )
    return content


def _checked(options: Any, kind: str, path: Path) -> dict[str, Any]:
    if not isinstance(options, dict):
        raise UsageError(
            f"{path} must have keys below jobqueue.{kind}, such as cores and memory.",
            code="queue.no-keys",
        )
    options = {str(key).replace("_", "-"): value for key, value in options.items()}
    known = _known(kind)
    for key in options.keys() - known:
        raise UsageError(
            f"{path} has an unknown key {key!r:.80} below jobqueue.{kind}: it may be one of "
            f"{', '.join(sorted(known))}.",
            code="queue.unknown-key",
        )
    options = {"processes": options.get("cores")} | options
    for key in ("cores", "processes"):
        if not _is_count(options.get(key)):
            raise UsageError(
                f"{path} must say jobqueue.{kind}.{key}: a number of 1 or more.",
                code="queue.bad-number",
            )
    for key in {"memory", "walltime"} & {"memory", *options}:
        if not isinstance(options.get(key), str):
            example = {"memory": "16 GB", "walltime": "02:00:00"}[key]
            raise UsageError(
                f'{path} must say jobqueue.{kind}.{key} in quotes, as "{example}".',
                code="queue.not-quoted",
            )
    if options["processes"] > options["cores"]:
        raise UsageError(
            f"{path} has more jobqueue.{kind}.processes than cores: write fewer.",
            code="queue.too-many-processes",
        )
    return options


def _known(kind: str) -> set[str]:
    import dask_jobqueue
    import yaml

    text = Path(dask_jobqueue.__file__).with_name("jobqueue.yaml").read_text(encoding="utf-8")
    return set(yaml.safe_load(text)["jobqueue"][kind])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


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
                "names, and run the same command again.",
                code="queue.refused",
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
            f"there is no {command} on this machine: run this on a login node of {queue.kind}.",
            code="queue.no-command",
        )
    if len(str(folder).split()) != 1:
        raise NotCarriedOutError(
            f"{folder} has a space, and Dask's job scripts fail on it: move the repository.",
            code="queue.space-in-path",
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
