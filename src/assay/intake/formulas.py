"""The formulas of a table: which can be used, and in which spelling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.features.parsing import Amounts, readable
from assay.features.spelling import reduced
from assay.intake.faults import Fault
from assay.misspellings import AMBIGUOUS, NITRIDE

# sentences on formulas of which the features have no numbers, by their places
Unusable = Callable[[Amounts], Mapping[int, str]]


@dataclass(frozen=True)
class Formulas:
    """A column of n formulas read.

    `spelt` (n,) has the canonical spelling, None where there is a fault. `respelt` has those that
    were written otherwise, as they were and as they are now.
    """

    spelt: list[str | None]
    faults: tuple[Fault, ...]
    respelt: tuple[tuple[str, str], ...]


def read_formulas(cells: pd.Series, unusable: Unusable | None) -> Formulas:
    """Read a column, whose index holds the lines of the file."""
    texts = [" ".join(cell.split()) for cell in cells]
    content, sentences = readable([text if text != NITRIDE else "" for text in texts])
    good = np.flatnonzero([sentence is None for sentence in sentences])
    gaps = {int(good[at]): told for at, told in (unusable(content) if unusable else {}).items()}
    spelt: list[str | None] = [None] * len(texts)
    for at, text in zip(good.tolist(), reduced(content), strict=True):
        spelt[at] = None if at in gaps else text
    faults = []
    for at in np.flatnonzero([text is None for text in spelt]).tolist():
        sentence = gaps.get(at) or (AMBIGUOUS if texts[at] == NITRIDE else sentences[at] or "")
        reason, _, hint = (sentence, "", "") if at in gaps else sentence.partition("; ")
        code = _code(texts[at], at in gaps)
        faults.append(Fault(int(cells.index[at]), str(cells.name), texts[at], code, reason, hint))
    changed = [(a, b) for a, b in zip(texts, spelt, strict=True) if b is not None and a != b]
    return Formulas(spelt, tuple(faults), tuple(changed))


def _code(text: str, has_gap: bool) -> str:  # noqa: FBT001 (of two)
    if not text:
        return "formula.empty"
    return "formula.no-features" if has_gap else "formula.unreadable"
