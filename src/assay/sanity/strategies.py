"""Hypothesis strategies that draw chemical formulas, respell them, and vary them a little.

A drawn composition is a tuple of (symbol, amount) pairs: the properties respell it, and it
shrinks to few elements, early in the list, with small amounts.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import gcd

from hypothesis import strategies as st

from assay.compositions import SMALLEST_AMOUNT, parse, problem
from assay.compositions import elements as elements_of
from assay.readings import certain, is_name

Pairs = tuple[tuple[str, float], ...]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
Ions = list[tuple[tuple[str, int], int]]
Spelling = tuple[str, Pairs]  # a text with brackets, and what it holds without them

PARTNERS = 6
# partners and amounts that are looked through for them
TRIED = 40
BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))

HOSTILE = (
    "",
    " ",
    "nan",
    "None",
    "na2o",
    "Xx2O",
    "Na2O;",
    "=1+1",
    "Na 2 O",
    "Na-1O",
    "Na0O1",
    "NaCl\n",
    "(Na2O",
    "Na2O)",
    "Nа2O",  # the second letter is Cyrillic
    "12",
    "Na1e3",
    "LiFePO4+",
    "../../train.csv",
)


def spelt(pairs: Sequence[tuple[str, float]]) -> str:
    """Write pairs as a formula: an amount of one is left out, others are decimals.

    Where that may be read in two ways, all amounts are written; atoms of one element that would be
    a name, such as Y123, are one atom.
    """
    if is_name([symbol for symbol, _ in pairs], sum(n for _, n in pairs)):
        return pairs[0][0]
    return certain("".join(f"{symbol}{_amount(amount)}" for symbol, amount in pairs))


def _amount(amount: float) -> str:
    return "" if amount == 1 else f"{amount:.9f}".rstrip("0").rstrip(".")


def subscripted(formula: str) -> str:
    """The formula with its digits as subscripts, as they come out of a PDF."""
    return formula.translate(_SUBSCRIPTS)


def pairs_of(formula: str) -> Pairs:
    """The pairs of a formula, in the order pymatgen reads them."""
    return tuple((element.symbol, float(n)) for element, n in parse(formula).items())


def moved(formula: str, site: int, symbol: str, percent: float) -> str:
    """The formula with some percent of its element number `site` replaced by `symbol`.

    Where a percent of a trace is too little to be read, all amounts are written a thousandfold.
    """
    amounts = dict(pairs_of(formula))
    host = list(amounts)[site % len(amounts)]
    share = amounts[host] * percent / 100
    amounts[host] -= share
    amounts[symbol] = amounts.get(symbol, 0) + share
    times = 1 if min(amounts.values()) >= SMALLEST_AMOUNT else 1000
    return spelt([(symbol, times * amount) for symbol, amount in amounts.items()])


def exchanged(formula: str, exchange: tuple[str, str]) -> str:
    """The formula in which two elements have changed places."""
    other = dict([exchange, exchange[::-1]])
    return spelt([(other.get(symbol, symbol), n) for symbol, n in pairs_of(formula)])


def on_line(along: str, between: tuple[str, str], way: float) -> str:
    """The formula some `way` (0 to 1) from one composition to another, in shares of the atoms.

    The way leads to where the share of the element `along` is larger.
    """
    start, stop = sorted(between, key=lambda end: _shares(end).get(along, 0))
    return on_way(start, stop, way)


def on_way(start: str, stop: str, way: float) -> str:
    """The formula some `way` (0 to 1) from `start` to `stop`, in shares of the atoms."""
    here, there = _shares(start), _shares(stop)
    amounts = {
        symbol: (1 - way) * here.get(symbol, 0) + way * there.get(symbol, 0)
        for symbol in {**here, **there}
    }
    return spelt([(symbol, share) for symbol, share in amounts.items() if share > 1e-6])  # noqa: PLR2004 (what `parse` can read)


def _shares(formula: str) -> dict[str, float]:
    fractions = parse(formula).fractional_composition
    return {element.symbol: float(n) for element, n in fractions.items()}


def compositions(
    elements: Sequence[str], most: int = 5, largest: int = 12, fewest: int = 1
) -> st.SearchStrategy[Pairs]:
    """Any composition of `fewest` to `most` of `elements` with amounts from 1 to `largest`."""
    symbols = st.lists(
        st.sampled_from(list(elements)),
        unique=True,
        min_size=min(fewest, len(elements)),
        max_size=min(most, len(elements)),
    )
    return symbols.flatmap(
        lambda chosen: st.tuples(
            *(st.tuples(st.just(symbol), st.integers(1, largest)) for symbol in chosen)
        )
    )


def formulas(elements: Sequence[str], most: int = 5) -> st.SearchStrategy[str]:
    """Formulas of any composition of `elements`."""
    return compositions(elements, most).map(spelt)


def crowded(elements: Sequence[str]) -> st.SearchStrategy[str]:
    """Formulas of 7 to 12 elements with amounts up to 999, most of them over 32 characters."""
    return compositions(elements, most=12, largest=999, fewest=7).map(spelt)


def foreign(elements: Sequence[str], others: Sequence[str]) -> st.SearchStrategy[str]:
    """Formulas with one of `others`, alone or beside up to two of `elements`."""
    one = st.tuples(st.sampled_from(list(others)), st.integers(1, 4)).map(lambda pair: (pair,))
    rest = compositions(elements, 2) | st.just(())
    return st.tuples(rest, one).map(lambda parts: spelt(parts[0] + parts[1]))


def in_space(elements: Sequence[str], largest: int = 12) -> st.SearchStrategy[str]:
    """Formulas of one chemical space: every one of `elements` is present."""
    amounts = st.tuples(*(st.integers(1, largest) for _ in elements))
    return amounts.map(lambda drawn: spelt(tuple(zip(elements, drawn, strict=True))))


def charge_balanced(elements: Sequence[str], most: int = 3) -> st.SearchStrategy[str]:
    """Formulas of 1 to `most` cations and 1 or 2 anions whose charges cancel exactly.

    The charges are the common oxidation states of pymatgen's `Element`. Where `elements` can make
    no neutral compound, formulas of any composition are drawn.
    """
    from pymatgen.core import Element

    states = [(s, int(q)) for s in elements for q in Element(s).common_oxidation_states]
    cations = [state for state in states if state[1] > 0]
    anions = [state for state in states if state[1] < 0]
    if not any(cation[0] != anion[0] for cation in cations for anion in anions):
        return formulas(elements)
    sides = st.tuples(_ions(cations, most), _ions(anions, 2))
    return sides.filter(_are_distinct).map(_neutral)


def _ions(states: Sequence[tuple[str, int]], most: int) -> st.SearchStrategy[Ions]:
    each = st.tuples(st.sampled_from(list(states)), st.integers(1, 4))
    return st.lists(each, min_size=1, max_size=most, unique_by=lambda ion: ion[0][0])


def _are_distinct(sides: tuple[Ions, Ions]) -> bool:
    positive, negative = ({state[0] for state, _ in side} for side in sides)
    return not positive & negative


def _neutral(sides: tuple[Ions, Ions]) -> str:
    # each side is repeated as often as the other has charge
    charges = [sum(abs(state[1]) * n for state, n in side) for side in sides]
    amounts = [
        (state[0], n * other)
        for side, other in zip(sides, reversed(charges), strict=True)
        for state, n in side
    ]
    common = gcd(*(n for _, n in amounts))
    return spelt([(symbol, n // common) for symbol, n in amounts])


def doped(training: Sequence[str], dopants: Sequence[str]) -> st.SearchStrategy[str]:
    """Training formulas in which 1 to 10 % of an element give way to one that they lack.

    A formula that has all the dopants already is drawn as it is.
    """

    def dope(drawn: tuple[str, int, int, int]) -> str:
        formula, site, index, percent = drawn
        lacking = [symbol for symbol in dopants if symbol not in elements_of(formula)]
        return moved(formula, site, lacking[index % len(lacking)], percent) if lacking else formula

    parts = (st.integers(0, 9), st.integers(0, 117), st.integers(1, 10))
    return st.tuples(st.sampled_from(list(training)), *parts).map(dope)


def near(training: Sequence[str], elements: Sequence[str]) -> st.SearchStrategy[str]:
    """Formulas near the train set: its own, doped ones, and some off stoichiometry.

    At least nine tenths of every element of a training formula are kept.
    """
    percents = st.integers(1, 10)
    own = st.sampled_from(list(training))
    off = percents.flatmap(lambda percent: _shifted(own, percent)).map(lambda pair: pair[1])
    return own | doped(training, elements) | off


def shifted(
    training: Sequence[str], elements: Sequence[str], percent: float = 1
) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of neighbours: a formula, and the same with 1 % of an element moved to another of it.

    The formulas are near the train set, or any composition, and of two elements or more.
    """
    return _shifted(near(training, elements) | formulas(elements), percent).filter(
        lambda pair: pair[0] != pair[1]
    )


