"""A batch from the list to the tables: cut up, predicted where it is missing, put together."""

import gc
import math
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from assay.batch.authorization import Authorization
from assay.batch.completion import complete, done
from assay.batch.lists import CandidateList, open_list
from assay.batch.records import QUARANTINE, SHARD_ROWS, BatchRecord, Recipe
from assay.batch.shards import Batch, Shard, divide, finished
from assay.batch.workers import predicted, require_known
from assay.errors import CheckFailedError, UsageError
from assay.layout import Layout
from assay.machinery import machinery_of
from assay.progress import say, stages
from assay.settings import Settings

# what a spreadsheet shows, about
CSV_ROWS = 1_000_000
LONGEST_NOTE = 1_000


@dataclass(frozen=True)
class Options:
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
    """A batch that was let through: what it is, by whose leave, and where its tables will lie."""

    root: Path
    batch: Batch
    authorization: Authorization
    options: Options

    @property
    def place(self) -> Path:
        """The folder of the tables, `out/batches/<batch_id>`."""
        return Layout(self.root).out / "batches" / self.batch.recipe.folder

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
        from tqdm import tqdm

        rows = sum(shard.stop - shard.start for shard in shards)
        with tqdm(total=rows, desc="predict", unit=" rows", disable=None, smoothing=0) as progress:
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
        return complete(self.root, self.batch, self.authorization, self.place, self.options.note)


def predict_batch(
    root: Path,
    settings: Settings,
    candidates: Path,
    authorization: Authorization,
    options: Options = Options(),
) -> BatchRecord:
    """Predict a list of candidates; writes `out/batches/<batch_id>/`.

    What an earlier start has finished is verified and taken as it is.

    Raises:
        CheckFailedError: no row could be predicted.
        RefusedError: the bundle is not the one that was let through any more, or the list changed.
        UsageError: the list cannot be read.
        NotCarriedOutError: a process was ended or the disk is full; what is done stays.
    """
    return finish(prepare(root, settings, candidates, authorization, options))


def prepare(
    root: Path,
    settings: Settings,
    candidates: Path,
    authorization: Authorization,
    options: Options,
) -> Job:
    """Read a list through and make the batch of it; raises UsageError as `predict_batch`."""
    require_known(options.scheduler)
    if options.shard_rows < 1:
        raise UsageError(f"--shard-rows is {options.shard_rows}: write 1 or more.")
    _require_plain(options.note or "")
    gc.freeze()  # see `shards.loaded`
    with stages("predict") as doing:
        doing(f"reading {candidates.name}")
        listed = open_list(candidates, options.column)
    batch = plan(root, settings, listed, authorization, options)
    return Job(root, batch, authorization, options)


def _require_plain(note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"--note has {len(note):,} characters: {LONGEST_NOTE:,} are enough.")
    try:
        note.encode()
    except UnicodeEncodeError:
        raise UsageError("--note is no text in UTF-8: write it anew.") from None


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
            f"{job.place / QUARANTINE}."
        )
    return record


def plan(
    root: Path,
    settings: Settings,
    listed: CandidateList,
    authorization: Authorization,
    options: Options,
) -> Batch:
    """What is to be predicted, and where its shards lie: `out/shards/<batch_id>`."""
    with_csv = options.with_csv
    recipe = Recipe(
        bundle_digest=authorization.digest,
        certified=authorization.certificate is not None,
        candidates_digest=listed.digest,
        column=listed.column,
        machinery=machinery_of(root),
        with_csv=listed.rows <= CSV_ROWS if with_csv is None else with_csv,
    )
    folder = Layout(root).out / "shards" / recipe.folder
    trusted = tuple(settings.model.trusted_types)
    package = settings.project.package
    return Batch(recipe, listed, authorization.bundle, package, trusted, folder)
