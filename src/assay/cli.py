"""The command line: one verb for every step, the same on a laptop and in a workflow."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from assay.errors import AssayError, NotCarriedOutError
from assay.progress import begin
from assay.texts import on_one_line
from assay.verbs import (
    batches,
    checks,
    data,
    decisions,
    ledgers,
    maintenance,
    plans,
    prediction,
    seals,
)
from assay.verbs.console import repository

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(asked: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if asked:
        from assay.machinery import installed_version, machinery_digest

        typer.echo(f"assay {installed_version()}, machinery {machinery_digest()[:12]}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: FBT002 (a flag)
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Test a materials model before it may predict."""


VERBS = (
    data.init,
    plans.plan,
    checks.schema,
    checks.train,
    checks.sanity,
    checks.check,
    decisions.score,
    decisions.report,
    prediction.predict,
    prediction.verify,
    prediction.trace,
    prediction.diff,
    ledgers.revoke,
    maintenance.update,
)
for verb in VERBS:
    app.command()(verb)
# what an older machinery's `update` has the new one do
app.command("update-with", hidden=True)(maintenance.update_with)
app.add_typer(batches.app, name="batch")
app.add_typer(seals.app, name="seal")
app.add_typer(ledgers.app, name="ledger")

# Verbs that open sealed labels, of which a traceback could show some.
SECRETIVE = {"score", "seal"}
# Verbs of the workflows that somebody dispatches, who looks at the run and not into its log.
DISPATCHED = {"predict", "batch", "revoke"}


def main() -> None:
    """Run the command line; an expected error is one sentence and its own exit code.

    Whatever is not expected is said to be a crash (3), never a failed check (1).
    """
    begin(sys.argv[1:])
    try:
        app()
    except AssayError as error:
        sentence = on_one_line(str(error))
        typer.echo(f"assay{_elsewhere()}: {sentence}", err=True)
        _show(sentence)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 (whatever it is, it says nothing about the model)
        _confess(error)
        sys.exit(NotCarriedOutError.exit_code)


def _show(sentence: str) -> None:
    """Put it where a run of Actions is read, of a verb that leaves no report there."""
    if DISPATCHED.intersection(sys.argv[1:2]):
        from assay import runner

        runner.refuse(sentence)


def _elsewhere() -> str:
    root = repository()
    return "" if root == Path.cwd() else f" in {root}"


def _confess(error: Exception) -> None:
    # such a verb names the kind of error alone
    if not SECRETIVE.intersection(sys.argv):
        traceback.print_exception(error)
    typer.echo(
        f"assay: this could not be carried out: {type(error).__name__}, which is a defect of "
        "assay or of src/; please report it.",
        err=True,
    )