def _shifted(parents: st.SearchStrategy[str], percent: float) -> st.SearchStrategy[tuple[str, str]]:
    def shift(drawn: tuple[str, int, int]) -> tuple[str, str]:
        formula, site, step = drawn
        symbols = [symbol for symbol, _ in pairs_of(formula)]
        if len(symbols) == 1:
            return formula, formula
        other = site + 1 + step % (len(symbols) - 1)
        return formula, moved(formula, site, symbols[other % len(symbols)], percent)

    return st.tuples(parents, st.integers(0, 9), st.integers(0, 9)).map(shift)


def holding(
    either: Sequence[str], training: Sequence[str], elements: Sequence[str]
) -> st.SearchStrategy[str]:
    """Formulas that hold at least one of some elements: those of the train set, and any others."""
    rows = [formula for formula in training if not elements_of(formula).isdisjoint(either)]
    others = [symbol for symbol in elements if symbol not in either]
    one = st.tuples(st.sampled_from(list(either)), st.integers(1, 12)).map(lambda pair: (pair,))
    rest = compositions(others, 3) if others else st.just(())
    drawn = st.tuples(one, rest).map(lambda parts: spelt(parts[0] + parts[1]))
    return st.sampled_from(rows) | drawn if rows else drawn


def hydroxides(elements: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of spellings with and without brackets: `Ca(OH)2` and `CaO2H2`, any elements.

    Groups also stand first, as in `(NH4)2S`, and in one another, as in `[Co(NH3)6]2` and
    `Ca{Al[OH]4}2`. Brackets are round, square or curly. It shrinks towards `X(YZ)n`.
    """
    head, group = (_spellings(elements, most, largest) for most, largest in ((1, 12), (3, 4)))
    last = st.tuples(head, _repeated(group)).map(_joined)
    first = st.tuples(_repeated(group), head).map(_joined)
    inner = _repeated(last | first)
    within = st.tuples(head, inner).map(_joined)
    drawn = st.one_of(last, first, inner, within).map(lambda drawn: (drawn[0], spelt(drawn[1])))
    return drawn.filter(lambda both: problem(both[0]) is None)  # (I) may be a roman numeral


def _spellings(elements: Sequence[str], most: int, largest: int) -> st.SearchStrategy[Spelling]:
    return compositions(elements, most, largest).map(lambda pairs: (spelt(pairs), pairs))


def _repeated(inner: st.SearchStrategy[Spelling]) -> st.SearchStrategy[Spelling]:
    def enclose(drawn: tuple[Spelling, tuple[str, str], int]) -> Spelling:
        (text, pairs), (opening, closing), times = drawn
        return f"{opening}{text}{closing}{times}", tuple((s, n * times) for s, n in pairs)

    return st.tuples(inner, st.sampled_from(BRACKETS), st.integers(2, 6)).map(enclose)


def _joined(parts: tuple[Spelling, Spelling]) -> Spelling:
    (text, pairs), (further, others) = parts
    return text + further, pairs + others


def case_pairs(elements: Sequence[str]) -> list[tuple[Pairs, Pairs]]:
    """Pairs of compositions whose formulas differ by case alone, as CoCl2 and COCl2 do.

    For each symbol of two letters that are also elements, and each of them known: the symbol with
    several partners and amounts.
    """
    split = [s for s in elements if len(s) == 2 and {s[0], s[1].upper()} <= set(elements)]  # noqa: PLR2004
    found: list[tuple[Pairs, Pairs]] = []
    for number, symbol in enumerate(split):
        # capitals that may be read in two ways are spelt with all amounts, which is another text
        alike = (pair for pair in _case_pairs(symbol, number, elements) if _differ_by_case(pair))
        found += islice(alike, PARTNERS + 1)
    return found


def _case_pairs(symbol: str, number: int, elements: Sequence[str]) -> Iterator[tuple[Pairs, Pairs]]:
    """Compositions with a symbol and with its letters, alone and beside partners."""
    letters = ((symbol[0], 1), (symbol[1].upper(), 1 + number % 2))
    yield ((symbol, 1 + number % 2),), letters
    taken = {symbol, *(letter for letter, _ in letters)}
    others = [element for element in elements if element not in taken]
    for tried in range(min(TRIED, 3 * len(others))):
        rest = ((others[(number + 3 * tried) % len(others)], 1 + (number + tried) % 4),)
        yield ((symbol, 1 + number % 2), *rest), (*letters, *rest)


def _differ_by_case(pair: tuple[Pairs, Pairs]) -> bool:
    return len({spelt(one).lower() for one in pair}) == 1


def hostile(elements: Sequence[str]) -> st.SearchStrategy[str]:
    """Text that is no formula: fixed nasty cells, spoilt formulas, and random characters."""
    spoilt = st.tuples(formulas(elements), st.sampled_from(["Xx", "Jj2", "0", "?", "(", ",1"]))
    return st.one_of(st.sampled_from(HOSTILE), spoilt.map("".join), st.text(max_size=12)).filter(
        lambda text: problem(text) is not None
    )
