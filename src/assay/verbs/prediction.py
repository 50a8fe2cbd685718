"""What a certificate unlocks: `predict`, `verify`, `trace` and `diff`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.batch.records import SHARD_ROWS
from assay.errors import CheckFailedError, UsageError
from assay.layout import Layout
from assay.progress import stages
from assay.texts import on_one_line, plural
from assay.verbs.console import Machine, found_root, here, note_age, shown, tell

if TYPE_CHECKING:
    from assay.batch.authorization import Authorization
    from assay.batch.records import BatchRecord
    from assay.repository import Repository


def predict(  # noqa: PLR0913 (one parameter an option)
    candidates: Annotated[
        Path, typer.Argument(help="CSV, gzipped CSV or Parquet with a column formula.")
    ],
    model: Annotated[
        str, typer.Option(help="Digest of a certified bundle, or champion.")
    ] = "champion",
    bundle: Annotated[
        Path | None, typer.Option(help="Bundle folder to use instead of --model.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificate of that bundle.")] = None,
    uncertified: Annotated[
        bool, typer.Option(help="Predict without a certificate; every row is marked.")
    ] = False,
    column: Annotated[
        str | None, typer.Option(help="Column of formulas [the one named formula].")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="`local` (all cores), a Dask address, or a file such as slurm.yaml [one process]."
        ),
    ] = None,
    shard_rows: Annotated[
        int, typer.Option(help="Checkpoint every N rows; an interrupted run resumes there.")
    ] = SHARD_ROWS,
    with_csv: Annotated[
        bool | None,
        typer.Option("--csv/--no-csv", help="Also write CSV [for lists of up to 1,000,000 rows]."),
    ] = None,
    note: Annotated[str, typer.Option(help="Purpose of the batch; kept in its record.")] = "",
    machine: Machine = False,
) -> None:
    """Predict a list of candidates with a certified model."""
    from assay.batch import jobs

    repository = here()
    note_age(repository.root)
    named = NamedBundle(bundle, certificate, uncertified=uncertified)
    permission = permitted(repository, model, named)
    options = jobs.BatchOptions(scheduler, column, shard_rows, with_csv, note or None)
    with uninterrupted():
        record = jobs.predict_batch(repository, candidates, permission, options)
    conclude(repository.layout, record, machine=machine)


@dataclass(frozen=True)
class NamedBundle:
    """A bundle and a certificate that were named, or that none is needed."""

    bundle: Path | None = None
    certificate: Path | None = None
    uncertified: bool = False


def permitted(
    repository: "Repository", model: str, given: NamedBundle = NamedBundle()
) -> "Authorization":
    """Let a model predict, the one that is named or the bundle that is given.

    Raises:
        RefusedError: it may not.
        NotCarriedOutError: the ledger or the release is not at hand, or assay was altered.
    """
    from assay.batch import authorization
    from assay.machinery import machinery_of

    machinery_of(repository.root)
    authorization.require_main()
    bundle, certificate = given.bundle, given.certificate
    if bundle is None and given.uncertified:
        bundle = repository.handover.bundle
    if bundle is None:
        found = authorization.find(repository.root, model)
        bundle, certificate = found.bundle, found.certificate
    if given.uncertified:
        return authorization.without_certificate(bundle)
    certificate = certificate or bundle.parent / authorization.CERTIFICATE
    return authorization.authorize(repository, bundle, certificate)


@contextmanager
def uninterrupted(then: str = "the same command goes on where it was") -> Iterator[None]:
    """End with one sentence and 130, as a shell does, if somebody presses Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"assay: stopped; {then}.", err=True)
        raise typer.Exit(130) from None


def conclude(layout: Layout, record: "BatchRecord", *, machine: bool) -> None:
    """Tell of a batch that is done, in the run's summary, too."""
    from assay import runner
    from assay.batch import collection

    place = layout.out / "batches" / record.folder
    runner.summarise(lambda: collection.render_summary(record, place))
    if record.fallback:
        typer.echo(on_one_line(f"assay: {record.fallback}"), err=True)
    proven = "certified" if record.certified else "UNCERTIFIED"
    proven += " (public evidence)" if record.evidence == "public" else ""
    column = record.recipe.column
    read = "" if column == "formula" else f", formulas from the column {column!r:.80}"
    tell(
        f"predict: {record.predicted:,} rows predicted ({record.outside:,} outside the domain), "
        f"{record.quarantined:,} quarantined{read}, by {proven} model "
        f"{record.recipe.bundle_digest[:12]} -> {shown(place)}",
        record,
        machine=machine,
    )


def verify(
    path: Annotated[
        Path, typer.Argument(help="Certificate, or folder of a bundle, a batch or a retired set.")
    ],
    candidates: Annotated[
        Path | None, typer.Option(help="List of the batch; also check that no row is missing.")
    ] = None,
    machine: Machine = False,
) -> None:
    """Verify a certificate, bundle, batch or published labels, offline."""
    from assay.batch.verification import verify_path
    from assay.machinery import machinery_digest

    repository = here()
    note_age(repository.root)
    machinery_digest()
    with uninterrupted("run the same command again to verify all"):
        sentence, details = verify_path(repository, path, candidates)
    typer.echo(json.dumps(details) if machine else sentence)


def trace(
    identifier: Annotated[
        str, typer.Argument(help="Id of a prediction, batch or model, or a correlation id.")
    ],
    machine: Machine = False,
) -> None:
    """Find the model, data, code, run and certificate behind an id."""
    from assay.batch.lineage import sentences
    from assay.batch.lineage import trace as look_up

    found = look_up(found_root(), identifier)
    tell("\n".join(sentences(found)), found, machine=machine)
    if found.certificate is None:
        raise CheckFailedError(
            f"{identifier!r:.80} is not proven: {found.unproven}.", code="lineage.not-proven"
        )


def diff(
    tables: Annotated[
        list[Path], typer.Argument(help="Two or more batches, or tables with a column formula.")
    ],
    column: Annotated[str, typer.Option(help="Column to compare.")] = "prediction",
    top: Annotated[int, typer.Option(help="Number of first ranks to compare.", min=1)] = 10,
    highest: Annotated[bool, typer.Option(help="Rank the highest values first.")] = False,
    machine: Machine = False,
) -> None:
    """Compare tables of predictions by material: changes, ranks, causes."""
    from assay.batch.comparison import read_predictions
    from assay.batch.reconciliation import reconcile, sentences

    if len(tables) == 1:
        raise UsageError(
            f"{tables[0]} is the only table: run `assay diff {tables[0]} OTHER_TABLE`.",
            code="diff.one-table",
        )
    with stages("diff") as doing:
        doing("reading the tables")
        found = [read_predictions(path, column) for path in tables]
        doing("comparing")
        told = reconcile(Layout(found_root()), found, top, highest=highest)
    tell("\n".join(sentences(told)), told, machine=machine)
    changed = sum(difference.changed for difference in told.differences)
    if changed:
        raise CheckFailedError(
            f"{plural(changed, 'row differs', 'rows differ')}: read what is printed above.",
            code="diff.rows-differ",
        )
