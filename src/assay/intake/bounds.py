"""Physical bounds that a table of labels suggests."""

import re

from assay.intake.intake import Intake

# zero is no floor on these scales, whatever the labels of a table
_OTHER_ZERO = re.compile(
    r"°\s?[CF]\b|\bdeg(?:rees?)?[ _]?[CF]\b|celsius|fahrenheit|\bdB|\bdex\b|\bpH\b", re.IGNORECASE
)
_LOGARITHM = re.compile(r"(?:^|[^a-z])(?:log|ln|lg)(?:2|10)?(?:[^a-z]|$)", re.IGNORECASE)


def proposed_lower(found: Intake) -> float | None:
    """0 where no label of a number is negative; None where the scale or a label says otherwise."""
    scale = f"{found.target.column} {found.target.name} {found.unit}"
    if found.kind != "number" or _OTHER_ZERO.search(scale) or _LOGARITHM.search(scale):
        return None
    return 0.0 if found.rows[found.target.name].min() >= 0 else None
