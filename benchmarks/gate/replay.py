"""Item 9: the record of a life is played again, by `assay.ledger.replay` and by other means.

The other means share with `assay` the public constants of the guard alone: levels are exact
fractions, groups are dictionaries, sums are exact, quantiles are those of scipy's distribution.
"""

import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import Finding
from benchmarks.gate.ledgers import recorded
from benchmarks.gate.lives import Life, Use, World
from benchmarks.gate.populations import Rows, population
from benchmarks.gate.workers import Job, Results
from scipy.stats import t as student

from assay.gate.comparisons import Predictions
from assay.ledger.replay import replay_bits, replay_files, replay_lines, uses_of
from assay.records import Claim

ITEM = "9 replay"
FAMILY = "clustered t3"
GROWTHS = (-0.2, -0.1, 0.0, 0.1)


def live(rng: np.random.Generator, rows: int) -> dict[str, float]:
    """A life of mixed pull requests, its budget spent by a forger, and what its replay finds."""
    world = World.draw(rng, population(FAMILY), rows)
    life = world.life(bars.margin(rows))
    life.keep = True
    for _ in range(bars.LIFETIME):
        growth = float(rng.choice(GROWTHS))
        claim: Claim = "improvement" if growth < 0 else "no-regression"
        change = solved(FAMILY, Change(0.1), growth)
        life.submit(_next(rng, world, life.reference, change), claim)
    return {
        "uses": float(len(life.record)),
        "faults": float(faults(life)),
        "mismatches": float(mismatches(life)),
    }


def _next(
    rng: np.random.Generator, world: World, reference: Predictions, change: Change
) -> Predictions:
    """A candidate relative to the present reference; its out-of-fold predictions are forged."""
    parts = (
        (world.train, reference.train),
        (world.sealed, reference.sealed),
        (world.pool, reference.pool),
    )
    left = [Rows(rows.errors - own, rows.grouping) for rows, own in parts]
    gain = World(*left).forged
    made = (
        own + change.apply(rng, rest) for rest, (_, own) in zip(left[1:], parts[1:], strict=True)
    )
    return Predictions(reference.train + gain, *made)


def faults(life: Life) -> int:
    """What `assay.ledger.replay` finds wrong with the ledger of this life."""
    ledger, files, labels = recorded(life)
    found = [
        *replay_lines(ledger),
        *replay_files(ledger, files),
        *replay_bits(uses_of(ledger), files, labels),
    ]
    # the tables of certified references are not kept here
    return sum("what was certified" not in fault.reason for fault in found)


def mismatches(life: Life) -> int:
    """How many uses do not follow from the uses before them and the labels, by other means."""
    wrong = against = 0
    alpha = Fraction(str(life.policy.alpha))
    for number, use in enumerate(life.record, start=1):
        expected = float(level(alpha, life.policy.uses, number, against))
        same = (use.use, use.disagreements) == (number, against)
        same = same and math.isclose(expected, use.test.level, rel_tol=1e-12)
        wrong += not same or bit(use, life) != use.bit
        against += not use.bit
    return wrong


def level(alpha: Fraction, budget: int, use: int, against: int) -> Fraction:
    """Alpha / (2^(j+1) K C(k-1, j)), exactly."""
    ways = Fraction(1)
    for step in range(against):
        ways *= Fraction(use - 1 - step, step + 1)
    return alpha / (2 ** (against + 1) * budget * ways)


def bit(use: Use, life: Life) -> bool:
    """Whether the labels confirm what was asked: growth of the MAE below the bar."""
    guard, bar = use.test.parts[0].guard, use.test.parts[0].part.bar
    grouping = life.groups.sealed
    totals: dict[int, list[float]] = {}
    moved: dict[int, float] = defaultdict(float)
    columns = (grouping.codes, life.labels, use.candidate.sealed, use.reference.sealed)
    for group, label, own, other in zip(*(column.tolist() for column in columns), strict=True):
        counts = abs(own - other) <= guard.threshold
        grown = abs(label - own) - abs(label - other) if counts else 0.0
        totals.setdefault(group, []).append(grown)
        moved[group] += abs(own - other) if counts else 0.0
    rows = sum(map(len, totals.values()))
    mean = math.fsum(map(math.fsum, totals.values())) / rows
    spread = math.fsum((math.fsum(own) - mean * len(own)) ** 2 for own in totals.values())
    error = math.sqrt(len(totals) / (len(totals) - 1) * spread) / rows
    effective = rows**2 / sum(len(own) ** 2 for own in totals.values())
    carrying = sum(moved.values()) ** 2 / sum(own**2 for own in moved.values())
    freedom = min(effective, carrying, guard.carriers) - 1
    quantile = float(student.isf(guard.level, max(freedom, 1)))
    return mean + quantile * error + guard.charge < bar


def jobs(size: bars.Size) -> list[Job]:
    """Some lives of every size."""
    return [Job((ITEM, rows), live, (rows,), size.creeps, 4) for rows in bars.SEALED_ROWS]


def findings(results: Results) -> list[Finding]:
    """Uses that a replay does not find again: none."""
    own = [outcome for key, outcome in results.items() if key[0] == ITEM]
    uses = int(sum(sum(outcome["uses"]) for outcome in own))
    named = (("faults", "assay's own replay"), ("mismatches", "another implementation"))
    return [
        Finding(
            ITEM,
            f"faults found by {who}",
            f"faults in {uses:,} sealed uses, found by {who}",
            sum(sum(outcome[column]) for outcome in own),
            None,
            uses,
            0.0,
        )
        for column, who in named
    ]
