"""A batch divided among machines: `batch begin`, `batch part`, `batch collect`, `batch sign`."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.batch.records import RECORD, SHARD_ROWS, BatchRecord
from assay.errors import RefusedError, UsageError
from assay.layout import Layout
from assay.texts import on_one_line, plural
from assay.verbs.console import found_root, here, shown
from assay.verbs.prediction import conclude, permitted, uninterrupted

if TYPE_CHECKING:
    from assay.batch.jobs import BatchOptions

app = typer.Typer(
    help="Predict one list on several machines: begin, part, collect, sign.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[
    str, typer.Argument(help="Path, release:TAG/FILE or artifact:RUN/NAME of this repository.")
]
Listed = Annotated[Path, typer.Argument(help="The list; a fetched one lies in out/candidates.")]
Model = Annotated[str, typer.Option(help="Digest of a certified bundle.")]
Scheduler = Annotated[str | None, typer.Option(help="Where to predict, as in `assay predict`.")]
Column = Annotated[str | None, typer.Option(help="Column of formulas; the same for all parts.")]
ShardRows = Annotated[int, typer.Option(help="Rows per shard; the same for all parts.")]
Note = Annotated[str, typer.Option(help="Purpose of the batch; kept in its record.")]


@app.command()
def begin(  # noqa: PLR0913 (one parameter an option)
    source: Source,
    model: Model = "champion",
    scheduler: Scheduler = None,
    column: Column = None,
    shard_rows: ShardRows = SHARD_ROWS,
    minutes: Annotated[float, typer.Option(help="Target minutes per part.", min=0)] = 10,
    note: Note = "",
) -> None:
    """Predict a short list, or print how many parts a long one needs."""
    from assay import runner
    from assay.batch import jobs, lists

    repository = here()
    permission = permitted(repository, model)
    candidates = lists.obtain(repository.root, source)
    options = jobs.BatchOptions(scheduler, column, shard_rows, note=note or None)
    with uninterrupted():
        job = jobs.prepare(repository, candidates, permission, options)
        needed = 1 if job.done() else jobs.begun(job, 60 * minutes)
        numbers = list(range(1, needed + 1)) if needed > 1 else []
        runner.set_output("model", permission.digest)
        runner.set_output("candidates", shown(candidates))
        runner.set_output("parts", json.dumps(numbers))
        if numbers:
            told = f"{job.batch.listed.rows:,} rows need {needed} parts"
            typer.echo(
                f"batch: {told}; predict each part, bring all out/shards together, and collect:"
            )
            for command in _next(shown(candidates), permission.digest, needed, options):
                typer.echo(f"  {on_one_line(command)}")
            runner.summarise(lambda: f"## Divided\n\n{told}, each a job of this run.\n")
        else:
            conclude(repository.layout, jobs.require_some(job, jobs.collected(job)), machine=False)


@app.command()
def part(  # noqa: PLR0913 (one parameter an option)
    candidates: Listed,
    part: Annotated[int, typer.Option(help="Number of the part, from 1.")],
    parts: Annotated[str, typer.Option(help="Number of parts, or the list that begin printed.")],
    model: Model = "champion",
    scheduler: Scheduler = None,
    column: Column = None,
    shard_rows: ShardRows = SHARD_ROWS,
) -> None:
    """Predict one part of a list and leave its shards in out/shards."""
    from assay.batch import jobs
    from assay.batch.jobs import predict_part

    repository = here()
    permission = permitted(repository, model)
    options = jobs.BatchOptions(scheduler, column, shard_rows)
    with uninterrupted():
        job = jobs.prepare(repository, candidates, permission, options)
        rows = predict_part(job, part, _count(parts))
    typer.echo(f"batch: part {part}, {plural(rows, 'row')} -> {shown(job.batch.folder)}")


@app.command()
def collect(
    candidates: Listed, model: Model = "champion", column: Column = None, note: Note = ""
) -> None:
    """Join the shards of all parts into one batch; predict nothing."""
    from assay.batch import jobs
    from assay.batch.jobs import collected

    repository = here()
    permission = permitted(repository, model)
    options = jobs.BatchOptions(column=column, note=note or None)
    job = jobs.prepare(repository, candidates, permission, options)
    conclude(repository.layout, jobs.require_some(job, collected(job)), machine=False)


@app.command()
def sign(
    batches: Annotated[
        list[Path] | None,
        typer.Argument(help="Batch folders [all certified ones in out/batches]."),
    ] = None,
) -> None:
    """Sign certified batches, so that others can verify their files."""
    from assay.batch.authorization import require_main
    from assay.batch.manifests import sign_batch
    from assay.machinery import machinery_of
    from assay.records import read_record

    require_main("batches are signed")
    root = found_root()
    machinery_of(root)
    found = sorted(Layout(root).out.glob(f"batches/[!.]*/{RECORD}"))
    certified = [one.parent for one in found if read_record(BatchRecord, one).certified]
    folders = batches or certified
    if not folders:
        raise UsageError(
            "out/batches holds no certified batch: run `assay predict LIST`, or name its folder.",
            code="batch.none-certified",
        )
    if os.environ.get("GITHUB_ACTIONS") and len(folders) > 1:
        raise RefusedError(
            f"a run makes one batch, not {len(folders)}, so nothing is signed: start Predict "
            "again.",
            code="batch.several",
        )
    for folder in folders:
        typer.echo(f"batch: signed -> {shown(sign_batch(root, folder))}")


def _next(listed: str, digest: str, needed: int, options: "BatchOptions") -> Iterator[str]:
    """The commands that predict the parts and put them together."""
    what = f"{shlex.quote(listed)} --model {digest}"
    what += "" if options.column is None else f" --column {shlex.quote(options.column)}"
    rows = options.shard_rows
    size = "" if rows == SHARD_ROWS else f" --shard-rows {rows}"
    yield f"assay batch part {what}{size} --part 1 --parts {needed}"
    yield f"assay batch collect {what}"


def _count(parts: str) -> int:
    """Their number, from itself or from the list of all numbers."""
    try:
        told = json.loads(parts)
    except (ValueError, RecursionError):
        told = None
    told = len(told) if isinstance(told, list) else told
    if type(told) is not int:
        raise UsageError(
            f"--parts is {parts!r:.80}: write how many there are.", code="part.bad-count"
        )
    return told
