"""Good pull requests, which nothing may refuse."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from assay.compositions import reduced_formula
from environments import exchange_machinery
from gauntlet.cases import (
    GOOD,
    TARGET,
    TRAIN,
    Case,
    Change,
    Row,
    added,
    appended,
    corrected,
    edited,
    in_eighths,
    label,
    margin,
    relabelled,
    rows_of,
    small,
    source,
    substituted,
    write_rows,
)
from gauntlet.sources import BASE, LAST

FAMILY = "good"
IMPROVEMENT = "Learn more\n\nAssay-Claim: improvement"

PROPERTY = '''

def test_halides_of_sodium_are_bound(predict: Predict) -> None:
    """Sodium halides have a negative formation enthalpy."""
    assert (predict(["NaF", "NaCl"]) < 0).all()
'''


def _more_rows(root: Path) -> None:
    with (root / ".git" / "held_back.csv").open(encoding="utf-8", newline="") as stream:
        write_rows(root, TRAIN, [*rows_of(root, TRAIN), *csv.DictReader(stream)])


def _duplicate(root: Path) -> None:
    row = rows_of(root, TRAIN)[4]
    added([f"({row['formula']})2"], [label(row)])(root)


def _duplicate_in_eighths(root: Path) -> None:
    row = rows_of(root, TRAIN)[4]
    added([in_eighths(row["formula"])], [label(row)])(root)


def _respelt_in_eighths(rows: list[Row]) -> list[Row]:
    return [
        row if n % 100 else row | {"formula": in_eighths(row["formula"])}
        for n, row in enumerate(rows)
    ]


def _new_element(root: Path) -> None:
    added(["XeF2", "XeF4"], [-0.56, -0.54])(root)


def _respelt(rows: list[Row]) -> list[Row]:
    return [row | {"formula": reduced_formula(row["formula"])} for row in rows]


def _saved(write: Callable[[float], str]) -> Change:
    """Save the table with a program that writes numbers in its own way."""
    return edited(TRAIN, lambda rows: [row | {TARGET: write(label(row))} for row in rows])


def _rewritten(change: Callable[[str], str]) -> Change:
    """Write the same table with other bytes."""

    def apply(root: Path) -> None:
        path = root / "data" / TRAIN
        path.write_bytes(change(path.read_text(encoding="utf-8")).encode())

    return apply


def _quoted(text: str) -> str:
    lines = (line.split(",") for line in text.splitlines())
    return "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in lines) + "\n"


def _column_renamed(root: Path) -> None:
    substituted("assay.toml", f'column = "{TARGET}"', 'column = "enthalpy"')(root)
    path = root / "data" / TRAIN
    header, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text("\n".join([header.replace(TARGET, "enthalpy"), rest]), encoding="utf-8")


def _renamed(root: Path) -> None:
    renamed = [
        {("origin" if name == "source" else name): cell for name, cell in row.items()}
        for row in rows_of(root, TRAIN)
    ]
    write_rows(root, TRAIN, renamed)


def cases() -> list[Case]:
    """All of them."""
    said = [
        ("nothing", "An empty commit starts the checks anew.", lambda root: None),
        (
            "documentation",
            "The README says more.",
            appended("README.md", "\nThe data are those of the transport database.\n"),
        ),
        (
            "refactoring",
            "The regression gets a name; it predicts the same.",
            source(
                BASE.replace(LAST, "kernel, regression").replace(
                    "    return", "    regression = Ridge(alpha=1.0)\n    return"
                )
            ),
        ),
        (
            "another-assay",
            "Another wheel of assay comes by itself, with its hash in the lock.",
            lambda root: (
                exchange_machinery(root, {"texts.py": ("", "\n# another hint\n")}) and None
            ),
        ),
        (
            "another-seed",
            "The model is trained again with another seed.",
            substituted("assay.toml", "[model]\nseed = 0", "[model]\nseed = 1"),
        ),
        (
            "regularization",
            "The regularization is tuned a little.",
            source(BASE.replace("alpha=1.0", "alpha=0.9")),
        ),
        (
            "unused-import",
            "A module that the model does not need is imported.",
            source(BASE.replace("from sklearn.kernel", "import math\n\nfrom sklearn.kernel", 1)),
        ),
        ("more-data", "Labelled rows of sixty chemical systems are added.", _more_rows),
        (
            "duplicate",
            "A composition is added a second time, with the label that it has.",
            _duplicate,
        ),
        ("new-element", "Rows with an element that main does not have are added.", _new_element),
        (
            "labels-corrected",
            "Five labels are corrected by a few hundredths, as the commit says.",
            relabelled(lambda row: label(row) + 0.03, small(5, 0.4)),
        ),
        (
            "labels-doubled",
            "Twelve labels are corrected by a factor of two, each listed with its reason.",
            corrected(lambda row: 2 * label(row), small(12, 0.6)),
        ),
        (
            "four-decimals",
            "The table is saved by a spreadsheet that shows four decimals.",
            _saved("{:.4f}".format),
        ),
        ("six-digits", "The labels are saved with six digits.", _saved("{:.6g}".format)),
        (
            "single-precision",
            "The labels went through single precision.",
            _saved(lambda value: str(np.float32(value))),
        ),
        ("exponents", "The labels are written with exponents.", _saved("{:.9e}".format)),
        (
            "windows-bytes",
            "The table has a byte order mark and the line ends of Windows.",
            _rewritten(lambda text: "\ufeff" + text.replace("\n", "\r\n")),
        ),
        ("all-quoted", "Every cell of the table is quoted.", _rewritten(_quoted)),
        (
            "target-renamed",
            "The column of the target and its key get another name.",
            _column_renamed,
        ),
        (
            "rows-withdrawn",
            "Ten rows of a retracted paper are withdrawn.",
            edited(TRAIN, lambda rows: [row for n, row in enumerate(rows) if n % 150 or not n]),
        ),
        (
            "row-withdrawn",
            "One row of a retracted paper is withdrawn.",
            edited(TRAIN, lambda rows: [*rows[:700], *rows[701:]]),
        ),
        (
            "folds-alone",
            "The folds get another seed, and nothing else changes.",
            substituted("assay.toml", "folds = 5\nseed = 0", "folds = 5\nseed = 1"),
        ),
        (
            "duplicate-in-eighths",
            "A composition is added in other amounts, with the label that it has.",
            _duplicate_in_eighths,
        ),
        (
            "respelt-in-eighths",
            "Every hundredth formula is written in decimals.",
            edited(TRAIN, _respelt_in_eighths),
        ),
        (
            "reduced-spelling",
            "Formulas are written in their reduced spelling.",
            edited(TRAIN, _respelt),
        ),
        (
            "rows-sorted",
            "The train set is sorted by formula.",
            edited(TRAIN, lambda rows: sorted(rows, key=lambda row: row["formula"])),
        ),
        (
            "column-added",
            "A column of notes is added to the train set.",
            edited(
                TRAIN, lambda rows: [row | {"note": f"table {n % 7}"} for n, row in enumerate(rows)]
            ),
        ),
        ("column-renamed", "The column source becomes origin.", _renamed),
        (
            "property-added",
            "The repository declares a property of its own.",
            appended("tests/test_my_model.py", PROPERTY),
        ),
        (
            "more-examples",
            "The sanity checks try more examples.",
            substituted("assay.toml", "examples = 25", "examples = 30"),
        ),
        (
            "stricter-data",
            "Duplicates must agree better than before.",
            appended("assay.toml", "\n[data]\nduplicate_tolerance = 0.02\n"),
        ),
        (
            "new-candidates",
            "A list to screen is added, with some rows that cannot be read.",
            lambda root: (
                (root / "data" / "candidates" / "mine.csv").write_text(
                    "formula\nNaCl\nnot a formula\nPuO2\n"
                )
                and None
            ),
        ),
        (
            "margin-alone",
            "The gate's margin is changed, and nothing else, for people to decide.",
            margin(0.01),
        ),
    ]
    made = [Case(name, FAMILY, sentence, GOOD, change) for name, sentence, change in said]
    return [
        *made,
        Case(
            "better-model",
            FAMILY,
            "A feature set and a regularization that fit better, declared as an improvement.",
            GOOD,
            BETTER,
            message=IMPROVEMENT,
        ),
    ]


BETTER = source(
    BASE.replace("n_components=300", "n_components=1100").replace("alpha=1.0", "alpha=0.03")
)
