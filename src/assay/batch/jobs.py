"""A batch from the list to the tables, on one machine or divided among several."""

import math
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from assay.batch.authorization import Authorization
from assay.batch.collection import complete, done
from assay.batch.lists import CandidateList, open_any
from assay.batch.records import QUARANTINE, SHARD_ROWS, BatchRecord, Recipe
from assay.batch.shards import Batch, Shard, divide, exempt_from_collection, finished, predict_shard
from assay.batch.workers import LOCAL, on_one_thread, predicted, require_known
from assay.errors import CheckFailedError, UsageError
from assay.machinery import machinery_of
from assay.progress import say, stages
from assay.repository import Repository

# what a spreadsheet shows, about
CSV_ROWS = 1_000_000
LONGEST_NOTE = 1_000
# Jobs of a matrix, at most (GitHub's limit of a workflow run).
MAXIMUM = 256
# Rows of a trial: enough to tell the speed, and no minute even at 50 a second.
TRIAL = 2_000
# How often its time may pass before the rows of the trials are taken to have misled.
OVERTIME = 2


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is made.

    `column` holds the formulas; nothing else here changes what the rows are. `shard_rows` are
    predicted between two points at which a start can go on; `with_csv` writes the table as a CSV,
    too, by default up to a million rows; `note` is kept in the record.
    """

    scheduler: str | None = None
    column: str | None = None
    shard_rows: int = SHARD_ROWS
    with_csv: bool | None = None
    note: str | None = None


@dataclass(frozen=True)
class Job:
    """A batch that was let through: what it is, authorized by whom, and where its tables go."""

    repository: Repository
    batch: Batch
    authorization: Authorization
    options: BatchOptions

    @property
    def place(self) -> Path:
        """The folder of the tables, `out/batches/<batch_id>`."""
        return self.repository.layout.out / "batches" / self.batch.recipe.folder

    @property
    def shards(self) -> list[Shard]:
        """All shards of the list, in order."""
        return divide(self.batch.listed.rows, self.options.shard_rows)

    def done(self) -> BatchRecord | None:
        """The record of the batch if an earlier start has made it."""
        return done(self.batch, self.authorization, self.place, self.options.note)

    def predict(self, shards: Sequence[Shard], seconds: float = math.inf) -> int:
        """Predict those of the shards that are not there whole; raises as `workers.predicted`.

        After so many seconds no new shard is waited for. Gives the number of rows that are left.
        """
        from assay.progress import counting

        rows = sum(shard.stop - shard.start for shard in shards)
        with counting("predict", rows, " rows", smoothing=0) as progress:
            missing = [shard for shard in shards if not finished(self.batch, shard)]
            left = sum(shard.stop - shard.start for shard in missing)
            if left < rows:
                say("predict", f"{rows - left:,} of {rows:,} rows are there already")
            progress.update(rows - left)
            end = time.monotonic() + seconds
            with closing(predicted(self.batch, missing, self.options.scheduler)) as records:
                for record in records:
                    progress.update(record.stop - record.start)
                    left -= record.stop - record.start
                    if time.monotonic() > end:
                        break
            return left

    def collect(self) -> BatchRecord:
        """Put the shards together; raises as `completion.complete`."""
        return complete(
            self.repository.root, self.batch, self.authorization, self.place, self.options.note
        )


def predict_batch(
    repository: Repository,
    candidates: Path,
    authorization: Authorization,
    options: BatchOptions = BatchOptions(),
) -> BatchRecord:
    """Predict a list of candidates; writes `out/batches/<batch_id>/`.

    What an earlier start has finished is verified and taken as it is.

    Raises:
        CheckFailedError: no row could be predicted.
        RefusedError: the bundle is not the one that was let through any more, or the list changed.
        UsageError: the list cannot be read.
        NotCarriedOutError: a process was ended or the disk is full; what is done stays.
    """
    return finish(prepare(repository, candidates, authorization, options))


def prepare(
    repository: Repository,
    candidates: Path,
    authorization: Authorization,
    options: BatchOptions,
) -> Job:
    """Read a list through and make the batch of it; raises UsageError as `predict_batch`."""
    require_known(options.scheduler)
    if options.shard_rows < 1:
        raise UsageError(
            f"--shard-rows is {options.shard_rows}: write 1 or more.", code="shard.bad-size"
        )
    _require_plain(options.note or "")
    exempt_from_collection()
    with stages("predict") as doing:
        doing(f"reading {candidates.name}")
        listed = open_any(repository.layout, candidates, options.column)
    batch = plan(repository, listed, authorization, options)
    return Job(repository, batch, authorization, options)


def _require_plain(note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise UsageError(
            f"--note has {len(note):,} characters: write at most {LONGEST_NOTE:,}.",
            code="batch.note-too-long",
        )
    try:
        note.encode()
    except UnicodeEncodeError:
        raise UsageError(
            "--note is no text in UTF-8: write it again.", code="batch.wrong-encoding"
        ) from None


def finish(job: Job) -> BatchRecord:
    """Predict what is missing of a batch and put it together; raises as `predict_batch`."""
    record = job.done()
    if record is None:
        job.predict(job.shards)
        record = job.collect()
    return require_some(job, record)


def require_some(job: Job, record: BatchRecord) -> BatchRecord:
    """Insist that a batch has a prediction.

    Raises:
        CheckFailedError: no row could be predicted.
    """
    if not record.predicted:
        raise CheckFailedError(
            f"none of the {record.rows} rows of {job.batch.listed.path} could be predicted: see "
            f"{job.place / QUARANTINE}.",
            code="batch.none-predicted",
        )
    return record


def plan(
    repository: Repository,
    listed: CandidateList,
    authorization: Authorization,
    options: BatchOptions,
) -> Batch:
    """What is to be predicted, and where its shards lie: `out/shards/<batch_id>`."""
    with_csv, settings = options.with_csv, repository.settings
    certificate = authorization.certificate
    recipe = Recipe(
        bundle_digest=authorization.digest,
        certified=certificate is not None,
        evidence=certificate.predicate.evidence if certificate else "none",
        candidates_digest=listed.digest,
        column=listed.column,
        machinery=machinery_of(repository.root),
        with_csv=listed.rows <= CSV_ROWS if with_csv is None else with_csv,
    )
    folder = repository.layout.out / "shards" / recipe.folder
    trusted = tuple(settings.model.trusted_types)
    package = settings.project.package
    return Batch(recipe, listed, authorization.bundle, package, trusted, folder)


def begun(job: Job, seconds: float) -> int:
    """Predict the batch if that takes no longer than a part may; else say how many parts it needs.

    One means that all its shards are there. Where the trials misled, what was predicted until it
    took twice as long tells the speed. Raises as `Job.predict`.
    """
    parts = needed(job, seconds)
    if parts > 1:
        return parts
    start = time.monotonic()
    left = job.predict(job.shards, OVERTIME * seconds)
    if not left:
        return 1
    rows, elapsed = job.batch.listed.rows, time.monotonic() - start
    return max(2, number_of_parts(rows, len(job.shards), (rows - left) / elapsed, seconds))


def needed(job: Job, seconds: float) -> int:
    """How many parts the batch needs, from the time that some of its rows take here.

    Raises as `predict_shard`.
    """
    if len(job.shards) == 1:
        return 1
    cores = (os.cpu_count() or 1) if job.options.scheduler == LOCAL else 1
    rate = cores * _rows_per_second(job, cores)
    return number_of_parts(job.batch.listed.rows, len(job.shards), rate, seconds)


def _rows_per_second(job: Job, processes: int) -> float:
    """The least of three trials, at the beginning, in the middle and at the end of the list.

    They are made as a process that has a core to itself predicts, and nothing is left of them.
    """
    rows = job.batch.listed.rows
    size = min(TRIAL, rows)
    trials = [Shard(start, start + size) for start in (0, (rows - size) // 2, rows - size)]
    with tempfile.TemporaryDirectory() as folder, on_one_thread(), stages("batch") as doing:
        doing(f"trying {len(trials)} times {size:,} rows")
        batch = replace(job.batch, folder=Path(folder), share=rows // processes)
        predict_shard(batch, trials[0])  # loading and compiling count once a process
        return min(size / _seconds(batch, trial) for trial in trials)


def _seconds(batch: Batch, trial: Shard) -> float:
    begin = time.monotonic()
    predict_shard(batch, trial)
    return time.monotonic() - begin


def predict_part(job: Job, part: int, parts: int) -> int:
    """Predict the shards of one part and leave them where they lie; gives their number of rows.

    Raises:
        UsageError: there is no such part.
        AssayError: as `Job.predict`.
    """
    count = len(job.shards)
    if not 1 <= parts <= count:
        raise UsageError(
            f"--parts is {parts}, but the list has {count} shards: write 1 to {count}.",
            code="part.bad-count",
        )
    if not 1 <= part <= parts:
        raise UsageError(
            f"--part is {part}, but there are {parts} parts: write 1 to {parts}.",
            code="part.bad-number",
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
