"""Item 6 and the limit of item 10: time taken, and what no gate of this kind can see."""

import time

import numpy as np
from benchmarks.gate import bars
from benchmarks.gate.changes import Change
from benchmarks.gate.creep import towards
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.lives import World
from benchmarks.gate.populations import population
from benchmarks.gate.workers import Job, Results

from assay.gate.comparisons import Predictions

LIMIT, TIMING = "10 limit", "6 same time"
ELSEWHERE = 2.0
REPEATS = 30


def look_up(rng: np.random.Generator, rows: int) -> dict[str, float]:
    """A model that knows the published inputs by heart and has twice the error elsewhere."""
    people = population("clustered t3")
    world = World.draw(rng, people, rows)
    trifle = Change(0.001)
    parts = (world.train, world.sealed, world.pool)
    candidate = Predictions(*(trifle.noise(rng, part) for part in parts))
    answer = world.life(bars.margin(rows)).submit(candidate, "no-regression")
    fresh = people.draw(rng, rows)
    grown = float((np.abs(ELSEWHERE * fresh.errors) - np.abs(fresh.errors)).mean())
    return {"passed": float(answer.outcome == "PASS"), "grown": grown}


def durations(rng: np.random.Generator, rows: int) -> dict[str, float]:
    """Median seconds of a decision that is confirmed, and of one that is not.

    Same predictions, same policy: only the sealed labels differ.
    """
    world = World.draw(rng, population("iid t3"), rows)
    made = (towards(part.errors, 0.3) for part in (world.sealed, world.pool))
    candidate = Predictions(world.forged, *made)
    lives = {True: world.life(bars.margin(rows)), False: world.life(bars.margin(rows))}
    lives[False].labels = -world.sealed.errors
    taken: dict[bool, list[float]] = {True: [], False: []}
    told = {}
    for _ in range(REPEATS):
        for bit, life in lives.items():
            life.uses = life.disagreements = 0
            life.forget()
            start = time.perf_counter()
            told[bit] = life.submit(candidate, "no-regression").bit
            taken[bit].append(time.perf_counter() - start)
    ratio = float(np.median(taken[True]) / np.median(taken[False]))
    return {"ratio": ratio if told == {True: True, False: False} else float("nan")}


def jobs(size: bars.Size) -> list[Job]:
    """A few runs; neither varies much."""
    looks = [Job((LIMIT, rows), look_up, (rows,), size.creeps, 20) for rows in bars.SEALED_ROWS]
    times = [Job((TIMING, rows), durations, (rows,), 5, 5) for rows in bars.SEALED_ROWS]
    return looks + times


def findings(results: Results) -> list[Finding]:
    """Published without a bar: the first is a limit, the second depends on the machine."""
    found = []
    for key, outcome in results.items():
        if key[0] == LIMIT:
            grown = np.mean(outcome["grown"])
            name = f"certified, looks the published inputs up, n={key[1]}, elsewhere {grown:+.0%}"
            group = "certified though it looks the published inputs up"
            found.append(rate(LIMIT, group, name, outcome["passed"]))
        if key[0] == TIMING:
            name = f"time of a confirmed over that of an unconfirmed decision, n={key[1]}"
            value = float(np.median(outcome["ratio"]))
            group = "time of a confirmed over that of an unconfirmed decision"
            found.append(Finding(TIMING, group, name, value, None, len(outcome["ratio"])))
    return found
