"""Item 7: many small losses, each within the margin; and a budget that ends."""

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import QUANTILES, Change
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import World
from benchmarks.gate.populations import Array, Rows, population
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Predictions

ITEM = "7 creep and budget"
FAMILY = "clustered t3"
RIPPLE = Change(0.02)
TINY = 0.002
GATES = ("anchored honest", "anchored forged", "parent")
CLOSE = 0.004
EXTRA = 20


def worse(parent: Array, errors: Array, ripple: Array) -> Array:
    """A child (n,) whose errors are 2 % larger than its parent's, and a ripple."""
    return parent - bars.CREEP_STEP * (errors - parent) + ripple


def drift(rng: np.random.Generator, rows: int, gate: str) -> dict[str, float]:
    """60 pull requests, each a child of the model merged last."""
    people = population(FAMILY)
    world = World.draw(rng, people, rows)
    life = world.life(bars.margin(rows))
    parent, scale, spread, merged = life.reference, 1.0, 0.0, 0
    for _ in range(bars.CREEP_STEPS):
        child = _child(rng, world, parent, forged="forged" in gate)
        if life.submit(child, "no-regression").outcome != "PASS":
            continue
        parent, merged = child, merged + 1
        scale *= 1 + bars.CREEP_STEP
        spread = np.hypot(spread * (1 + bars.CREEP_STEP), RIPPLE.spread)
        if gate == "parent":
            life.reference = child
    true = people.mean_loss(scale, spread * QUANTILES) - 1 if merged else 0.0
    return {"drift": true, "merged": float(merged), "over": float(true > bars.margin(rows))}


def _child(
    rng: np.random.Generator, world: World, parent: Predictions, *, forged: bool
) -> Predictions:
    parts: tuple[tuple[Array, Rows], ...] = (
        (parent.train, world.train),
        (parent.sealed, world.sealed),
        (parent.pool, world.pool),
    )
    train, sealed, pool = (worse(own, rows.errors, RIPPLE.noise(rng, rows)) for own, rows in parts)
    return Predictions(world.forged if forged else train, sealed, pool)


def walk(rng: np.random.Generator, rows: int) -> dict[str, float]:
    """Item 10: a thousand steps too small to need a label, all in the worse direction.

    Each step starts from the model merged last; where a larger step is refused, a smaller one is
    tried. The true growth of what is merged in the end cannot exceed its distance.
    """
    people = population(FAMILY)
    world = World.draw(rng, people, rows)
    life = world.life(bars.margin(rows))
    step, distance = CLOSE, 0.0
    for _ in range(bars.PULL_REQUESTS):
        tried = distance + step
        parts = (world.train, world.sealed, world.pool)
        candidate = Predictions(*(_pushed(part.errors, tried) for part in parts))
        answer = life.submit(candidate, "no-regression")
        if answer.outcome == "PASS":
            distance = tried
        else:
            step /= 2
        if step < CLOSE / 64:
            break
    own = float(np.abs(_pushed(people.errors, distance) - people.errors).mean()) - 1
    return {"drift": own, "over": float(own > bars.margin(rows)), "opened": float(life.uses)}


def _pushed(errors: Array, distance: float) -> Array:
    """Every prediction (n,) moved away from the truth by `distance`, but for a trifle."""
    ripple = TINY * np.cos(1e6 * errors)
    return -np.sign(errors) * distance * (1 + ripple)


def towards(errors: Array, way: float) -> Array:
    """Predictions (n,) up to `way` nearer to the truth, or farther from it."""
    return np.sign(errors) * np.minimum(np.abs(errors), way)


def spend(rng: np.random.Generator, rows: int, better: bool) -> dict[str, float]:
    """Models that are always, or never, confirmed until the set is used up, and some more."""
    world = World.draw(rng, population("iid t3"), rows)
    life = world.life(bars.margin(rows))
    way = 0.5 if better else -0.5
    refused = 0.0
    for _ in range(life.policy.uses + EXTRA):
        parts = (world.sealed, world.pool)
        made = [towards(part.errors, way) + RIPPLE.noise(rng, part) for part in parts]
        answer = life.submit(Predictions(world.forged, *made), "no-regression")
        refused += answer.stage == "retired" and answer.outcome == "INCONCLUSIVE"
    spent = life.uses if better else life.disagreements
    limit = life.policy.uses if better else life.policy.disagreements
    return {"beyond": float(spent - limit), "refused": refused}


def jobs(size: bars.Size) -> list[Job]:
    """Creep under the anchored gate and under one that compares with the parent; the budget."""
    made = []
    for rows in bars.SEALED_ROWS:
        made += [
            Job((ITEM, "drift", rows, gate), drift, (rows, gate), size.creeps, 10) for gate in GATES
        ]
        made.append(Job((ITEM, "walk", rows), walk, (rows,), size.creeps, 10))
    spenders = [Job((ITEM, "spend", told), spend, (1000, told), 4, 1) for told in (True, False)]
    return made + spenders


def findings(results: Results) -> list[Finding]:
    """True drift of what was merged last against the margin; uses beyond the budget."""
    found = []
    for key, outcome in results.items():
        if key[0] != ITEM:
            continue
        if key[1] == "spend":
            name = "uses beyond K" if key[2] else "non-confirmations beyond J"
            worst = float(np.abs(outcome["beyond"]).max())
            found.append(Finding(ITEM, name, name, worst, None, len(outcome["beyond"]), 0.0))
            continue
        rows = key[2]
        gate = key[3] if key[1] == "drift" else "1,000 steps within stage 1"
        bar = None if gate == "parent" else bars.margin(rows)
        name = f"true drift, {gate}, n={rows}"
        found.append(mean(ITEM, f"true drift, {gate}", name, outcome["drift"], bar))
        over = None if gate == "parent" else bars.ALPHA
        name = f"drift over the margin, {gate}, n={rows}"
        group = "" if gate == "parent" else "runs that drift over the margin"
        found.append(rate(ITEM, group, name, outcome["over"], over))
        if key[1] == "drift":
            found.append(mean(ITEM, "", f"merged of 60, {gate}, n={rows}", outcome["merged"]))
    return found
