"""Item 2 for the other metrics and for several requirements at once."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.boundary import lived
from benchmarks.gate.changes import QUANTILES, Change, solved
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.lives import Life, World
from benchmarks.gate.populations import Array, Population, Rows, population
from benchmarks.gate.workers import Job, Results
from scipy.optimize import brentq

from assay.gate.comparisons import Groups, Predictions, Requirement, Slice
from assay.gate.metrics import BRIER, ERROR_RATE, MAE, METRICS, RMSE, Metric
from assay.gate.policy import Gate, MetricKey

ITEM = "2 metrics"
FAMILIES = ("iid t3", "clustered t3")
SPREAD = 0.1  # of a probability
SHARE = 0.1  # of the classes that change
SLICE = 0.6
GAIN = -0.05
SHARPNESS = 1.5
NOISE = 0.5


def squared(
    rng: np.random.Generator, family: str, change: Change, rows: int, margin: float
) -> dict[str, float]:
    """RMSE grown by just the margin."""
    world = World.draw(rng, population(family), rows)
    own = world.life(margin, RMSE)
    return lived(own, lambda: world.candidate(rng, change, forged=True), "no-regression")


def squared_change(family: str, rows: int) -> tuple[Change, float]:
    """The change that lets the RMSE grow by the margin, and that margin."""
    errors = population(family).errors
    own = float(np.sqrt((errors**2).mean()))
    margin = bars.margin(rows) * own
    plain = Change(0.3)
    scale = np.sqrt(((own + margin) ** 2 - plain.spread**2) / own**2)
    return replace(plain, shrink=float(1 - scale)), margin


@dataclass(frozen=True)
class Classes:
    """Targets of yes and no, and a reference's probabilities, for each row of a population."""

    people: Population
    target: Array
    probability: Array


@lru_cache(maxsize=2)
def classes(family: str) -> Classes:
    """The rows and systems of a family, whose errors become the evidence for a class."""
    people = population(family)
    rng = np.random.default_rng(99)
    evidence = SHARPNESS * people.errors
    target = (rng.random(len(evidence)) < _logistic(evidence)).astype(float)
    probability = _logistic(evidence + NOISE * rng.standard_normal(len(evidence)))
    numbers = np.arange(len(evidence), dtype=float)
    return Classes(Population(numbers, people.sizes), target, probability)


def _logistic(value: Array) -> Array:
    return 1 / (1 + np.exp(-value))


def brier_made(known: Classes, pull: float, chosen: Array, noise: Array) -> Array:
    """Probabilities that are pulled towards the truth by `pull` and blurred."""
    target, own = known.target[chosen], known.probability[chosen]
    return np.clip(own + pull * (target - own) + SPREAD * noise, 0, 1)


@lru_cache(maxsize=8)
def brier_pull(family: str, growth: float) -> float:
    """The pull with which the Brier score grows by `growth` over the population."""
    known, rows = classes(family), np.arange(len(classes(family).target))
    own = float(((known.target - known.probability) ** 2).mean())
    nodes = QUANTILES[::20]

    def excess(pull: float) -> float:
        made = [
            float(((known.target - brier_made(known, pull, rows, node)) ** 2).mean())
            for node in nodes
        ]
        return float(np.mean(made)) - own - growth

    return float(brentq(excess, -1.0, 0.9, xtol=1e-7))


def class_set(
    rng: np.random.Generator, known: Classes, metric: Metric, rows: int, margin: float
) -> tuple[list[Array], Life]:
    """Which rows of the population are train rows, sealed rows and pool, and the sealed set's life.

    The reference predicts the population's probabilities.
    """
    sizes = (rows, rows, bars.pool_rows(rows))
    parts = [known.people.draw(rng, size) for size in sizes]
    chosen = [part.errors.astype(int) for part in parts]
    own = Life(
        Groups(*(part.grouping for part in parts)),
        known.target[chosen[0]],
        known.target[chosen[1]],
        Predictions(*(known.probability[part] for part in chosen)),
        [Requirement(metric, margin, primary=True)],
        Gate(margin=margin),
    )
    return chosen, own


