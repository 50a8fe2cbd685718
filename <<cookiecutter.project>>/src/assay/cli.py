"""The command line: one verb for every step, the same on a laptop and in a workflow."""

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import AssayError, CheckFailedError, NotCarriedOutError
from assay.layout import Handover, Layout

if TYPE_CHECKING:
    from assay.records import CheckReport, Record
    from assay.settings import Settings

app = typer.Typer(
    help="Test a materials model before it may predict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Machine = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HandoverOption = Annotated[
    Path | None, typer.Option("--handover", help="Folder with what the checks handed over [out].")
]


def main() -> None:
    """Run the command line; an expected error is one sentence and its own exit code.

    Whatever is not expected is said to be a crash (3), never a failed check (1).
    """
    try:
        app()
    except AssayError as error:
        typer.echo(f"assay: {_on_one_line(str(error))}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 (whatever it is, it says nothing about the model)
        _confess(error)
        sys.exit(NotCarriedOutError.exit_code)


def _on_one_line(text: str) -> str:
    # A line of its own could be a command to the runner of a workflow.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _confess(error: Exception) -> None:
    # A traceback of `score` could show labels, so that verb names the kind of error alone.
    if "score" not in sys.argv:
        traceback.print_exception(error)
    typer.echo(
        f"assay: this could not be carried out: {type(error).__name__}, which is a defect of "
        "assay or of src/; please report it.",
        err=True,
    )


def _here() -> "tuple[Path, Settings]":
    from assay.settings import read_settings

    root = Path.cwd()
    return root, read_settings(root)


def _tell(text: str, record: "Record | None" = None, *, machine: bool = False) -> None:
    if machine and record is not None:
        typer.echo(record.model_dump_json())
    elif not machine:
        typer.echo(text)


@app.command()
def init(
    source: Annotated[
        str | None, typer.Argument(help="CSV or matminer dataset; without it, seal what is there.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column to learn.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the target.")] = None,
) -> None:
    """Split labelled rows by chemical system, seal the held-out labels, make the keys."""
    from assay.initialization import initialize, next_steps

    root = Path.cwd()
    made = initialize(root, source, target, unit)
    typer.echo(
        f"{made.train_rows} rows to train on, {made.sealed_rows} sealed; margin {made.margin:g}.\n"
    )
    typer.echo(next_steps(root))


@app.command()
def schema(machine: Machine = False) -> None:  # noqa: FBT002 (a flag)
    """Check the data with Great Expectations."""
    _schema(machine=machine)


def _schema(*, machine: bool) -> None:
    from assay.schema import check_schema

    root, settings = _here()
    report = check_schema(root, settings)
    report.write(Handover(Layout(root).out).schema)
    _conclude(report, "expectations hold", machine=machine)


@app.command()
def train(machine: Machine = False) -> None:  # noqa: FBT002
    """Train the candidate and write its bundle and predictions."""
    _train(machine=machine)


def _train(*, machine: bool) -> None:
    from assay.training import train as fit

    root, settings = _here()
    card = fit(root, settings)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items())
    _tell(
        f"train: {card.estimator} on {card.rows} rows, {card.groups} chemical systems; out of "
        f"fold: {metrics} ({card.unit}); bundle {card.bundle_digest[:12]}",
        card,
        machine=machine,
    )


