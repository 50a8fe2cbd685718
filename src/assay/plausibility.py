"""How likely a spelling is to be what a chemist wrote: which of several readings is meant.

Nothing here is a fact about a material. It orders readings of text that has several, so that the
likelier one is named first and text with two is not read as the unlikelier.
"""

import math
import re
from collections.abc import Set as AbstractSet
from enum import IntEnum
from functools import lru_cache
from itertools import islice, pairwise, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Element

# compounds that are known by a spelling which the rules below find unlikely
EVERYDAY = frozenset(
    {
        "CO",
        "HO",
        "SN",
        "CS3N",
        "KSCN",
        "HSCN",
        "NH4SCN",
        "COS",
        "OCS",
        "HCN",
        "HNC",
        "HNCO",
        "HCNO",
        "HOCN",
        "HOF",
        "HNCS",
        "KNCS",
        "KNCO",
        "KOCN",
        "COCl2",
        "COBr2",
    }
)
# names of materials that can be read as elements, which they are not
ACRONYMS = frozenset(
    {
        *("YBCO", "BSCCO", "BSCO", "NBCO", "BFO", "KNN", "BNT", "NBFO", "BIBO", "BBO", "KBBF"),
        *("HBN", "CBN", "WBN", "SBN", "BSO", "YSO", "UNK"),
    }
)
# elements of which few formulas are written: a reading with one of them is nearly always a slip
RARE = frozenset(
    {
        "Tc",
        "Pm",
        "Po",
        "At",
        "Rn",
        "Fr",
        "Ra",
        "Ac",
        "Pa",
        "Np",
        "Am",
        "Cm",
        "Bk",
        "Cf",
        "Es",
        "Fm",
        "Md",
        "No",
        "Lr",
        "Rf",
        "Db",
        "Sg",
        "Bh",
        "Hs",
        "Mt",
        "Ds",
        "Rg",
        "Cn",
        "Nh",
        "Fl",
        "Mc",
        "Lv",
        "Ts",
        "Og",
    }
)
_ANIONS = frozenset({"F", "S", "Cl", "Se", "Br", "Te", "I"})
METALLOIDS = frozenset({"B", "C", "Si", "Ge", "As", "Sb", "Te"})
ISOTOPES = ("D", "T")
# amounts that cancel to this are balanced
NEUTRAL = 1e-6
MOST_READINGS = 64

_SYMBOL = re.compile(r"[A-Z][a-z]?")
_SOLVENT = re.compile(r"(?:[(\[](?:H2O|NH3)[)\]][\d.]*)+\Z")
# a cation as alkali metals are
_AMMONIUM = re.compile(r"[(\[]NH4[)\]]|\ANH4")
_RUNS = re.compile(r"[A-Za-z]+|[^A-Za-z]+")
# longer text is no slip of the keyboard, and whole tables of it must not take long
_LONGEST_RUN = 10


class Likelihood(IntEnum):
    """What speaks for a reading; a larger one is likelier."""

    UNKNOWN = 0
    METALLIC = 1
    ELEMENT = 2
    BALANCED = 3


@lru_cache(maxsize=2**12)
def likelihood(formula: str) -> Likelihood:
    """What speaks for a text: balanced charges, metals alone, one element; or nothing.

    Charges are those of common oxidation states, in the order in which formulas are written: from
    the electropositive element to the electronegative one.
    """
    formula = _AMMONIUM.sub("K", _SOLVENT.sub("", formula) or formula)
    if formula in EVERYDAY:
        return Likelihood.BALANCED
    symbols = _SYMBOL.findall(formula)
    amounts = amounts_of(symbols, formula)
    if len(amounts) < 2:  # noqa: PLR2004 (elements of a compound)
        return Likelihood.ELEMENT if amounts else Likelihood.UNKNOWN
    if is_ordered(symbols) and _is_balanced(amounts) and not _is_mixed(amounts.keys()):
        return Likelihood.BALANCED
    return Likelihood.METALLIC if _is_metallic(symbols) else Likelihood.UNKNOWN


def amounts_of(symbols: list[str], formula: str) -> dict[str, float]:
    """What pymatgen reads in a text, and nothing where that is not all of it."""
    from pymatgen.core import Composition, Element

    if not all(map(Element.is_valid_symbol, symbols)):
        return {}
    try:
        found = {element.symbol: float(n) for element, n in Composition(formula).items()}
    except ValueError:
        return {}
    return found if found.keys() == {*symbols} else {}  # what is nearly zero is dropped


def is_ordered(symbols: list[str]) -> bool:
    """Whether metals stand first, and then what is none, from low to high electronegativity."""
    from pymatgen.core import Element

    if symbols[-2:] == ["O", "H"]:  # a hydroxide
        symbols = symbols[:-1]
    if not all(map(Element.is_valid_symbol, symbols)):
        return False
    found = [Element(symbol) for symbol in symbols]
    values = [0.0 if one.is_metal else float(one.X) for one in found]
    return len({*symbols}) == len(symbols) and all(a <= b for a, b in pairwise(values))


