"""Many formulas at once as numbers: which elements, and how much of each.

What is plainly spelt is read here as one array of characters; all else, and with it every error, is
left to `compositions.parse`, whose values these are to the last bit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

import numpy as np

from assay.compositions import (
    LARGEST_AMOUNT,
    MAXIMUM_LENGTH,
    SMALLEST_AMOUNT,
    parse,
    problem,
)
from assay.plausibility import ACRONYMS, ISOTOPES
from assay.readings import ENDS, METALLOID_ENDS, MOST_ATOMS, doubt, is_capital, is_open
from assay.slips import BASES, SPLIT, TWICE, may_slip, pairs

UPPER, LOWER, DIGIT, DOT, END, OTHER = range(6)
# longer amounts are none that a person wrote
LONGEST_AMOUNT = 15
NOT_PLAIN = "?"
SLIP = "!"
CARBON, FLUORINE, SILICON, IODINE = 6, 9, 14, 53
# capitals alone that may be a word
WORD = 4

_GROUP = re.compile(
    r"(?:\((?:[A-Z][a-z]?\d*)+\)|\[(?:[A-Z][a-z]?\d*)+\]|\{(?:[A-Z][a-z]?\d*)+\})\d*(?![\d.])",
    re.ASCII,
)
# of the rest, 02 and 204 may hold the letter O, and a point needs a digit on both sides
_CERTAIN = re.compile(rb"0\.\d+|0|[1-9]\d?|[1-9]\d*\.\d+")
_COUNT = re.compile(rb"[1-9]\d*\.\d{1,2}\Z")
# 0.504 may be half and four of oxygen, and 306.9 three and 6.9 of it
_ZERO = re.compile(rb"\d*\.\d*[1-9]0[1-9]\Z|[1-9]\d*0[1-9]\d*\.\d{1,2}\Z")
SOLVENTS = ("H2O", "H20", "NH3", "OH2")
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)", re.ASCII)


@dataclass(frozen=True, eq=False)
class Amounts(Sequence[str]):
    """A column of n formulas with the amounts of each element by formula.

    It is the sequence of its `formulas` (n,), so whatever takes a column of formulas takes it, and
    does not parse it again. The amounts are in compressed-row form: `starts` (n,) is where each
    formula begins; `rows`, `numbers`, `amounts` and `fractions` (nnz,) give for each element
    present its formula, its atomic number, how many atoms of it the formula has, and its share of
    them. Elements are sorted by atomic number, so that sums do not depend on how the formula was
    spelt.
    """

    formulas: tuple[str, ...]
    starts: np.ndarray
    rows: np.ndarray
    numbers: np.ndarray
    amounts: np.ndarray
    fractions: np.ndarray

    def __post_init__(self) -> None:
        """Make the arrays read-only: all who are given the value must see the same."""
        for array in (self.starts, self.rows, self.numbers, self.amounts, self.fractions):
            array.flags.writeable = False

    def __len__(self) -> int:
        """The number of formulas."""
        return len(self.formulas)

    def __getitem__(self, place: Any) -> Any:
        """The formula at a place, or the formulas of a slice."""
        return self.formulas[place]

    def take(self, places: Sequence[int] | np.ndarray) -> "Amounts":
        """The same of the formulas at `places` (m,), in that order; nothing is parsed."""
        at = np.asarray(places, dtype=np.int64)
        if np.array_equal(at, np.arange(len(self))):
            return self
        lengths = np.diff(self.starts, append=len(self.rows))[at]
        starts = np.cumsum(lengths) - lengths
        rows = np.repeat(np.arange(len(at)), lengths)
        held = np.arange(len(rows)) + (self.starts[at] - starts)[rows]
        return Amounts(
            tuple(self.formulas[place] for place in at.tolist()),
            starts,
            rows,
            self.numbers[held],
            self.amounts[held],
            self.fractions[held],
        )


@dataclass(frozen=True)
class _Tokens:
    """Elements as they occur in the text: (nnz,) of row, atomic number, amount."""

    rows: np.ndarray
    numbers: np.ndarray
    amounts: np.ndarray


def amounts(formulas: Iterable[str]) -> Amounts:
    """Parse n formulas into amounts and atomic fractions; an `Amounts` is given back as it is.

    Raises:
        ValueError: a formula cannot be read.
    """
    if isinstance(formulas, Amounts):
        return formulas
    texts = tuple(formulas)
    tokens, plain = _scanned(texts)
    return _assembled(texts, _joined(tokens, _parsed(texts, np.flatnonzero(~plain))))


def readable(formulas: Sequence[str]) -> tuple[Amounts, list[str | None]]:
    """The amounts of the formulas that can be read, and for each of all why not, or None."""
    tokens, plain = _scanned(formulas)
    reasons = _reasons(formulas, plain)
    good = np.array([reason is None for reason in reasons], dtype=bool)
    tokens = _joined(tokens, _parsed(formulas, np.flatnonzero(good & ~plain)))
    rows = (np.cumsum(good) - 1)[tokens.rows]
    texts = tuple(compress(formulas, good))
    return _assembled(texts, _Tokens(rows, tokens.numbers, tokens.amounts)), reasons


def problems(formulas: Sequence[str]) -> list[str | None]:
    """For each formula why it cannot be read, or None if it can."""
    _, plain = _scanned(formulas)
    return _reasons(formulas, plain)


def _reasons(formulas: Sequence[str], plain: np.ndarray) -> list[str | None]:
    return [None if fine else problem(text) for text, fine in zip(formulas, plain, strict=True)]


def _assembled(texts: tuple[str, ...], tokens: _Tokens) -> Amounts:
    order = np.argsort(_keys(tokens), kind="stable")
    rows, numbers, values = tokens.rows[order], tokens.numbers[order], tokens.amounts[order]
    lengths = np.bincount(rows, minlength=len(texts))
    starts = np.cumsum(lengths) - lengths
    totals = np.add.reduceat(values, starts) if texts else np.empty(0)
    return Amounts(texts, starts, rows, numbers, values, values / totals[rows])


def _parsed(texts: Sequence[str], hard: np.ndarray) -> _Tokens:
    triples = [
        (row, element.Z, float(amount))
        for row in hard.tolist()
        for element, amount in parse(texts[row]).items()
    ]
    rows, numbers, values = zip(*triples, strict=True) if triples else ((), (), ())
    return _Tokens(np.array(rows, int), np.array(numbers, int), np.array(values, float))


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
    lines = [
        text if text.isalnum() and len(text) <= MAXIMUM_LENGTH else _line(text) for text in texts
    ]
    plain = np.ones(len(texts), bool)
    codes = np.frombuffer("\n".join([*lines, ""]).encode("ascii", "replace"), np.uint8)
    kinds = _kinds()[codes]
    row_of = np.cumsum(kinds == END) - (kinds == END)
    plain[row_of[_misplaced(kinds)]] = False
    plain[_capital(texts, codes, kinds, row_of)] = False
    tokens, counts, zeros = _tokens(codes, kinds, row_of)
    wrong = (tokens.numbers == 0) | ~(
        (tokens.amounts >= SMALLEST_AMOUNT) & (tokens.amounts <= LARGEST_AMOUNT)
    )
    plain[tokens.rows[wrong]] = False
    parting = {*_parting(tokens, counts, lines).tolist()}
    close = parting | {*_slipping(tokens, zeros).tolist()}
    plain[[row for row in close if plain[row] and doubt(texts[row])]] = False
    plain[_repeating(tokens)] = False
    plain[_lone(tokens)] = False
    kept = plain[tokens.rows]
    return _Tokens(tokens.rows[kept], tokens.numbers[kept], tokens.amounts[kept]), plain


def _line(text: str) -> str:
    """The formula without its brackets, if amounts in them are whole; `?` if it is not plain."""
    if len(text) > MAXIMUM_LENGTH or "\n" in text or SLIP in text:
        return NOT_PLAIN
    if "(" not in text and "[" not in text and "{" not in text:
        return text
    if is_open(text) or (is_capital(text) and doubt(text)):  # what is spread does not show it
        return NOT_PLAIN
    line = text
    while (without := _GROUP.sub(_multiplied, line)) != line:
        line = without
        if line.isalnum():  # no bracket is left, and no second look is needed
            break
    if SLIP not in line:
        return line
    return NOT_PLAIN if doubt(text) else line.replace(SLIP, "")


def _multiplied(group: re.Match[str]) -> str:
    return _spread(group[0])


@lru_cache(maxsize=2**12)  # a column has few groups, such as (PO4)2, and has them often
def _spread(group: str) -> str:
    inner, times = re.split(r"[)\]}]", group[1:])
    mark = SLIP if may_slip(group) else ""
    return mark + "".join(
        [f"{e}{int(n or 1) * int(times or 1)}" for e, n in _ELEMENT.findall(inner)]
    )


def _misplaced(kinds: np.ndarray) -> np.ndarray:
    """Characters (m,) that no plain formula has in that place; a line without any is one, too."""
    before = np.concatenate([[END], kinds[:-1]])
    return (
        (kinds == OTHER)
        | ((kinds == LOWER) & (before != UPPER))
        | ((before == END) & (kinds != UPPER))
    )


def _capital(
    texts: Sequence[str], codes: np.ndarray, kinds: np.ndarray, row_of: np.ndarray
) -> list[int]:
    """Rows with two capitals, or C and 1, that may be read in two ways."""
    small = np.zeros(len(texts), bool)
    small[row_of[kinds == LOWER]] = True
    at = np.flatnonzero((kinds[1:-1] == UPPER) & (kinds[:-2] == UPPER))
    two = at[_pairs()[codes[at] - ord("A"), codes[at + 1] - ord("A")] & (kinds[at + 2] != LOWER)]
    first = np.flatnonzero((codes[:-1] == ord("C")) & (codes[1:] == ord("1")))
    close = np.unique(row_of[np.concatenate([two, first])]).tolist()
    at = at[~small[row_of[at]]]
    one = _symbols()[codes[at] - ord("A"), codes[at + 1] - ord("A") + 1] > 0
    names = [row for row in np.unique(row_of[at]).tolist() if _is_called(texts[row])]
    close = {*close, *row_of[at[one]].tolist()}
    return [*names, *(row for row in close if doubt(texts[row]))]


def _is_called(text: str) -> bool:
    return text in ACRONYMS or (len(text) >= WORD and text.isalpha() and bool(doubt(text)))


def _slipping(tokens: _Tokens, zeros: np.ndarray) -> np.ndarray:
    """Rows with an element, or an amount, in a place where another may be meant."""
    rows, numbers = tokens.rows, np.append(tokens.numbers, 0)
    at = np.flatnonzero(_special()[tokens.numbers] | zeros)
    next_row, row = np.append(rows, -1)[at + 1], rows[at]
    begins = (at == 0) | (rows[at - 1] != row)
    ends = next_row != row
    found = (numbers[at] == IODINE) & ~begins & ~ends
    found |= (numbers[at] == SILICON) & (numbers[at + 1] == CARBON) & begins
    found |= _among(SPLIT)[numbers[at]] | (zeros[at] & ends)
    alloys = at[begins & ~ends & _among(BASES)[numbers[at]]]
    if len(alloys):
        stop = np.searchsorted(rows, rows[alloys], side="right") - 1
        alloys = alloys[tokens.amounts[stop] == 1]
    return np.concatenate([row[found], rows[alloys]])


@lru_cache(maxsize=1)
def _special() -> np.ndarray:
    """Whether each atomic number (128,) is of an element that `_slipping` looks at."""
    found = _among(SPLIT) | _among(BASES)
    found[[IODINE, SILICON]] = True
    return found


@lru_cache(maxsize=4)
def _among(symbols: frozenset[str]) -> np.ndarray:
    """Whether each atomic number (128,) is of one of the symbols."""
    found = np.zeros(128, bool)
    found[_numbers_of(symbols)] = True
    return found


@lru_cache(maxsize=1)
def _pairs() -> np.ndarray:
    """Whether two capitals (26, 26) may be something else."""
    table = np.zeros((26, 26), bool)
    for pair in pairs() | TWICE:
        table[ord(pair[0]) - ord("A"), ord(pair[1]) - ord("A")] = True
    return table


def _parting(tokens: _Tokens, counts: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """Rows of which a point may part two compounds, by the element before it and the end."""
    at = np.flatnonzero(counts[:-1] & (tokens.rows[1:] == tokens.rows[:-1]))
    begins = tokens.numbers[at + 1] != FLUORINE
    salts = at[begins & np.isin(tokens.numbers[at], _numbers_of(ENDS | METALLOID_ENDS))]
    wet = [r for r in np.unique(tokens.rows[at]).tolist() if lines[r].endswith(SOLVENTS)]
    return np.union1d(tokens.rows[salts], np.array(wet, dtype=int))


def _lone(tokens: _Tokens) -> np.ndarray:
    """Rows of a single element with many atoms, which may be names."""
    single = np.bincount(tokens.rows)[tokens.rows] == 1
    return tokens.rows[single & (tokens.amounts > MOST_ATOMS)]


def _repeating(tokens: _Tokens) -> np.ndarray:
    """Rows that name an element twice: in which order amounts are added is for parse to say."""
    keys = np.sort(_keys(tokens), kind="stable")  # rows are in order already, which is fast
    return keys[1:][keys[1:] == keys[:-1]] // 128


def _numbers_of(symbols: Iterable[str]) -> list[int]:
    from pymatgen.core import Element

    return [Element(symbol).Z for symbol in symbols]


def _tokens(
    codes: np.ndarray, kinds: np.ndarray, row_of: np.ndarray
) -> tuple[_Tokens, np.ndarray, np.ndarray]:
    """Elements with their amounts, which (nnz,) may end in a count, and which have a letter O."""
    bounds = np.flatnonzero((kinds == UPPER) | (kinds == END))
    is_symbol = kinds[bounds] == UPPER
    at, stop = bounds[is_symbol], np.append(bounds[1:], 0)[is_symbol]
    second = kinds[at + 1] == LOWER
    letters = np.where(second, codes[at + 1] - ord("a") + 1, 0)
    numbers = _symbols()[codes[at] - ord("A"), letters]
    begin = at + 1 + second
    values, counts, zeros = _values(codes, begin, stop - begin)
    return _Tokens(row_of[at], numbers, values), counts, zeros


def _values(
    codes: np.ndarray, begin: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amounts (nnz,): 1 where none is written, NaN where it is not certain or very long.

    With them whether one may be a number and, behind a full stop, how often the next part occurs,
    and whether a zero of it may be the letter O.
    """
    values, counts = np.ones(len(begin)), np.zeros(len(begin), bool)
    zeros = counts.copy()
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
        counts[more] = np.array([_COUNT.match(text) is not None for text in texts.tolist()])[which]
        zeros[more] = np.array(
            [b"0" in text and _ZERO.match(text) is not None for text in texts.tolist()]
        )[which]
    return values, counts, zeros


def _number(text: bytes) -> float:
    if not _CERTAIN.fullmatch(text):
        return float("nan")
    return float(text)


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
