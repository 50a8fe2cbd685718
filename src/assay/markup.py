"""Text of a formula as other programs write it: LaTeX, HTML, Unicode; what it says in plain ASCII.

What is changed here is the writing and never the formula. It serves hints alone.
"""

import re
import unicodedata

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
_LOWERED = (
    re.compile(r"<sub>(.*?)</sub>", re.IGNORECASE),
    re.compile(r"_\{([^{}]*)\}"),
    re.compile(r"_(\d+(?:\.\d+)?|[a-z])"),
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
    if unicodedata.category(character) in {"Cf", "Cc"}:
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
