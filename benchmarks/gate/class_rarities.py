"""Item 10 for bounded losses: classifiers that are wrong in few systems and else the same."""

from itertools import product

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.boundary import lived
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.metrics import class_set, classes
from benchmarks.gate.populations import Array
from benchmarks.gate.rarities import FAMILY, ITEM, SHOWN
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Predictions
from assay.gate.metrics import BRIER, ERROR_RATE, METRICS, Metric
from assay.gate.policy import MetricKey
from assay.gate.statistics import Grouping

LEAST = (1, 10)
TRIFLE = 1e-6


def losses(metric: Metric, least: int) -> tuple[float, float]:
    """The reference's mean loss, and what the mean loss grows by if all such systems are wrong."""
    known = classes(FAMILY)
    chosen = known.people.rows_of_systems >= least
    target, own = known.target, known.probability
    grown = metric.loss(target, 1 - own) - metric.loss(target, own)
    return float(metric.loss(target, own).mean()), float(np.where(chosen, grown, 0).mean())


def life(
    rng: np.random.Generator, name: MetricKey, rows: int, least: int, share: float
) -> dict[str, float]:
    """A set's life of 100 such classifiers, wrong in other systems each time."""
    known, metric = classes(FAMILY), METRICS[name]
    margin = bars.margin(rows) * losses(metric, least)[0]
    _, own = class_set(rng, known, metric, rows, margin)
    first, groups = own.reference, own.groups

    def candidate() -> Predictions:
        sealed = _wrong(rng, groups.sealed, first.sealed, least, share)
        pool = _wrong(rng, groups.pool, first.pool, least, share)
        return Predictions(_moved(rng, first.train), sealed, pool)

    return lived(own, candidate, "no-regression")


def _moved(rng: np.random.Generator, values: Array) -> Array:
    return np.clip(values + TRIFLE * rng.standard_normal(len(values)), 0, 1)


def _wrong(
    rng: np.random.Generator, grouping: Grouping, values: Array, least: int, share: float
) -> Array:
    hit = (rng.random(grouping.count) < share) & (grouping.sizes >= least)
    return np.where(hit[grouping.codes], 1 - values, _moved(rng, values))


def jobs(size: bars.Size) -> list[Job]:
    """Both metrics, systems of any size and large ones."""
    made = []
    for metric, rows, least in product((BRIER, ERROR_RATE), bars.SEALED_ROWS, LEAST):
        loss, grown = losses(metric, least)
        share = bars.margin(rows) * loss / grown
        sizes = classes(FAMILY).people.sizes
        shown = share * bars.pool_rows(rows) / sizes.mean() * (sizes >= least).mean() >= SHOWN
        key = (ITEM, "class rarity", metric.key, rows, least, bool(shown))
        arguments = (metric.key, rows, least, share)
        made.append(Job(key, life, arguments, size.obedient_lives, 10))
    return made


def findings(results: Results) -> list[Finding]:
    """False PASS per lifetime."""
    found = []
    for key, outcome in results.items():
        if key[:2] != (ITEM, "class rarity"):
            continue
        _, _, metric, rows, least, shown = key
        name = f"false PASS, {metric}, wrong in few systems of {least} or more rows, n={rows}"
        group = "false PASS, classes wrong in few systems, a life of 100"
        bar = bars.ALPHA if shown else None
        found.append(rate(ITEM, group if shown else "", name, outcome["any"], bar))
    return found
