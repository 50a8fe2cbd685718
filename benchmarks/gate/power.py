"""Item 3: how often each verdict is given, over true effects and sizes of change."""

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import World
from benchmarks.gate.populations import population
from benchmarks.gate.reseeds import OUTCOMES
from benchmarks.gate.workers import Job, Key, Results

from assay.records import Claim

ITEM = "3 power"
FAMILIES = ("iid t3", "clustered t3")
SIZES = (0.03, 0.1, 0.3, 0.6)
GROWTHS = (-0.3, -0.2, -0.1, -0.05, 0.0, 0.025, 0.05, 0.1, 0.2)
BARRED = (0.1, 1000)
USUAL = 0.3  # larger changes are no longer a variant of the same model


def verdict(
    rng: np.random.Generator, family: str, change: Change, claim: Claim, rows: int
) -> dict[str, float]:
    """One pull request by an honest author on a fresh set."""
    people = population(family)
    return judged(rng, World.draw(rng, people, rows), change, claim, bars.margin(rows))


def judged(
    rng: np.random.Generator, world: World, change: Change, claim: Claim, share: float
) -> dict[str, float]:
    """The verdict on an honest candidate in this world."""
    candidate = world.candidate(rng, change, forged=False)
    answer = world.life(share).submit(candidate, claim)
    told = {outcome: float(answer.outcome == outcome) for outcome in OUTCOMES}
    return {**told, "opened": float(answer.uses), "change": float(np.abs(candidate.pool).mean())}


def jobs(size: bars.Size) -> list[Job]:
    """Both claims; an improvement is claimed only where nothing got worse."""
    return [
        Job(
            (ITEM, family, rows, extent, growth, claim),
            verdict,
            (family, solved(family, Change(extent), growth), claim, rows),
            size.power,
            100,
        )
        for family in FAMILIES
        for rows in bars.SEALED_ROWS
        for extent in SIZES
        for growth in GROWTHS
        for claim in claims(growth)
    ]


def claims(growth: float) -> tuple[Claim, ...]:
    """What a reasonable author claims of such a candidate."""
    return ("no-regression", "improvement") if growth < 0 else ("no-regression",)


def findings(results: Results) -> list[Finding]:
    """All verdicts, the barred power of FAIL, and the effect from which PASS is likely."""
    found = []
    own = {key[1:]: outcome for key, outcome in results.items() if key[0] == ITEM}
    for (family, rows, extent, growth, claim), outcome in own.items():
        where = f"{claim}, {family}, n={rows}, change {extent}, true {growth:+.1%}"
        for told in OUTCOMES:
            key = (family, rows, extent, growth, claim, told)
            found.append(rate(ITEM, "", f"{told}, {where}", outcome[told], None, key))
        if (growth, rows) == BARRED and extent <= USUAL:
            group, hits = "FAIL of a model that is 10 % worse", outcome["FAIL"]
            name = f"FAIL where it must, {where}"
            found.append(mean(ITEM, group, name, hits, bars.FAIL_POWER, "at least"))
    return found + detectable(own)


def detectable(own: Results) -> list[Finding]:
    """The largest true effect of the grid at which PASS comes in 80 % of cases; NaN if none."""
    cells: dict[Key, list[tuple[float, list[float]]]] = {}
    for (family, rows, extent, growth, claim), outcome in own.items():
        cells.setdefault((family, rows, extent, claim), []).append((growth, outcome["PASS"]))
    found = []
    for (family, rows, extent, claim), curve in cells.items():
        passing = [growth for growth, hits in curve if np.mean(hits) >= bars.PASS_POWER]
        name = f"largest effect with PASS >= 80 %, {claim}, {family}, n={rows}, change {extent}"
        value = max(passing, default=float("nan"))
        key = ("detectable", family, rows, extent, claim)
        found.append(Finding(ITEM, "", name, value, None, len(curve[0][1]), key=key))
    return found
