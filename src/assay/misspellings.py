"""What was probably meant by text that is no chemical formula: a hint, for the message alone.

A hint names a formula that can be read itself. Where the text leaves two open it names both, the
likelier one first, and where it leaves more open, none.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from assay.notations import added, asked_for, multiplied, plain, spaced
from assay.plausibility import ACRONYMS, RARE, Likelihood, likelihood, readings, speaks_for
from assay.readings import TRUTH, certain, is_capital
from assay.slips import is_grade, meant

# what pandas writes for no value, and pymatgen for a nitride of sodium
NITRIDE = "NaN"
AMBIGUOUS = f"{NITRIDE!r} may be a missing value; write Na1N1 if the nitride of sodium is meant"
_NOTHING = re.compile(r"[A-Z][a-z]?0+(?:\.0*)?(?![\d.])")
# what pandas, spreadsheets and people write for nothing and nothing else
MISSING = frozenset(
    {
        *("nan", "NAN", "NA", "<NA>", "N/A", "n/a", "None", "none", "NULL", "null", "NaT"),
        *("#N/A", "N.A.", "n.a.", "n.d.", "TBD", "UNKNOWN", "Unknown", "unknown", "UNK"),
        *("inf", "Inf", "INF", "Infinity", "INFINITY", "infinity"),
    }
)
Readable = Callable[[str], bool]
Way = Callable[[str], Iterator[str]]

# apart from the formula, or behind the sign: SO4 2-, SO4^2-, Fe(3+), SO4-2, Fe+++
_CHARGE = re.compile(r"(?:\s*\^\s*[({]?|\s+|\s*\()(?:\d*[+-]+|[+-]+\d)[)}]?\Z|[+-]{2,}\Z")
_SIGN_FIRST = re.compile(
    r"(?P<bare>[A-Z][a-z]?\d*|.*[)\]])[+-]\d|(?P<anion>(?:[A-Z][a-z]?\d*){2,3})-\d"
)
_CHARGED = re.compile(r"(.*?[A-Za-z)\]}])(\d*)[+-]\Z")
_ENCLOSED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}")
_PHASE = re.compile(r"\s*[(\[](?:s|l|g|aq|cr|am|c|cd|sol|solid|liquid|gas)[)\]]\Z")
_COMMENT = re.compile(r"\s*[(\[]([^()\[\]]*[a-z /-][^()\[\]]*|[IVX]+)[)\]]\Z")
_WORD = re.compile(r"[\s,;_-]+([a-z][a-z-]{2,})\Z")
_PREFIX = re.compile(
    r"(?:[\u03b1-\u03c9]|alpha|beta|gamma|delta|epsilon|theta|kappa|[a-z]{1,2})'?[-\s]\s*(?=[A-Z(\[])"
)
# words that make another compound of what they stand beside
_OTHER = re.compile(
    r"(?:[aiu]te|ide|ium|ine|ic|ous|acid|water|air|and|with|plus|or|in|on|hydr\w*|alloy|doped?)\Z"
)
_BRACKETED_WORD = re.compile(r"[(\[]\s*[a-z]{3,}")
# ions such as vanadyl, which have one charge or two
_OXO = re.compile(r"(?:Bi|Cr|Hf|Mo|Nb|Np|Pu|Sb|Ta|Ti|U|V|W|Zr)O")
# a number of a phase, as in H2O VII, and a structure, as in bccFe
_NUMBERED = re.compile(r"(?<=[A-Za-z\d)\]])\s+(?:I{1,3}|IV|VI{0,3}|IX|X)\Z")
_STRUCTURE = re.compile(r"(?:[bf]cc|d?hcp)[\s-]*(?=[A-Z])")
# stackings and dimensions, parts of molecules, and water that is not counted: no elements
_ABBREVIATED = re.compile(
    r"\A\d+[A-Z]'?[\s-]|THF|DMF|DMSO|NMP|Me(?![a-z])|Et(?![a-z])|Ph(?![a-z])|Py(?![a-z])|[.\u00b7*\d]\s*aq\Z"
)
_L = re.compile(r"(?<![A-Z])(?:T1(?!\d)|A[1I](?![a-z]))")
_ROMAN = re.compile(r"\s*[(\[{](?:i{1,3}|iv|vi{0,3})[)\]}]", re.IGNORECASE)
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_ISOTOPE = re.compile(r"D(?![a-z])|T(?=\d)|(?<=[HL])T(?![a-z])|(?<=Li)T(?![a-z])|\AT\Z")
_LONE = re.compile(r"[(\[{]([A-Z][a-z]?)[)\]}](?![\d.])")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_WATER = re.compile(r"H20(?![\d.])")
_LEADING = re.compile(r"(?<![\d.])0(?!\.)")
_ZERO = re.compile(r"(?<![\d.])\d*0\d*(?![\d.])")
# longer text is no slip of the keyboard, and whole tables of it must not take long
_LONGEST, _STEPS = 60, 4
MOST_CHARGES = 12
_HEAVY = frozenset({"HDO", "DHO", "HOD", "HTO", "DCN", "DOH"})


def hint(text: str, readable: Readable) -> str:
    """What the author may have meant, as a clause that follows the message; empty if unknown.

    Args:
        text: what cannot be read.
        readable: whether another text can be.
    """
    bare = plain(text) if len(text) <= 4 * _LONGEST else text
    if text.strip() in MISSING:
        return "it looks like a missing value: leave the row out"
    named = bare.lower() in TRUTH or bare.upper() in ACRONYMS
    if len(bare) > _LONGEST or named or _ABBREVIATED.search(bare):
        return ""
    uncommented = next(_uncommented(bare), bare)
    if asked := asked_for(bare) or asked_for(uncommented) or _asked_of_grades(bare):
        return asked
    if bare != text and readable(bare):
        return f"write {bare}"
    seen = {bare}
    for way in _WAYS:
        if found := _tried(way, bare, readable, seen, _STEPS):
            return _CLAUSES.get(way, "write {}").format(", or ".join(found))
    return ""


def _asked_of_grades(text: str) -> str:
    if not is_grade(text):
        return ""
    return f"give shares of atoms, or write {certain(text)} if it has them"


def _meant(text: str, readable: Readable, seen: set[str], steps: int) -> list[str]:
    """The formulas that a text may stand for, the likeliest first: one, two or none."""
    if readable(text):
        return [text]
    if text in seen:  # ways that lead to one text by turns are gone once
        return []
    seen.add(text)
    found = (_tried(way, text, readable, seen, steps) for way in _WAYS if steps)
    return next(filter(None, found), [])


def _tried(way: Way, text: str, readable: Readable, seen: set[str], steps: int) -> list[str]:
    others = [other for other in way(text) if other and other != text]
    found = [one for other in others for one in _meant(other, readable, seen, steps - 1)]
    return list(dict.fromkeys(found))[:2]


def _slipped(text: str) -> Iterator[str]:
    """`SmCO5` is `SmCo5`, or a compound of samarium, carbon and oxygen that is written out."""
    if found := meant(text):
        yield found[0]
        yield certain(text)


def _without_zeros(text: str) -> Iterator[str]:
    """`La2Sr0CuO4` is `La2CuO4`; where there is no oxygen the zero may be the letter O."""
    rest = _NOTHING.sub("", text)
    if "O" in _SYMBOL.findall(rest) and len({*_SYMBOL.findall(rest)}) > 1:
        yield rest


def _without_phase(text: str) -> Iterator[str]:
    """`NaCl (s)` is solid, and no sulphur is in it."""
    yield _PHASE.sub("", text)


def _uncommented(text: str) -> Iterator[str]:
    """`H2O (ice)` is `H2O`: the name of a phase, and what else is no formula, is left out."""
    comment = _COMMENT.search(text)
    if (
        comment
        and not _OTHER.search(re.sub("ite\\Z", "", comment[1]))
        and not _is_formula(comment[1])
    ):
        yield text[: comment.start()]
    word = _WORD.search(text)
    if word and not _OTHER.search(word[1]):
        yield text[: word.start()]
    numbered = _NUMBERED.search(text)
    if numbered and (
        len({*_SYMBOL.findall(text[: numbered.start()])}) > 1 or len(numbered[0].strip()) > 1
    ):
        yield text[: numbered.start()]
    if _STRUCTURE.match(text):
        yield _STRUCTURE.sub("", text, count=1)
    if _PREFIX.match(text):
        yield _PREFIX.sub("", text, count=1)


def _is_formula(text: str) -> bool:
    """Whether a text in brackets belongs to the formula, as `OH` and `5H2O` do."""
    symbols = r"(?:[A-Z][a-z]?[\d.]*)+"
    return re.fullmatch(rf"[\d. ]*{symbols}|[a-z]{{1,2}}[\d.]*", text) is not None and not (
        re.fullmatch(r"[IVX]+", text)
    )


def _uncharged(text: str) -> Iterator[str]:
    """`Fe3+` and `SO4 2-` are ions; what is not apart is the subscript first, as in `NO3-`."""
    if _CHARGE.search(text):
        yield _CHARGE.sub("", text)
        return
    if found := _SIGN_FIRST.fullmatch(text):
        yield found["bare"] or found["anion"]
        return
    found = _CHARGED.fullmatch(text)
    if not found:
        return
    body, digits = found[1], found[2]
    if len(digits) > 3 and 10 <= int(digits[-2:]) <= MOST_CHARGES:  # noqa: PLR2004 (O42, and 10-)
        yield body + digits[:-2]
        return
    if len(digits) > 1:  # PO43- is PO4 and three charges
        yield body + (digits if digits.endswith("0") else digits[:-1])
        return
    spelt = body if re.search("[A-Z]", body) else next(iter(readings(body)), body)
    lone = len(re.findall("[A-Z]", spelt)) == 1
    if lone or _ENCLOSED.fullmatch(body) or digits == "1":
        yield body
        return
    salt = body + digits
    yield certain(salt) if text.endswith("-") and is_capital(salt) else salt
    if text.endswith("+") and digits in {"2", "3"} and _OXO.fullmatch(body):
        yield body


def _without_numerals(text: str) -> Iterator[str]:
    """`Cu(I)Cl` is `CuCl` more often than an iodide."""
    flat = _LONE.sub(r"\1", text)
    numbered = _ROMAN.sub("", text)
    kept = re.sub(r"[(\[{](I)[)\]}]", r"\1", text)
    found = [one for one in (numbered, kept if numbered != text else flat) if one != text]
    if numbered == text and flat != text:
        found.insert(0, _LONE.sub("", text))
    yield from _ranked(found)


def _with_oxygen(text: str) -> Iterator[str]:
    """`H20` is `H2O`, and `Si02` is `SiO2`: the letter O, where that is a likelier compound."""
    if _WATER.search(text):
        yield _WATER.sub("H2O", text)
        return
    tried = [_LEADING.sub("O", text), _ZERO.sub(lambda one: one[0].replace("0", "O"), text)]
    yield from (one for one in tried if likelihood(one) is Likelihood.BALANCED)


def _without_isotopes(text: str) -> Iterator[str]:
    """`D2O` is `H2O` to all tables of elements, and `ND3` ammonia; `TBD` and `CD` are neither."""
    word = text.isalpha() and text.isupper() and len(text) > 2  # noqa: PLR2004
    if (word and text not in _HEAVY) or any(map(_speaks, readings(text))):
        return
    yield re.sub("HHO|HOH", "H2O", _ISOTOPE.sub("H", text))


def _with_l(text: str) -> Iterator[str]:
    """`T1Br` is `TlBr`, and `A1N` is `AlN`."""
    yield _L.sub(lambda found: found[0][0] + "l", text)


def _with_points(text: str) -> Iterator[str]:
    """`La0,7Sr0,3MnO3` has decimal commas."""
    yield _COMMA.sub(".", text)


def _with_case(text: str) -> Iterator[str]:
    """`fe2o3` is `Fe2O3`; of several readings those that are likely, the likeliest first."""
    if named := _names().get(text.lower()):
        yield named
        return
    found = readings(text)
    right = text in found and certain(text) == text  # nothing is wrong with the case
    if right or (_BRACKETED_WORD.search(text) and not text.islower()):
        return
    found = [one for one in found if one != text]
    if not text.isupper() and not text[1:].islower():  # what is in both cases was meant in part
        least = min((_apart(one, text) for one in found), default=0)
        found = [one for one in found if _apart(one, text) == least]
    ranked = _ranked(found)
    likely = [one for one in ranked if _speaks(one)]
    if likely and text in readings(text):
        yield from [likely[0], certain(text)]
    elif likely or re.search(r"\d", text):
        usual = [one for one in ranked if RARE.isdisjoint(_SYMBOL.findall(one))]
        yield from likely[:2] or usual[:1]


def _speaks(reading: str) -> bool:
    rare = not RARE.isdisjoint(re.findall("[A-Z][a-z]?", reading))
    return speaks_for(reading) and (not rare or likelihood(reading) is Likelihood.ELEMENT)


def _apart(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _ranked(formulas: list[str]) -> list[str]:
    return sorted(dict.fromkeys(formulas), key=likelihood, reverse=True)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """The symbols of the elements by their English names."""
    from pymatgen.core import Element

    return {element.long_name.lower(): element.symbol for element in Element}


_WAYS: tuple[Way, ...] = (
    _slipped,
    _without_zeros,
    _without_phase,
    _uncommented,
    _uncharged,
    added,
    spaced,
    _with_points,
    multiplied,
    _without_numerals,
    _with_oxygen,
    _with_l,
    _without_isotopes,
    _with_case,
)
_CLAUSES: dict[Way, str] = {
    _without_zeros: "leave out what there is nothing of: {}",
    _without_phase: "leave the phase out: {}",
    _uncommented: "leave the comment out: {}",
    _uncharged: "leave charges out: {}",
    spaced: "take out the spaces: {}",
    _slipped: "did you mean {}?",
    _with_case: "did you mean {}?",
}
