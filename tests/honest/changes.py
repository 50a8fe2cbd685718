"""A hundred honest changes, as data: what one person does on one afternoon."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gauntlet.cases import TRAIN, Row, appended, edited, label, substituted
from honest import code_edits, spreadsheets
from honest.edits import (
    added_back,
    corrected,
    dropped,
    moved_package,
    respelt,
    with_column,
    written,
)

Apply = Callable[[Path], None]


@dataclass(frozen=True)
class Change:
    """An honest pull request: its name, its kind, what it does, and the commit's message."""

    name: str
    kind: str
    sentence: str
    apply: Apply
    message: str = "Propose a change"


def all_changes() -> list[Change]:
    """All of them; names are unique."""
    return [*_rows(), *_labels(), *_tables(), *_code(), *_models(), *_settings(), *_papers()]


def _rows() -> Iterator[Change]:
    for seed in range(12):
        yield Change(f"removed-{seed}", "one row removed", "A row is withdrawn.", dropped(1, seed))
    for seed in range(12):
        yield Change(f"added-{seed}", "one row added", "A measured row is added.", added_back(seed))
    for count in (3, 10):
        told = f"{count} rows of a retracted paper are withdrawn."
        yield Change(f"removed-{count}-rows", "few rows removed", told, dropped(count, count))
    for count in (3, 10):
        told = f"{count} measured rows are added."
        yield Change(f"added-{count}-rows", "few rows added", told, added_back(0, count))
    for seed in range(2):
        yield Change(
            f"again-{seed}",
            "a row repeated",
            "A composition is added again, with the label that it has.",
            edited(TRAIN, lambda rows, seed=seed: _repeated(rows, seed)),
        )


def _repeated(rows: list[Row], seed: int) -> list[Row]:
    row = random.Random(seed).choice(rows)
    return [*rows, row | {"row_id": f"t{98000 + seed}"}]


def _labels() -> Iterator[Change]:
    for seed in range(10):
        shift = (0.005, 0.02, 0.05, 0.1, 0.2)[seed % 5]
        yield Change(
            f"corrected-{seed}",
            "one label corrected",
            f"A label is corrected by {shift} eV/atom, with the reason in the commit.",
            corrected(1, seed, lambda value, shift=shift: value + shift),
            "Correct a label: the table of the paper has an erratum",
        )
    yield Change(
        "corrected-12-by-two",
        "few labels corrected",
        "Twelve labels were per two atoms; they are halved, with the reason in the commit.",
        corrected(12, 0, lambda value: value / 2),
        "Correct twelve labels: they were per two atoms",
    )
    yield Change(
        "corrected-five",
        "few labels corrected",
        "Five labels are corrected by 0.03 eV/atom.",
        corrected(5, 1, lambda value: value + 0.03),
        "Correct five labels: the reference state changed",
    )


def _tables() -> Iterator[Change]:
    orders: dict[str, Callable[[Row], object]] = {
        "formula": lambda row: row["formula"],
        "label": label,
        "id-downwards": lambda row: [-ord(letter) for letter in row["row_id"]],
    }
    for name, key in orders.items():
        sort = edited(TRAIN, lambda rows, key=key: sorted(rows, key=key))
        yield Change(f"sorted-by-{name}", "rows reordered", f"Sorted by {name}.", sort)
    shuffle = edited(TRAIN, lambda rows: random.Random(1).sample(rows, len(rows)))
    yield Change("shuffled", "rows reordered", "The rows are in random order.", shuffle)
    for name, (told, save) in spreadsheets.WAYS.items():
        yield Change(f"saved-{name}", "saved by a spreadsheet", told, spreadsheets.saved(save))
    for count in (1, 20):
        told = f"{count} formulas are written with their elements in alphabetical order."
        yield Change(f"respelt-{count}", "formulas respelt", told, respelt(count))
    for name, cell in (("note", "table {}"), ("doi", "10.1000/{}"), ("temperature", "29{}")):
        yield Change(f"column-{name}", "a new column", f"A column {name}.", with_column(name, cell))


def _code() -> Iterator[Change]:
    for name, (told, apply) in code_edits.REFACTORINGS.items():
        yield Change(name, "model.py refactored", told, apply)
    for name, (told, apply) in code_edits.ADDITIONS.items():
        yield Change(name, "code or tests added", told, apply)
    yield Change("renamed-package", "package renamed", "src/ gets a better name.", moved_package)


def _models() -> Iterator[Change]:
    for name, (told, apply) in code_edits.MODELS.items():
        yield Change(name, "the model changed a little", told, apply)


def _settings() -> Iterator[Change]:
    toml = "assay.toml"
    for seed in (1, 2, 3):
        told = f"The model is trained with seed {seed}."
        change = substituted(toml, "[model]\nseed = 0", f"[model]\nseed = {seed}")
        yield Change(f"seed-{seed}", "another seed", told, change)
    yield Change(
        "folds-seed", "other folds", "The folds get another seed, and nothing else changes.",
        substituted(toml, "folds = 5\nseed = 0", "folds = 5\nseed = 1"),
    )  # fmt: skip
    yield Change(
        "folds-ten", "other folds", "Ten folds instead of five, and nothing else changes.",
        substituted(toml, "folds = 5", "folds = 10"),
    )  # fmt: skip
    for name, old, new in (
        ("more-examples", "examples = 3", "examples = 4"),
        ("toml-comment", "[model]", "# the model's own\n[model]"),
        ("stricter-duplicates", "[gate]", "[data]\nduplicate_tolerance = 0.02\n\n[gate]"),
        ("slower-machine", "rows_per_second = 200", "rows_per_second = 150"),
    ):
        told = f"assay.toml: {new.splitlines()[0]}."
        yield Change(name, "settings", told, substituted(toml, old, new))


def _papers() -> Iterator[Change]:
    yield Change("nothing", "papers", "An empty commit starts the checks again.", lambda root: None)
    for name, file, text in (
        ("readme", "README.md", "\nThe data are those of the transport database.\n"),
        ("readme-table", "README.md", "\n| a | b |\n| - | - |\n| 1 | 2 |\n"),
        ("contributing", "CONTRIBUTING.md", "\nAsk before you add data.\n"),
        ("data-card", "data/README.md", "\nRows of 2024 come from the group's furnace.\n"),
        ("gitignore", ".gitignore", "*.swp\n"),
        ("citation", "CITATION.cff", "# two more authors will come\n"),
        ("makefile", "Makefile", "\n# a comment\n"),
        ("lock-comment", "requirements.lock", "# checked by hand\n"),
        ("pyproject-comment", "pyproject.toml", "\n# see CONTRIBUTING.md\n"),
        ("workflow-comment", ".github/workflows/gate.yml", "# see README.md\n"),
    ):
        yield Change(name, "papers", f"A few words in {file}.", appended(file, text))
    for name, text in (
        ("list", "formula\nNaCl\nPuO2\n"),
        ("list-with-errors", "formula\nNaCl\nnot a formula\n"),
        ("list-of-spreadsheet", "name,formula\r\nsalt,NaCl\r\n"),
    ):
        told = "A list to screen is added."
        yield Change(name, "papers", told, written(f"data/candidates/{name}.csv", text))
