"""`make bench-public`: how often public evidence errs, with refitted folds.

Every data set is drawn again and every model is fitted again in every fold, so that what folds
share is in the figures. Models are ridge regressions on drawn features. Groups have skewed sizes;
`giant` has one with a third of all rows, and groups of `linked` resemble each other in fours.
`twin` and `reseed` pairs are exchangeable, so their true difference is exactly 0; that of the
others is the mean over all data sets on fresh rows, of models of the same number of rows.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.pages import fill, table
from scipy.special import stdtr

from assay.gate.public_evidence import jackknife, refit_factor
from assay.gate.statistics import Grouping, estimate

Array = np.ndarray
Features = Callable[[Array], Array]

RECORD = Path(__file__).resolve().parents[1] / "public_evidence.json"
SEED = 20261130
FOLDS = 5
COUNTS = (15, 30, 60, 100)
FAMILIES = ("skewed t3", "skewed lognormal", "giant t3", "linked t3")
PAIRS = {"twin": "difference 0", "reseed": "another seed", "worse": "difference = margin"}
TESTS = {
    "CR1": "CR1, t",
    "CV3": "jackknife (CV3), t",
    "flip": "sign-flipping",
    "NB": "corrected resampled t",
    "CV3 + flip": "jackknife and sign-flipping agree",
    "two": "two of jackknife, sign-flipping, resampled t",
    "wide": "jackknife with 1.5 times the error",
    "chosen": "the same at half the level (chosen)",
}
RUNS, POWER_RUNS, AUTHORS, MODELS = 1500, 300, 60, 100
FRESH = 6000
COLUMNS, PENALTY = 12, 3.0
SIZES = np.arange(1, 31)
EFFECTS = (0.0, 0.45, 0.6, 0.8, 1.2, 1.6)
GAINS = (0.1, 0.2)
LEVEL = 0.025  # gate.alpha
FAIL_LEVEL = 0.01
FLIPS = 1999


@dataclass(frozen=True)
class Draw:
    """A data set: columns (n, 12), target (n,), group and fold of each row (n,)."""

    columns: Array
    target: Array
    groups: Array
    folds: Array


def _heavy(rng: np.random.Generator, family: str, count: int) -> Array:
    if family.endswith("t3"):
        return rng.standard_t(3, size=count) / 1.1027  # to a mean size of 1
    return rng.choice([-1.0, 1.0], size=count) * rng.lognormal(size=count) / np.exp(0.5)


def _sizes(rng: np.random.Generator, count: int, family: str) -> Array:
    weights = SIZES**-1.6
    sizes = rng.choice(SIZES, size=count, p=weights / weights.sum())
    if family.startswith("giant"):
        sizes[0] = max(2, int(sizes[1:].sum() / 2))
    return sizes


def signal(columns: Array, effect: float) -> Array:
    """What can be learned: six columns, two pairs that are worth the same, and one of `effect`."""
    weights = np.array([0.35] * 10 + [effect, 0.0])
    return columns @ weights + 0.5 * np.maximum(columns[:, 0] * columns[:, 1], 0)


def draw(rng: np.random.Generator, count: int, family: str, effect: float) -> Draw:
    """So many groups, whose rows resemble each other in their columns and in their errors."""
    groups = np.repeat(np.arange(count), _sizes(rng, count, family))
    centre, shared = rng.normal(size=(count, COLUMNS)), _heavy(rng, family, count)
    if family.startswith("linked"):
        parent = rng.integers(count // 4, size=count)
        centre = (centre + rng.normal(size=(count, COLUMNS))[parent]) / np.sqrt(2)
        shared = np.sqrt(0.6) * shared + np.sqrt(0.4) * _heavy(rng, family, count)[parent]
    own = rng.normal(size=(len(groups), COLUMNS))
    columns = np.sqrt(0.6) * centre[groups] + np.sqrt(0.4) * own
    noise = np.sqrt(0.3) * shared[groups] + np.sqrt(0.7) * _heavy(rng, family, len(groups))
    folds = np.concatenate([np.arange(FOLDS), rng.integers(FOLDS, size=count - FOLDS)])
    return Draw(columns, signal(columns, effect) + noise, groups, folds[groups])


def fresh(family: str, effect: float) -> tuple[Array, Array]:
    """Independent rows of the same population, the same for every data set."""
    rng = np.random.default_rng(SEED)
    columns = rng.normal(size=(FRESH, COLUMNS))
    noise = np.sqrt(0.3) * _heavy(rng, family, FRESH) + np.sqrt(0.7) * _heavy(rng, family, FRESH)
    return columns, signal(columns, effect) + noise


def _chosen(indices: list[int]) -> Features:
    return lambda columns: np.c_[np.ones(len(columns)), columns[:, indices]]


def _random(rng: np.random.Generator) -> Features:
    weights, shift = 0.47 * rng.normal(size=(10, 24)), rng.normal(size=24)
    return lambda columns: np.c_[
        np.ones(len(columns)), np.maximum(columns[:, :10] @ weights + shift, 0)
    ]


def _pair(pair: str, rng: np.random.Generator) -> tuple[Features, Features]:
    if pair == "reseed":
        return _random(rng), _random(rng)
    one, other = {
        "twin": ([*range(6), 6, 7], [*range(6), 8, 9]),
        "worse": ([*range(7)], [*range(6), 6, 7, 8, 9]),
        "better": ([*range(11)], [*range(10)]),
    }[pair]
    return _chosen(one), _chosen(other)


def fit(features: Array, data: Draw) -> tuple[Array, Array]:
    """Weights of the model of all rows and of those without each fold, and errors out of fold."""
    size, penalty = features.shape[1], PENALTY * np.eye(features.shape[1])
    penalty[0, 0] = 1e-6
    parts = [data.folds == fold for fold in range(FOLDS)]
    squares = np.array([features[rows].T @ features[rows] for rows in parts])
    products = np.array([features[rows].T @ data.target[rows] for rows in parts])
    left = np.concatenate([[squares.sum(0)], squares.sum(0) - squares]) + penalty
    right = np.concatenate([[products.sum(0)], products.sum(0) - products])
    weights = np.linalg.solve(left, right[..., None]).reshape(FOLDS + 1, size)
    known = np.einsum("np,np->n", features, weights[1:][data.folds])
    return weights, np.abs(data.target - known)


@dataclass(frozen=True)
class Run:
    """One comparison: D (n,), the data, what is true of the fitted and of the folds' models."""

    differences: Array
    data: Draw
    fitted: float
    recipe: float
    reference: float


