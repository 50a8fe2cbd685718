"""What was probably meant by text that is no chemical formula: a hint, for the message alone."""

import re
from collections.abc import Callable
from functools import lru_cache

# what pandas writes for no value, and pymatgen for a nitride of sodium
NITRIDE = "NaN"
# what pandas, spreadsheets and people write for nothing and nothing else
MISSING = frozenset(
    {"nan", "NAN", "NA", "<NA>", "N/A", "n/a", "None", "none", "NULL", "null", "NaT"}
)

_SIGNS = r"+\-\u2212\u2013"
_CHARGE = re.compile(
    rf"[\s^]*(?:\d*[{_SIGNS}]+|[{_SIGNS}]\d+|[\u2070-\u2079\u00b9\u00b2\u00b3]*[\u207a\u207b])\Z"
)
_PHASE = re.compile(r"\s*\((?:s|l|g|aq|cr|am)\)\Z")
_DOT = re.compile(r"\s*[\u00b7\u2022\u2219\u22c5*]\s*")
_PART = re.compile(r"(\d*\.?\d*)(.+)")
_RUNS = re.compile(r"[A-Za-z]+|[^A-Za-z]+")
# longer text is no slip of the keyboard, and whole tables of it must not take long
_LONGEST, _LONGEST_RUN = 40, 10


def hint(text: str, readable: Callable[[str], bool]) -> str:
    """What the author may have meant, as a clause that follows the message; empty if unknown.

    Args:
        text: what cannot be read.
        readable: whether another text can be.
    """
    if text.strip() in MISSING:
        return "it looks like a missing value: leave the row out"
    bare = "".join(text.split())
    if bare != text and readable(bare):
        return "take out the spaces"
    if len(text) > _LONGEST:
        return ""
    ways = (_phase, _water, _charge)
    found = next((told for way in ways if (told := way(text, readable))), "")
    return found or _capitals(bare, readable)


def _phase(text: str, readable: Callable[[str], bool]) -> str:
    """`NaCl (s)` is solid, and no sulphur is in it."""
    pure = _PHASE.sub("", text)
    return f"leave the phase out: {pure}" if pure != text and readable(pure) else ""


def _water(text: str, readable: Callable[[str], bool]) -> str:
    """`CuSO4` with a dot and `5H2O` behind it is `CuSO4(H2O)5`."""
    first, *others = _DOT.split(text)
    parts = [_PART.fullmatch(other) for other in others]
    if not parts:
        return ""
    written = first + "".join(f"({found[2]}){found[1]}" for found in parts if found)
    return f"write {written}" if None not in parts and readable(written) else ""


def _charge(text: str, readable: Callable[[str], bool]) -> str:
    """`Fe3+` and `SO4 2-` are ions."""
    neutral = _CHARGE.sub("", text)
    return f"leave charges out: {neutral}" if neutral != text and readable(neutral) else ""


def _capitals(text: str, readable: Callable[[str], bool]) -> str:
    """`fe2o3` is `Fe2O3`: of all spellings the one with the fewest symbols; `co2` may be two."""
    runs = [_spelt(run) if run.isalpha() else (run,) for run in _RUNS.findall(text)]
    if not runs or not all(runs):
        return ""
    tried = ["".join(run[0] for run in runs)]
    if sum(map(str.isupper, tried[0])) == 1:  # an element alone is seldom what is meant
        tried.append("".join(run[min(1, len(run) - 1)] for run in runs))
    fitting = [one for one in dict.fromkeys(tried) if readable(one)]
    return f"did you mean {' or '.join(fitting)}?" if fitting else ""


@lru_cache(maxsize=1024)
def _spelt(letters: str) -> tuple[str, ...]:
    """All ways to read letters as symbols, whatever their case; those of fewest symbols first."""
    from pymatgen.core import Element

    if len(letters) > _LONGEST_RUN:
        return ()
    found = []
    for length in (2, 1):
        symbol, rest = letters[:length].capitalize(), letters[length:]
        if len(symbol) == length and Element.is_valid_symbol(symbol):
            found += [symbol + others for others in (_spelt(rest) if rest else [""])]
    return tuple(sorted(found, key=lambda one: sum(map(str.isupper, one))))
