"""Files that configure a queueing system, such as `slurm.yaml`: read, and refused with the key."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import UsageError

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
        raise UsageError(f"{path} must name one of {', '.join(CLASSES)} below jobqueue.")
    ((kind, options),) = kinds.items()
    ours = content["assay"]
    if not isinstance(ours, dict) or ours.keys() != {"jobs"} or not _is_count(ours["jobs"]):
        raise UsageError(f"{path} must have one key below assay, jobs: how many, 1 or more.")
    return Queue(kind, ours["jobs"], _checked(options, kind, path))


def _sections(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check its name.") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} is no YAML ({told}): correct it.") from None
    if not isinstance(content, dict) or content.keys() != {"jobqueue", "assay"}:
        raise UsageError(f"{path} must have the keys jobqueue and assay, and no other.")
    return content


def _checked(options: Any, kind: str, path: Path) -> dict[str, Any]:
    if not isinstance(options, dict):
        raise UsageError(f"{path} must have keys below jobqueue.{kind}, such as cores and memory.")
    options = {str(key).replace("_", "-"): value for key, value in options.items()}
    known = _known(kind)
    for key in options.keys() - known:
        raise UsageError(
            f"{path} has an unknown key {key!r:.80} below jobqueue.{kind}: it may be one of "
            f"{', '.join(sorted(known))}."
        )
    options = {"processes": options.get("cores")} | options
    for key in ("cores", "processes"):
        if not _is_count(options.get(key)):
            raise UsageError(f"{path} must say jobqueue.{kind}.{key}: a number of 1 or more.")
    for key in {"memory", "walltime"} & {"memory", *options}:
        if not isinstance(options.get(key), str):
            example = {"memory": "16 GB", "walltime": "02:00:00"}[key]
            raise UsageError(f'{path} must say jobqueue.{kind}.{key} in quotes, as "{example}".')
    if options["processes"] > options["cores"]:
        raise UsageError(f"{path} has more jobqueue.{kind}.processes than cores: write fewer.")
    return options


def _known(kind: str) -> set[str]:
    import dask_jobqueue
    import yaml

    text = Path(dask_jobqueue.__file__).with_name("jobqueue.yaml").read_text(encoding="utf-8")
    return set(yaml.safe_load(text)["jobqueue"][kind])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
