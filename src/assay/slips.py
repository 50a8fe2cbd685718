"""Formulas that are read as one compound and look like a slip for another, which is likelier.

A small letter that was typed as a capital, I or 1 for l, 0 for O in a decimal, a numeral or a mass
number without its brackets, a name. `docs/reference/formulas.md` has the rules. A formula of which
every amount is written is certain, but for decimals, which are with one more digit.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations

from assay.plausibility import (
    RARE,
    Likelihood,
    is_ascending,
    is_common,
    is_lowest,
    is_ordered,
    likelihood,
    matches_charge,
    metals,
)

MOST_SLIPS = 3
NEAREST_MASS = 5
# two capitals that are a symbol with a small letter, and nearly always two elements: a hydroxide,
# an oxide sulfide or a sulfate
NO_PAIRS = frozenset({"HO", "OS"})
# letters that nobody writes twice in a row, but in a name
DOUBLED = frozenset("BFHIKPSUVWY")
_NO_NAMES = frozenset(letter * 2 for letter in DOUBLED - {"I"})
TWICE = frozenset({*(letter * 2 for letter in DOUBLED), "CI", "IV", "VI"})
NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8}
# radioactive metals whose symbols are two nonmetals otherwise
SPLIT = frozenset({"No", "Po", "Np", "Cf", "Cn"})
# metals that alloys are named after, with the percentages of the others before their symbols
UNALLOYED = frozenset({"Li", "Na", "K", "Rb", "Cs", "Ag"})
# these have carbide iodides, and one charge alone
CARBIDES = frozenset(
    {
        *("Sc", "Y", "La", "Ce", "Pr", "Nd", "Sm", "Eu", "Gd"),
        *("Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Th"),
    }
)
BASES = frozenset({"Ti", "Fe", "Co", "Ni", "W"})

_SYMBOL = re.compile(r"[A-Z][a-z]?")
_WRITTEN = re.compile(r"(?:[A-Z][a-z]?|[\d.()\[\]{}])+", re.ASCII)
_ALONE = re.compile(r"[A-Z][a-z]?(?![a-z\d.])")
_ADJACENT = re.compile(r"(?=([A-Z]{2})(?![a-z]))")
# carbonates, thiocyanates, carboxylic acids, carbonyls and their halides
_GROUPS = re.compile(r"CO3(?![\d.])|SCN|CSN|COOH|[(\[{]CO[)\]}]|\ACO(?=(?:F|Cl|Br|I)2\Z)")
# a group in brackets, an oxycarbide, nitride iodides
_ODD = re.compile(r"[(\[{][A-Z]{2}\d*[)\]}]|CO(?![a-z\d.])|I\d*N(?![a-z])")
_FOR_L = re.compile(r"C(?:I(?![a-z])|1(?!\d*\.))")
_ZERO = re.compile(
    r"(?<![\d.])(\d*\.\d*[1-9])0([1-9])\Z|(?<![\d.])([1-9]\d*)0([1-9]\d*\.\d{1,2}\Z)"
)
_DECIMALS = re.compile(r"\.(\d+)")
_NUMERAL = re.compile(r"(?<=[a-zA-Z\d)\]}])(IV|VI{1,3}|I{1,3})(?![a-z])(?=.)")
_BRACKETED = re.compile(r"[(\[{][IV]+[)\]}]")
_RUN_OF_I = re.compile(r"II(?![a-z])")
_MASS = re.compile(r"(?<![\d.])([1-9])1[678](?=O(?![a-z]))")
_HEAVY = re.compile(r"([A-Z][a-z]?)([1-9]\d\d)(?![\d.])")
_SPLIT = re.compile(r"(?:No|Po|Np|Cf|Cn)\d")
_WORD = re.compile(r"[A-Z]{4,}")
_GRADE = re.compile(
    r"Ti(?:\d+(?:\.\d)?(?:Al|V|Mo|Sn|Zr|Nb|Cr|Fe|Ta|Mn)){2,}|Fe1\d(?:Cr\d+)(?:Ni|Mo\d+Ni|Ni\d+Mo)"
    r"|Ni[12]\dCr|Co2\dCr\dMo|WC\d+(?:Co|Ni)|W\d+Re"
)
_POLYTYPE = re.compile(r"SiC(?:[2468]H|15R|3C)")
_QUICK = re.compile(
    r"(?:BI|C[OSU]|HF|I[NV]|N[BI]|OS|P[BU]|S[BCIN]|YB|VI|CI|([BFHIKPSUVWY])\1)(?![a-z])"
    r"|\A[A-Z]{4,}\Z|C1|\.\d*0[1-9]\Z|\d0\d+\.|I\d*[A-Z(\[{]|\d1[678]O|[1-9]\d\d"
    r"|(?:No|Po|Np|Cf|Cn)\d|\A(?:Ti|Fe|Ni|Co|W)C?\d|SiC\d"
)
Found = list[str] | None


def may_slip(text: str) -> bool:
    """Whether a text needs to be asked of: cheap, and never too few."""
    return _QUICK.search(text) is not None


def slip(text: str) -> str:
    """What a text may be, as the end of a sentence; empty if it is what it says."""
    return _found(text)[0]


def meant(text: str) -> list[str]:
    """The formulas that a slip may stand for, the likeliest first; none where it is a name."""
    return _found(text)[1]


@lru_cache(maxsize=2**14)
def _found(text: str) -> tuple[str, list[str]]:
    if may_slip(text) and _is_sound(text):
        for sentence, way in _kinds():
            found = way(text)
            if found is not None:
                return sentence, found
    return "", []


def _is_sound(text: str) -> bool:
    from pymatgen.core import Element

    known = all(map(Element.is_valid_symbol, _SYMBOL.findall(text)))
    return known and _WRITTEN.fullmatch(text) is not None


def _kinds() -> Iterator[tuple[str, Callable[[str], Found]]]:
    yield "is the name of an alloy by weight, and may be read as atoms", _graded
    yield "may be a name or a word and no formula", _named
    yield "has a capital where a small letter may be meant", _with_small_letters
    yield "has an I or a 1 where the letter l may be meant", _with_chlorine
    yield "has a zero where the letter O may be meant", _with_oxygen
    yield "may have a roman numeral, as of an oxidation state", _without_numerals
    yield "may have the mass number of an isotope", _without_masses
    yield "has a small letter where a capital may be meant", _with_capitals


def _is_certain(text: str) -> bool:
    return _ALONE.search(text) is None


def _better(others: list[str], least: Likelihood) -> Found:
    found = [one for one in dict.fromkeys(others) if likelihood(one) > least]
    return sorted(found, key=likelihood, reverse=True) or None


def _with_small_letters(text: str) -> Found:
    """`SmCO5` is `SmCo5`: a reading with metals alone or with balanced charges is likelier."""
    if text.isupper():  # `readings` has a rule of its own
        return None
    kept = [range(*group.span()) for group in _GROUPS.finditer(text)]
    places = [
        found.start()
        for found in _ADJACENT.finditer(text)
        if found[1] in pairs() and not any(found.start() in group for group in kept)
    ]
    least = likelihood(text) if places else Likelihood.BALANCED
    if least is Likelihood.METALLIC and "CU" in text:  # carbides are written UC
        least = Likelihood.UNKNOWN
    rare = least is Likelihood.BALANCED and {*_doubles(text)} & {"SI", "SN"}
    if (
        rare and not _ODD.search(text) and not is_common(text)
    ):  # charges that metals hardly have beside sulphur
        least = Likelihood.METALLIC
    elif least is not Likelihood.UNKNOWN or _is_as_programs_write(text):
        return None
    others = [one for one in _lowered(text, places[:MOST_SLIPS]) if is_lowest(one)]
    return _better(others, least)


def _is_as_programs_write(text: str) -> bool:
    """Whether a text is in order of electronegativity, and its letters may all be meant.

    Salts of alkali metals and silver, groups in brackets, oxycarbides and nitride iodides are;
    other compounds if their charges balance.
    """
    symbols = _SYMBOL.findall(text)
    if not is_ascending(symbols):
        return False
    meant = not UNALLOYED.isdisjoint(symbols) or _ODD.search(text)
    return bool(meant) or is_common(text)


def _lowered(text: str, places: list[int]) -> Iterator[str]:
    for number in range(len(places), 0, -1):
        for chosen in combinations(places, number):
            small = {place + 1 for place in chosen}
            if small.isdisjoint(chosen):
                yield "".join(c.lower() if at in small else c for at, c in enumerate(text))


@lru_cache(maxsize=1)
def pairs() -> frozenset[str]:
    """Two capitals that are the symbol of an element which is not rare."""
    from pymatgen.core import Element

    found = {element.symbol for element in Element} - RARE
    return frozenset(one.upper() for one in found if len(one) > 1) - NO_PAIRS


def _with_chlorine(text: str) -> Found:
    """`NaCI` and `ZnC12` are chlorides, where carbon has no charge that fits."""
    if not _FOR_L.search(text) or (_is_certain(text) and "CI" not in text):
        return None
    other = re.sub(r"Cl0(?=\d)", "ClO", _FOR_L.sub("Cl", text))
    symbols = {*_SYMBOL.findall(text)}
    if likelihood(other) is not Likelihood.BALANCED or not is_lowest(other):
        return None
    if CARBIDES & symbols and not is_common(other):
        return None
    iodide = "CI" in text and not {"O", "N", "H"} & symbols and not text.startswith("CI")
    return [other] if iodide or (_is_odd(text) and not text.startswith("CIF")) else None


def _is_odd(text: str) -> bool:
    return likelihood(text) is not Likelihood.BALANCED


def _with_oxygen(text: str) -> Found:
    """`LiNi0.8Co0.202` ends in 0.2 and O2, since no other amount has so many decimals."""
    found = _ZERO.search(text)
    if not found or "O" in _SYMBOL.findall(text):
        return None
    head = text[: found.start()]
    if found[3]:
        other = f"{head}{found[3]}O{found[4]}"
    else:
        digits = max(map(len, _DECIMALS.findall(head)), default=0)
        least = len(found[1].partition(".")[2])
        if not least <= max(digits, 1) < least + 2:
            return None
        other = f"{head}{found[1]}O{found[2]}"
    return _better([other], Likelihood.METALLIC)


def _without_numerals(text: str) -> Found:
    """`FeIII2O3` is `Fe2O3`: I twice in a row, or a numeral that is the charge of its metal."""
    if _BRACKETED.search(text):
        return None
    others = list(_stated(text))
    if others:
        return others
    return [] if _RUN_OF_I.search(text) else None


def _stated(text: str) -> Iterator[str]:
    for found in _NUMERAL.finditer(text):
        before = text[: found.start()]
        metal = (_SYMBOL.findall(before) or [""])[-1]
        if before.endswith(metal) and metal in metals():
            other = _NUMERAL.sub("", text)
            if matches_charge(other, metal, NUMERALS[found[1]]) and not _is_iodide(text):
                yield other
                return
            if found[1].startswith("II") and likelihood(other) is Likelihood.BALANCED:
                yield other
                return


def _is_iodide(text: str) -> bool:
    """Whether the iodine of a text may be meant; copper of charge 2 has no iodide."""
    return "Cu" not in text and is_ascending(_SYMBOL.findall(text)) and is_common(text)


def _without_masses(text: str) -> Found:
    """`H218O` is water of oxygen 18, and `U235O2` has no 235 atoms."""
    if (other := _MASS.sub(r"\1", text)) != text and _is_odd(text):
        return _better([other], Likelihood.METALLIC)
    other = _HEAVY.sub(_weighed, text)
    return _better([other], Likelihood.METALLIC) if other != text else None


def _weighed(found: re.Match[str]) -> str:
    from pymatgen.core import Element

    if not Element.is_valid_symbol(found[1]):
        return found[0]
    near = abs(int(found[2]) - float(Element(found[1]).atomic_mass)) <= NEAREST_MASS
    return found[1] if near else found[0]


def _with_capitals(text: str) -> Found:
    """`KNo3` and `FePo4` hold no nobelium or polonium, where two nonmetals balance."""
    if not _SPLIT.search(text) or _is_certain(text):
        return None
    return _better([_SPLIT.sub(lambda one: one[0].upper(), text)], likelihood(text))


def is_grade(text: str) -> bool:
    """Whether a text is the name of an alloy by weight."""
    return _GRADE.fullmatch(text) is not None


def _graded(text: str) -> Found:
    """`Ti6Al4V` has percentages before the symbols, and `SiC4H` is a stacking of SiC."""
    if is_grade(text):
        return []
    return ["SiC"] if _POLYTYPE.fullmatch(text) else None


def _named(text: str) -> Found:
    """`KBBF` and `UNKNOWN`: a letter twice, or capitals alone without an amount."""
    several = len({*_SYMBOL.findall(text)}) > 1
    if several and not _NO_NAMES.isdisjoint(_doubles(text)):
        return []
    if not _WORD.fullmatch(text) or text.endswith("OH") or not {*text} - {*"HCNO"}:
        return None
    odd = likelihood(text) is Likelihood.UNKNOWN and not is_ordered([*text])
    return [] if odd else None


def _doubles(text: str) -> list[str]:
    return [found[1] for found in _ADJACENT.finditer(text)]
