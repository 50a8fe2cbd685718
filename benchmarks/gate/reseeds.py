"""Item 1: the same recipe with another seed."""

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import QUANTILES, Change
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.lives import Life, World
from benchmarks.gate.populations import population
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Predictions

ITEM = "1 same recipe"
SIZES = (0.1, 0.3, 0.6)
FAMILIES = ("iid lognormal", "clustered t3")
OUTCOMES = ("PASS", "INCONCLUSIVE", "FAIL")


def reseed(rng: np.random.Generator, family: str, extent: float, rows: int) -> dict[str, float]:
    """Two models that differ by independent noise of training; `extent` is their mean distance."""
    people = population(family)
    world = World.draw(rng, people, rows)
    seed = Change(extent / np.sqrt(2))
    parts = (world.train, world.sealed, world.pool)
    champion, candidate = (
        Predictions(*(seed.noise(rng, part) for part in parts)) for _ in range(2)
    )
    error = people.mean_loss(1.0, seed.spread * QUANTILES)
    plain = world.life(bars.margin(rows) * error)
    own = Life(plain.groups, plain.target, plain.labels, champion, plain.requirements, plain.policy)
    answer = own.submit(candidate, "no-regression")
    told = {outcome: float(answer.outcome == outcome) for outcome in OUTCOMES}
    return {**told, "opened": float(answer.uses)}


def jobs(size: bars.Size) -> list[Job]:
    """Every family, size of change and number of rows."""
    return [
        Job((ITEM, family, extent, rows), reseed, (family, extent, rows), size.reseeds, 100)
        for family in FAMILIES
        for extent in SIZES
        for rows in bars.SEALED_ROWS
    ]


def findings(results: Results) -> list[Finding]:
    """False FAIL against its bar; the other verdicts as they are."""
    found = []
    for key, outcome in results.items():
        if key[0] != ITEM:
            continue
        _, family, extent, rows = key
        where = f"{family}, n={rows}, change {extent}"
        for told in OUTCOMES:
            bar = bars.ALPHA_FAIL if told == "FAIL" else None
            group = "FAIL of the same recipe" if bar else ""
            cell = (family, extent, rows, told)
            found.append(rate(ITEM, group, f"{told}, {where}", outcome[told], bar, cell))
    return found
