"""Item 10: losses in few chemical systems, below and above the guard's threshold.

A candidate that is far off in so few systems that its MAE grows by just the margin: a wrong unit
for a rare element. Elsewhere it equals the reference but for a trifle, or it changes a little
everywhere, so that the few systems do not stand out.
"""

from itertools import product

from benchmarks.gate import bars
from benchmarks.gate.boundary import life
from benchmarks.gate.changes import Change
from benchmarks.gate.findings import Finding, rate
from benchmarks.gate.populations import population
from benchmarks.gate.workers import Job, Results

ITEM = "10 own attack"
FAMILY = "clustered t3"
JUMPS = (1.5, 2.9, 8.0, 20.0)
BARRED = 8.0  # beyond it, so few systems jump that even the pool may hold none
TRIFLE, COVER = 0.01, 0.1
TINY = 1e-9
AUTHORS = ((TRIFLE, True), (COVER, True), (TRIFLE, False))


def rare(size: float, jump: float, growth: float) -> Change:
    """The change by `jump` in so many systems that the MAE grows by `growth`, all rows counted."""
    people = population(FAMILY)
    none, one = (
        Change(size, jump=jump, share=share, by_system=True).true_growth(people)
        for share in (TINY, 1.0)
    )
    return Change(size, jump=jump, share=(growth - none) / (one - none), by_system=True)


def jobs(size: bars.Size) -> list[Job]:
    """Lives of 100 such candidates, forged (also under cover of small changes) and honest."""
    made = []
    for rows, jump, (cover, forged) in product(bars.SEALED_ROWS, JUMPS, AUTHORS):
        change = rare(cover, jump, bars.margin(rows))
        key = (ITEM, "rarity", rows, jump, cover, forged)
        arguments = (FAMILY, change, "no-regression", rows, forged)
        times = size.lives if forged else size.obedient_lives
        made.append(Job(key, life, arguments, times, 10))
    return made


def findings(results: Results) -> list[Finding]:
    """False PASS per pull request and per lifetime."""
    found = []
    for key, outcome in results.items():
        if key[:2] != (ITEM, "rarity"):
            continue
        _, _, rows, jump, cover, forged = key
        bar = bars.ALPHA if jump <= BARRED else None
        how = f"others by {cover}, {'forged' if forged else 'honest'}"
        for column, what in (("first", "one pull request"), ("any", "a life of 100")):
            name = f"false PASS, few systems off by {jump} MAE, {how}, n={rows}, {what}"
            group = f"false PASS, losses in few systems, {'up to 8' if bar else '20'} MAE, {what}"
            found.append(rate(ITEM, group, name, outcome[column], bar))
    return found
