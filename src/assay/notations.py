"""Other notations of a formula: LaTeX, HTML and Unicode, variables, and compounds of several parts.

They serve hints alone: what is read here is tried as a formula, and dropped where it is none.
"""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

from assay.plausibility import Likelihood, likelihood
from assay.readings import ENDS, certain, is_capital, points

# letters of other scripts that are drawn as a Latin one
_LATIN = dict(
    zip(
        # Cyrillic capitals and small letters, Greek capitals and small letters
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0406\u0408\u0405"
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u043a\u0442\u043f\u0501\u04cf"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
        "\u03bf\u03b9\u03bd\u03c1\u03ba\u03c5\u03f2\u03f9",
        "ABEKMHOPCTXYIJSaeopcyxijsktndlABEZHIKMNOPTYXoivpkucC",
        strict=True,
    )
)
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₓₙ", "0123456789+-xn")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_SPOKEN = {
    r"\\(?:cdot|bullet|times|ast)\b": "·",
    r"&(?:middot|sdot|bull);|&#(?:183|8901|8226|xb7);": "·",
    r"&(?:nbsp|thinsp);|&#160;|\\[,;!: ]": " ",
    r"&(?:minus|ndash);": "-",
    r"\\(delta|alpha|beta|gamma)\b": r"\1",
    r"\\(?:mathrm|text|textrm|rm|ce|chem|mathregular|mathbf|mathit)\b": "",
}
_WET = r"(?=(?:\d+(?:\.\d+)?|\.\d+)\s*[(\[]?(?:H[2₂]O|OH[2₂]|NH[3₃]))"
# a subscript is over, or there was none, where a compound begins with its number
_BESIDE = re.compile(rf"(?<=[₀-₉]){_WET}|(?<=[A-Za-z\d)\]])_{_WET}")
_LOWERED = (
    re.compile(r"<sub>(.*?)</sub>", re.IGNORECASE),
    re.compile(r"_\{([^{}]*)\}"),
    re.compile(r"(?<!\d)_(\d+(?:\.\d+)?|[a-z])"),
    re.compile(r"~(\d+(?:\.\d+)?)~"),
    re.compile(r"\\textsubscript\{([^{}]*)\}"),
)
_LIFTED = (
    re.compile(r"<sup>(.*?)</sup>", re.IGNORECASE),
    re.compile(r"\^\{([^{}]*)\}"),
    re.compile(r"\\textsuperscript\{([^{}]*)\}"),
)
_TAG = re.compile(r"</?[a-z]{1,6}>", re.IGNORECASE)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_MEANINGFUL = re.compile(r"[^\x00-\x7f]")
_DELTAS = {"d": "\u03b4", "delta": "\u03b4"}
_NAMES = r"(?:delta|[xyzwnmd\u03b4\u03b5](?!\s*[a-z\d]))"
_TOKEN = re.compile(
    rf"(?P<symbol>[A-Z][a-z]?)|(?P<variable>{_NAMES})|[\d.]+|[()\[\]{{}}+=\u00b1\u00b7*,/\s-]"
)
_OXYGEN = re.compile(rf"O\s*\(?\s*\d*(?:\.\d+)?\s*[+=\u00b1-]\s*\d*(?:\.\d+)?{_NAMES}\)?\Z")
_DOPED = re.compile(
    r"\b(?:co-?)?(?:doped|activated)\b"
    r"|[A-Z][a-z]?[\d.]*[)\]]?\s*:\s*[\d.]*\s*%?\s*[A-Z][a-z]?(?:\d*[+-])?(?:\s*,\s*[A-Z][a-z]?(?:\d*[+-])?)*\Z"
    r"|[A-Z][a-z]?\d*[A-Z][a-z]?\d*\s*/\s*[A-Z][a-z]?(?:\d*[+-])?(?:\s*,\s*[A-Z][a-z]?(?:\d*[+-])?)*\Z"
    r"|\A[A-Z][a-z]?(?:\d*[+-])?\s*:\s*(?:[A-Z][a-z]?\d*){2,}\Z"
)
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


