"""What every verb shares: the repository it runs in, and how it tells a person or a machine."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.layout import find_root

if TYPE_CHECKING:
    from assay.records import Record
    from assay.settings import Settings

Machine = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HandoverOption = Annotated[
    Path | None, typer.Option("--handover", help="Folder with what the checks handed over [out].")
]
Remote = Annotated[str | None, typer.Option(help="Git remote that holds the ledger.")]


def repository() -> Path:
    """The repository that the current folder lies in, or that folder if it lies in none."""
    return find_root(Path.cwd()) or Path.cwd()


def here() -> "tuple[Path, Settings]":
    """The repository that the current folder lies in, and its settings."""
    from assay.settings import read_settings

    root = repository()
    return root, read_settings(root)


def shown(path: Path) -> str:
    """A path as the person who called from the current folder can use it."""
    return os.path.relpath(path)


def tell(text: str, record: "Record | None" = None, *, machine: bool = False) -> None:
    """Print the text for a person, or the record alone for a machine."""
    if machine and record is not None:
        typer.echo(record.model_dump_json())
    elif not machine:
        typer.echo(text)


def repeated(rows: int) -> str:
    """What is said of rows that were left out of a table of labels."""
    return (
        f"{rows} rows repeat an earlier composition within data.duplicate_tolerance: the first of "
        "each was kept."
    )
