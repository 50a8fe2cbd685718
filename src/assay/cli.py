"""The command line: one verb for every step, the same on a laptop and in a workflow."""

import json
import sys
import traceback
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assay.errors import AssayError, CheckFailedError, NotCarriedOutError
from assay.layout import SETTINGS, Layout
from assay.processes import end_when_terminated
from assay.progress import begin, end
from assay.texts import on_one_line
from assay.verbs import batches, checks, data, maintenance, prediction, start
from assay.verbs.console import found_root, printed

VERBOSE = "--verbose"


class GroupedVerbs(TyperGroup):
    """Help that lists the verbs by group, each with its whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (Typer's)
        """Write one section a group."""
        for group, verbs in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name, self._summary(name)) for name in map(name_of, verbs)])

    def _summary(self, name: str) -> str:
        return str(self.commands[name].help).split("\n\n")[0].replace("\n", " ")


app = typer.Typer(
    cls=GroupedVerbs,
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
            "--version", callback=_tell_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    verbose: Annotated[  # noqa: FBT002 (read where errors are told)
        bool,
        typer.Option(VERBOSE, help="Print the traceback of an error in your src/ code."),
    ] = False,
) -> None:
    """Test a materials model before it may predict."""


GROUPS = {
    "Start": (start.init, start.plan, start.update),
    "Every day": (
        checks.schema,
        checks.train,
        checks.sanity,
        checks.check,
        checks.score,
        checks.report,
    ),
    "Predict": (
        prediction.predict,
        batches.app,
        prediction.verify,
        prediction.trace,
        prediction.diff,
    ),
    "Maintain": (data.data_app, maintenance.seal_app, maintenance.ledger_app, maintenance.revoke),
}
NAMES = {
    batches.app: "batch",
    data.data_app: "data",
    maintenance.seal_app: "seal",
    maintenance.ledger_app: "ledger",
}


def name_of(verb: Any) -> str:
    """What a verb is called on the command line."""
    return NAMES[verb] if isinstance(verb, typer.Typer) else verb.__name__


for verb in chain.from_iterable(GROUPS.values()):
    if isinstance(verb, typer.Typer):
        app.add_typer(verb, name=name_of(verb))
    else:
        app.command()(verb)
# what an older machinery's `update` has the new one do
app.command("update-with", hidden=True)(start.update_with)

# Verbs that open sealed labels, of which a traceback could show some.
SECRETIVE = {"score", "seal"}
# Verbs of the workflows that somebody dispatches, who looks at the run and not into its log.
DISPATCHED = {"predict", "batch", "revoke"}
TRACEBACK = "traceback.txt"


def main() -> None:
    """Run the command line; an expected error is one sentence and its own exit code.

    Whatever is not expected is said to be a crash (3), never a failed check (1).
    """
    printed.set(False)
    verbose = VERBOSE in sys.argv
    sys.argv = [word for word in sys.argv if word != VERBOSE]  # before or behind the verb
    begin(sys.argv[1:])
    try:
        with end_when_terminated():
            app()
    except AssayError as error:
        end()
        sentence = _tell(error, verbose=verbose)
        _show(sentence)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 (whatever it is, it says nothing about the model)
        end()
        sys.exit(_confess(error, verbose=verbose))
    except SystemExit as done:
        end(well=not done.code)
        raise


def _tell(error: AssayError, *, verbose: bool) -> str:
    """Print the sentence of an expected error with its code, and return the sentence.

    With `--json` standard output gets it, too, unless the record of a failed check is there.
    """
    sentence = on_one_line(str(error)) + _kept(error, verbose=verbose)
    code = f" [{error.code}]" if error.code else ""
    typer.echo(f"assay{_elsewhere()}: {sentence}{code}", err=True)
    if "--json" in sys.argv and not (isinstance(error, CheckFailedError) and printed.get()):
        told = {"code": error.code, "said": sentence, "exit_code": error.exit_code}
        typer.echo(json.dumps({"error": told}))
    return sentence


def _show(sentence: str) -> None:
    """Put it where a run of Actions is read, of a verb that leaves no report there."""
    if DISPATCHED.intersection(sys.argv[1:2]):
        from assay import runner

        runner.refuse(sentence)


def _elsewhere() -> str:
    root = found_root()
    return "" if root == Path.cwd() else f" in {root}"


def _kept(error: BaseException, *, verbose: bool) -> str:
    """What is said of the file that the traceback behind a sentence was written to, if one is.

    A sentence of an expected error has a cause only where the author's code raised it.
    """
    root = found_root()
    if SECRETIVE.intersection(sys.argv) or error.__cause__ is None:
        return ""
    if verbose:
        traceback.print_exception(error.__cause__)
    if not (root / SETTINGS).is_file():
        return ""
    from assay.files import write_text

    path = Layout(root).out / TRACEBACK
    try:
        path.parent.mkdir(exist_ok=True)
        write_text(path, "".join(traceback.format_exception(error.__cause__)))
    except OSError:
        return ""
    return f" The traceback is in {path.relative_to(root)}."


def _confess(error: Exception, *, verbose: bool) -> int:
    """Say what was not expected, and give the exit code."""
    # such a verb names the kind of error alone
    if not SECRETIVE.intersection(sys.argv):
        from assay.model.builder import not_running, place_of

        root = found_root()
        if place_of(root, error):
            found = not_running(root, error, "this code stopped the command")
            found.__cause__ = error
            _tell(found, verbose=verbose)
            return found.exit_code
        traceback.print_exception(error)
    crash = NotCarriedOutError(
        f"this could not be carried out: {type(error).__name__}, which is an internal error "
        "in assay or in your src/ code; please report it.",
        code="machinery.internal-error",
    )
    _tell(crash, verbose=verbose)
    return crash.exit_code