def strange_characters(text: str) -> str:
    """The first character that looks like another one or like none, by code point; or nothing."""
    for character in _MEANINGFUL.findall(text):
        named = f"U+{ord(character):04X} ({unicodedata.name(character, 'without a name').lower()})"
        if character in _LATIN:
            return f"{named}, which looks like the Latin letter {_LATIN[character]}"
        if unicodedata.category(character) in {"Cf", "Cc", "Zs", "Zl", "Zp"}:
            return f"{named}, which cannot be seen"
        wide = unicodedata.normalize("NFKC", character)
        if wide.isascii() and wide.isalpha():
            return f"{named}, which looks like the Latin letter {wide}"
    return ""


def plain(text: str) -> str:
    """The text without markup and look-alikes; raised characters stand behind a caret."""
    for pattern, meant in _SPOKEN.items():
        text = re.sub(pattern, meant, text, flags=re.IGNORECASE)
    text = _BESIDE.sub(DOT, text)
    for lowered in _LOWERED:
        text = lowered.sub(r"\1", text)
    for lifted in _LIFTED:
        text = lifted.sub(r"^\1", text)
    text = _TAG.sub("", text).replace("$", "")
    text = text.translate(_SUBSCRIPTS)
    text = _RAISED.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    text = "".join(_seen(character) for character in text).translate(_DASHES)
    return _outside(text).strip().strip(_QUOTES).strip().rstrip(",;:.*\u2020\u2021").strip()


def _seen(character: str) -> str:
    if character.isascii() or character in _LATIN:
        return _LATIN.get(character, character)
    if unicodedata.category(character) in {"Cf", "Cc", "Lm"}:  # none, or the mark of a footnote
        return ""
    if unicodedata.category(character) in {"Zs", "Zl", "Zp"}:
        return " "
    if unicodedata.category(character) == "No" and character not in "⁰¹²³⁴⁵⁶⁷⁸⁹":  # such as ½
        return unicodedata.normalize("NFKC", character).replace("\u2044", "/")
    wide = unicodedata.normalize("NFKC", character)
    return wide if wide.isascii() and wide.isalnum() else character


def _outside(text: str) -> str:
    """The text without braces around the whole of it, as LaTeX's commands leave them."""
    text = text.strip()
    while text.startswith("{") and text.endswith("}") and "}" not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def asked_for(text: str) -> str:
    """What to give as a number, as a clause; empty where nothing is left open."""
    if _DOPED.search(text):
        return "give the dopant's amount in the formula, as in Al1.98Cr0.02O3"
    names = _variables(text)
    if not names:
        return ""
    if len(names) == 1 and _OXYGEN.search(text):
        return "give the oxygen content as a number"
    *others, last = names
    if others:
        return f"give {', '.join(others)} and {last} as numbers"
    return f"give {last} as a number"


def _variables(text: str) -> list[str]:
    """The names of the variables in what is otherwise written as a formula is; each once."""
    from pymatgen.core import Element

    names: dict[str, None] = {}
    place, symbols = 0, 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found:
            return []
        token = found[0]
        if found["symbol"]:
            # Nx is nitrogen x times, and Ne is neon
            token = next((one for one in (token, token[:1]) if Element.is_valid_symbol(one)), "")
            symbols += 1
        if not token:
            return []
        if found["variable"]:
            names[_DELTAS.get(token, token)] = None
        place += len(token)
    return list(names) if symbols else []


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
        yield certain(written) if is_capital(written) else written
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
    """`Fe2 O3` is `Fe2O3`; two numbers beside each other are left, since they may join or not.

    So is a compound beside something else, as in `NiAl B2` and `NaCl KCl`.
    """
    parts = text.split()
    whole = [len({*_SYMBOL.findall(part)}) > 1 and _speaks(part) for part in parts]
    if any(whole) and re.fullmatch(r"[\w\s.()\[\]]+", text):
        return
    joined = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    if joined != text and " " not in joined:
        yield joined
