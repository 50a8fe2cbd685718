"""Variations of a formula: the same composition respelt, and compositions beside it."""

from collections.abc import Sequence

from assay.compositions import parse
from assay.readings import certain, is_name

Pairs = tuple[tuple[str, float], ...]

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


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
    """The formula with some percent of its element number `site` replaced by `symbol`."""
    amounts = dict(pairs_of(formula))
    host = list(amounts)[site % len(amounts)]
    share = amounts[host] * percent / 100
    amounts[host] -= share
    amounts[symbol] = amounts.get(symbol, 0) + share
    return spelt(tuple(amounts.items()))


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