def runs(pair: str, family: str, count: int, effect: float, number: int) -> Iterator[Run]:
    """So many data sets with both models fitted on each."""
    rng = np.random.default_rng([SEED, count, FAMILIES.index(family), *map(ord, pair)])
    columns, target = fresh(family, effect)
    for turn in range(number):
        data = draw(rng, count, family, effect)
        truths, losses = [], []
        for features in _pair(pair, rng):
            weights, loss = fit(features(data.columns), data)
            known = features(columns) @ weights[[0, turn % FOLDS + 1]].T
            truths.append(np.abs(target[:, None] - known).mean(0))
            losses.append(loss)
        fitted, recipe = truths[0] - truths[1]
        yield Run(losses[0] - losses[1], data, fitted, recipe, float(losses[1].mean()))


def p_values(differences: Array, data: Draw) -> dict[str, float]:
    """Of each test, against a mean of 0 or more."""
    grouping = Grouping(data.groups, int(data.groups.max()) + 1)
    freedom = max(grouping.effective - 1, 1)
    cr1, cv3 = estimate(differences, grouping), jackknife(differences, grouping)
    found = {
        "CR1": float(stdtr(freedom, cr1.mean / cr1.error)),
        "CV3": float(stdtr(freedom, cv3.mean / cv3.error)),
        "flip": _flipped(differences, grouping),
        "NB": _resampled(differences, data.folds),
        "wide": float(stdtr(freedom, cv3.mean / cv3.error / refit_factor(FOLDS))),
    }
    found["chosen"] = 2 * found["wide"]  # the other half is for rare large changes
    found["CV3 + flip"] = max(found["CV3"], found["flip"])
    found["two"] = sorted(found[name] for name in ("CV3", "flip", "NB"))[1]
    return found


