"""Units in headers, cells and lines of their own."""

import re
from collections import Counter
from collections.abc import Sequence

_BRACKETED = re.compile(r"(.*?\S)\s*(?:\((.+)\)|\[(.+)\])\s*")
_BEHIND_NAME = re.compile(r"([^()\[\]]*[^()\[\]\s])(?:\s*,\s*|\s+/\s+|\s+in\s+)([^()\[\],]+?)\s*")
# the exponent is taken whole or not at all: of 4.6e-06 nothing is a unit
_BEHIND = re.compile(r"[+-]?[\d.,]++(?:[eE][+-]?\d+)?+\s?([^\d\s.,+-].*)")
# Symbols of the SI, of atomic physics and of materials testing, with the prefixes in use.
_SYMBOLS = (
    r"eV|J|cal|Ha|Ry|Hartree|hartree|K|°C|°F|degC|C|Pa|bar|atm|psi|ksi|m|Å|A|Angstrom|angstrom|g|kg|"
    r"mol|atom|f\.?u\.?|s|h|min|Hz|V|W|T|Oe|G|Ω|Ohm|ohm|S|F|H|N|L|l|at|wt|vol|µB|μB|uB|muB|e|"
    r"HV|HB|HRC|cell|site|formula|u|D|Bohr|bohr|a0|ppm|rad|deg|°|cm"
)
_PREFIX = r"(?:[fpnuµμmckMGT](?=[eJcPmgsHVWTOΩoSFNLlA]))?"
_ONE = rf"{_PREFIX}(?:{_SYMBOLS}|%)(?:\^?[{{(]?[-−⁻]?[\d⁻¹²³]+[}})]?)?"
_UNIT = re.compile(rf"(?:1/)?{_ONE}(?:\s?[/·*.^]\s?{_ONE}|\s{_ONE}|\s?%)*")
# units only beside another one, or in brackets
WORDS = frozenset({"atom", "cell", "formula", "site", "e", "m", "u", "s", "l", "h", "at", "mol"})
NONE = frozenset({"1", "-", "none", "dimensionless", "unitless", "arb. units", "a.u."})


def is_unit(text: str) -> bool:
    """Whether text, in brackets or not, is a unit for certain: one that is no formula as well."""
    inner = text.strip()
    bracketed = inner[:1] + inner[-1:] in {"()", "[]"}
    inner = inner[1:-1].strip() if bracketed else inner
    if inner.casefold() in NONE:
        return True
    plain = re.sub(r"/\((.+)\)", r"/\1", inner)  # W/(m K)
    return bool(_UNIT.fullmatch(plain)) and (bracketed or inner not in WORDS)


def split_unit(header: str) -> tuple[str, str | None]:
    """A column's name and the unit that its header tells: `Tc (K)` is `Tc` in `K`."""
    for shape in (_BRACKETED, _BEHIND_NAME):
        found = shape.fullmatch(header)
        unit = next(filter(None, found.groups()[1:])).strip() if found else ""
        if found and is_unit(f"({unit})" if shape is _BRACKETED else unit):
            return found[1].strip(), unit
    return header, None


def name_alone(header: str) -> str:
    """A column's name without what stands in brackets behind it, a unit or not."""
    return re.split(r"\s*[(\[]", header, maxsplit=1)[0] or header


def unit_of_cells(cells: Sequence[str]) -> str | None:
    """The one unit that most cells of a column repeat behind their number, if they do."""
    found = Counter(
        match[1].strip() for cell in cells if (match := _BEHIND.fullmatch(cell.strip()))
    )
    if not found:
        return None
    unit, times = found.most_common(1)[0]
    return unit if 2 * times > len(cells) and is_unit(unit) else None
