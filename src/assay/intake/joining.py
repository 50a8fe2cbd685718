"""Rows that join those of a repository: read as labels of its own target, kind and unit."""

import dataclasses

from assay.errors import UsageError
from assay.intake.choices import Choices
from assay.intake.intake import Intake
from assay.settings import FILE_NAME, Settings


def joining(choices: Choices, settings: Settings) -> Choices:
    """The choices for rows that join those of a repository: its target, kind and classes."""
    target = settings.target
    column, classes = choices.target or target.column, target.classes
    if target.kind == "class":
        classes = classes or ("0", "1")
    return dataclasses.replace(choices, target=column, kind=target.kind, classes=classes)


def require_target(settings: Settings, found: Intake) -> None:
    """Insist on labels of the repository's own kind and unit, within its bounds.

    Raises:
        UsageError: they are others.
    """
    target, source = settings.target, found.name
    if found.kind != target.kind:
        raise UsageError(
            f"{source}: {target.column} is a {found.kind}, but target.kind in {FILE_NAME} is "
            f"{target.kind!r}; give labels of that kind.",
            code="data.other-kind",
        )
    if found.unit != target.unit:
        raise UsageError(
            f"{source}: {target.column} is in {found.unit}, but target.unit in {FILE_NAME} is "
            f"{target.unit!r}; convert the labels, or give --unit if the header is wrong.",
            code="data.other-unit",
        )
    values = found.rows[target.column]
    outside = found.rows[~values.between(target.lower, target.upper)]
    if len(outside):
        raise UsageError(
            f"{source}, line {outside.index[0]}: {target.column} is "
            f"{outside[target.column].iloc[0]:g}, outside of {target.lower:g} to {target.upper:g} "
            f"({len(outside)} such rows); check the unit, or the bounds in {FILE_NAME}.",
            code="data.out-of-bounds",
        )