SIGNS = np.random.default_rng(SEED).choice([-1.0, 1.0], size=(FLIPS, max(COUNTS)))


def _flipped(differences: Array, grouping: Grouping) -> float:
    sums = np.bincount(grouping.codes, differences, grouping.count)
    return (1 + int((SIGNS[:, : grouping.count] @ sums <= sums.sum()).sum())) / (FLIPS + 1)


def _resampled(differences: Array, folds: Array) -> float:
    means = np.array([differences[folds == fold].mean() for fold in np.unique(folds)])
    error = means.std(ddof=1) / np.sqrt(len(means)) * refit_factor(FOLDS)
    return float(stdtr(len(means) - 1, means.mean() / error))


def boundary(pair: str, family: str, count: int) -> dict[str, Any]:
    """How often each test passes a candidate that is at the bar, and the chosen one fails it."""
    made = list(runs(pair, family, count, 0.0, RUNS))
    bar = float(np.mean([run.recipe for run in made])) if pair == "worse" else 0.0
    found = [p_values(run.differences - bar, run.data) for run in made]
    passed = {name: float(np.mean([p[name] < LEVEL for p in found])) for name in TESTS}
    own = [p["chosen"] < LEVEL and r.fitted >= bar for p, r in zip(found, made, strict=True)]
    effective = [Grouping(r.data.groups, count).effective for r in made]
    return {
        "pair": pair,
        "family": family,
        "groups": count,
        "effective": round(float(np.mean(effective)), 1),
        "rows": round(float(np.mean([len(run.differences) for run in made]))),
        "passed": passed,
        "fitted": float(np.mean(own)),
        "failed": float(np.mean([1 - p["wide"] < FAIL_LEVEL for p in found])),
    }


def power(count: int) -> dict[str, Any]:
    """How often each test confirms a model that is truly 10 % and 20 % better."""
    gains, shares = [], []
    for effect in EFFECTS:
        made = list(runs("better", "skewed t3", count, effect, POWER_RUNS))
        found = [p_values(run.differences, run.data) for run in made]
        gains.append(-np.mean([r.recipe for r in made]) / np.mean([r.reference for r in made]))
        shares.append([np.mean([p[name] < LEVEL for p in found]) for name in TESTS])
    at = {
        f"{gain:.0%}": {
            name: float(np.interp(gain, gains, column))
            for name, column in zip(TESTS, np.array(shares).T, strict=True)
        }
        for gain in GAINS
    }
    return {"groups": count, "confirmed": at}


def equal(count: int, margin: float = 0.1) -> float:
    """How often another seed of the same recipe is no worse by more than 10 %, by the chosen."""
    made = list(runs("reseed", "skewed t3", count, 0.0, POWER_RUNS))
    found = [p_values(run.differences - margin * run.reference, run.data) for run in made]
    return float(np.mean([p["chosen"] < LEVEL for p in found]))


