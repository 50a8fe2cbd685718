"""What every verb shares: its repository, its output, and its `refusal.json`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import AssayError, CheckFailedError, NotCarriedOutError
from assay.layout import SETTINGS, Handover, Part, find_root
from assay.texts import on_one_line, plural

if TYPE_CHECKING:
    from assay.records import Record
    from assay.repository import Repository

Machine = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HandoverOption = Annotated[
    Path | None, typer.Option("--handover", help="Folder of the checks' records [out].")
]
Remote = Annotated[str | None, typer.Option(help="Git remote with the ledger [this clone].")]
# whether the verb that runs has printed a record for machines
printed: ContextVar[bool] = ContextVar("printed", default=False)


def found_root() -> Path:
    """The repository that the current folder lies in, or that folder if it lies in none."""
    return find_root(Path.cwd()) or Path.cwd()


def here() -> "Repository":
    """The repository that the current folder lies in, with its settings."""
    from assay.repository import read_repository

    return read_repository(found_root())


def shown(path: Path) -> str:
    """A path as the person who called from the current folder can use it."""
    return os.path.relpath(path)


def tell(text: str, record: "Record | None" = None, *, machine: bool = False) -> None:
    """Print the text for a person, or the record alone for a machine."""
    if machine and record is not None:
        typer.echo(record.model_dump_json())
        printed.set(True)
    elif not machine:
        typer.echo(text)


def note_age(root: Path) -> None:
    """Say on stderr that nothing was fetched for more than a day, where there is a remote."""
    from assay.ledger import branches

    with suppress(NotCarriedOutError):  # whoever needs git says so
        days = int((branches.age(root) or 0.0) // branches.DAY)
        if days and not os.environ.get("GITHUB_ACTIONS"):
            typer.echo(
                f"note: nothing was fetched from {branches.ORIGIN} for {plural(days, 'day')}, so "
                "what was certified or revoked since is not known here: `git fetch "
                f"{branches.ORIGIN}`.",
                err=True,
            )


@contextmanager
def recorded(handover: Handover, part: Part) -> Iterator[None]:
    """Leave a `Refusal` if what is done here ends by an error, and none of an earlier time.

    A failed check has its own record, so nothing is left of it. Errors go on as they came, where
    nothing can be written, too.
    """
    with suppress(OSError):
        handover.refusal(part).unlink(missing_ok=True)
    try:
        yield
    except CheckFailedError:
        raise
    except AssayError as error:
        _write(handover, part, str(error), error.exit_code)
        raise
    except Exception as error:
        # the kind alone: what a crash of `score` says could hold labels
        said = (
            f"{type(error).__name__}, which is an internal error in assay or in your src/ code: "
            "see the log."
        )
        _write(handover, part, said, NotCarriedOutError.exit_code)
        raise


def _write(handover: Handover, part: Part, said: str, exit_code: int) -> None:
    root = found_root()
    if not (root / SETTINGS).is_file():
        return  # nowhere to write: this is no repository
    from assay.records import MAXIMUM_TEXT, Refusal

    # on one line also what no record can hold: a file's name that is not UTF-8
    text = on_one_line(said.replace(f"{root}/", ""))[:MAXIMUM_TEXT]
    with suppress(OSError):
        Refusal(said=text, exit_code=exit_code).write(handover.refusal(part))
