"""Items 1 and 3 on the shipped example: its rows, its chemical systems, its own model."""

from functools import lru_cache

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import Life, World
from benchmarks.gate.populations import Array, regrouped
from benchmarks.gate.power import GROWTHS, SIZES, claims, judged
from benchmarks.gate.reseeds import OUTCOMES
from benchmarks.gate.tables import Example, example
from benchmarks.gate.workers import Job, Results
from scipy.optimize import brentq

from assay.gate.comparisons import Groups, Predictions
from assay.gate.statistics import Grouping
from assay.records import Claim
from assay.splits import split_by_system

ITEM = "3 example"
FAMILY = "clustered t3"
SHARE, FRACTION, TREES = 0.10, 0.25, 150
REAL_GROWTHS = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2)


@lru_cache(maxsize=1)
def shipped_groups(trees: int) -> tuple[Grouping, Grouping, Grouping]:
    """Chemical systems of the example's train rows, sealed rows and pool."""
    rows = example(trees)
    sealed = split_by_system(list(rows.systems), FRACTION, 0)
    parts = (rows.systems[~sealed], rows.systems[sealed], rows.pool_systems)
    return tuple(Grouping.of(part) for part in parts)  # type: ignore[return-value]


def synthetic(
    rng: np.random.Generator, trees: int, change: Change, claim: Claim
) -> dict[str, float]:
    """Synthetic errors on the real sizes."""
    world = World(*(regrouped(FAMILY, groups, rng) for groups in shipped_groups(trees)))
    return judged(rng, world, change, claim, SHARE)


@lru_cache(maxsize=4)
def _pool_groups(trees: int) -> Grouping:
    return Grouping.of(example(trees).pool_systems)


def real(rng: np.random.Generator, trees: int, growth: float, claim: Claim) -> dict[str, float]:
    """The shipped recipe against itself or a blend with a linear model, on a redrawn sealed set.

    All predictions are out of fold. The sealed quarter is drawn by chemical system, as `assay init`
    draws it; the true effect is over all labelled rows.
    """
    rows = example(trees)
    first, second = _models(rng, rows)
    mix = _mixed(rng, rows, growth)
    reference, candidate = (mix, first) if growth < 0 else (first, mix)
    if growth == 0:
        candidate = second
    sealed = split_by_system(list(rows.systems), FRACTION, int(rng.integers(2**31)))
    groups = Groups(
        Grouping.of(rows.systems[~sealed]), Grouping.of(rows.systems[sealed]), _pool_groups(trees)
    )
    known, pool = len(rows.target), rows.pool_linear
    parts = [
        Predictions(made[:known][~sealed], made[:known][sealed], made[known:])
        for made in (reference, candidate)
    ]
    margin = SHARE * float(np.abs(rows.target - first[:known]).mean())
    world_life = _life(groups, rows, sealed, parts[0], margin)
    answer = world_life.submit(parts[1], claim)
    told = {outcome: float(answer.outcome == outcome) for outcome in OUTCOMES}
    distance = np.abs(candidate - reference)[known:].mean() / margin * SHARE
    return {**told, "opened": float(answer.uses), "change": float(distance), "pool": len(pool)}


def _life(
    groups: Groups, rows: Example, sealed: Array, reference: Predictions, margin: float
) -> Life:
    from assay.gate.comparisons import Requirement
    from assay.gate.metrics import MAE
    from assay.gate.policy import Gate

    return Life(
        groups,
        rows.target[~sealed],
        rows.target[sealed],
        reference,
        [Requirement(MAE, margin, primary=True)],
        Gate(margin=margin),
    )


def _models(rng: np.random.Generator, rows: Example) -> tuple[Array, Array]:
    """Two models of 150 trees with none in common: (n + m,) labelled rows, then the pool."""
    chosen = rng.permutation(len(rows.trees))[: 2 * TREES]
    made = []
    for part in (chosen[:TREES], chosen[TREES:]):
        known, pool = rows.trees[part].mean(axis=0), rows.pool_trees[part].mean(axis=0)
        made.append(np.concatenate([known, pool]).astype(float))
    return made[0], made[1]


@lru_cache(maxsize=16)
def _weight(trees: int, growth: float) -> float:
    """The share of the linear model with which a blend is worse by `growth` of its MAE."""
    rows = example(trees)
    forest = rows.trees[:TREES].mean(axis=0)
    own = float(np.abs(rows.target - forest).mean())

    def excess(weight: float) -> float:
        blend = (1 - weight) * forest + weight * rows.linear
        return float(np.abs(rows.target - blend).mean()) - own * (1 + growth)

    return float(brentq(excess, 0.1, 1.0))


def _mixed(rng: np.random.Generator, rows: Example, growth: float) -> Array:
    """A blend with a larger MAE than the model's, so that either is worse by the growth."""
    worse = growth if growth > 0 else 1 / (1 + growth) - 1
    weight = _weight(len(rows.trees), round(worse, 6)) if worse else 0.0
    model, _ = _models(rng, rows)
    return (1 - weight) * model + weight * np.concatenate([rows.linear, rows.pool_linear])


def jobs(size: bars.Size) -> list[Job]:
    """The shipped sizes with synthetic errors, and the shipped model with redrawn sealed sets."""
    made = []
    for extent in SIZES:
        for growth in GROWTHS:
            for claim in claims(growth):
                key = (ITEM, "sizes", extent, growth, claim)
                change = solved(FAMILY, Change(extent), growth)
                arguments = (size.forest, change, claim)
                made.append(Job(key, synthetic, arguments, size.power, 25))
    for growth in (0.0, *REAL_GROWTHS):
        for claim in claims(growth):
            where = (ITEM, "model", growth, claim)
            times = size.draws if growth else size.reseeds
            made.append(Job(where, real, (size.forest, growth, claim), times, 25))
    return made


def findings(results: Results) -> list[Finding]:
    """All verdicts; FAIL of the same recipe against its bar."""
    found = []
    for key, outcome in results.items():
        if key[0] != ITEM:
            continue
        if key[1] == "sizes":
            where = f"sizes of the example, {key[4]}, change {key[2]}, true {key[3]:+.1%}"
        elif key[2] == 0:
            where = "the example's own model, another seed"
        else:
            where = f"the example's own model, {key[3]}, true {key[2]:+.0%}"
        for told in OUTCOMES:
            barred = told == "FAIL" and key[1] == "model" and key[2] == 0
            bar = bars.ALPHA_FAIL if barred else None
            group = "FAIL of the example's own recipe" if barred else ""
            name = f"{told}, {where}"
            found.append(rate(ITEM, group, name, outcome[told], bar, (*key[1:], told)))
        if key[1] == "model":
            name = f"mean change of the pool, {where}"
            found.append(mean(ITEM, "", name, outcome["change"]))
    return found
