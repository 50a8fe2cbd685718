"""Numbers as people and instruments write them: what is read, and what is no value."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.intake.faults import Fault
from assay.intake.units import is_unit

# Unicode minus, hyphens and dashes that stand for one; spaces that programs put into numbers
_SIGNS = str.maketrans(dict.fromkeys("−‐‑‒–﹣－", "-"))
_SPACES = str.maketrans(dict.fromkeys("\xa0\u2007\u2009\u202f\u3000\t\r\n", " "))
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FORTRAN = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))[dD]([+-]?\d+)", re.ASCII)
_TIMES_TEN = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)) ?[x×·*] ?10(?:\^|\*\*)?\{?([+-]?\d+)\}?", re.ASCII
)
_PLUS_MINUS = re.compile(r"(\S+?) ?(?:±|\+/-|\+-|\\pm) ?(\d\S*)")
_BRACKETS = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))\(\d+(?:\.\d+)?\)((?:[eE][+-]?\d+)?)", re.ASCII
)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[, '’]\d{3})+(?:\.\d*)?", re.ASCII)
_GROUPED_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eEdD][+-]?\d+)?", re.ASCII)
_THREE_DIGITS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_THREE_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)
_RANGE = re.compile(r"[+-]?[\d.,]+ ?(?:-|to|bis|\.\.\.?|…|/|~) ?[+-]?[\d.,]+", re.IGNORECASE)
_WITH_UNIT = re.compile(r"([+-]?[\d.,]++(?:[eE][+-]?\d+)?+) ?([^\d\s.,+-].*)", re.ASCII)
_SHEET_ERROR = re.compile(
    r"#(?:DIV/0|N/A|NAME|NULL|NUM|REF|VALUE|SPILL|CALC|WERT|BEZUG|ZAHL)[!?]?", re.IGNORECASE
)
MISSING = frozenset(
    [
        "n/a",
        "na",
        "n.a.",
        "nan",
        "null",
        "none",
        "nil",
        "missing",
        "unknown",
        "unkn",
        "-",
        "--",
        "---",
        "?",
        ".",
        "..",
        "tbd",
        "n.d.",
        "nd",
        "k.a.",
        "*",
        "#",
    ]
)
_BELOW, _ABOVE, _ABOUT = (
    ("<", "≤", "⩽"),
    (">", "≥", "⩾"),
    ("~", "≈", "∼", "≃", "ca.", "about", "approx"),
)


NINES = frozenset({99.0, 999.0, 9999.0, 99999.0, 999999.0})
# codes of what is meant as a number, and is no certain one
NUMERIC = frozenset(
    f"number.{kind}"
    for kind in (
        "above",
        "approximate",
        "below",
        "not-finite",
        "other-decimal-sign",
        "other-unit",
        "range",
        "thousands",
    )
)


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers: (n,) floats, NaN where there is a fault.

    `read` counts the spellings that are no plain number, by their kind in words.
    """

    values: np.ndarray
    faults: tuple[Fault, ...]
    read: Counter[str]


def read_numbers(  # noqa: PLR0913 (what is known of a column)
    cells: Sequence[str],
    lines: Sequence[int],
    column: str,
    unit: str | None,
    decimal: str,
    *,
    grouped: bool = False,
) -> Numbers:
    """Read the cells of a column; whatever is not certainly one number is a fault of its own kind.

    Args:
        cells: the texts (n,).
        lines: where each stands in the file (n,).
        column: the column's name, for faults.
        unit: the unit of the column, which a cell may repeat; None if it is not known.
        decimal: `.` or `,`, the decimal sign of the column.
        grouped: whether a person said so, so that the other sign separates thousands.
    """
    values, faults, read = np.full(len(cells), np.nan), [], Counter[str]()
    for at, cell in enumerate(cells):
        number, kind = read_number(cell, unit, decimal, grouped=grouped)
        if number is None:
            faults.append(
                Fault(int(lines[at]), column, cell, kind, _reason(kind, column, cell, unit))
            )
            continue
        values[at] = number
        if kind:
            read[kind] += 1
    stand_ins = _stand_ins(values)
    for at in map(int, np.flatnonzero(np.isin(values, stand_ins))):
        times = int((values == values[at]).sum())
        reason = f"{column} is {cells[at].strip()}, as in {times} rows"
        faults.append(Fault(int(lines[at]), column, cells[at], "number.placeholder", reason))
    return Numbers(np.where(np.isin(values, stand_ins), np.nan, values), tuple(faults), read)


def _stand_ins(values: np.ndarray) -> list[float]:
    """Nines that stand for a missing value: several times, and far from all other values."""
    found, times = np.unique(values[np.isfinite(values)], return_counts=True)
    nines = [value for value, n in zip(found, times, strict=True) if n > 1 and abs(value) in NINES]
    rest = found[~np.isin(found, nines)]
    if not len(rest):
        return []
    reach = 3 * max(float(np.ptp(rest)), float(np.abs(rest).max()))
    return [float(value) for value in nines if abs(value) > reach]


