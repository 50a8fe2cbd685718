"""Verbs on the sealed set after `init`: `seal rotate`, `seal retire` and `seal fresh`."""

from typing import Annotated

import typer

from assay.verbs.console import Remote, here, repeated, repository

app = typer.Typer(
    help="Change the key of the sealed set, retire the set, or seal a fresh one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def rotate() -> None:
    """Encrypt the held-out labels under a new key; set and budget stay the same."""
    from assay.layout import Layout
    from assay.sealing import rotation

    layout = Layout(repository())
    typer.echo(rotation.next_steps(layout, rotation.rotate(layout)))


@app.command()
def retire(
    remote: Remote = None,
    early: Annotated[bool, typer.Option("--early", help="Though its budget is not spent.")] = False,  # noqa: FBT002
) -> None:
    """Publish the held-out labels and all scores on them; nothing passes on the set after that."""
    from assay.sealing import retirement

    root, settings = here()
    made = retirement.retire(root, settings, remote, early=early)
    typer.echo(retirement.next_steps(root, made))


@app.command()
def fresh(
    source: Annotated[str, typer.Argument(help="CSV with the columns formula and the target.")],
) -> None:
    """Seal new labelled rows in the place of a retired set, whose rows join the train set."""
    from assay.sealing import renewal

    root = repository()
    made = renewal.seal_fresh(root, source)
    if made.repeated:
        typer.echo(repeated(made.repeated))
    typer.echo(
        f"{made.joined_rows} retired rows joined the train set, which has {made.train_rows}; "
        f"{made.sealed_rows} sealed; margin {made.margin:g}.\n"
    )
    typer.echo(renewal.next_steps(root, source, made))
