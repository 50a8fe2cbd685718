"""Chemical formulas: strict parsing, canonical spelling, chemical systems.

Together with `features` this is the only place that knows that an input is a composition.
"""

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from assay.plausibility import ISOTOPES
from assay.readings import TRUTH, certain, doubt, is_capital, is_name, is_suspect

if TYPE_CHECKING:
    from pymatgen.core import Composition

MAXIMUM_LENGTH = 200

# differences of electronegativity below which pymatgen takes the last two elements for a group
ALIKE = 1.65

SMALLEST_AMOUNT, LARGEST_AMOUNT = 1e-6, 1e6
# one composition: its atomic shares are the same at twelve decimals
SHARES = 1e12
# two ratios of whole numbers up to this differ at twelve decimals
LARGEST_RATIO = 700_000

_TOKENS = re.compile(r"(?:[A-Z][a-z]?|[()\[\]{}]|\d+(?:\.\d*)?|\.\d+)+", re.ASCII)
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_COUNTED = re.compile(r"([A-Z][a-z]?)(\d*)")
_AMOUNT = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_AMISS = re.compile(r"[(\[{]\d|[(\[{][)\]}]|\A\d")
# a digit below the line beside one on it, or beside a full stop
_MIXED = re.compile(r"[₀-₉]\.?\d|\d\.?[₀-₉]", re.ASCII)
_EXPONENT = re.compile(r"\d+(?:\.\d+)?e-\d+")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@lru_cache(maxsize=2**17)
def parse(formula: str) -> "Composition":
    """Parse a formula such as `Li7La3Zr2O12`, `Ca(OH)2` or `H₂O`.

    Text that can be read in two ways is refused, whatever pymatgen reads in it (`readings`). It
    also drops amounts of nearly zero, lets brackets of two kinds close each other and reads some
    misspelt symbols as dummy species: all that is looked for first.

    Raises:
        ValueError: the text is empty, too long, not a formula, not certainly one, names an unknown
            element, or has an amount outside 1e-6 to 1e6; the message is a sentence that quotes
            the formula.
    """
    from pymatgen.core import Composition

    text = formula.translate(_SUBSCRIPTS)
    if sentence := _misspelling(text, formula):
        raise ValueError(_hinted(sentence, formula))
    try:
        composition = Composition(text)
    except ValueError:  # whatever else pymatgen does not read, in words of its own
        raise ValueError(f"{formula!r} is not a chemical formula") from None
    amounts = [float(amount) for amount in composition.values()]
    lost = len(amounts) < len(set(_SYMBOL.findall(text)))
    if lost or not SMALLEST_AMOUNT <= min(amounts) <= max(amounts) <= LARGEST_AMOUNT:
        raise ValueError(
            f"{formula!r} has an amount outside {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}"
        )
    if is_name(_SYMBOL.findall(text), sum(amounts)):
        sentence = f"{formula!r} is one element with so many atoms that it may be a trade name"
        raise ValueError(_hinted(sentence, formula))
    return composition


def _hinted(sentence: str, formula: str) -> str:
    from assay.misspellings import hint

    meant = hint(formula, is_readable)
    return f"{sentence}; {meant}" if meant else sentence


def is_readable(formula: str) -> bool:
    """Whether `parse` reads a formula; no sentence is made of why not."""
    text = formula.translate(_SUBSCRIPTS)
    if _misspelling(text, formula):
        return False
    from pymatgen.core import Composition

    amounts = [float(amount) for amount in Composition(text).values()]
    symbols = _SYMBOL.findall(text)
    fine = len(amounts) == len(set(symbols)) and min(amounts) >= SMALLEST_AMOUNT
    return fine and max(amounts) <= LARGEST_AMOUNT and not is_name(symbols, sum(amounts))


def _misspelling(text: str, formula: str) -> str | None:  # noqa: PLR0911 (a reason each)
    if not text:
        return "the formula is empty"
    if len(text) > MAXIMUM_LENGTH:
        return f"the formula {text[:20]!r}... is longer than {MAXIMUM_LENGTH} characters"
    if text.strip().lower() in TRUTH:
        return f"{formula!r} is a truth value and not a chemical formula"
    if not _TOKENS.fullmatch(text) or not _SYMBOL.search(text) or not _brackets_match(text):
        return _no_formula(formula)
    if any(float(amount) == 0 for amount in _AMOUNT.findall(text)):
        return f"{formula!r} has an amount of zero"
    if _AMISS.search(text):
        return f"{formula!r} has an amount that stands behind no element and no bracket"
    if text != formula and _MIXED.search(formula):
        return f"{formula!r} has a subscript beside a number, as before the water of a hydrate"
    return _stranger(text, formula)


def _no_formula(formula: str) -> str:
    from assay.notations import strange_characters

    if found := strange_characters(formula):
        return f"{formula!r} is not a chemical formula: it holds {found}"
    return f"{formula!r} is not a chemical formula"


