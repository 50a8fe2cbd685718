"""All planted pull requests, in the order in which they are told."""

from gauntlet import (
    count_cases,
    data_cases,
    good_cases,
    lone_cases,
    model_cases,
    row_cases,
    tampering_cases,
)
from gauntlet.cases import Case


def all_cases() -> list[Case]:
    """Bad ones by family, then the good ones."""
    modules = (
        data_cases,
        model_cases,
        row_cases,
        tampering_cases,
        lone_cases,
        good_cases,
        count_cases,
    )
    return [case for module in modules for case in module.cases()]
