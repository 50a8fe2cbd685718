"""Verbs on the repository itself: `update`."""

from pathlib import Path
from typing import Annotated

import typer

from assay.errors import NotCarriedOutError
from assay.verbs.console import repository


def update(
    template: Annotated[
        str | None,
        typer.Option(help="Folder or address of the template [where it was made from]."),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option("--to", help="Tag, branch or commit of the template [its newest]."),
    ] = None,
    train: Annotated[  # noqa: FBT002 (a flag)
        bool,
        typer.Option("--train/--no-train", help="Compare the model before and after by training."),
    ] = True,
    keep_conflicts: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--keep-conflicts", help="Make the branch, with conflicts marked in files."),
    ] = False,
) -> None:
    """Bring this repository to the present template, on a branch of one commit."""
    from assay.machinery import machinery_digest
    from assay.update.update import Order, begin

    machinery_digest()  # refuses an installation that somebody changed
    root = repository()
    order = Order(str(root), "", "", train=train, keep_conflicts=keep_conflicts)
    raise typer.Exit(begin(root, template, revision, order))


def update_with(order: Path) -> None:
    """Carry out what an older machinery's `update` prepared."""
    from assay.update.report import summary
    from assay.update.update import carry_out, read_order

    report = carry_out(read_order(order))
    if report is None:
        typer.echo("This repository is up to date with the template: no branch was made.")
        return
    typer.echo(summary(report))
    if report.unchecked is not None:
        raise NotCarriedOutError(f"{report.unchecked}: run `make setup check` on it.")
