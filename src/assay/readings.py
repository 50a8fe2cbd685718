"""Formulas that can be read in two ways: they are refused, since neither reading is certain.

`docs/reference/formulas.md` has the rules. Each of them looks at the text alone, so that a column
of formulas can be asked quickly which of its rows need a closer look.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from assay.plausibility import (
    ACRONYMS,
    RARE,
    Likelihood,
    is_ordered,
    likelihood,
    readings,
    speaks_for,
)
from assay.slips import may_slip, slip

# an element alone with more atoms is a name such as Y123 or SS304; fullerenes have more
MOST_ATOMS, FULLERENES = 12, ("C", 99)

TRUTH = frozenset({"true", "false"})

# what a compound ends in: the water, ammonia, oxide or salt of an adduct, and what it is added to
ENDS = frozenset({"H", "N", "O", "F", "Cl", "Br", "I", "S", "Se", "Te"})
# what a compound ends in as well, but where an alloy or a glass does
METALLOID_ENDS = frozenset({"B", "C", "Si", "P", "As"})
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_NO_DECIMAL = re.compile(r"(?<!\d)\.|\.(?!\d)|\.\d+\.")
_ALONE = re.compile(r"([A-Z][a-z]?)(?![a-z\d.])")
_BRIEF = re.compile(r"(?<![\d.])(\d+\.\d{1,2}|\d{3,})(?![\d.])")
# three digits behind the point, or none before it but zero, are a decimal
_POINT = re.compile(r"(?<![\d.])[1-9]\d*\.(\d{1,2})(?![\d.])")
_DECIMAL = re.compile(r"\d\.\d")
_COUNT = re.compile(r"[1-9]|1\d|2[0-4]")
_SOLVENT = re.compile(r"[(\[{]?(?:H2[O0]|OH2|NH3)[)\]}]?\Z")
# bound by its oxygen, as OPCl3 and OC4H8 are
_LIGAND = re.compile(r"O(?:H2|[CNPS])(?![a-z])")
# what is a molecule by itself
_MOLECULE = re.compile(r"C[67]0|S8|P4|(?:I|Br)2")
_PADDED = re.compile(r"(?<![\d.])(\d*\.\d*[1-9]0[1-9])(?![\d.])")
_ZERO = re.compile(r"(?<![\d.])0\d|[(\[{]H20[)\]}]")
_OXIDE = re.compile(r"(?<![\d.])[1-9]\d*0[1-9]\d*(?![\d.])")
_ROMAN = re.compile(r"[(\[{](?:I{1,3}|IV|VI{0,3})[)\]}]")
_LONE = re.compile(r"[(\[{][A-Z][a-z]?[)\]}](?![\d.])")
_PAIR = re.compile(r"(?=([A-Z]{2}))")
# what all of these have in common, in one look
_QUICK = re.compile(
    r"[(\[{](?:(?:[IV]+|H20)[)\]}]|[A-Z][a-z]?[)\]}](?![\d.]))|(?<![\d.])(?:\d{3}|0\d)"
)


def is_suspect(text: str) -> bool:
    """Whether a text of the characters of a formula needs a closer look: cheap, and never too few.

    Capitals that may be one symbol are not looked for.
    """
    return is_open(text) or may_slip(text)


def is_open(text: str) -> bool:
    """The same but for what looks like another formula."""
    if text in ACRONYMS or ("." in text and (_NO_DECIMAL.search(text) or any(points(text)))):
        return True
    return _QUICK.search(text) is not None


@lru_cache(maxsize=2**14)
def doubt(text: str) -> str | None:
    """What a text of valid elements leaves open, as the end of a sentence; None if nothing.

    An element alone with many atoms is left to `is_name`, which is asked for amounts.
    """
    found = next((sentence for is_so, sentence in _doubts() if is_so(text)), "")
    return found or slip(text) or None


def _doubts() -> Iterator[tuple[Callable[[str], object], str]]:
    yield ACRONYMS.__contains__, "is the name of a material and not its formula"
    yield (
        _NO_DECIMAL.search,
        "has a full stop that is not between two numbers, as before the water of a hydrate",
    )
    yield (
        lambda text: any(points(text)),
        "has a full stop that may be a decimal point, or stand before a hydrate or adduct",
    )
    yield (
        lambda text: _ZERO.search(text) or _is_oxide(text),
        "has a zero where the letter O may be meant",
    )
    yield _ROMAN.search, "has a bracket that may be a roman numeral, as of an oxidation state"
    yield (
        _LONE.search,
        "has a bracket around one element without an amount, which may be a comment",
    )
    yield (
        lambda text: is_capital(text) and any(likely_otherwise(text)),
        "is in capitals and may be read in two ways",
    )


def certain(spelling: str) -> str:
    """The spelling, with each amount written out (`S1I1O2`, `Cl2.600`) where it is not certain."""
    if not is_suspect(spelling) and not is_capital(spelling):
        return spelling
    if doubt(spelling) is None:
        return spelling
    whole = _ALONE.sub(r"\g<1>1", spelling)
    long = _BRIEF.sub(lambda found: f"{float(found[0]):.3f}", whole)
    return _PADDED.sub(r"\g<1>0", long)


def points(text: str) -> Iterator[int]:
    """Where full stops stand that may part a compound from what was added to it."""
    return (found.start(1) - 1 for found in _POINT.finditer(text) if _may_part(text, found))


def _may_part(text: str, point: re.Match[str]) -> bool:
    """Whether what stands before a point, and what stands behind its digits, are compounds.

    A compound has two elements or more, of which the last is no metal. What has decimals on both
    sides of the point is written in decimals. Water and ammonia are looked for behind anything.
    """
    head, rest = text[: point.start()], text[point.end() :]
    before, behind = map(_SYMBOL.findall, (head, rest))
    if _SOLVENT.match(rest) or (
        _MOLECULE.fullmatch(head + point[0].split(".")[0]) and _is_molecule(rest)
    ):
        return True
    if not all(len({*part}) > 1 for part in (before, behind)) or behind[-1] not in ENDS:
        return False
    if behind[0] in {"O", "F"} and not _LIGAND.match(rest):  # no other compound begins so
        return False
    decimals = [bool(_DECIMAL.search(side)) for side in (head, rest)]
    mixed = decimals[1] and ENDS.issuperset(behind)  # several anions, as in BiS1.6Se0.4O0.5
    if all(decimals) or mixed:
        return False
    whole = not point[1].startswith("0") and is_ordered(before)
    sure = whole and likelihood(rest) is Likelihood.BALANCED
    few = _COUNT.fullmatch(point[1]) is not None
    return (few and before[-1] in ENDS) or (sure and before[-1] in ENDS | METALLOID_ENDS)


def _is_molecule(text: str) -> bool:
    """Whether a text is a molecule or compound, which may stand beside another in a crystal."""
    several = len({*_SYMBOL.findall(text)}) > 1 and not _DECIMAL.search(text)
    return several or _MOLECULE.fullmatch(text) is not None


def _is_oxide(text: str) -> bool:
    """Whether an amount such as 204 is 2O4 in a formula that has no oxygen, as in MgAl204."""
    if "O" in _SYMBOL.findall(text) or "." in text or not _OXIDE.search(text):
        return False
    other = _OXIDE.sub(lambda found: found[0].replace("0", "O"), text)
    return likelihood(other) is Likelihood.BALANCED > likelihood(text)


def is_capital(text: str) -> bool:
    """Whether a text has capital letters alone, two of which may be one symbol."""
    return text.isupper() and any(pair in _symbols() for pair in _PAIR.findall(text))


@lru_cache(maxsize=1)
def _symbols() -> frozenset[str]:
    """The elements of two letters that are not rare, in capitals."""
    from pymatgen.core import Element

    found = {element.symbol for element in Element} - RARE
    return frozenset(symbol.upper() for symbol in found if len(symbol) > 1)


def likely_otherwise(text: str) -> Iterator[str]:
    """Readings of capitals for which more speaks than for the capitals as they stand.

    Metals alone are no better reading of what is in the order of a formula, as KCO3 is.
    """
    least = likelihood(text)
    if least not in {Likelihood.UNKNOWN, Likelihood.METALLIC}:
        return
    found = readings(text)
    others = [one for one in found if text in found and one != text and speaks_for(one)]
    if least is Likelihood.METALLIC:  # YB is ytterbium sooner than a boride; YB2C is a carbide
        others = [one for one in others if likelihood(one) is Likelihood.ELEMENT]
    if others and is_ordered(_SYMBOL.findall(text)):
        others = [one for one in others if likelihood(one) > Likelihood.METALLIC]
    yield from others


def is_name(symbols: list[str], atoms: float) -> bool:
    """Whether a formula of one element alone (n times `symbols`) is a name and no composition."""
    fullerene = FULLERENES[0] == symbols[0] and atoms <= FULLERENES[1]
    return len({*symbols}) == 1 and atoms > MOST_ATOMS and not fullerene
