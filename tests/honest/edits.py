"""Edits of a repository's files, as people make them."""

import random
from collections.abc import Callable
from pathlib import Path

from assay.compositions import parse
from gauntlet.cases import TARGET, TRAIN, Change, Row, edited, label, rows_of, write_rows
from honest.example import held_back

PACKAGE, BETTER = "formation_enthalpy", "enthalpies"


def dropped(count: int, seed: int) -> Change:
    """Take out some train rows, drawn at random."""

    def change(rows: list[Row]) -> list[Row]:
        gone = set(random.Random(seed).sample(range(len(rows)), count))
        return [row for place, row in enumerate(rows) if place not in gone]

    return edited(TRAIN, change)


def added_back(first: int, count: int = 1) -> Change:
    """Add rows that were held back, with their true labels."""

    def apply(root: Path) -> None:
        rest = held_back(root)
        chosen = [rest[(first + number) % len(rest)] for number in range(count)]
        write_rows(root, TRAIN, [*rows_of(root, TRAIN), *chosen])

    return apply


def corrected(count: int, seed: int, correct: Callable[[float], float]) -> Change:
    """Write other labels into some train rows, drawn at random."""

    def change(rows: list[Row]) -> list[Row]:
        for row in random.Random(seed).sample(rows, count):
            row[TARGET] = f"{correct(label(row)):.6g}"
        return rows

    return edited(TRAIN, change)


def respelt(count: int) -> Change:
    """Write other spellings of the same compositions."""

    def change(rows: list[Row]) -> list[Row]:
        other = [row for row in rows if _alphabetical(row["formula"]) != row["formula"]]
        for row in other[:count]:
            row["formula"] = _alphabetical(row["formula"])
        return rows

    return edited(TRAIN, change)


def _alphabetical(formula: str) -> str:
    return str(parse(formula).alphabetical_formula).replace(" ", "")


def with_column(name: str, cell: str) -> Change:
    """Add a column to the train set."""
    return edited(
        TRAIN, lambda rows: [row | {name: cell.format(n % 7)} for n, row in enumerate(rows)]
    )


def written(path: str, text: str) -> Change:
    """Write a file."""

    def apply(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())

    return apply


def moved_package(root: Path) -> None:
    """Give the package another name, wherever it stands."""
    (root / "src" / PACKAGE).rename(root / "src" / BETTER)
    for path in (root / "assay.toml", root / "pyproject.toml", *(root / "src").rglob("*.py")):
        path.write_text(path.read_text(encoding="utf-8").replace(PACKAGE, BETTER))
    # the target has the same name, and keeps it
    settings = root / "assay.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(f'column = "{BETTER}"', f'column = "{PACKAGE}"'))
