"""Item 10: an author who chooses every probe for what its answer tells.

The policy, the level of the next use and the spread of D are public, so the author can compute
how likely a probe passes. Probes that pass in nine of ten cases cost few non-confirmations; an
answer is weighted by how far it moves the expected luck of the probe. Out-of-fold predictions are
forged.
What is learned is then used three ways: for the unreleased error of the model that is built, for a
claimed improvement, and for a model that is truly worse.
"""

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.attacks import probe, sized
from benchmarks.gate.authors import optimism
from benchmarks.gate.changes import Change, solved
from benchmarks.gate.findings import Finding, mean, rate
from benchmarks.gate.lives import Life, World
from benchmarks.gate.populations import Array, population
from benchmarks.gate.workers import Job, Results
from scipy.special import ndtr, stdtrit

from assay.gate.statistics import level
from assay.records import Claim

ITEM = "10 own attack"
FAMILY = "iid t3"
LIKELY = 1.28  # standard normal quantile of the chance with which a probe should pass
GRID = np.linspace(0.02, 0.6, 30)
FINAL = 0.3
SPARED = 2  # non-confirmations kept for the end
LAST_USES = 20
CARRYING = 2 / np.pi  # (E d)^2 / E d^2 of a normal change


def learn(rng: np.random.Generator, world: World, life: Life) -> tuple[Array, Array]:
    """The direction (n,) that the answers point to, and the weights (k,) of the answers."""
    rows = len(life.labels)
    growths, spreads = _public_moments(rng, world.train.errors)
    direction, weights = np.zeros(rows), []
    policy = life.policy
    while (
        life.disagreements < policy.disagreements - SPARED and life.uses < policy.uses - LAST_USES
    ):
        this_level = level(policy.alpha, policy.uses, life.uses + 1, life.disagreements)
        quantile = -float(stdtrit(CARRYING * rows - 1, this_level))
        room = (policy.margin - growths) / spreads * np.sqrt(rows) - quantile
        best = int(np.argmin(np.abs(room - LIKELY)))
        change = probe(rng, rows, float(GRID[best]))
        answer = life.submit(world.forgery(rng, change), "no-regression")
        if answer.bit is None:
            break
        luck = _expected_luck(float(room[best]), answer.bit)
        direction -= luck * change / GRID[best]
        weights.append(luck)
    return direction, np.array(weights)


def _public_moments(rng: np.random.Generator, errors: Array) -> tuple[Array, Array]:
    """Mean and spread of D for every size of probe, from the public train rows."""
    base = probe(rng, len(errors), 1.0)
    differences = [np.abs(errors - size * base) - np.abs(errors) for size in GRID]
    return np.array([d.mean() for d in differences]), np.array([d.std() for d in differences])


def _expected_luck(room: float, passed: bool) -> float:
    """Mean of a standard normal variable that is below (passed) or above `room`."""
    density = float(np.exp(-(room**2) / 2) / np.sqrt(2 * np.pi))
    return -density / float(ndtr(room)) if passed else density / float(ndtr(-room))


def attack(rng: np.random.Generator, rows: int, use: Claim) -> dict[str, float]:
    """Learn, build, and try to have the built model certified with what is left of the budget."""
    people = population(FAMILY)
    world = World.draw(rng, people, rows)
    life = world.life(bars.margin(rows))
    direction, weights = learn(rng, world, life)
    built = sized(direction, FINAL)
    gained = optimism(people, life.labels, built)
    base = np.zeros(rows)
    if use == "no-regression":
        base = solved(FAMILY, Change(0.1), 2 * bars.margin(rows)).apply(rng, world.sealed)
    passed = False
    for _ in range(bars.PULL_REQUESTS):
        extent = float(rng.choice([0.05, 0.1, 0.2, 0.3]))
        made = base + sized(direction, extent) + probe(rng, rows, 0.01)
        answer = life.submit(world.forgery(rng, made), use)
        passed = answer.outcome == "PASS"
        if passed or answer.stage == "retired":
            break
    return {"optimism": gained, "answers": float(len(weights)), "passed": float(passed)}


def jobs(size: bars.Size) -> list[Job]:
    """Every number of rows, both uses of what was learned."""
    uses: tuple[Claim, ...] = ("improvement", "no-regression")
    return [
        Job((ITEM, "learner", rows, use), attack, (rows, use), size.attacks, 10)
        for rows in bars.SEALED_ROWS
        for use in uses
    ]


def findings(results: Results) -> list[Finding]:
    """False certificates against alpha; the built model's optimism, which nobody bounds."""
    found = []
    for key, outcome in results.items():
        if key[:2] != (ITEM, "learner"):
            continue
        _, _, rows, use = key
        told = {
            "improvement": "improvement, truly none",
            "no-regression": "no-regression, truly +2m",
        }
        name = f"certified, chosen probes, claim {told[use]}, n={rows}"
        group = "false certificates after chosen probes"
        found.append(rate(ITEM, group, name, outcome["passed"], bars.ALPHA))
        if use == "improvement":
            name = f"optimism of the model built from chosen probes, n={rows}"
            found.append(mean(ITEM, name, name, outcome["optimism"]))
            name = f"answers got, chosen probes, n={rows}"
            found.append(mean(ITEM, "", name, outcome["answers"]))
    return found
