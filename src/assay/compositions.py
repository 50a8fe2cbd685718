"""Chemical formulas: strict parsing, canonical spelling, chemical systems.

Together with `features` this is the only place that knows that an input is a composition.
"""

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Composition

MAXIMUM_LENGTH = 200

# differences of electronegativity below which pymatgen takes the last two elements for a group
ALIKE = 1.65

SMALLEST_AMOUNT, LARGEST_AMOUNT = 1e-6, 1e6

_TOKENS = re.compile(r"(?:[A-Z][a-z]?|[()\[\]{}]|\d+(?:\.\d*)?|\.\d+)+")
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_COUNTED = re.compile(r"([A-Z][a-z]?)(\d*)")
_AMOUNT = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_HYDRATE = re.compile(r"[1-9]\d*\.\d+H2O$")
_EXPONENT = re.compile(r"\d+(?:\.\d+)?e-\d+")
ISOTOPES = ("D", "T")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@lru_cache(maxsize=2**17)
def parse(formula: str) -> "Composition":
    """Parse a formula such as `Li7La3Zr2O12`, `Ca(OH)2` or `H₂O`.

    pymatgen alone accepts more than is safe: it drops amounts of nearly zero, lets brackets of
    two kinds close each other and reads some misspelt symbols as dummy species. All that is
    looked for first.

    Raises:
        ValueError: the text is empty, too long, not a formula, names an unknown element, or
            has an amount outside 1e-6 to 1e6; the message is a sentence that quotes the formula.
    """
    from pymatgen.core import Composition

    text = formula.translate(_SUBSCRIPTS)
    if sentence := _misspelling(text, formula):
        raise ValueError(_hinted(sentence, text))
    try:
        composition = Composition(text)
    except ValueError as error:
        raise ValueError(f"{formula!r} cannot be read as a formula ({error})") from None
    amounts = [float(amount) for amount in composition.values()]
    lost = len(amounts) < len(set(_SYMBOL.findall(text)))
    if lost or not SMALLEST_AMOUNT <= min(amounts) <= max(amounts) <= LARGEST_AMOUNT:
        raise ValueError(
            f"{formula!r} has an amount outside {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}"
        )
    return composition


def _hinted(sentence: str, text: str) -> str:
    from assay.misspellings import hint

    meant = hint(text, lambda other: _misspelling(other, other) is None)
    return f"{sentence}; {meant}" if meant else sentence


def _misspelling(text: str, formula: str) -> str | None:
    if not text:
        return "the formula is empty"
    if len(text) > MAXIMUM_LENGTH:
        return f"the formula {text[:20]!r}... is longer than {MAXIMUM_LENGTH} characters"
    if not _TOKENS.fullmatch(text) or not _SYMBOL.search(text) or not _brackets_match(text):
        return f"{formula!r} is not a chemical formula"
    if any(float(amount) == 0 for amount in _AMOUNT.findall(text)):
        return f"{formula!r} has an amount of zero"
    if _HYDRATE.search(text):
        return f"{formula!r} reads as a decimal what may be a hydrate; write the water as (H2O)5"
    return _stranger(text, formula)


def _stranger(text: str, formula: str) -> str | None:
    from pymatgen.core import Element

    for symbol in _SYMBOL.findall(text):
        if not Element.is_valid_symbol(symbol):
            return f"{formula!r} names {symbol!r}, which is not an element"
        if symbol in ISOTOPES:
            return f"{formula!r} names the isotope {symbol!r}; write H"
    return None


def _brackets_match(text: str) -> bool:
    brackets, before = re.sub(r"[^()\[\]{}]", "", text), ""
    while brackets != before:
        brackets, before = re.sub(r"\(\)|\[\]|\{\}", "", brackets), brackets
    return not brackets


def problem(formula: str) -> str | None:
    """The sentence that says why `formula` cannot be read, or None if it can."""
    if _is_plain(formula):
        return None
    try:
        parse(formula)
    except ValueError as error:
        return str(error)
    return None


def _is_plain(formula: str) -> bool:
    """Whether a formula is elements with whole amounts alone, so that nothing can be wrong."""
    return len(formula) <= MAXIMUM_LENGTH and _plain().fullmatch(formula) is not None


@lru_cache(maxsize=1)
def _plain() -> re.Pattern[str]:
    from pymatgen.core import Element

    symbols = sorted({element.symbol for element in Element} - {*ISOTOPES}, key=len, reverse=True)
    # amounts so short that no sum of them is too large
    return re.compile(rf"(?:(?:{'|'.join(symbols)})(?:[1-9]\d{{0,3}})?)+", re.ASCII)


def _reduced(formula: str) -> str:
    """Reduce a plain formula to the letter as pymatgen does, and several times as fast."""
    negativity, specials = _conventions()
    amounts: dict[str, int] = {}
    for symbol, amount in _COUNTED.findall(formula):
        amounts[symbol] = amounts.get(symbol, 0) + int(amount or 1)
    symbols = sorted(sorted(amounts), key=negativity.__getitem__)
    counts = [amounts[symbol] for symbol in symbols]
    divisor, anions = math.gcd(*counts), ""
    # the last two are a group, if they are alike and occur several times
    if len(symbols) > 2 and negativity[symbols[-1]] - negativity[symbols[-2]] < ALIKE:  # noqa: PLR2004
        times = math.gcd(*counts[-2:])
        if times != divisor:
            anions = f"({_joined(symbols[-2:], counts[-2:], times)}){times // divisor}"
            symbols, counts = symbols[:-2], counts[:-2]
    spelling = _joined(symbols, counts, divisor) + anions
    return specials.get(spelling, spelling)


def _joined(symbols: list[str], counts: list[int], divisor: int) -> str:
    pairs = zip(symbols, counts, strict=True)
    return "".join([s if n == divisor else f"{s}{n // divisor}" for s, n in pairs])


@lru_cache(maxsize=1)
def _conventions() -> tuple[dict[str, float], dict[str, str]]:
    """What pymatgen orders by, and what it does not reduce further.

    The first is Pauling's electronegativity, infinite where there is none, as in sorting.
    """
    import warnings

    from pymatgen.core import Composition, Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {element.symbol: float(element.X) for element in Element}
    order = {symbol: math.inf if math.isnan(value) else value for symbol, value in found.items()}
    return order, dict(Composition.special_formulas)


def reduced_formula(formula: str) -> str:
    """The canonical spelling: `O2Li4` becomes `Li2O`; `parse` reads it again."""
    if _is_plain(formula):
        return _reduced(formula)
    spelling = str(parse(formula).reduced_formula)
    return _EXPONENT.sub(lambda found: f"{float(found[0]):.8f}".rstrip("0"), spelling)


def elements(formula: str) -> frozenset[str]:
    """The symbols of the elements in a formula."""
    return frozenset(element.symbol for element in parse(formula).elements)


def chemical_system(formula: str) -> str:
    """The sorted element symbols joined by hyphens, the unit of grouping: `Li-O-P`."""
    return "-".join(sorted(elements(formula)))