def _stranger(text: str, formula: str) -> str | None:
    from pymatgen.core import Element

    for symbol in _SYMBOL.findall(text):
        if not Element.is_valid_symbol(symbol):
            return f"{formula!r} names {symbol!r}, which is not an element"
        if symbol in ISOTOPES:
            return f"{formula!r} names {symbol!r}, an isotope of hydrogen"
    found = doubt(text)
    return f"{formula!r} {found}" if found else None


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
    if len(formula) > MAXIMUM_LENGTH or not _plain().fullmatch(formula):
        return False
    symbols = _SYMBOL.findall(formula)
    if len({*symbols}) == 1 and len(formula) > len(symbols[0]) + 1:  # more atoms than nine
        return False
    return not (is_suspect(formula) or is_capital(formula)) or doubt(formula) is None


@lru_cache(maxsize=1)
def _plain() -> re.Pattern[str]:
    from pymatgen.core import Element

    symbols = sorted({element.symbol for element in Element} - {*ISOTOPES}, key=len, reverse=True)
    # amounts so short that no sum of them is too large
    return re.compile(rf"(?:(?:{'|'.join(symbols)})(?:[1-9]\d{{0,3}})?)+", re.ASCII)


def _reduced(amounts: dict[str, int]) -> str:
    symbols = in_order(amounts)
    return certain(reduced_amounts(symbols, [amounts[symbol] for symbol in symbols]))


def in_order(symbols: Iterable[str]) -> list[str]:
    """Symbols of elements as they follow each other in a formula."""
    return sorted(sorted(symbols), key=_conventions()[0].__getitem__)


def reduced_amounts(symbols: list[str], counts: list[int]) -> str:
    """Spell whole amounts to the letter as pymatgen reduces them, and several times as fast.

    The symbols are in order. What comes out may be open to doubt, see `readings.certain`.
    """
    negativity, specials = _conventions()
    divisor, anions = math.gcd(*counts), ""
    # the last two are a group, if they are alike and occur several times
    if len(symbols) > 2 and negativity[symbols[-1]] - negativity[symbols[-2]] < ALIKE:  # noqa: PLR2004
        times = math.gcd(*counts[-2:])
        if times != divisor:
            anions = f"({_joined(symbols[-2:], counts[-2:], times)}){times // divisor}"
            symbols, counts = symbols[:-2], counts[:-2]
    spelling = _joined(symbols, counts, divisor) + anions
    return specials.get(spelling, spelling)


def _counted(formula: str) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for symbol, amount in _COUNTED.findall(formula):
        amounts[symbol] = amounts.get(symbol, 0) + int(amount or 1)
    return amounts


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
    """The canonical spelling of pymatgen: `O2Li4` becomes `Li2O`; `parse` reads it again.

    Decimals stay, so it does not tell whether two formulas are one composition: `identity` does.
    """
    if _is_plain(formula):
        return _reduced(_counted(formula))
    spelling = str(parse(formula).reduced_formula)
    return certain(_EXPONENT.sub(lambda found: f"{float(found[0]):.8f}".rstrip("0"), spelling))


def identity(formula: str) -> str:
    """The one name of a composition, whatever amounts it is written in: `Ca0.5Mg0.5O` is `CaMgO2`.

    Formulas have one identity if, and only if, their atomic shares are the same at twelve
    decimals, as `prediction_id` has it. It is the reduced formula of the smallest whole amounts,
    and a name alone: no model is asked for it. Text that cannot be read is its own.
    """
    return _reduced(_counted(formula)) if _is_plain(formula) else _identity(formula)


@lru_cache(maxsize=2**17)
def _identity(formula: str) -> str:
    if not is_readable(formula):
        return formula
    amounts = {element.symbol: float(n) for element, n in parse(formula).items()}
    total = math.fsum(amounts.values())
    if total <= LARGEST_RATIO and all(n.is_integer() for n in amounts.values()):
        return _reduced({symbol: int(n) for symbol, n in amounts.items()})
    shares = {symbol: round(n / total * SHARES) for symbol, n in amounts.items()}
    ratios = {symbol: _ratio(share) for symbol, share in shares.items()}
    if all(ratios.values()):
        common = math.lcm(*(ratio.denominator for ratio in ratios.values()))
        return _reduced({symbol: int(ratio * common) for symbol, ratio in ratios.items()})
    return "".join(f"{symbol}{shares[symbol] / SHARES:.12f}" for symbol in sorted(shares))


def _ratio(share: int) -> Fraction:
    """The ratio of whole numbers that a share in units of 1e-12 stands for, or 0 for none."""
    found = Fraction(share, int(SHARES)).limit_denominator(LARGEST_RATIO)
    return found if round(found * int(SHARES)) == share else Fraction(0)


def elements(formula: str) -> frozenset[str]:
    """The symbols of the elements in a formula."""
    return frozenset(element.symbol for element in parse(formula).elements)


def chemical_system(formula: str) -> str:
    """The sorted element symbols joined by hyphens, the unit of grouping: `Li-O-P`."""
    return "-".join(sorted(elements(formula)))
