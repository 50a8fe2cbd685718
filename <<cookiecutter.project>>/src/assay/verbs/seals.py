"""Verbs on the sealed set after `init`: `seal rotate`."""

from pathlib import Path

import typer

app = typer.Typer(
    help="Change the key of the sealed set, retire the set, or seal a fresh one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def rotate() -> None:
    """Encrypt the held-out labels under a new key; set and budget stay the same."""
    from assay import rotation
    from assay.layout import Layout

    layout = Layout(Path.cwd())
    typer.echo(rotation.next_steps(layout, rotation.rotate(layout)))
