"""Starts a batch over and over and kills it at random moments; run in a process of its own.

`python killing.py ROOT LIST KILLS SEED` prints how many starts were killed, how many came to their
end, and in how many batches a table differed from the first, undisturbed one.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet  # noqa: F401 (or each start would import it anew)
import tqdm  # noqa: F401

from assay.batch import shards
from assay.batch.authorization import authorize
from assay.batch.jobs import BatchOptions, predict_batch
from assay.batch.records import RECORD, BatchRecord
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.repository import read_repository

OPTIONS = BatchOptions(shard_rows=10)


def main(root: Path, path: Path, kills: int, seed: int) -> None:
    """Kill `kills` starts; then let one come to its end."""
    out, moments = Layout(root).out, random.Random(seed)
    start = prepared(root, path)
    begin = time.monotonic()
    finish(start)
    longest = time.monotonic() - begin
    first, told = digests(out), {"killed": 0, "ended": 0, "differ": 0}
    shutil.rmtree(out / "batches")
    while told["killed"] < kills:
        told["killed"] += killed(start, moments.uniform(0, longest))
        if ended(out):
            told["ended"] += 1
            told["differ"] += digests(out) != first
            shutil.rmtree(out / "batches")
    finish(start)
    told["differ"] += digests(out) != first
    sys.stdout.write(json.dumps(told | {"left": len(list((out / "shards").glob("*")))}))


def prepared(root: Path, path: Path) -> Callable[[], object]:
    """A start, with everything loaded that takes long and starts no thread."""
    handover, repository = Handover(Layout(root).out), read_repository(root)
    permission = authorize(repository, handover.bundle, handover.certificate)
    package, model = repository.settings.project.package, repository.settings.model
    shards.loaded(permission.bundle, package, tuple(model.trusted_types), permission.digest)
    return lambda: predict_batch(repository, path, permission, OPTIONS)


def forked(start: Callable[[], object]) -> int:
    """The id of a process that does it; this one must have no threads, or the other may hang."""
    child = os.fork()
    if not child:
        start()
        os._exit(0)
    return child


def finish(start: Callable[[], object]) -> None:
    """Let a start come to its end."""
    _, status = os.waitpid(forked(start), 0)
    assert status == 0


def killed(start: Callable[[], object], seconds: float) -> bool:
    """Whether a start was killed after some time, not ended before."""
    child = forked(start)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def digests(out: Path) -> dict[str, str]:
    """The digests of a batch's tables, as they are."""
    (path,) = (out / "batches").glob(f"*/{RECORD}")
    record = BatchRecord.model_validate_json(path.read_text())
    found = {name: digest_file(path.parent / name) for name in record.files}
    assert found == record.files
    return found


def ended(out: Path) -> bool:
    """Whether a batch lies there."""
    return any((out / "batches").glob(f"*/{RECORD}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
