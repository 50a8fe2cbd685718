"""Item 11: the shipped model beside itself, with one row changed."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.pages import CHANGES
from benchmarks.gate.populations import Array
from benchmarks.gate.reseeds import OUTCOMES
from benchmarks.gate.tables import FOLDS, SEED, former_forest, shipped, shipped_model
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.decision import Budget, SealedTest, decide, judge_sealed
from assay.gate.metrics import MAE
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping
from assay.splits import grouped_folds

ITEM = "11 one row"
SHARE = 0.1
MODELS: dict[str, Callable[[int], Any]] = {"shipped": shipped_model, "forest": former_forest}
KINDS = ("removed", "added", "corrected", "halved")
UNCHANGED = "unchanged"


def trained(make: Callable[[int], Any], rows: Array, target: Array, seeds: tuple[int, int]) -> Any:
    """What `assay train` gives for some of the shipped rows; seeds of the model and the folds."""
    own = shipped()
    known, labels = own.known[rows], target[rows]
    folds = grouped_folds(list(own.systems[rows]), FOLDS, seeds[1])
    out_of_fold = np.empty(len(rows))
    for fold in range(FOLDS):
        out = folds == fold
        out_of_fold[out] = make(seeds[0]).fit(known[~out], labels[~out]).predict(known[out])
    model = make(seeds[0]).fit(known, labels)
    return Predictions(out_of_fold, model.predict(own.sealed), model.predict(own.pool))


@lru_cache(maxsize=2)
def _whole(model: str) -> Predictions:
    own = shipped()
    return trained(MODELS[model], np.arange(len(own.target)), own.target, (SEED, SEED))


def one_row(rng: np.random.Generator, model: str, kind: str) -> dict[str, float]:
    """The verdict on the same recipe, after a change of this kind at a row drawn at random."""
    own, make = shipped(), MODELS[model]
    every, target = np.arange(len(own.target)), own.target.copy()
    row, seed = int(rng.integers(len(every))), int(rng.integers(1, 2**16))
    kept, seeds = every, (SEED, SEED)
    if kind in {"removed", "added"}:
        kept = np.delete(every, row)
    elif kind in {"seed", "folds"}:
        seeds = (seed, SEED) if kind == "seed" else (SEED, seed)
    else:
        target[row] = target[row] / 2 if kind == "halved" else target[row] + 0.1
    changed, whole = trained(make, kept, target, seeds), _whole(model)
    whole = Predictions(whole.train[kept], whole.sealed, whole.pool)
    # where a row is added, the model that lacks it is the reference
    models = (whole, changed) if kind == "added" else (changed, whole)
    return _judged(models, target[kept], own.systems[kept], paired=kind != "folds")


def _judged(
    models: tuple[Predictions, Predictions], target: Array, systems: Array, *, paired: bool
) -> dict[str, float]:
    own = shipped()
    groups = Groups(*map(Grouping.of, (systems, own.sealed_systems, own.pool_systems)))
    margin = SHARE * float(np.abs(models[1].train - target).mean())
    asked = [Requirement(MAE, margin, primary=True)]
    compared = Comparison(*models, groups, target, asked, "no-regression", paired)
    said = decide(compared, Gate(margin=margin), Budget(0, 0))
    answer = judge_sealed(said, own.labels) if isinstance(said, SealedTest) else said
    told = {outcome: float(answer.outcome == outcome) for outcome in OUTCOMES}
    change = float(compared.primary.on_pool.values.mean()) / margin
    return {**told, UNCHANGED: float(answer.stage == "unchanged"), "change": change}


def jobs(size: bars.Size) -> list[Job]:
    """Every kind of change with the shipped model; beside it the forest that it replaced."""
    every = [("shipped", kind, size.rows) for kind in KINDS]
    half = (size.rows + 1) // 2
    every += [("shipped", "folds", half), ("shipped", "seed", half)]
    every += [("forest", "removed", half), ("forest", "seed", half)]
    return [Job((ITEM, *key), one_row, tuple(key), times, 1) for *key, times in every]


def findings(results: Results) -> list[Finding]:
    """All verdicts; FAIL and PASS without labels of the shipped model against their bars."""
    return [
        found
        for key, outcome in results.items()
        if key[0] == ITEM
        for found in _cell(key[1], key[2], outcome)
    ]


def _cell(model: str, kind: str, outcome: dict[str, list[float]]) -> list[Finding]:
    where, key = f"{CHANGES[kind]}, {model} model", (model, kind)
    held = model == "shipped" and kind != "folds"
    made = []
    for told in OUTCOMES:
        bar = bars.ALPHA_FAIL if held and told == "FAIL" else None
        group = "FAIL of the same recipe, one row or seed" if bar else ""
        made.append(rate(ITEM, group, f"{told}, {where}", outcome[told], bar, (*key, told)))
    bar = bars.UNCHANGED if held and kind in {"removed", "added", "corrected"} else None
    group = "PASS without labels, one row changed" if bar else ""
    name, values = f"PASS without labels, {where}", outcome[UNCHANGED]
    made.append(mean(ITEM, group, name, values, bar, "at least", (*key, UNCHANGED)))
    name = f"mean change of the pool in margins, {where}"
    return [*made, mean(ITEM, "", name, outcome["change"], key=(*key, "change"))]
