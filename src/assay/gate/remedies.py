"""Why public rows decide nothing, and what would let them decide, from public numbers alone."""

import math
from dataclasses import dataclass
from typing import Literal

from assay.gate.comparisons import Part
from assay.gate.guards import MINIMUM_CARRIERS, Guard
from assay.gate.statistics import carriers

Reason = Literal["groups", "pool", "carriers", "table", "headroom", "nothing"]

# Honest models change the sealed inputs 0.5 to 0.8 times as much as the pool.
LOPSIDED = 3.0
# Nobody collects a hundred times the rows; a larger number tells only that it is out of reach.
LARGEST_FACTOR = 100.0


@dataclass(frozen=True)
class Remedy:
    """What would decide, all else the same; None where that alone would not.

    Attributes:
        rows: further sealed rows, with further train rows in proportion.
        groups: the chemical systems that those sealed rows are of.
        margin: the smallest primary margin, in its unit, that the present rows can decide on.
    """

    rows: int | None = None
    groups: int | None = None
    margin: float | None = None


NO_REMEDY = Remedy()


def more_rows(part: Part, factor: float) -> Remedy:
    """The remedy of having `factor` times the sealed rows, of systems as large as the present."""
    if not 1 < factor <= LARGEST_FACTOR:
        return NO_REMEDY
    sealed = part.groups.sealed
    further = (math.ceil((factor - 1) * count) for count in (len(sealed.codes), sealed.count))
    return Remedy(*further)


def for_carriers(part: Part, guard: Guard) -> Remedy:
    """What brings the changed chemical systems up to the number that a decision rests on."""
    carrying = guard.carrying(part.on_sealed)
    return more_rows(part, MINIMUM_CARRIERS / carrying if carrying > 0 else math.inf)


def for_headroom(part: Part, guard: Guard, bound: float) -> Remedy:
    """What brings the bound under the bar, or the bar over the bound.

    As in the estimate of docs/explanation/planning.md, uncertainty falls with the square root of
    the number of rows; the mean difference and the charge stay what they are.
    """
    found = guard.estimate(part.public_differences, part.on_train).mean + guard.charge
    room = part.bar - found
    times = (bound - found) / room if room > 0 else math.inf
    rows = more_rows(part, times * times)  # which overflows quietly, unlike a power
    if not part.requirement.primary or part.claim == "improvement":
        return rows  # an improvement's bar is 0 whatever the margin
    loss = max(part.reference_loss + bound, 0.0)
    margin = part.metric.shown(loss) - part.metric.shown(part.reference_loss)
    return Remedy(rows.rows, rows.groups, margin if math.isfinite(margin) else None)


def sealed_alone(part: Part) -> bool:
    """Whether many sealed inputs change, and the pool far less than they do.

    A model that holds a table of predictions for the sealed inputs looks like that.
    """
    sealed, pool = part.on_sealed, part.on_pool
    if carriers(sealed.values, sealed.groups) < MINIMUM_CARRIERS:
        return False
    return float(sealed.values.mean()) > LOPSIDED * float(pool.values.mean())
