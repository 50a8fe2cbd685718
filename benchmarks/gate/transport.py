"""Item 8: real rows enough that what is not sealed tells the truth."""

from functools import lru_cache

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.attacks import ASSAY, PROBE, merged, probed
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import Life, World, single_use
from benchmarks.gate.populations import Array, Population, Rows
from benchmarks.gate.reseeds import OUTCOMES
from benchmarks.gate.rivals import NAIVE
from benchmarks.gate.tables import transport
from benchmarks.gate.workers import Job, Results
from scipy.optimize import brentq

from assay.gate.comparisons import Groups, Predictions, Requirement
from assay.gate.metrics import MAE
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping
from assay.records import Claim

ITEM = "8 real rows"
SEALED, TRAIN = 1000, 3000
PAIRS: dict[str, tuple[str, str, Claim]] = {
    "another seed": ("forest", "reseed", "no-regression"),
    "half of the rows": ("forest", "half", "no-regression"),
    "worse by just the margin": ("forest", "blend", "no-regression"),
    "worse by just the margin, forged": ("forest", "blend", "no-regression"),
    "worse by just the margin, forged, one use at .025": ("forest", "blend", "no-regression"),
    "a linear model instead": ("forest", "linear", "no-regression"),
    "ten times the rows": ("tenth", "forest", "improvement"),
    "twice the rows": ("half", "forest", "improvement"),
}


@lru_cache(maxsize=1)
def models() -> dict[str, Array]:
    """Predictions by name, the blend being worse than the forest by 5 % of its MAE exactly."""
    rows = transport()
    own = float(np.abs(rows.target - rows.forest).mean())

    def blend(weight: float) -> Array:
        return (1 - weight) * rows.forest + weight * rows.linear

    def excess(weight: float) -> float:
        return float(np.abs(rows.target - blend(weight)).mean()) - own * (1 + bars.margin(SEALED))

    names = ("forest", "reseed", "half", "tenth", "linear")
    known = {name: getattr(rows, name) for name in names}
    return known | {"blend": blend(float(brentq(excess, 0.3, 1.0)))}


def divide(rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Row numbers of train rows, sealed rows, pool and all the rest; systems stay whole."""
    systems = transport().systems
    order = np.argsort(rng.permutation(systems.max() + 1)[systems], kind="stable")
    wanted = np.cumsum([TRAIN, SEALED, bars.pool_rows(SEALED)])
    shuffled = systems[order]
    starts = np.flatnonzero(np.r_[True, shuffled[1:] != shuffled[:-1]])
    cuts = starts[np.searchsorted(starts, wanted)]
    train, sealed, pool, rest = np.split(order, cuts)
    return train, sealed, pool, rest


def draw(rng: np.random.Generator, pair: str) -> dict[str, float]:
    """One sealed set, one verdict, and what 15,000 fresh rows say."""
    target, known = transport().target, models()
    reference, candidate, claim = PAIRS[pair]
    train, sealed, pool, fresh = divide(rng)
    losses = [np.abs(target - known[name]) for name in (candidate, reference)]
    scale = float(losses[1].mean())
    margin = bars.margin(SEALED) * scale
    parts = [
        Predictions(known[name][train], known[name][sealed], known[name][pool])
        for name in (candidate, reference)
    ]
    life = _life(target, (train, sealed, pool), parts[1], margin, "one use" in pair)
    made = parts[0]
    if "forged" in pair:
        made = _forged(made, parts[1], target[train], life)
    answer = life.submit(made, claim)
    grown = float((losses[0] - losses[1])[fresh].mean()) / scale
    bar = 0.0 if claim == "improvement" else bars.margin(SEALED)
    passed, failed = answer.outcome == "PASS", answer.outcome == "FAIL"
    told = {outcome: float(answer.outcome == outcome) for outcome in OUTCOMES}
    wrong = (passed and grown >= bar) or (failed and grown <= 0)
    return {**told, "grown": grown, "wrong": float(wrong), "said": float(passed or failed)}


def _life(
    target: Array, parts: tuple[Array, ...], reference: Predictions, margin: float, single: bool
) -> Life:
    systems = transport().systems
    groups = Groups(*(Grouping.of(systems[part]) for part in parts))
    policy = single_use(margin) if single else Gate(margin=margin)
    requirements = [Requirement(MAE, margin, primary=True)]
    return Life(groups, target[parts[0]], target[parts[1]], reference, requirements, policy)


def _forged(made: Predictions, reference: Predictions, target: Array, life: Life) -> Predictions:
    errors = Rows(target - reference.train, life.groups.train)
    gain = World(errors, errors, errors).forged
    return Predictions(reference.train + gain, made.sealed, made.pool)


def attacked(rng: np.random.Generator, gate: str, attack: str) -> dict[str, float]:
    """A1 or A2 on real residuals of the forest, drawn by chemical system."""
    rows = transport()
    errors = rows.target - rows.forest
    errors /= np.abs(errors).mean()
    parts = divide(rng)
    world = World(*(Rows(errors[part], Grouping.of(rows.systems[part])) for part in parts[:3]))
    fresh = Population(errors[parts[3]], np.ones(len(parts[3]), dtype=np.int64))
    claim: Claim = "improvement"
    if attack == "A1":
        leaks = probed(rng, world, fresh, gate, claim, PROBE)
    else:
        leaks = merged(rng, world, fresh, gate, claim)
    return {"leak": leaks[str(bars.PULL_REQUESTS)]}


def jobs(size: bars.Size) -> list[Job]:
    """Verdicts over draws, and two attacks on the gate and on others."""
    made = [Job((ITEM, "draw", pair), draw, (pair,), size.draws, 20) for pair in PAIRS]
    for gate in (*ASSAY, NAIVE, "lower wins"):
        times = size.obedient_attacks if gate == "assay honest" else size.attacks
        for attack in ("A1", "A2"):
            if (gate, attack) != (NAIVE, "A2"):
                key = (ITEM, attack, gate)
                made.append(Job(key, attacked, (gate, attack), times, 5))
    return made


def findings(results: Results) -> list[Finding]:
    """Verdicts against what the fresh rows say, and leaks."""
    found = []
    for key, outcome in results.items():
        if key[0] != ITEM:
            continue
        if key[1] != "draw":
            barred = bars.LEAK if key[2] in ASSAY else None
            name = f"leak, {key[1]}, {key[2]}, real residuals, n={SEALED}"
            group = f"leak on real residuals, {key[2]}" if barred else ""
            found.append(mean(ITEM, group, name, outcome["leak"], barred, key=key[1:]))
            continue
        pair = key[2]
        for told in OUTCOMES:
            barred = told == "PASS" and "just the margin" in pair
            bar = bars.ALPHA if barred else None
            group = "false PASS on real rows" if barred else ""
            found.append(rate(ITEM, group, f"{told}, {pair}", outcome[told], bar, (pair, told)))
        name = f"growth on the fresh rows, {pair}"
        found.append(mean(ITEM, "", name, outcome["grown"], key=(pair, "grown")))
        name = f"verdict that the fresh rows contradict, {pair}"
        group = "" if "just the margin" in pair else "verdicts that fresh real rows contradict"
        found.append(rate(ITEM, group, name, outcome["wrong"], key=(pair, "wrong")))
    return found
