"""Hypothesis strategies that draw chemical formulas.

A drawn composition is a tuple of (symbol, amount) pairs: the properties respell it, and it
shrinks to few elements, early in the list, with small amounts.
"""

from collections.abc import Sequence

from hypothesis import strategies as st

from assay.compositions import parse, problem

Pairs = tuple[tuple[str, float], ...]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

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
    """Write pairs as a formula: an amount of one is left out, others are decimals."""
    return "".join(f"{symbol}{_amount(amount)}" for symbol, amount in pairs)


def _amount(amount: float) -> str:
    return "" if amount == 1 else f"{amount:.9f}".rstrip("0").rstrip(".")


def subscripted(formula: str) -> str:
    """The formula with its digits as subscripts, as they come out of a PDF."""
    return formula.translate(_SUBSCRIPTS)


def pairs_of(formula: str) -> Pairs:
    """The pairs of a formula, in the order pymatgen reads them."""
    return tuple((element.symbol, float(n)) for element, n in parse(formula).items())


def compositions(
    elements: Sequence[str], most: int = 5, largest: int = 12
) -> st.SearchStrategy[Pairs]:
    """Any composition of 1 to `most` of `elements` with whole amounts from 1 to `largest`."""
    symbols = st.lists(
        st.sampled_from(list(elements)),
        unique=True,
        min_size=1,
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


def in_space(elements: Sequence[str], largest: int = 12) -> st.SearchStrategy[str]:
    """Formulas of one chemical space: every one of `elements` is present."""
    amounts = st.tuples(*(st.integers(1, largest) for _ in elements))
    return amounts.map(lambda drawn: spelt(tuple(zip(elements, drawn, strict=True))))


def near(training: Sequence[str], elements: Sequence[str]) -> st.SearchStrategy[str]:
    """Lightly doped training formulas: 1 to 10 % of one element gives way to another."""

    def doped(drawn: tuple[str, int, str, int]) -> str:
        formula, site, dopant, percent = drawn
        amounts = dict(pairs_of(formula))
        host = list(amounts)[site % len(amounts)]
        moved = amounts[host] * percent / 100
        amounts[host] -= moved
        amounts[dopant] = amounts.get(dopant, 0) + moved
        return spelt(tuple(amounts.items()))

    return st.tuples(
        st.sampled_from(list(training)),
        st.integers(0, 9),
        st.sampled_from(list(elements)),
        st.integers(1, 10),
    ).map(doped)


def hydroxides(elements: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    """Pairs of spellings with and without brackets: `Ca(OH)2` and `CaO2H2`, any elements."""
    groups = st.tuples(compositions(elements, 1), compositions(elements, 3, 4), st.integers(2, 6))

    def both(drawn: tuple[Pairs, Pairs, int]) -> tuple[str, str]:
        head, group, times = drawn
        flat = tuple((symbol, amount * times) for symbol, amount in group)
        return f"{spelt(head)}({spelt(group)}){times}", spelt(head + flat)

    return groups.map(both)


def hostile(elements: Sequence[str]) -> st.SearchStrategy[str]:
    """Text that is no formula: fixed nasty cells, spoilt formulas, and random characters."""
    spoilt = st.tuples(formulas(elements), st.sampled_from(["Xx", "Jj2", "0", "?", "(", ",1"]))
    return st.one_of(st.sampled_from(HOSTILE), spoilt.map("".join), st.text(max_size=12)).filter(
        lambda text: problem(text) is not None
    )
