"""Item 4, A1 to A3: learn the sealed labels from what the gate says; item 5: the control."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.authors import Target, optimism, target
from benchmarks.gate.changes import MEAN_ABSOLUTE
from benchmarks.gate.findings import Finding, mean
from benchmarks.gate.lives import World
from benchmarks.gate.populations import Array, Population, population
from benchmarks.gate.rivals import NAIVE, PRINTING, RIVALS
from benchmarks.gate.workers import Job, Results

from assay.records import Claim

ITEM, CONTROL = "4 attacks", "5 control"
FAMILY = "iid t3"
ASSAY = ("assay honest", "assay forged")
GATES = (*ASSAY, *RIVALS)
CHECKPOINTS = (100, 300, bars.PULL_REQUESTS)
PROBE, STEP, TINY = 0.3, 0.1, 0.02
STEPS = (0.1, 0.2, 0.4, 0.8)


def probe(rng: np.random.Generator, count: int, extent: float) -> Array:
    """A random change (count,) of mean size `extent`."""
    return extent / MEAN_ABSOLUTE * rng.standard_normal(count)


def sized(direction: Array, extent: float) -> Array:
    """The direction (n,) scaled to a mean absolute value."""
    own = np.abs(direction).mean()
    return direction * (extent / own) if own else direction


def collect(
    rng: np.random.Generator, gate: Target, rows: int, extent: float, asked: int
) -> tuple[Array, Array]:
    """Random changes (k, n) and the replies (k,) to them, as far as there were replies."""
    changes, replies = [], []
    for _ in range(asked):
        change = probe(rng, rows, extent)
        reply = gate.ask(gate.base + change, extent)
        if reply is not None:
            changes.append(change)
            replies.append(reply)
    return np.array(changes).reshape(-1, rows), np.array(replies)


def random_probing(
    rng: np.random.Generator, rows: int, name: str, claim: Claim, extent: float
) -> dict[str, float]:
    """A1: keep what the gate likes, and put it together."""
    people = population(FAMILY)
    return probed(rng, World.draw(rng, people, rows), people, name, claim, extent)


def probed(
    rng: np.random.Generator,
    world: World,
    people: Population,
    name: str,
    claim: Claim,
    extent: float,
) -> dict[str, float]:
    """A1 on a given sealed set; `people` are the fresh rows."""
    gate, errors = target(rng, world, name, claim), world.sealed.errors
    changes, replies = collect(rng, gate, len(errors), extent, bars.PULL_REQUESTS)
    leaks = {}
    for asked in CHECKPOINTS:
        told = replies[:asked]
        weights = told - told.mean() if name in PRINTING and len(told) else told
        made = sized(weights @ changes[:asked], extent)
        leaks[str(asked)] = optimism(people, errors, made)
    return {**leaks, "opened": float(len(replies))}


def merging(rng: np.random.Generator, rows: int, name: str, claim: Claim) -> dict[str, float]:
    """A2: build on whatever was merged."""
    people = population(FAMILY)
    return merged(rng, World.draw(rng, people, rows), people, name, claim)


def merged(
    rng: np.random.Generator, world: World, people: Population, name: str, claim: Claim
) -> dict[str, float]:
    """A2 on a given sealed set; `people` are the fresh rows."""
    gate, errors = target(rng, world, name, claim, merges=True), world.sealed.errors
    _, replies = collect(rng, gate, len(errors), STEP, bars.PULL_REQUESTS)
    return {
        str(bars.PULL_REQUESTS): optimism(people, errors, gate.base),
        "merged": float(replies.sum()),
    }


def least_squares(rng: np.random.Generator, rows: int, name: str, claim: Claim) -> dict[str, float]:
    """A3: solve for the direction that explains all replies best."""
    people = population(FAMILY)
    world = World.draw(rng, people, rows)
    gate, errors = target(rng, world, name, claim), world.sealed.errors
    extent = TINY if name in PRINTING else max(STEP, 1.5 * bars.margin(rows))
    changes, replies = collect(rng, gate, rows, extent, bars.PULL_REQUESTS - len(STEPS))
    direction = np.zeros(rows)
    if len(replies) > 1:
        centred = replies - replies.mean()
        direction = shortest(changes, centred)
    made = sized(direction, extent)
    if name in PRINTING:
        tried = [sized(direction, step) for step in STEPS]
        made = max(tried, key=lambda values: gate.ask(values, 0.0) or -np.inf)
    return {str(bars.PULL_REQUESTS): optimism(people, errors, made)}


FUNCTIONS: dict[str, Callable[..., dict[str, float]]] = {
    "A1": random_probing,
    "A2": merging,
    "A3": least_squares,
}


def shortest(changes: Array, replies: Array) -> Array:
    """The shortest direction (n,) that explains replies (k,) to changes (k, n) best."""
    ridge = 1e-9 * float((changes**2).sum()) / min(changes.shape)
    if len(changes) <= changes.shape[1]:
        inner = changes @ changes.T + ridge * np.eye(len(changes))
        return changes.T @ np.linalg.solve(inner, replies)
    inner = changes.T @ changes + ridge * np.eye(changes.shape[1])
    return np.linalg.solve(inner, changes.T @ replies)


def jobs(size: bars.Size) -> list[Job]:
    """All attacks on all gates."""
    made = []
    for rows, gate in product(bars.SEALED_ROWS, GATES):
        times = size.obedient_attacks if gate == "assay honest" else size.attacks
        if gate == NAIVE:
            times = max(times, size.control)
        for attack, claim, extent in _attacks(gate):
            arguments: tuple[Any, ...] = (rows, gate, claim)
            if attack == "A1":
                arguments += (extent,)
            key = (ITEM, attack, rows, gate, claim, extent)
            made.append(Job(key, FUNCTIONS[attack], arguments, times, 5))
    return made


def _attacks(gate: str) -> list[tuple[str, Claim, float]]:
    """Attack, claim and size of change that are tried on a gate."""
    made: list[tuple[str, Claim, float]] = [("A1", "improvement", PROBE)]
    if gate not in PRINTING:
        made.append(("A2", "improvement", STEP))
    if gate in PRINTING or gate in ASSAY:
        made.append(("A3", "improvement", 0.0))
    if gate in ASSAY:
        made += [("A1", "no-regression", STEP), ("A2", "no-regression", STEP)]
    if gate == "assay forged":
        made += [("A1", "no-regression", 2 * STEP), ("A3", "no-regression", 0.0)]
    return made


def findings(results: Results) -> list[Finding]:
    """The leak of what was built, under this gate against its bar and under the others."""
    found = []
    for key, outcome in results.items():
        if key[0] != ITEM or key[1] not in ("A1", "A2", "A3"):
            continue
        _, attack, rows, gate, claim, extent = key
        own, released = gate in ASSAY, claim == "improvement"
        group = f"leak, {attack}, {gate}" if own and released else ""
        if own and not released:
            group = "optimism of a model built from no-regression verdicts"
        detail = f", {claim}, change {extent}" if own else ""
        for asked in CHECKPOINTS if attack == "A1" else CHECKPOINTS[-1:]:
            last = asked == CHECKPOINTS[-1]
            name = f"leak, {attack}, {gate}, n={rows}{detail}, {asked} pull requests"
            bar = bars.LEAK if own and released and last else None
            where = (attack, rows, gate, claim, extent, asked)
            leaks = outcome[str(asked)]
            found.append(mean(ITEM, group if last else "", name, leaks, bar, key=where))
    control = results.get((ITEM, "A1", 1000, NAIVE, "improvement", PROBE))
    if control:
        leaks = control[str(bars.PULL_REQUESTS)]
        name = "leak of the naive gate, A1, n=1000, 1,000 pull requests"
        found.append(mean(CONTROL, name, name, leaks, bars.CONTROL_LEAK, "at least"))
    return found