def read_number(
    cell: str, unit: str | None, decimal: str, *, grouped: bool = False
) -> tuple[float | None, str]:
    """A number and how it was spelt (`""` if plainly), or None and the code of what is amiss."""
    text = " ".join(cell.translate(_SPACES).split())
    if _PLAIN.fullmatch(text) and decimal == ".":
        return _finite(float(text), "")
    plain = text.translate(_SIGNS)
    spelt = "Unicode minus" if plain != text and _is_signed(plain) else ""
    if fault := _not_a_value(plain):
        return None, fault
    body, with_unit = _without_unit(plain, unit)
    if body is None:
        return None, "number.other-unit"
    number, kind = _spelling(body, decimal)
    if grouped and kind == "number.thousands":
        plain = body.replace("." if decimal == "," else ",", "")
        plain = re.sub(r"[ '’]", "", plain).replace(",", ".")
        number, kind = float(plain), "separators of thousands"
    if number is None:
        return None, kind
    return _finite(number, kind or ("a unit in the cell" if with_unit else spelt))


def _finite(number: float, kind: str) -> tuple[float | None, str]:
    return (number, kind) if math.isfinite(number) else (None, "number.not-finite")


def _is_signed(text: str) -> bool:
    return text.startswith("-") or "e-" in text.lower()


def _not_a_value(text: str) -> str | None:  # noqa: PLR0911 (a reason each)
    folded = text.casefold()
    if not text:
        return "number.empty"
    if _SHEET_ERROR.fullmatch(text):
        return "number.spreadsheet-error"
    if folded in MISSING:
        return "number.missing"
    if re.fullmatch(r"[+-]?(?:inf|infinity|∞)", folded):
        return "number.not-finite"
    if folded.startswith(_BELOW):
        return "number.below"
    if folded.startswith(_ABOVE):
        return "number.above"
    return "number.approximate" if folded.startswith(_ABOUT) else None


def _without_unit(text: str, unit: str | None) -> tuple[str | None, bool]:
    """The text without the column's unit behind it; None where there is another unit."""
    number = text.removesuffix(unit) if unit else text
    if number != text and re.search(r"[\d.) ]\Z", number):
        return number.rstrip(), True
    found = None if _FORTRAN.fullmatch(text) else _WITH_UNIT.fullmatch(text)
    return (None, False) if found and is_unit(found[2]) else (text, False)


def _spelling(text: str, decimal: str) -> tuple[float | None, str]:  # noqa: PLR0911 (one each)
    if decimal == ",":
        if "." in text:
            grouped = _GROUPED_POINTS.fullmatch(text)
            return None, "number.thousands" if grouped else "number.other-decimal-sign"
        text = text.replace(",", ".")
    if _PLAIN.fullmatch(text):
        return float(text), "a decimal comma" if decimal == "," else ""
    if found := _FORTRAN.fullmatch(text):
        return float(f"{found[1]}e{found[2]}"), "Fortran's D for the exponent"
    if found := _TIMES_TEN.fullmatch(text):
        return float(f"{found[1]}e{found[2]}"), "a power of ten"
    if (found := _PLUS_MINUS.fullmatch(text)) and _PLAIN.fullmatch(found[1]):
        return float(found[1]), "an uncertainty behind the value"
    if found := _BRACKETS.fullmatch(text):
        return float(found[1] + found[2]), "an uncertainty in brackets"
    if _GROUPED.fullmatch(text) or ("," in text and _GROUPED_POINTS.fullmatch(text)):
        return None, "number.thousands"
    if _DECIMAL_COMMA.fullmatch(text):
        return None, "number.other-decimal-sign"
    return None, "number.range" if _RANGE.fullmatch(text) else "number.unreadable"


def decimal_of(cells: Sequence[str]) -> str | None:
    """The decimal sign of a column; None where a comma may stand for thousands as well.

    A comma is the decimal sign where no cell has a point and one has a comma that cannot separate
    thousands. Cells with both are left to `read_numbers`, as separators of thousands.
    """
    texts = {" ".join(cell.translate(_SPACES).split()).translate(_SIGNS) for cell in cells}
    values = [_head(text) for text in texts if "," in text]
    commas = [value for value in values if _DECIMAL_COMMA.fullmatch(value)]
    both = [text for text in texts if "," in text and _GROUPED_POINTS.fullmatch(_head(text))]
    if both and not any(_GROUPED.fullmatch(_head(text)) for text in texts if "," in text):
        return ","
    if not commas:
        return "."
    if any(_PLAIN.fullmatch(text) and "." in text for text in texts):
        return "."  # of two signs the point is the decimal one, and the comma is left a fault
    if all(_THREE_DIGITS.fullmatch(value) for value in commas):
        return None
    return ","


def may_be_thousands(cells: Sequence[str]) -> bool:
    """Whether every point of a column of points may separate thousands: `1.234` beside `992`."""
    texts = {" ".join(cell.translate(_SPACES).split()) for cell in cells}
    pointed = {text for text in texts if "." in text}
    return bool(pointed) and all(_THREE_POINTS.fullmatch(_head(text)) for text in pointed)


def _head(text: str) -> str:
    """The number at the beginning of a cell that may have an uncertainty or a unit behind it."""
    return re.split(r"[ (±]", text, maxsplit=1)[0]


def _reason(code: str, column: str, cell: str, unit: str | None) -> str:
    shown = cell.strip()[:40]
    if code == "number.empty":
        return f"{column} is empty"
    if code == "number.other-unit":
        return f"{column} is {shown!r}, which has a unit other than {unit or 'that of the column'}"
    return f"{column} is {shown!r}"
