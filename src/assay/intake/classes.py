"""Classes: two labels of any spelling, and which of them is the positive one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.intake.choices import UndecidedError
from assay.intake.faults import Fault
from assay.intake.numbers import MISSING, read_number

# pairs that people write, the negative one first
KNOWN = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"), ("0.0", "1.0"),
    ("off", "on"), ("negative", "positive"), ("-", "+"),
)  # fmt: skip
# of these, labels that are numbers, too
DIGITS = ("0", "1", "0.0", "1.0")
NEGATIONS = ("non", "not ", "not-", "not_", "no ", "un", "in", "im", "a")
MOST_CLASSES = 20
FEWEST_ROWS = 3  # of a class on the average; text that hardly repeats is no class


@dataclass(frozen=True)
class Classes:
    """A column read as classes: (n,) of 1 for `names[1]`, 0 for `names[0]`, NaN for a fault.

    `counts` has the rows of each label as it stands in the table.
    """

    names: tuple[str, str]
    values: np.ndarray
    faults: tuple[Fault, ...]
    counts: Mapping[str, int]


def labels_of(cells: Sequence[str]) -> dict[str, str]:
    """The labels that stand in cells, each as it is spelt first, by the label in small letters."""
    found: dict[str, str] = {}
    for cell in cells:
        text = cell.strip()
        if text and (text.casefold() not in MISSING or text in {"-", "+"}):
            found.setdefault(text.casefold(), text)
    if len(found) > 2:  # noqa: PLR2004 (a dash beside two classes is a gap)
        found.pop("-", None)
    return found


def is_class(cells: Sequence[str]) -> bool:
    """Whether the cells hold classes: a known pair, or a few labels that are no numbers."""
    found = labels_of(cells)
    if any(set(found) == set(pair) for pair in KNOWN):
        return True
    numbers = any(read_number(label, None, ".")[0] is not None for label in found)
    few = 1 < len(found) <= MOST_CLASSES and FEWEST_ROWS * len(found) <= len(cells)
    return few and not numbers


def read_classes(
    cells: Sequence[str],
    lines: Sequence[int],
    column: str,
    positive: str | None,
    known: tuple[str, str] | None = None,
) -> Classes:
    """Read the cells of a column of classes.

    Args:
        cells: the texts (n,).
        lines: where each stands in the file (n,).
        column: the column's name, for faults.
        positive: the label that is the positive class; needed where there are more than two.
        known: the classes that these rows join, of which they may lack one; others are faults.

    Raises:
        UsageError: there are more than two labels and none is chosen, or the chosen is none.
    """
    found = written = labels_of(cells)
    if known is not None and known[0] != f"not {known[1]}":
        found = {name.casefold(): name for name in known}
    names = known or _names(found, column, positive)
    chosen = names[1].casefold()
    values, faults = np.full(len(cells), np.nan), []
    for at, cell in enumerate(cells):
        label = cell.strip().casefold()
        if label in found:
            values[at] = float(label == chosen)
        else:
            reason = f"{column} is {cell.strip()[:40]!r}" if label else f"{column} is empty"
            code = "class.unknown" if label in written else "class.empty"
            faults.append(Fault(int(lines[at]), column, cell, code, reason))
    counts = Counter(found[label] for cell in cells if (label := cell.strip().casefold()) in found)
    return Classes(names, values, tuple(faults), counts)


def _names(found: dict[str, str], column: str, positive: str | None) -> tuple[str, str]:
    if positive is not None and positive.strip().casefold() not in found:
        raise UsageError(
            f"{column} has no class {positive!r}: give --positive one of {_listed(found)}.",
            code="intake.no-class",
        )
    if len(found) > 2:  # noqa: PLR2004 (yes and no)
        if positive is None:
            raise UndecidedError(
                f"{column} has {len(found)} classes, {_listed(found)}; a model tells two apart: "
                f"choose one, such as --positive {next(iter(found.values()))!r}.",
                code="intake.which-class",
                option="positive",
                choices=list(found.values()),
            )
        name = found[positive.strip().casefold()]
        return f"not {name}", name
    pair = _ordered(list(found))
    if positive is not None and positive.strip().casefold() != pair[1]:
        pair = pair[::-1]
    return found[pair[0]], found[pair[1]]


def _ordered(labels: Sequence[str]) -> tuple[str, str]:
    """Two labels, the negative one first; by the alphabet where neither says so."""
    for negative, positive in KNOWN:
        if set(labels) == {negative, positive}:
            return negative, positive
    first, second = sorted(labels)
    for one, other in ((first, second), (second, first)):
        if any(one == f"{no}{other}" for no in NEGATIONS):
            return one, other
    return first, second


def _listed(found: dict[str, str]) -> str:
    return ", ".join(map(repr, found.values()))[:200]
