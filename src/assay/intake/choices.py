"""What a person may say about a table, and what only a person can say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assay.errors import UsageError
from assay.intake.policy import Rule
from assay.settings import Settings

# an answer that leaves it to `init` to find out
FIND = "?"


class UndecidedError(UsageError):
    """Two or more could be meant: a person chooses, by an answer or by the option that is named."""

    def __init__(self, sentence: str, *, code: str, option: str, choices: Sequence[str]) -> None:
        """`option` without dashes; `choices` may be empty, where any text is an answer."""
        super().__init__(sentence, code=code)
        self.option, self.choices = option, tuple(choices)


@dataclass(frozen=True)
class Choices:
    """What a person may say about a table; None leaves it to be found.

    `formula`, `target` and `unit` name columns and the target's unit, `usual` the target that is
    taken if the table has it, and `usual_unit` its unit; `sheet` is of a workbook, `decimal` the
    decimal sign, `positive` the positive class. `duplicates` is the rule for rows of one
    composition (`refuse`), `tolerance` how far their values may lie apart in the target's unit;
    `further` are columns to take along as they are. `group` is what makes a group: `system`,
    `composition` or a column; None: a person said nothing. For rows that join others, `kind` and
    `classes` are those of the others.
    """

    formula: str | None = None
    target: str | None = None
    unit: str | None = None
    usual: str | None = None
    usual_unit: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    positive: str | None = None
    duplicates: Rule | None = None
    tolerance: float | None = None
    further: Sequence[str] = ()
    kind: Literal["number", "class"] | None = None
    classes: tuple[str, str] | None = None
    group: str | None = None

    def within(self, settings: Settings) -> "Choices":
        """The same, with what `assay.toml` says where a person said nothing."""
        target, data, split = settings.target, settings.data, settings.split
        own = "duplicate_tolerance" in data.model_fields_set
        return replace(
            self,
            usual=None if target.column == FIND else target.column,
            usual_unit=None if target.unit == FIND else target.unit,
            positive=self.positive or (target.classes[1] if target.classes else None),
            duplicates=self.duplicates or data.duplicates,
            tolerance=data.duplicate_tolerance if own else None,
            further=settings.slice_columns,
            group=self.group or (split.group if "group" in split.model_fields_set else None),
        )