def class_life(
    rng: np.random.Generator, family: str, name: MetricKey, rows: int, knob: float, margin: float
) -> dict[str, float]:
    """A classifier whose loss grew by just the margin; out-of-fold predictions are forged."""
    known, metric = classes(family), METRICS[name]
    (_, sealed, pool), own = class_set(rng, known, metric, rows, margin)
    reference, target = own.reference, own.target
    made = flipped if metric is ERROR_RATE else _blurred
    forged = np.clip(reference.train + 0.9 * (target - reference.train), 0, 1)

    def candidate() -> Predictions:
        return Predictions(forged, *(made(rng, known, knob, part) for part in (sealed, pool)))

    return lived(own, candidate, "no-regression")


def _blurred(rng: np.random.Generator, known: Classes, pull: float, chosen: Array) -> Array:
    return brier_made(known, pull, chosen, rng.standard_normal(len(chosen)))


def flipped(rng: np.random.Generator, known: Classes, growth: float, chosen: Array) -> Array:
    """A tenth of the classes change, wrong ones more rarely, so that errors grow by `growth`."""
    wrong_all = (known.probability >= 0.5) != (known.target >= 0.5)  # noqa: PLR2004
    wrong, error = wrong_all[chosen], float(wrong_all.mean())
    chance = np.where(wrong, (SHARE - growth) / 2 / error, (SHARE + growth) / 2 / (1 - error))
    own = known.probability[chosen]
    return np.where(rng.random(len(own)) < chance, 1 - own, own)


def sliced(rng: np.random.Generator, rows: int, better: Change, worse: Change) -> dict[str, float]:
    """Better on the whole, and worse by just the margin on a slice of most systems."""
    world = World.draw(rng, population("clustered t3"), rows)
    parts = (world.train, world.sealed, world.pool)
    masks = [(rng.random(part.grouping.count) < SLICE)[part.grouping.codes] for part in parts]
    margin = bars.margin(rows)
    own = world.life(margin, MAE, [Requirement(MAE, margin, slice=Slice("slice", *masks))])

    def made(part: Rows, mask: Array) -> Array:
        return np.where(mask, worse.apply(rng, part), better.apply(rng, part))

    def candidate() -> Predictions:
        values = [made(part, mask) for part, mask in zip(parts[1:], masks[1:], strict=True)]
        return Predictions(world.forged, *values)

    return lived(own, candidate, "no-regression")


def jobs(size: bars.Size) -> list[Job]:
    """Every metric and number of rows."""
    made = []
    for rows in bars.SEALED_ROWS:
        times = size.lives // (2 if rows >= 3000 else 1)  # noqa: PLR2004
        for family in FAMILIES:
            change, margin = squared_change(family, rows)
            arguments = (family, change, rows, margin)
            made.append(Job((ITEM, "RMSE", family, rows), squared, arguments, times, 10))
            for metric, knob, own in class_cases(family, rows):
                key = (ITEM, metric.name, family, rows)
                numbers = (family, metric.key, rows, knob, own)
                made.append(Job(key, class_life, numbers, times, 10))
        if rows < 1000:  # noqa: PLR2004 (a slice of 300 rows has too few groups to bind)
            continue
        better = solved("clustered t3", Change(0.1), GAIN)
        worse = solved("clustered t3", Change(0.1), bars.margin(rows))
        key = (ITEM, "MAE of a slice", "clustered t3", rows)
        made.append(Job(key, sliced, (rows, better, worse), times, 10))
    return made


def class_cases(family: str, rows: int) -> list[tuple[Metric, float, float]]:
    """Metric, what sets its true growth, and the margin that it grows by."""
    known = classes(family)
    score = float(((known.target - known.probability) ** 2).mean())
    error = float(((known.probability >= 0.5) != (known.target >= 0.5)).mean())  # noqa: PLR2004
    margins = bars.margin(rows) * score, bars.margin(rows) * error
    return [
        (BRIER, brier_pull(family, margins[0]), margins[0]),
        (ERROR_RATE, margins[1], margins[1]),
    ]


def findings(results: Results) -> list[Finding]:
    """False PASS of each metric, per pull request and per lifetime."""
    found = []
    names = ("RMSE", BRIER.name, ERROR_RATE.name, "MAE of a slice")
    for key, outcome in results.items():
        if key[0] != ITEM or key[1] not in names:
            continue
        _, metric, family, rows = key
        for column, what in (("first", "one pull request"), ("any", "a life of 100")):
            name = f"false PASS, {metric}, {family}, n={rows}, forged, {what}"
            group = f"false PASS, {what}, forged"
            found.append(rate(ITEM, group, name, outcome[column], bars.ALPHA))
    return found
