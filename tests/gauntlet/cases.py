"""A planted pull request, and how one is written: small edits of the files of a repository."""

import csv
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.sanity.strategies import pairs_of, spelt

Change = Callable[[Path], None]
Row = dict[str, str]

TARGET = "formation_enthalpy"
TRAIN, SEALED, POOL = "train.csv", "sealed_inputs.csv", "pool.csv"
PACKAGE = Path("src", "formation_enthalpy")

BENCHMARK = "benchmark"  # the gate says FAIL or INCONCLUSIVE
REFUSED = "refused"  # a verb does not carry it out, and says why
GOOD = ""
SMALLEST = 0.02


@dataclass(frozen=True)
class Case:
    """A pull request with a name, a family, a sentence, and the check that must catch it.

    `caught_by` is a rule of the data checks, a property of the sanity checks, BENCHMARK, REFUSED,
    or GOOD for a change that nothing may refuse. `forge` alters what the run hands over, as a pull
    request's own code can. `message` is the commit's.
    """

    name: str
    family: str
    sentence: str
    caught_by: str
    change: Change = lambda root: None
    forge: Change | None = None
    message: str = "Propose a change"


def rows_of(root: Path, table: str) -> list[Row]:
    """The rows of a table of `data/`."""
    with (root / "data" / table).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(root: Path, table: str, rows: Sequence[Row]) -> None:
    """Replace a table of `data/`."""
    with (root / "data" / table).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def relabelled(
    change: Callable[[Row], float],
    chosen: Callable[[list[Row]], Iterable[Row]] = lambda rows: rows,
) -> Change:
    """Give the chosen train rows another label."""

    def apply(root: Path) -> None:
        rows = rows_of(root, TRAIN)
        for row in chosen(rows):
            row[TARGET] = f"{change(row):.6g}"
        write_rows(root, TRAIN, rows)

    return apply


def corrected(
    change: Callable[[Row], float],
    chosen: Callable[[list[Row]], Iterable[Row]],
    listed: Callable[[float], float] = lambda value: value,
    leave_out: int = 0,
) -> Change:
    """Give the chosen train rows another label, and list that in data/corrections.csv."""

    def apply(root: Path) -> None:
        before = {row["row_id"]: row[TARGET] for row in rows_of(root, TRAIN)}
        relabelled(change, chosen)(root)
        lines = [
            f"{row['row_id']},{TARGET},{before[row['row_id']]},{listed(label(row)):.12g},"
            "per formula in table 3 of the source,doi:10.1000/1"
            for row in rows_of(root, TRAIN)
            if row[TARGET] != before[row["row_id"]]
        ]
        kept = lines[: len(lines) - leave_out]
        appended("data/corrections.csv", "\n".join([*kept, ""]))(root)

    return apply


def label(row: Row) -> float:
    """The label of a train row."""
    return float(row[TARGET])


def edited(table: str, change: Callable[[list[Row]], list[Row]]) -> Change:
    """Put other rows in the place of a table's."""
    return lambda root: write_rows(root, table, change(rows_of(root, table)))


def replaced(place: int, **cells: str) -> Change:
    """Write other cells into one train row."""

    def change(rows: list[Row]) -> list[Row]:
        rows[place] |= cells
        return rows

    return edited(TRAIN, change)


def added(formulas: Iterable[str], values: Iterable[float]) -> Change:
    """Add train rows with ids of their own."""
    pairs = list(zip(formulas, values, strict=True))

    def change(rows: list[Row]) -> list[Row]:
        template = dict.fromkeys(rows[0], "")
        return rows + [
            template | {"row_id": f"t{90000 + n}", "formula": formula, TARGET: f"{value:.6g}"}
            for n, (formula, value) in enumerate(pairs)
        ]

    return edited(TRAIN, change)


def in_eighths(formula: str) -> str:
    """The same composition in an eighth of the amounts: `Fe0.25O0.375` for `Fe2O3`."""
    return spelt([(symbol, amount / 8) for symbol, amount in pairs_of(formula)])


def source(text: str, name: str = "model.py") -> Change:
    """Write a module of the author's package."""
    return lambda root: _written(root / PACKAGE / name, text)


def substituted(path: str, old: str, new: str) -> Change:
    """Replace a text that stands once in a file.

    Raises:
        ValueError: it does not stand there once, so the case would plant nothing.
    """

    def apply(root: Path) -> None:
        file = root / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {path}")
        file.write_text(text.replace(old, new), encoding="utf-8")

    return apply


def appended(path: str, text: str) -> Change:
    """Add text at the end of a file."""
    return lambda root: _written(root / path, (root / path).read_text(encoding="utf-8") + text)


def margin(value: float) -> Change:
    """Write another margin of the gate into assay.toml."""

    def apply(root: Path) -> None:
        path = root / "assay.toml"
        lines = path.read_text(encoding="utf-8").splitlines()
        place = next(n for n, line in enumerate(lines) if line.startswith("margin"))
        lines[place] = f"margin = {value}"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")

    return apply


def all_of(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def apply(root: Path) -> None:
        for change in changes:
            change(root)

    return apply


def some(count: int, seed: int = 0) -> Callable[[list[Row]], list[Row]]:
    """Choose so many train rows by chance."""
    return lambda rows: random.Random(seed).sample(rows, count)


def small(count: int, most: float) -> Callable[[list[Row]], list[Row]]:
    """Choose the first rows whose labels are small, so that no bound notices a factor."""
    return lambda rows: [row for row in rows if SMALLEST < abs(label(row)) < most][:count]


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
