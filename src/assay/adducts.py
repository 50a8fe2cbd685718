"""Compounds with something added to them, such as water: how a text of several parts is written.

It serves hints alone: what is yielded here is tried, and dropped where it is no formula.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from assay.plausibility import Likelihood, likelihood
from assay.readings import ENDS, points

DOT = "\u00b7"
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_NUMBER = r"(?:\d+/[1-9]\d*|\d+(?:\.\d+)?|\.\d+)"
_BRACKETED = re.compile(r"\s*[(\[]\s*(?:[\u00b7.*]\s*|(?=\d))([^()\[\]]+)[)\]]\Z")
_DOTS = re.compile(
    r"\s*[\u00b7\u2022\u2219\u22c5\u2027\uff65\u30fb\u2e31\u02d9\u0387\u2024\u22c6\u2217\u00d7*]+\s*"
    r"|\s+[xX]\s*(?=\d)|(?<=[\d)\]])x(?=\d)|(?<=[A-Z])x(?=\d)"
)
_STOPS = (
    re.compile(r"(?<=[A-Za-z)\]}])\s*\.\s*(?=\.?\d|[A-Z(\[])"),
    re.compile(r"(?<=\d)\s*\.\s*(?=[A-Z(\[])"),
    re.compile(r"(?<![\d.])(?<=\d)\.(?=\d+\.\d+[A-Z(\[])|(?<=[A-Za-z]\d)\.(?=\d+\.\d+[A-Z(\[])"),
    re.compile(r"(?<=\d)\s*\.\s+(?=\d)|(?<=\d)\s+\.\s*(?=\d)"),
)
_LINKS = re.compile(rf"\s*[-+,:;]\s*(?={_NUMBER}\s*[A-Z(\[])|\s+(?={_NUMBER}[A-Z(\[])")
_WATER = re.compile(rf"(?:\s*[-+,:;]\s*|\s+)(?={_NUMBER}?\s*H2[O0]\Z)")
_PART = re.compile(rf"\s*({_NUMBER})?\s*(.*?)\s*")
_SHORT = re.compile(r"(?<=[A-Za-z)\]}])\.(?=\d)")


def added(text: str) -> Iterator[str]:
    """`CuSO4` with a dot and `5H2O` behind it is `CuSO4(H2O)5`; points that are none, likewise."""
    dotted = _BRACKETED.sub(rf"{DOT}\1", text)
    dotted = _DOTS.sub(DOT, dotted)
    if DOT not in dotted and _SHORT.search(dotted) and _has_decimals(dotted):
        yield _SHORT.sub("0.", dotted)
        return
    dotted, unlikely = _stopped(dotted)
    dotted = _LINKS.sub(_linked, _WATER.sub(_linked, dotted, count=1))
    parts = dotted.split(DOT)
    if len(parts) > 1 and (written := _written(parts)):
        yield written
    if unlikely:
        yield re.sub(r"(?<=\d)\.(\d{1,2})(?!\d)", lambda found: f".{found[1]:0<3}", text)


def _linked(found: re.Match[str]) -> str:
    """A dot for a hyphen, comma or space between compounds of which the second has a number."""
    before, behind = found.string[: found.start()], found.string[found.end() :]
    fits = all(_is_compound(one) for one in (before, re.split(rf"[{DOT}\s,+-]", behind)[0]))
    water = re.fullmatch(rf"{_NUMBER}?\s*H2[O0]", behind)
    return DOT if _is_compound(before) and (fits or water) else found[0]


def _is_compound(text: str) -> bool:
    symbols = _SYMBOL.findall(text)
    return len({*symbols}) > 1 and symbols[-1] in ENDS


def _has_decimals(text: str) -> bool:
    """Whether a point behind a letter, as in Mg.5Ca.5O, has no compound on one of its sides."""
    head, *others = _SHORT.split(text)
    balanced = all(part.count("(") == part.count(")") for part in (head, *others))
    parts = [len({*_SYMBOL.findall(part)}) for part in (head, *others)]
    return not balanced or min(parts) < 2  # noqa: PLR2004 (elements of a compound)


def _stopped(text: str) -> tuple[str, bool]:
    """The text with dots for full stops that part compounds, and whether they may be decimals."""
    places = [*points(text)]
    for place in reversed(places):
        text = text[:place] + DOT + text[place + 1 :]
    for pattern in _STOPS:
        text = pattern.sub(DOT, text)
    bodies = [found[2] for part in text.split(DOT) if (found := _PART.fullmatch(part))]
    solvent = any(re.fullmatch(r"[(\[]?(?:[HD]2[O0]|NH3)[)\]]?", body) for body in bodies)
    sound = solvent or all(_speaks(body) for body in bodies)
    return text, bool(places) and not sound


def _speaks(body: str) -> bool:
    return likelihood(body) is not Likelihood.UNKNOWN


def _written(parts: list[str]) -> str:
    """The parts, each in brackets with its number; numbers that no decimal gives are multiplied."""
    found = [_PART.fullmatch(part) for part in parts]
    if any(one is None or not one[2] for one in found):
        return ""
    pairs = [(Fraction(one[1] or 1), _bare(one[2])) for one in found if one]
    if any(10**4 % number.denominator for number, _ in pairs):
        times = max(number.denominator for number, _ in pairs)
        pairs = [(number * times, body) for number, body in pairs]
    text = ""
    for number, body in pairs:
        alone = number == 1 and (not text or re.search(r"[)\]}]\d*\.?\d*\Z", text))
        amount = "" if number == 1 else f"{float(number):.10g}"
        text += body if alone or re.search(r"\A\([A-Za-z\d]+\)\d+\Z", body) else f"({body}){amount}"
    return text


def _bare(body: str) -> str:
    inner = re.fullmatch(r"[(\[{]([^()\[\]{}]*)[)\]}]", body)
    return inner[1] if inner else re.sub(r"\[([^\[\]]*)\]\Z", r"\1", body)


def multiplied(text: str) -> Iterator[str]:
    """`2NaCl` is `NaCl`, since a number in front changes no share."""
    found = re.fullmatch(rf"{_NUMBER}\s*([A-Z(\[].*)", text)
    if found:
        yield found[1]


def spaced(text: str) -> Iterator[str]:
    """`Fe2 O3` is `Fe2O3`; two numbers beside each other are left, since they may join or not."""
    joined = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    if joined != text and " " not in joined:
        yield joined
