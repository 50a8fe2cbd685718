"""Columns of formulas at once: their canonical spelling, and which of them are one composition."""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from assay.compositions import SHARES, in_order, reduced_amounts
from assay.features.parsing import Amounts, amounts, problems
from assay.features.tables import element_symbols
from assay.readings import certain

# amounts this near a whole number are whole, as in pymatgen
WHOLE = 1e-8


def keys(content: Amounts) -> list[bytes]:
    """What two of n formulas share if, and only if, they have one `compositions.identity`.

    It is atomic numbers and shares as 64-bit integers.
    """
    parts = np.column_stack([content.numbers, np.rint(content.fractions * SHARES)])
    view = parts.astype("<i8").tobytes()
    return [view[16 * start : 16 * end] for start, end in _places(content)]


def groups(content: Amounts) -> np.ndarray:
    """The number (n,) of each formula's composition, counted as they occur first."""
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys(content)], dtype=np.int64)


def reduced(content: Amounts) -> Amounts:
    """The same compositions, each spelt as `compositions.reduced_formula` spells it."""
    drafts = _drafts(content)
    return amounts(
        draft if fault is None else certain(draft)  # what reads without a fault is certain
        for draft, fault in zip(drafts, problems(drafts), strict=True)
    )


def _drafts(content: Amounts) -> list[str]:
    """The spelling of pymatgen, which may be open to doubt."""
    if not len(content):
        return []
    symbols = np.array(element_symbols(), dtype=object)
    order = np.lexsort((_ranks()[content.numbers], content.rows))
    names, values = symbols[content.numbers[order]].tolist(), content.amounts[order]
    near = np.rint(values)
    whole = np.logical_and.reduceat(np.abs(values - near) < WHOLE, content.starts)
    counts, texts = near.astype(int).tolist(), list(map(_amount, values.tolist()))
    return [
        reduced_amounts(names[start:end], counts[start:end])
        if is_whole
        else "".join(map("".join, zip(names[start:end], texts[start:end], strict=True)))
        for (start, end), is_whole in zip(_places(content), whole.tolist(), strict=True)
    ]


def _places(content: Amounts) -> list[tuple[int, int]]:
    """Where each formula begins and ends."""
    return list(pairwise([*content.starts.tolist(), len(content.rows)]))


@lru_cache(maxsize=2**16)
def _amount(value: float) -> str:
    """An amount at eight decimals."""
    near = round(value)
    return str(near) if abs(value - near) <= WHOLE else f"{value:.8f}".rstrip("0")


@lru_cache(maxsize=1)
def _ranks() -> np.ndarray:
    """The place of each atomic number (119,) where elements stand in the order of a formula."""
    symbols = element_symbols()
    ranks = np.zeros(len(symbols), np.int64)
    ranks[[symbols.index(symbol) for symbol in in_order(symbols[1:])]] = np.arange(len(symbols) - 1)
    return ranks
