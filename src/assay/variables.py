"""What a text leaves to be given as a number: variables such as x, and how much of a dopant."""

import re

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