def tuned(count: int) -> dict[str, float]:
    """An author who fits 100 models of equal worth and keeps the best by the public figure."""
    rng = np.random.default_rng([SEED, count])
    columns, target = fresh("skewed t3", 0.0)
    told, passed, lucky = [], [], []
    for _ in range(AUTHORS):
        data = draw(rng, count, "skewed t3", 0.0)
        _, before = fit((base := _random(rng))(data.columns), data)
        models = [_random(rng) for _ in range(MODELS)]
        losses = [fit(features(data.columns), data)[1] for features in models]
        found = [p_values(loss - before, data)["chosen"] < LEVEL for loss in losses]
        best = models[int(np.argmin([loss.mean() for loss in losses]))]
        real = _true(best, data, columns, target) - _true(base, data, columns, target)
        shown = min(loss.mean() for loss in losses) - before.mean()
        told.append((real - shown) / before.mean())
        passed.append(any(found))
        lucky.append(any(found) and real >= 0)
    return {
        "groups": count,
        "optimism": float(np.mean(told)),
        "passed": float(np.mean(passed)),
        "worse": float(np.mean(lucky)),
    }


def _true(features: Features, data: Draw, columns: Array, target: Array) -> float:
    weights, _ = fit(features(data.columns), data)
    return float(np.abs(target - features(columns) @ weights[0]).mean())


def measure() -> dict[str, Any]:
    """All that the page shows."""
    start = time.process_time()
    kept: dict[str, Any] = {"seed": SEED, "level": LEVEL, "runs": RUNS, "authors": AUTHORS}
    kept["boundary"] = [
        boundary(pair, family, count) for pair in PAIRS for family in FAMILIES for count in COUNTS
    ]
    kept["power"] = [power(count) | {"equal": equal(count)} for count in COUNTS]
    kept["tuned"] = [tuned(count) for count in COUNTS]
    return kept | {"processor_minutes": round((time.process_time() - start) / 60, 1)}


def parts(kept: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of docs/appendix/public-evidence.md by their names."""
    yield "public-evidence-level", _levels(kept)
    yield "public-evidence-cells", _cells(kept)
    yield "public-evidence-power", _power(kept)
    yield "public-evidence-tuned", _tuned(kept)


def _levels(kept: dict[str, Any]) -> str:
    lines = []
    for name, told in TESTS.items():
        worst = [
            max(c["passed"][name] for c in kept["boundary"] if c["family"] == family)
            for family in FAMILIES
        ]
        lines.append([told, *(f"{100 * share:.1f}" for share in worst)])
    return table(["false PASS in %, worst of 12", *FAMILIES], lines)


def _cells(kept: dict[str, Any]) -> str:
    head = ["pair", "rows of", "groups", "effective", *TESTS]
    lines = [
        [
            *(PAIRS[cell["pair"]], cell["family"], str(cell["groups"]), f"{cell['effective']:.1f}"),
            *(f"{100 * cell['passed'][name]:.1f}" for name in TESTS),
            *(f"{100 * cell[key]:.1f}" for key in ("fitted", "failed")),
        ]
        for cell in kept["boundary"]
    ]
    return table([*head, "chosen, and the fitted model is not better", "FAIL"], lines)


def _power(kept: dict[str, Any]) -> str:
    shown = ("CR1", "CV3", "NB", "wide", "chosen")
    head = [f"{gain:.0%} better, {name}" for gain in GAINS for name in shown]
    lines = [
        [
            str(one["groups"]),
            *(
                f"{100 * one['confirmed'][f'{gain:.0%}'][name]:.0f}"
                for gain in GAINS
                for name in shown
            ),
            f"{100 * one['equal']:.0f}",
        ]
        for one in kept["power"]
    ]
    return table(["groups", *head, "equal, margin 10 %, chosen"], lines)


def _tuned(kept: dict[str, Any]) -> str:
    lines = [
        [str(one["groups"]), *(f"{100 * one[key]:.1f}" for key in ("optimism", "passed", "worse"))]
        for one in kept["tuned"]
    ]
    head = ["groups", "optimism, % of the error", "authors with any PASS, %"]
    return table([*head, "PASS and the best is not better, %"], lines)


def main() -> None:
    """Measure, write the record and the page."""
    kept = measure()
    RECORD.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    fill(parts(kept))
    print(_levels(kept), f"{kept['processor_minutes']} minutes", sep="\n\n")


if __name__ == "__main__":
    main()
