"""Item 12: a few giant families with and without a cap, and compact clusters of dilute series.

With a cap the figure that is certified is the mean over rows of which at most so many of a family
count, so candidates are worse by just the margin over those. A dilute series is cut into clusters
that know one another: errors go on from one to the next, and whole series are sealed while the
clusters are the groups that the gate counts.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change, fitted
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import World, single_use
from benchmarks.gate.populations import ROWS, WITHIN, Population, Rows, drawn_errors
from benchmarks.gate.workers import Job, Results

from assay.gate.statistics import Grouping

ITEM = "12 groups"
SEEDS = {"giant families": 101, "large families": 102, "dilute series": 103}
# rows of a family that is studied for years, and how many of all families are such
GIANTS = {"giant families": (500, 0.02), "large families": (60, 0.05)}
CAP = 20
SMALL = 5
# clusters of a series, rows of a cluster, and how far errors of neighbouring clusters go together
CLUSTERS, MEMBERS, NEIGHBOURS = 8, 4, 0.5
SIZES = (0.1, 0.3)
SEALED_ROWS = (1000, 3000)


@dataclass(frozen=True, eq=False)
class Series(Population):
    """Rows of dilute series; a draw takes whole series, and groups are their clusters."""

    def draw(self, rng: np.random.Generator, rows: int) -> Rows:
        """So many rows in randomly chosen series; the last one may be cut."""
        series = super().draw(rng, rows)
        codes, sizes = series.grouping.codes, series.grouping.sizes
        places = np.arange(rows) - (np.cumsum(sizes) - sizes)[codes]
        return Rows(series.errors, Grouping.of(codes * CLUSTERS + places // MEMBERS))


@lru_cache(maxsize=8)
def people(case: str, most: int | None) -> Population:
    """The population of a case, with at most so many rows of a family; None: all."""
    rng = np.random.default_rng(SEEDS[case])
    if case in GIANTS:
        return _families(rng, *GIANTS[case], most)
    return _series(rng)


def _families(rng: np.random.Generator, size: int, share: float, most: int | None) -> Population:
    count = int(ROWS / (share * size + (1 - share) * (1 + SMALL) / 2))
    sizes = np.where(rng.random(count) < share, size, rng.integers(1, SMALL + 1, count))
    shared = np.repeat(drawn_errors(rng, "t3", count), sizes)
    own = np.sqrt(WITHIN) * shared + np.sqrt(1 - WITHIN) * drawn_errors(rng, "t3", len(shared))
    if most is not None:
        place = np.arange(len(own)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        own, sizes = own[place < most], np.minimum(sizes, most)
    return Population(own / np.abs(own).mean(), sizes)


def _series(rng: np.random.Generator) -> Population:
    count = ROWS // (CLUSTERS * MEMBERS)
    shared = drawn_errors(rng, "t3", count * CLUSTERS).reshape(count, CLUSTERS)
    for place in range(1, CLUSTERS):
        fresh = np.sqrt(1 - NEIGHBOURS**2) * shared[:, place]
        shared[:, place] = NEIGHBOURS * shared[:, place - 1] + fresh
    along = np.repeat(shared.ravel(), MEMBERS)
    own = np.sqrt(WITHIN) * along + np.sqrt(1 - WITHIN) * drawn_errors(rng, "t3", len(along))
    return Series(own / np.abs(own).mean(), np.full(count, CLUSTERS * MEMBERS))


@lru_cache(maxsize=64)
def at_the_margin(case: str, most: int | None, size: float, growth: float) -> Change:
    """The change of this size that makes the reference worse by `growth` on the rows that count."""
    return fitted(people(case, most), Change(size), growth)


def single(
    rng: np.random.Generator, case: str, most: int | None, size: float, rows: int
) -> dict[str, float]:
    """A forged pull request, worse by the margin, on a set that may be used once."""
    world = World.draw(rng, people(case, most), rows)
    own = world.life(bars.margin(rows))
    own.policy = single_use(bars.margin(rows))
    change = at_the_margin(case, most, size, bars.margin(rows))
    answer = own.submit(world.candidate(rng, change, forged=True), "no-regression")
    return {
        "passed": float(answer.outcome == "PASS"),
        "opened": float(own.uses),
        "decides": float(world.groups.unlabelled >= own.policy.minimum_groups),
        "effective": world.sealed.grouping.effective,
    }


def jobs(size: bars.Size) -> list[Job]:
    """Every family without and with the cap, and the series, at two sizes of the set."""
    cells = [(case, most) for case in GIANTS for most in (None, CAP)] + [("dilute series", None)]
    return [
        Job((ITEM, case, most, rows, extent), single, (case, most, extent, rows), times, 50)
        for (case, most), rows, extent in product(cells, SEALED_ROWS, SIZES)
        for times in [size.singles]
    ]


def findings(results: Results) -> list[Finding]:
    """False PASS of the sealed test, and how often a set has groups enough to decide."""
    found = []
    for key_of_job, outcome in results.items():
        if key_of_job[0] != ITEM:
            continue
        _, case, most, rows, extent = key_of_job
        where = f"{case}, {'all rows' if most is None else f'{most} rows a family'}, n={rows}"
        key = (case, most, rows, extent)
        opened = [hit for hit, use in zip(outcome["passed"], outcome["opened"], strict=True) if use]
        if opened:
            name = f"false PASS of a use at level .025, {where}, change {extent}"
            group = f"false PASS of a single use, {_group(case, most)}"
            found.append(rate(ITEM, group, name, opened, bars.ALPHA, key))
        if extent == SIZES[0]:
            group = f"sets with groups enough to decide, {_group(case, most)}"
            found.append(rate(ITEM, group, f"{group}, n={rows}", outcome["decides"], key=key))
            group = f"effective groups of a sealed set, {_group(case, most)}"
            name = f"{group}, n={rows}"
            found.append(mean(ITEM, "", name, outcome["effective"], key=("effective", *key)))
    return found


def _group(case: str, most: int | None) -> str:
    return case if case not in GIANTS else f"{case}, {'no cap' if most is None else 'capped'}"
