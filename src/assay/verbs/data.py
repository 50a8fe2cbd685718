"""Verbs about the public rows: `data add`."""

from typing import Annotated

import typer

from assay.progress import stages
from assay.verbs.console import found_root, here
from assay.verbs.tables import (
    DecimalOption,
    DuplicatesOption,
    FormulaOption,
    SetAsideOption,
    SheetOption,
    TargetOption,
    UnitOption,
    asked,
)

data_app = typer.Typer(
    help="Add labelled rows to the train set.", no_args_is_help=True, rich_markup_mode=None
)


@data_app.callback()
def _group() -> None:
    """Keep `add` a verb of the group, of which it is the only one so far."""


@data_app.command()
def add(  # noqa: PLR0913 (one parameter an option)
    source: Annotated[str, typer.Argument(help="Table of formulas and the target, as for init.")],
    target: TargetOption = None,
    unit: UnitOption = None,
    formula: FormulaOption = None,
    sheet: SheetOption = None,
    decimal: DecimalOption = None,
    duplicates: DuplicatesOption = None,
    set_aside: SetAsideOption = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Most rows to add, the first of the table [all].")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print where each row goes, and add nothing.")
    ] = False,
) -> None:
    """Add labelled rows to the train set; those of sealed groups are left out."""
    with stages("data add") as doing:
        doing("starting")
        from assay.growth import adding
        from assay.intake.choices import Choices
        from assay.intake.report import intake_text
        from assay.layout import Layout

    repository, layout = here(), Layout(found_root())
    choices = Choices(
        formula=formula,
        target=target,
        unit=unit,
        sheet=sheet,
        decimal=decimal,
        duplicates=duplicates,
    )
    found = asked(lambda choices: adding.read_new(repository, source, choices), choices)
    typer.echo(f"{intake_text(found)}\n")
    with stages("data add") as doing:
        doing("placing the rows, and trying the checks of a pull request on them")
        made = adding.addition(repository, found, source, limit=limit, agreed=set_aside)
    typer.echo(f"{adding.addition_text(layout, made)}\n")
    if dry_run:
        typer.echo("Nothing was written: this was a dry run.")
        return
    adding.write_addition(layout, made)
    typer.echo(adding.next_steps(found, made))