@app.command()
def sanity(
    bundle: Annotated[Path | None, typer.Option(help="The bundle to test [out/bundle].")] = None,
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Test the bundle's behaviour with properties that any composition model must have."""
    _sanity(bundle, machine=machine)


def _sanity(bundle: Path | None, *, machine: bool) -> None:
    from assay.sanity import run_sanity

    root, settings = _here()
    handover = Handover(Layout(root).out)
    report = run_sanity(root, settings, bundle or handover.bundle, None)
    report.write(handover.sanity)
    _conclude(report, "properties hold", machine=machine)


@app.command()
def check(machine: Machine = False) -> None:  # noqa: FBT002
    """Run schema, train and sanity: the untrusted half, as the workflow runs it."""
    _schema(machine=machine)
    _train(machine=machine)
    _sanity(None, machine=machine)


def _conclude(report: "CheckReport", success: str, *, machine: bool) -> None:
    from assay.github import annotate

    annotate(report.findings)
    warnings = len(report.findings) - len(report.failures)
    for finding in report.findings:
        place = ":".join(str(part) for part in (finding.file, finding.line) if part)
        _tell(
            f"  {finding.severity}: {place}{': ' if place else ''}{finding.message}",
            machine=machine,
        )
    _tell(
        f"{report.check}: {report.executed} {success if report.passed else 'checked'}, "
        f"{len(report.failures)} failures, {warnings} warnings",
        report,
        machine=machine,
    )
    if not report.executed:
        raise CheckFailedError(f"{report.check} executed nothing: that is not a pass.")
    if not report.passed:
        raise CheckFailedError(
            f"{report.check} found {len(report.failures)} failures: mend them as told above."
        )


@app.command()
def score(
    handover: HandoverOption = None,
    remote: Annotated[str | None, typer.Option(help="Git remote that holds the ledger.")] = None,
    publish: Annotated[bool, typer.Option(help="Release a certified bundle on GitHub.")] = False,  # noqa: FBT002
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Decide: the trusted half, with the sealed labels."""
    from assay.scoring import score as decide
    from assay.summary import gate_line

    root, settings = _here()
    folder = Handover(handover or Layout(root).out)
    verdict = decide(root, settings, folder, remote)
    if verdict.certified:
        _spread(root, settings, folder, verdict.bundle_digest, publish=publish)
    _tell(gate_line(verdict), verdict, machine=machine)
    if verdict.outcome != "PASS":
        raise CheckFailedError(f"{verdict.outcome}: {verdict.explanation}.")


def _spread(
    root: Path, settings: "Settings", handover: Handover, digest: str, *, publish: bool
) -> None:
    from assay import models
    from assay.tracking import promote

    stored = models.store(Layout(root), digest, handover.bundle, handover.certificate)
    if publish:
        notes = "Verify with `assay verify certificate.json` in a checkout of this repository."
        models.publish(digest, stored.bundle, stored.certificate, notes)
    promote(root, settings, digest, stored.bundle)


@app.command()
def report(
    handover: HandoverOption = None,
    post: Annotated[bool, typer.Option(help="Set the status and comment on GitHub.")] = False,  # noqa: FBT002
) -> None:
    """Write the comment and the page that a reviewer reads."""
    from assay.posting import write_report

    root, settings = _here()
    page = write_report(root, settings, Handover(handover or Layout(root).out), post=post)
    typer.echo(f"report: {page}")


@app.command()
def predict(  # noqa: PLR0913 (one parameter an option)
    candidates: Annotated[Path, typer.Argument(help="CSV with a column formula.")],
    model: Annotated[str, typer.Option(help="Digest of a certified bundle.")] = "champion",
    bundle: Annotated[Path | None, typer.Option(help="A bundle folder, instead.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Its certificate.")] = None,
    uncertified: Annotated[bool, typer.Option(help="Without one; rows are marked.")] = False,  # noqa: FBT002
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Predict a list of candidates with a certified model."""
    from assay import authorization, batch, models

    root, settings = _here()
    authorization.require_main()
    if bundle is None and uncertified:
        bundle = Handover(Layout(root).out).bundle
    if bundle is None:
        found = models.find(root, model)
        bundle, certificate = found.bundle, found.certificate
    if uncertified:
        permission = authorization.without_certificate(bundle)
    else:
        permission = authorization.authorize(
            root, settings, bundle, certificate or bundle.parent / models.CERTIFICATE
        )
    record = batch.predict_batch(root, settings, candidates, permission)
    _tell(
        f"predict: {record.predicted} rows predicted, {record.quarantined} quarantined, by "
        f"{'certified' if record.certified else 'UNCERTIFIED'} model {record.model_id[:12]} -> "
        f"out/batches/{record.folder}",
        record,
        machine=machine,
    )


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="Certificate, bundle or batch folder.")],
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Verify a certificate, a bundle or a table of predictions, offline."""
    from assay.verification import verify_path

    root, settings = _here()
    sentence, details = verify_path(root, settings, path)
    typer.echo(json.dumps(details) if machine else sentence)
