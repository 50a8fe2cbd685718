"""Verbs on the data: `init`."""

from typing import Annotated

import typer

from assay.verbs.console import repeated, repository


def init(
    source: Annotated[
        str | None, typer.Argument(help="CSV or matminer dataset; without it, seal what is there.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column to learn.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the target.")] = None,
) -> None:
    """Split labelled rows by chemical system, seal the held-out labels, make the keys."""
    from assay.initialization import few_rows, initialize, next_steps

    root = repository()
    made = initialize(root, source, target, unit)
    if made.repeated:
        typer.echo(repeated(made.repeated))
    typer.echo(
        f"{made.train_rows} rows to train on, {made.sealed_rows} sealed; margin {made.margin:g}.\n"
    )
    if (warning := few_rows(made.sealed_rows)) is not None:
        typer.echo(f"{warning}\n")
    typer.echo(next_steps(root))
