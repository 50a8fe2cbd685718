"""What the verbs that take a table of labels share: its options, and questions on a terminal."""

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from assay.intake.policy import Rule
from assay.progress import paused

if TYPE_CHECKING:
    from assay.intake.choices import Choices, UndecidedError
    from assay.intake.intake import Intake

TargetOption = Annotated[str | None, typer.Option(help="Column to learn [found].")]
UnitOption = Annotated[str | None, typer.Option(help="Unit of the target [of the header].")]
FormulaOption = Annotated[str | None, typer.Option(help="Column of the formulas [found].")]
SheetOption = Annotated[
    str | None, typer.Option(help="Sheet of a workbook [the first with a table].")
]
DecimalOption = Annotated[str | None, typer.Option(help="Decimal sign, '.' or ',' [found].")]
DuplicatesOption = Annotated[
    Rule | None,
    typer.Option(help="Which label stands for rows of one composition [that of assay.toml]."),
]
PositiveOption = Annotated[str | None, typer.Option(help="Label of the positive class [found].")]
FractionOption = Annotated[
    float | None, typer.Option(help="Share of the systems to seal [that of assay.toml].")
]
SetAsideOption = Annotated[
    bool, typer.Option("--set-aside", help="Go on without the rows that cannot be used.")
]
Found = TypeVar("Found")


def asked(read: "Callable[[Choices], Found]", choices: "Choices") -> Found:
    """Read a table; on a terminal, ask the person about each point that it leaves open."""
    from assay.intake.choices import UndecidedError

    while True:
        try:
            return read(choices)
        except UndecidedError as error:
            if not _on_terminal():
                raise
            with paused():
                told: Any = {error.option: _answer(error)}
            choices = dataclasses.replace(choices, **told)


def bound_agreed(found: "Intake") -> bool:
    """Whether the bound that the labels suggest may be written: on a terminal, a person's word."""
    from assay.intake.bounds import proposed_lower

    lower = proposed_lower(found)
    if lower is None or not _on_terminal():
        return True
    told = f"No {found.target.column} of the table is below {lower:g}. Is that physically so"
    return typer.confirm(f"{told} (lower = {lower:g} in assay.toml)?", default=True)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _answer(error: "UndecidedError") -> str:
    typer.echo(f"{error}")
    for number, choice in enumerate(error.choices, start=1):
        typer.echo(f"  {number}  {choice}")
    while True:
        answer = str(typer.prompt(f"{error.option}")).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(error.choices):
            return error.choices[int(answer) - 1]
        if answer in error.choices or not error.choices or error.option == "unit":
            return answer
