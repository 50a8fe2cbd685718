"""Item 4, A5: a truly worse model is pushed past the claim that nothing got worse."""

from dataclasses import replace

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.attacks import probe, sized
from benchmarks.gate.authors import noise
from benchmarks.gate.changes import MEAN_ABSOLUTE, Change, solved
from benchmarks.gate.findings import Finding, rate, upper_bound
from benchmarks.gate.lives import World
from benchmarks.gate.populations import population
from benchmarks.gate.rivals import upper
from benchmarks.gate.workers import Job, Key, Results

ITEM = "4 attacks"
FAMILY = "iid t3"
PROBES = (0.0, 0.05, 0.1, 0.2, 0.3)
WORSE = (1.2, 2.0)
MARGIN = 0.05
RIVAL_TRIES = 100
BASE = Change(0.1)


def push(
    rng: np.random.Generator, rows: int, share: float, worse: float, extent: float, forged: bool
) -> dict[str, float]:
    """1,000 pull requests with one worse model, each with random changes of the sealed inputs."""
    world = World.draw(rng, population(FAMILY), rows)
    change = solved(FAMILY, BASE, worse * share)
    base = world.candidate(rng, change, forged=forged)
    life = world.life(share)
    tries = 1 if extent == 0 else bars.PULL_REQUESTS  # the same question gets the same answer
    for _ in range(tries):
        made = base.sealed + extent / MEAN_ABSOLUTE * noise(rng, rows)
        answer = life.submit(replace(base, sealed=made), "no-regression")
        if answer.outcome == "PASS" or answer.stage == "retired":
            break
    return {"passed": float(answer.outcome == "PASS"), "opened": float(life.uses)}


def push_rival(
    rng: np.random.Generator, rows: int, worse: float, extent: float
) -> dict[str, float]:
    """The same against a verdict by a t-test at .05, 100 tries."""
    rows_drawn = population(FAMILY).draw(rng, rows)
    base = solved(FAMILY, BASE, worse * MARGIN).apply(rng, rows_drawn)
    errors = rows_drawn.errors
    for _ in range(RIVAL_TRIES):
        made = base + probe(rng, rows, extent)
        if upper(np.abs(errors - made) - np.abs(errors), 0.05) < MARGIN:
            return {"passed": 1.0}
    return {"passed": 0.0}


def push_naive(
    rng: np.random.Generator, rows: int, worse: float, extent: float
) -> dict[str, float]:
    """The same against printed MAEs: half of 1,000 tries teach the direction, the rest use it."""
    rows_drawn = population(FAMILY).draw(rng, rows)
    errors = rows_drawn.errors
    base = solved(FAMILY, BASE, worse * MARGIN).apply(rng, rows_drawn)
    own = float(np.abs(errors).mean())
    changes = [probe(rng, rows, extent) for _ in range(bars.PULL_REQUESTS // 2)]
    printed = np.array([round(float(np.abs(errors - base - made).mean()), 5) for made in changes])
    made = base + sized((printed.mean() - printed) @ np.array(changes), extent)
    return {"passed": float(np.abs(errors - made).mean() < own + MARGIN)}


def settings() -> list[tuple[int, float]]:
    """Rows and margins: 5 % everywhere, and 10 % where it is the default."""
    fives = [(rows, MARGIN) for rows in bars.SEALED_ROWS]
    return fives + [
        (rows, bars.margin(rows)) for rows in bars.SEALED_ROWS if bars.margin(rows) > MARGIN
    ]


def jobs(size: bars.Size) -> list[Job]:
    """Forgers with every size of probe; honest authors with one; two other gates."""
    made = []
    for rows, share in settings():
        for worse in WORSE:
            for extent in PROBES:
                key = (ITEM, "A5", rows, share, worse, "forged", extent)
                made.append(Job(key, push, (rows, share, worse, extent, True), size.attacks, 25))
            key = (ITEM, "A5", rows, share, worse, "honest", 0.1)
            arguments = (rows, share, worse, 0.1, False)
            made.append(Job(key, push, arguments, size.obedient_attacks, 5))
    for rows in bars.SEALED_ROWS:
        for worse in WORSE:
            for name, function in (
                ("t-test .05, 100 tries", push_rival),
                ("prints MAE", push_naive),
            ):
                key = (ITEM, "A5", rows, MARGIN, worse, name, 0.2)
                made.append(Job(key, function, (rows, worse, 0.2), size.attacks // 2, 10))
    return made


def findings(results: Results) -> list[Finding]:
    """The share of runs in which the worse model was certified at all."""
    cells: dict[Key, list[float]] = {}
    for key, outcome in results.items():
        if key[:2] == (ITEM, "A5"):
            cells.setdefault(key[2:6], []).extend(outcome["passed"])
    found, lives = [], []
    for (rows, share, worse, gate), passed in cells.items():
        own = gate in ("forged", "honest")
        label = f"assay {gate}" if own else gate
        name = f"certified, A5, {label}, n={rows}, margin {share:.0%}, truly {worse * share:+.0%}"
        group = "runs in which a truly worse model was certified, A5" if own else ""
        key = ("A5", rows, share, worse, gate)
        cell = rate(ITEM, group, name, passed, key=key)
        found.append(replace(cell, bar=0.0) if own else cell)
        lives.extend(passed if own else [])
    if lives:
        name = "upper 95 % bound of the rate of A5 over all runs"
        bound = upper_bound(int(sum(lives)), len(lives))
        found.append(Finding(ITEM, name, name, bound, None, len(lives), key=("A5", "bound")))
    return found
