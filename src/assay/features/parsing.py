"""Many formulas at once as numbers: which elements, and how much of each.

What is plainly spelt is read here as one array of characters; all else, and with it every error, is
left to `compositions.parse`, whose values these are to the last bit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from assay.compositions import (
    ISOTOPES,
    LARGEST_AMOUNT,
    MAXIMUM_LENGTH,
    SMALLEST_AMOUNT,
    parse,
    problem,
)
from assay.plausibility import ACRONYMS
from assay.readings import MOST_ATOMS, is_capital, is_suspect

UPPER, LOWER, DIGIT, DOT, END, OTHER = range(6)
# longer amounts are none that a person wrote
LONGEST_AMOUNT = 15
NOT_PLAIN = "?"

_GROUP = re.compile(
    r"(?:\(((?:[A-Z][a-z]?\d*)+)\)|\[((?:[A-Z][a-z]?\d*)+)\]|\{((?:[A-Z][a-z]?\d*)+)\})"
    r"(\d*)(?![\d.])"
)
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")


@dataclass(frozen=True)
class Amounts:
    """The compositions of n formulas in compressed-row form.

    `starts` (n,) is where each formula begins; `rows`, `numbers`, `amounts` and `fractions` (nnz,)
    give for each element present its formula, its atomic number, how many atoms of it the formula
    has, and its share of them. Elements are sorted by atomic number, so that sums do not depend
    on how the formula was spelt.
    """

    starts: np.ndarray
    rows: np.ndarray
    numbers: np.ndarray
    amounts: np.ndarray
    fractions: np.ndarray


@dataclass(frozen=True)
class _Tokens:
    """Elements as they occur in the text: (nnz,) of row, atomic number, amount."""

    rows: np.ndarray
    numbers: np.ndarray
    amounts: np.ndarray


def amounts(formulas: Iterable[str]) -> Amounts:
    """Parse n formulas into amounts and atomic fractions.

    Raises:
        ValueError: a formula cannot be read.
    """
    return amounts_of(tuple(formulas))


@lru_cache(maxsize=2)  # the transformers of one model are given the same formulas in turn
def amounts_of(texts: tuple[str, ...]) -> Amounts:
    """`amounts` of formulas that may have been parsed just before."""
    tokens, plain = _scanned(texts)
    hard = np.flatnonzero(~plain)
    if len(hard):
        tokens = _joined(tokens, _parsed(texts, hard))
    order = np.argsort(_keys(tokens), kind="stable")
    rows, numbers, values = tokens.rows[order], tokens.numbers[order], tokens.amounts[order]
    lengths = np.bincount(rows, minlength=len(texts))
    starts = np.cumsum(lengths) - lengths
    totals = np.add.reduceat(values, starts) if texts else np.empty(0)
    found = (starts, rows, numbers, values, values / totals[rows])
    for array in found:
        array.flags.writeable = False  # what is kept must stay what was parsed
    return Amounts(*found)


def problems(formulas: Sequence[str]) -> list[str | None]:
    """For each formula why it cannot be read, or None if it can."""
    _, plain = _scanned(formulas)
    return [None if fine else problem(text) for text, fine in zip(formulas, plain, strict=True)]


def _parsed(texts: Sequence[str], hard: np.ndarray) -> _Tokens:
    triples = [
        (row, element.Z, float(amount))
        for row in hard.tolist()
        for element, amount in parse(texts[row]).items()
    ]
    rows, numbers, values = zip(*triples, strict=True)
    return _Tokens(np.array(rows), np.array(numbers), np.array(values))


def _joined(one: _Tokens, other: _Tokens) -> _Tokens:
    return _Tokens(
        np.concatenate([one.rows, other.rows]),
        np.concatenate([one.numbers, other.numbers]),
        np.concatenate([one.amounts, other.amounts]),
    )


def _keys(tokens: _Tokens) -> np.ndarray:
    return tokens.rows * 128 + tokens.numbers


def _scanned(texts: Sequence[str]) -> tuple[_Tokens, np.ndarray]:
    """Read what is plainly spelt: its tokens, and which rows (n,) that are."""
    lines = [_line(text) for text in texts]
    plain = np.ones(len(texts), bool)
    codes = np.frombuffer("\n".join([*lines, ""]).encode("ascii", "replace"), np.uint8)
    kinds = _kinds()[codes]
    row_of = np.cumsum(kinds == END) - (kinds == END)
    plain[row_of[_misplaced(kinds)]] = False
    plain[_capital(codes, kinds, row_of)] = False
    tokens = _tokens(codes, kinds, row_of)
    wrong = (tokens.numbers == 0) | ~(
        (tokens.amounts >= SMALLEST_AMOUNT) & (tokens.amounts <= LARGEST_AMOUNT)
    )
    plain[tokens.rows[wrong]] = False
    plain[_repeating(tokens)] = False
    plain[_lone(tokens)] = False
    kept = plain[tokens.rows]
    return _Tokens(tokens.rows[kept], tokens.numbers[kept], tokens.amounts[kept]), plain


def _line(text: str) -> str:
    """The formula without its brackets, if all amounts in them are whole; what is not plain is ?."""
    if len(text) > MAXIMUM_LENGTH or "\n" in text or text in ACRONYMS:
        return NOT_PLAIN
    bracketed = "(" in text or "[" in text or "{" in text
    if (bracketed or "." in text) and (is_suspect(text) or is_capital(text)):
        return NOT_PLAIN
    while bracketed and (without := _GROUP.sub(_multiplied, text)) != text:
        text = without
    return text


def _multiplied(group: re.Match[str]) -> str:
    times = int(group[4] or 1)
    inner = group[1] or group[2] or group[3]
    return "".join([f"{e}{int(n or 1) * times}" for e, n in _ELEMENT.findall(inner)])


def _misplaced(kinds: np.ndarray) -> np.ndarray:
    """Characters (m,) that no plain formula has in that place; a line without any is one, too."""
    before = np.concatenate([[END], kinds[:-1]])
    return (
        (kinds == OTHER)
        | ((kinds == LOWER) & (before != UPPER))
        | ((before == END) & (kinds != UPPER))
    )


def _capital(codes: np.ndarray, kinds: np.ndarray, row_of: np.ndarray) -> np.ndarray:
    """Rows in capitals of which two may be one symbol: what they mean is for parse to judge."""
    at = np.flatnonzero((kinds[1:] == UPPER) & (kinds[:-1] == UPPER))
    at = at[_symbols()[codes[at] - ord("A"), codes[at + 1] - ord("A") + 1] > 0]
    return np.setdiff1d(row_of[at], row_of[kinds == LOWER])


def _lone(tokens: _Tokens) -> np.ndarray:
    """Rows of a single element with many atoms, which may be names."""
    single = np.bincount(tokens.rows)[tokens.rows] == 1
    return tokens.rows[single & (tokens.amounts > MOST_ATOMS)]


def _repeating(tokens: _Tokens) -> np.ndarray:
    """Rows that name an element twice: in which order amounts are added is for parse to say."""
    keys = np.sort(_keys(tokens))
    return keys[1:][keys[1:] == keys[:-1]] // 128


def _tokens(codes: np.ndarray, kinds: np.ndarray, row_of: np.ndarray) -> _Tokens:
    bounds = np.flatnonzero((kinds == UPPER) | (kinds == END))
    is_symbol = kinds[bounds] == UPPER
    at, stop = bounds[is_symbol], np.append(bounds[1:], 0)[is_symbol]
    second = kinds[at + 1] == LOWER
    letters = np.where(second, codes[at + 1] - ord("a") + 1, 0)
    numbers = _symbols()[codes[at] - ord("A"), letters]
    begin = at + 1 + second
    values = _values(codes, begin, stop - begin)
    # 02 and 204 may hold the letter O
    zero = (
        (stop - begin > 1)
        & (codes[begin] == ord("0"))
        & (kinds[np.minimum(begin + 1, len(kinds) - 1)] == DIGIT)
    )
    values[zero | ((stop - begin > 2) & (values >= 100))] = np.nan
    return _Tokens(row_of[at], numbers, values)


def _values(codes: np.ndarray, begin: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Amounts (nnz,): 1 where none is written, NaN where it is no number or a very long one."""
    values = np.ones(len(begin))
    digits = codes.astype(float) - ord("0")
    one = lengths == 1
    values[one] = digits[begin[one]]
    more = np.flatnonzero((lengths > 1) | (one & (values < 0)))
    if len(more):
        places = begin[more, None] + np.arange(LONGEST_AMOUNT)
        written = codes[np.minimum(places, len(codes) - 1)]
        written[np.arange(LONGEST_AMOUNT) >= lengths[more, None]] = 0
        texts, which = np.unique(written.view(f"S{LONGEST_AMOUNT}")[:, 0], return_inverse=True)
        found = np.array([_number(text) for text in texts.tolist()])[which]
        values[more] = np.where(lengths[more] > LONGEST_AMOUNT, np.nan, found)
    return values


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


@lru_cache(maxsize=1)
def _kinds() -> np.ndarray:
    """What each of the 256 codes is."""
    kinds = np.full(256, OTHER, np.uint8)
    kinds[ord("A") : ord("Z") + 1] = UPPER
    kinds[ord("a") : ord("z") + 1] = LOWER
    kinds[ord("0") : ord("9") + 1] = DIGIT
    kinds[ord(".")] = DOT
    kinds[ord("\n")] = END
    return kinds


@lru_cache(maxsize=1)
def _symbols() -> np.ndarray:
    """The atomic number (26, 27) by first and second letter, 0 where that is no element."""
    from pymatgen.core import Element

    table = np.zeros((26, 27), np.int64)
    for element in Element:
        if element.symbol not in ISOTOPES:
            first, *rest = element.symbol
            second = ord(rest[0]) - ord("a") + 1 if rest else 0
            table[ord(first) - ord("A"), second] = element.Z
    return table
