"""Item 10: losses in few chemical systems, below and above the guard's threshold.

A candidate that is far off in so few systems that its MAE grows by just the margin: a wrong unit
for a rare element. Elsewhere it equals the reference, or but for a trifle, or it changes a little
everywhere, so that the few systems do not stand out. Few large systems are missed most easily.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.boundary import lived
from benchmarks.gate.changes import Change
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.lives import World
from benchmarks.gate.populations import population
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Predictions

ITEM = "10 own attack"
FAMILY = "clustered t3"
JUMPS = (1.5, 2.9, 8.0)
SHOWN = 10  # so many on average, and a pool shows none in one of 20,000 cases
NOTHING = 1e-9
NEW_SHARE, NEW_JUMP = 1 / 8, 2.9


@dataclass(frozen=True)
class Author:
    """How the other rows change, how large the systems are that are off, and what is forged."""

    cover: float
    least: int = 1
    forged: bool = False
    quiet: bool = False

    @property
    def name(self) -> str:
        """What tells one from another."""
        how = "forged" if self.forged else "quiet" if self.quiet else "honest"
        return f"systems of {self.least} or more rows, others by {self.cover}, {how}"


AUTHORS = (
    Author(0.01),
    Author(0.01, forged=True),
    Author(0.1, forged=True),
    Author(1e-6, quiet=True),
    Author(0.05, least=10, forged=True),
    Author(1e-6, least=20, quiet=True),
    Author(1e-3, least=20, quiet=True),
    Author(0.1, least=20, forged=True),
)
COVERS = (1e-6, 0.01, 0.1)


def rare(author: Author, jump: float, growth: float) -> Change | None:
    """The change by `jump` in so many systems that the MAE grows by `growth`, all rows counted.

    None if even all systems that the author chooses from are too few.
    """
    people = population(FAMILY)
    few = Change(author.cover, jump=jump, share=NOTHING, by_system=True, least=author.least)
    none, one = (replace(few, share=share).true_growth(people) for share in (NOTHING, 1.0))
    share = (growth - none) / (one - none)
    return replace(few, share=share) if share <= 1 else None


def expected(change: Change, rows: int) -> float:
    """How many of the systems that are off the pool holds on average."""
    sizes = population(FAMILY).sizes
    systems = bars.pool_rows(rows) / sizes.mean()
    return float(change.share * systems * (sizes >= change.least).mean())


def life(rng: np.random.Generator, change: Change, author: Author, rows: int) -> dict[str, float]:
    """A set's life of 100 such candidates, in other systems each time."""
    world = World.draw(rng, population(FAMILY), rows)
    how = {"forged": author.forged, "quiet": author.quiet}
    own = world.life(bars.margin(rows))
    return lived(own, lambda: world.candidate(rng, change, **how), "no-regression")


def unlike(rng: np.random.Generator, rows: int, cover: float) -> dict[str, float]:
    """A model that is off in an eighth of the pool's systems, in none that has labels."""
    world = World.draw(rng, population(FAMILY), rows)
    change = Change(cover, jump=NEW_JUMP, share=NEW_SHARE, by_system=True)
    train, sealed = (change.noise(rng, part) for part in (world.train, world.sealed))
    candidate = Predictions(train, sealed, change.apply(rng, world.pool))
    answer = world.life(bars.margin(rows)).submit(candidate, "no-regression")
    return {"passed": float(answer.outcome == "PASS")}


def jobs(size: bars.Size) -> list[Job]:
    """Lives of 100 such candidates, and models that are off where no label is."""
    made = []
    for rows, jump, author in product(bars.SEALED_ROWS, JUMPS, AUTHORS):
        change = rare(author, jump, bars.margin(rows))
        if change is not None:
            shown = expected(change, rows) >= SHOWN
            key = (ITEM, "rarity", rows, jump, author.name, shown)
            times = size.lives // 4 if author.forged else size.obedient_lives
            made.append(Job(key, life, (change, author, rows), times, 10))
    for rows, cover in product(bars.SEALED_ROWS, COVERS):
        made.append(Job((ITEM, "unlike", rows, cover), unlike, (rows, cover), size.creeps, 20))
    return made


def findings(results: Results) -> list[Finding]:
    """False PASS per pull request and per lifetime."""
    found = []
    for key, outcome in results.items():
        if key[:2] == (ITEM, "unlike"):
            name = f"false PASS, off in an eighth of the pool alone, others by {key[3]}, n={key[2]}"
            group = "false PASS, off in an eighth of the pool and in no labelled row"
            found.append(rate(ITEM, group, name, outcome["passed"], bars.ALPHA))
        if key[:2] != (ITEM, "rarity"):
            continue
        _, _, rows, jump, how, shown = key
        bar = bars.ALPHA if shown else None
        for column, what in (("first", "one pull request"), ("any", "a life of 100")):
            name = f"false PASS, few off by {jump} MAE, {how}, n={rows}, {what}"
            seen = f"{'at least' if shown else 'fewer than'} {SHOWN} of them in the pool"
            group = f"false PASS, losses in few systems, {seen}, {what}"
            found.append(rate(ITEM, group, name, outcome[column], bar))
    return found
