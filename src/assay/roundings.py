"""Which numbers are others that a program rounded when it saved them."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.settings import Settings

SINGLE = 2.0**-23  # the last bit of single precision, relative to the number


# labels that are rounded by this part of the gate's margin move no verdict
SAFE = 10


def harmless_rounding(settings: "Settings") -> float:
    """By how much labels may be rounded on saving; by nothing where they are classes."""
    return settings.gate.margin / SAFE if settings.target.kind == "number" else 0.0


def is_rounded(before: float, cell: str) -> bool:
    """Whether the number in a cell is `before`, to the digits that stand there or as a float32."""
    try:
        written = Decimal(cell.strip()).normalize()
        after = float(written)
    except (InvalidOperation, OverflowError):
        return False
    places = written.as_tuple().exponent
    if not isinstance(places, int):  # nan, or infinite
        return False
    digits = places if written else _places(cell)
    apart = abs(after - before)
    return apart <= SINGLE * abs(before) or apart <= 0.5 * 10.0**digits * (1 + 1e-9)


def _places(cell: str) -> int:
    """The last decimal place of a zero as it is written: -4 of `0.0000`."""
    exponent = Decimal(cell.strip()).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
