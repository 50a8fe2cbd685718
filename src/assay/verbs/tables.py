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

TargetOption = Annotated[str | None, typer.Option(help="Column to learn [detected].")]
UnitOption = Annotated[str | None, typer.Option(help="Unit of the target [of the header].")]
FormulaOption = Annotated[str | None, typer.Option(help="Column of the formulas [detected].")]
SheetOption = Annotated[
    str | None, typer.Option(help="Sheet of a workbook [the first with a table].")
]
DecimalOption = Annotated[str | None, typer.Option(help="Decimal sign, '.' or ',' [detected].")]
DuplicatesOption = Annotated[
    Rule | None,
    typer.Option(help="Label for rows that share one composition [that of assay.toml]."),
]
PositiveOption = Annotated[str | None, typer.Option(help="Label of the positive class [detected].")]
FractionOption = Annotated[
    float | None, typer.Option(help="Share of chemical systems to seal [that of assay.toml].")
]
GroupOption = Annotated[
    str | None,
    typer.Option(help="What makes a group: system, composition or a column [that of assay.toml]."),
]
ExtentOption = Annotated[
    float | None, typer.Option(help="Extent of clusters of compositions [that of assay.toml].")
]
CapOption = Annotated[
    int | None,
    typer.Option("--rows-per-group", help="Most rows of a group that count as evidence [found]."),
]
SetAsideOption = Annotated[
    bool, typer.Option("--set-aside", help="Leave out the rows that cannot be used, however many.")
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


def with_group(read: "Callable[[Choices], Intake | None]", choices: "Choices") -> "Intake | None":
    """Read a table; where a column of it may say which rows go together, ask the person.

    Without a terminal rows go by chemical system, which is said.
    """
    from assay.groups import COMPOSITION, SYSTEM

    found = asked(read, choices)
    if found is None or choices.group is not None or not found.groupings or found.group != SYSTEM:
        return found
    named = ", ".join(map(repr, found.groupings))[:300]
    if not _on_terminal():
        typer.echo(
            f"Rows are grouped by chemical system. If one of the columns {named} says which rows "
            "go together, name it with --group.",
            err=True,
        )
        return found
    typer.echo("Rows of one group are not divided. A paper, heat or series says best which do.")
    for number, choice in enumerate(options := [SYSTEM, COMPOSITION, *found.groupings], start=1):
        typer.echo(f"  {number}  {choice}")
    answer = _chosen("group", options, SYSTEM)
    return asked(read, dataclasses.replace(choices, group=answer))


def _chosen(option: str, choices: list[str], usual: str) -> str:
    while True:
        answer = str(typer.prompt(option, default=usual)).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        if answer in choices:
            return answer


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