def is_ascending(symbols: list[str]) -> bool:
    """Whether elements stand in the order of electronegativity, in which programs write them."""
    from pymatgen.core import Element

    values = [float(Element(symbol).X) for symbol in symbols]
    return len({*symbols}) == len(symbols) and all(a <= b for a, b in pairwise(values))


def is_common(formula: str) -> bool:
    """Whether common oxidation states alone add up to zero, of metals as well."""
    from pymatgen.core import Element

    sums = {0.0}
    for symbol, amount in amounts_of(_SYMBOL.findall(formula), formula).items():
        element = Element(symbol)
        states = (-4, 4) if symbol == "C" else element.common_oxidation_states
        sums = {total + q * amount for total in sums for q in states}
    return any(abs(total) <= NEUTRAL for total in sums)


def is_lowest(formula: str) -> bool:
    """Whether the amounts of a formula have no common divisor, if they are whole."""
    found = amounts_of(_SYMBOL.findall(formula), formula).values()
    return not all(n.is_integer() for n in found) or math.gcd(*map(int, found)) == 1


def _is_mixed(symbols: AbstractSet[str]) -> bool:
    """Whether nitrogen and sulphur or a halogen are the anions together, as in few compounds."""
    return "N" in symbols and bool(_ANIONS & symbols) and not {"O", "H", "C"} & symbols


def _is_balanced(amounts: dict[str, float], fixed: tuple[str, int] = ("", 0)) -> bool:
    """Whether common oxidation states can add up to zero; metals may have any value between.

    The last element is negative, but for the hydrogen of a hydroxide. One element may be `fixed`
    to a charge.
    """
    from pymatgen.core import Element

    last = [symbol for symbol in amounts if symbol != "H" or "O" not in amounts][-1]
    sums = {(0.0, 0.0)}
    for symbol, amount in amounts.items():
        ranges = _charges(Element(symbol), oxidised=bool({"O", "F"} & amounts.keys()))
        if symbol == fixed[0]:
            ranges = [(fixed[1], fixed[1])]
        elif symbol == last:
            ranges = [(least, most) for least, most in ranges if least < 0]
        sums = {
            (low + least * amount, high + most * amount)
            for low, high in sums
            for least, most in ranges
        }
    return any(low <= NEUTRAL and high >= -NEUTRAL for low, high in sums)


def matches_charge(formula: str, metal: str, charge: int) -> bool:
    """Whether a metal of several charges has this one in a formula."""
    from pymatgen.core import Element

    states = [q for q in Element(metal).oxidation_states if q > 0]
    amounts = amounts_of(symbols := _SYMBOL.findall(formula), formula)
    known = len(states) > 1 and charge in states and len(amounts) > 1
    return known and is_ordered(symbols) and _is_balanced(amounts, (metal, charge))


@lru_cache(maxsize=1)
def metals() -> frozenset[str]:
    """The symbols of the metals."""
    from pymatgen.core import Element

    return frozenset(element.symbol for element in Element if element.is_metal)


def _charges(element: "Element", *, oxidised: bool) -> list[tuple[float, float]]:
    """Ranges of charge; halogens are positive in compounds of oxygen and fluorine alone."""
    if element.is_metal:
        states = [q for q in element.oxidation_states if q > 0]
        return [(min(states), max(states))] if states else []
    states = [-4, 1, 4] if element.symbol == "C" else list(element.common_oxidation_states)
    return [(q, q) for q in states if q < 0 or oxidised or not element.is_halogen]


def _is_metallic(symbols: list[str]) -> bool:
    from pymatgen.core import Element

    metals = [symbol for symbol in symbols if Element(symbol).is_metal]
    return bool(metals) and {*symbols} <= {*metals, *METALLOIDS}


def readings(text: str) -> list[str]:
    """All ways to read the letters of a text as elements, whatever their case; few symbols first.

    Rare elements are left out where there are others.
    """
    runs = [_spelt(run) if run.isalpha() else (run,) for run in _RUNS.findall(text)]
    if not runs or not all(runs):
        return []
    # runs of many readings are shortened, so that a long text has no endless number of them
    found = ["".join(parts) for parts in islice(product(*runs), MOST_READINGS)]
    usual = [one for one in found if RARE.isdisjoint(_SYMBOL.findall(one))]
    return sorted(usual or found, key=lambda one: sum(map(str.isupper, one)))


@lru_cache(maxsize=2**12)
def _spelt(letters: str) -> tuple[str, ...]:
    from pymatgen.core import Element

    if len(letters) > _LONGEST_RUN or not letters.isascii():
        return ()
    found = []
    for length in (2, 1):
        symbol, rest = letters[:length].capitalize(), letters[length:]
        if len(symbol) == length and Element.is_valid_symbol(symbol) and symbol not in ISOTOPES:
            found += [symbol + others for others in (_spelt(rest) if rest else [""])]
    return tuple(sorted(found, key=lambda one: sum(map(str.isupper, one))))


def speaks_for(reading: str) -> bool:
    """Whether something speaks for a reading; an element alone has no number, or is no reading."""
    found = likelihood(reading)
    return found > Likelihood.UNKNOWN and (found != Likelihood.ELEMENT or reading.isalpha())
