"""Item 2: candidates that are worse by exactly what the claim does not allow."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.lives import Life, World, single_use
from benchmarks.gate.populations import population
from benchmarks.gate.workers import Job, Key, Outcome, Results

from assay.gate.comparisons import Predictions
from assay.records import Claim

ITEM, SINGLE = "2 boundary", "2 level"
SIZES = (0.1, 0.3)
BLOW_UP, BLOWN = 8.0, 0.01
CASES: dict[str, tuple[str, Change]] = {
    "iid t3": ("iid t3", Change(0)),
    "iid lognormal": ("iid lognormal", Change(0)),
    "clustered t3": ("clustered t3", Change(0)),
    "clustered lognormal": ("clustered lognormal", Change(0)),
    "blow-up of 1 % of rows": ("iid t3", Change(0, jump=BLOW_UP, share=BLOWN)),
    "blow-up of 1 % of systems": (
        "clustered t3",
        Change(0, jump=BLOW_UP, share=BLOWN, by_system=True),
    ),
}
CLAIMS: tuple[Claim, ...] = ("no-regression", "improvement")


def life(
    rng: np.random.Generator, family: str, change: Change, claim: Claim, rows: int, forged: bool
) -> dict[str, float]:
    """A set's life of pull requests with the same true effect and changes of their own."""
    world = World.draw(rng, population(family), rows)
    own = world.life(bars.margin(rows))
    return lived(own, lambda: world.candidate(rng, change, forged=forged), claim)


def single(rng: np.random.Generator, family: str, change: Change, rows: int) -> dict[str, float]:
    """A forged pull request on a set that may be used once: the level of the test itself."""
    world = World.draw(rng, population(family), rows)
    own = world.life(bars.margin(rows))
    own.policy = single_use(bars.margin(rows))
    answer = own.submit(world.candidate(rng, change, forged=True), "no-regression")
    return {"passed": float(answer.outcome == "PASS"), "opened": float(own.uses)}


def lived(own: Life, candidate: Callable[[], Predictions], claim: Claim) -> dict[str, float]:
    """100 pull requests, all of which must not pass; the life ends with the first that does."""
    first = passed = False
    for number in range(bars.LIFETIME):
        answer = own.submit(candidate(), claim)
        passed = answer.outcome == "PASS"
        first = first or (passed and number == 0)
        if passed or answer.stage == "retired":
            break
    return {"first": float(first), "any": float(passed), "opened": float(own.uses)}


def jobs(size: bars.Size) -> list[Job]:
    """Authors who forge out-of-fold predictions, and (fewer, since slower) those who do not."""
    made = []
    for case, rows, claim, extent in product(CASES, bars.SEALED_ROWS, CLAIMS, SIZES):
        family, shape = CASES[case]
        growth = bars.margin(rows) if claim == "no-regression" else 0.0
        if claim == "improvement" and extent != SIZES[-1]:
            continue
        change = solved(family, replace(shape, size=extent), growth)
        for forged in (True, False):
            if forged or (claim, extent) == ("no-regression", SIZES[0]):
                key = (ITEM, case, rows, claim, extent, forged)
                arguments = (family, change, claim, rows, forged)
                made.append(Job(key, life, arguments, lives(size, rows, forged, shape.share), 10))
        if claim == "no-regression":
            where = (SINGLE, case, rows, extent)
            made.append(Job(where, single, (family, change, rows), size.singles, 100))
    return made


def lives(size: bars.Size, rows: int, forged: bool, share: float) -> int:
    """How many lives: fewer where each takes long because the labels are hardly ever opened."""
    if not forged:
        return size.obedient_lives
    return size.lives // (2 if share else 1) // (2 if rows >= 3000 else 1)  # noqa: PLR2004


def findings(results: Results) -> list[Finding]:
    """False PASS per pull request and per lifetime: the worst change size of each case."""
    cells: dict[Key, list[Outcome]] = {}
    for key, outcome in results.items():
        if key[0] == ITEM:
            cells.setdefault((*key[1:4], key[5]), []).append(outcome)
    found = []
    for (case, rows, claim, forged), outcomes in cells.items():
        how = "forged" if forged else "honest"
        for column, what in (("first", "one pull request"), ("any", "a life of 100")):
            worst = max((outcome[column] for outcome in outcomes), key=np.mean)
            name = f"false PASS, {claim}, {case}, n={rows}, {how}, {what}"
            group = f"false PASS, {what}, {how}"
            found.append(rate(ITEM, group, name, worst, bars.ALPHA))
    return found + level_findings(results)


def level_findings(results: Results) -> list[Finding]:
    """The level of a single use as it is, among the sets whose labels were opened."""
    found = []
    for key, outcome in results.items():
        if key[0] != SINGLE:
            continue
        _, case, rows, extent = key
        opened = [hit for hit, use in zip(outcome["passed"], outcome["opened"], strict=True) if use]
        name = f"false PASS of a use at level .025, {case}, n={rows}, change {extent}"
        if opened:
            group = "false PASS of a single use at level .025"
            where = (case, rows, extent)
            found.append(rate(SINGLE, group, name, opened, bars.ALPHA, where))
    return found
