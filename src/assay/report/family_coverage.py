"""Families of elements whose rows lie within their intervals less often than the level says."""

from collections.abc import Iterator, Sequence

import numpy as np

from assay.model.intervals import Interval
from assay.records import Finding
from assay.report.public_rows import holding_families

RULE = "interval.family-coverage"
# a family with fewer rows or chemical systems is not judged
ROWS, SYSTEMS = 30, 10
# chance that a family is called short though all hold their level
CHANCE = 0.05


def short_families(
    formulas: Sequence[str], inside: np.ndarray, level: float
) -> dict[str, tuple[int, float]]:
    """The families that are covered below the level, by more than the sampling error.

    Rows of one chemical system go together, and `CHANCE` is shared by all families that are judged.

    Args:
        formulas: of the rows, (n,).
        inside: which of them lie within their interval, (n,).
        level: share that should.

    Returns:
        By the name of a family its number of rows, and the share of them inside.
    """
    from assay.compositions import chemical_system
    from assay.gate.statistics import Grouping, estimate

    systems = np.array([chemical_system(formula) for formula in formulas], dtype=object)
    families = [
        (name, holds)
        for name, holds in holding_families(formulas)
        if holds.sum() >= ROWS and len(set(systems[holds])) >= SYSTEMS
    ]
    found = {}
    for name, holds in families:
        groups = Grouping.of(systems[holds].astype(str))
        share = estimate(inside[holds].astype(float), groups)
        # without any row inside there is no spread to judge by, and no doubt
        if not share.mean or share.upper(CHANCE / len(families)) < level:
            found[name] = int(holds.sum()), share.mean
    return found


def family_findings(
    formulas: Sequence[str], interval: Interval, before: Interval | None
) -> list[Finding]:
    """A warning for each family that the interval of the candidate holds too few rows of.

    Args:
        formulas: of the public rows, (n,).
        interval: the candidate's.
        before: the reference's, if it predicts the same rows; a family that it does not cover
            either is no news.
    """
    standing = {} if before is None else short_families(formulas, before.inside, before.level)
    return list(_findings(formulas, interval, None if before is None else set(standing)))


def _findings(
    formulas: Sequence[str], interval: Interval, standing: set[str] | None
) -> Iterator[Finding]:
    short = short_families(formulas, interval.inside, interval.level)
    for name, (rows, share) in sorted(short.items(), key=lambda one: one[1][1]):
        yield Finding(
            rule=RULE,
            severity="warning",
            message=(
                f"the {interval.level:.0%} intervals hold {share:.0%} of the {rows:,} rows with an "
                f"element of the family {name!r}, out of fold: do not rely on them there, or add "
                "rows of such compositions to the train set."
            ),
            on_main=None if standing is None else name in standing,
        )
