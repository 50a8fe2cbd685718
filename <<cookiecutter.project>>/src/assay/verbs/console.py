"""What every verb shares: the repository it runs in, and how it tells a person or a machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from assay.records import Record
    from assay.settings import Settings

Machine = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HandoverOption = Annotated[
    Path | None, typer.Option("--handover", help="Folder with what the checks handed over [out].")
]
Remote = Annotated[str | None, typer.Option(help="Git remote that holds the ledger.")]


def here() -> "tuple[Path, Settings]":
    """The repository in the current folder and its settings."""
    from assay.settings import read_settings

    root = Path.cwd()
    return root, read_settings(root)


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
