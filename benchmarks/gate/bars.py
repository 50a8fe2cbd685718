"""What the gate must keep, fixed before anything ran, and how much of it a run looks at."""

from dataclasses import dataclass

SEED = 20_261_121

ALPHA = 0.025
ALPHA_FAIL = 0.01
FAIL_POWER = 0.90
PASS_POWER = 0.80
LEAK = 0.01
CONTROL_LEAK = 0.1
STANDARD_ERRORS = 3.0

SEALED_ROWS = (300, 1000, 3000)
PULL_REQUESTS = 1000
LIFETIME = 100
CREEP_STEPS = 60
CREEP_STEP = 0.02
# share of one-row changes of the shipped model that pass without labels
UNCHANGED = 0.9
POOL_ROWS = 20_000
POOL_PER_SEALED = 10


def margin(rows: int) -> float:
    """The margin that `assay init` writes for so many sealed rows, in MAE of the reference."""
    return 0.05 if rows >= 1000 else 0.10  # noqa: PLR2004 (docs/explanation/gate.md, Defaults)


def pool_rows(rows: int) -> int:
    """The smallest pool that the gate accepts for so many sealed rows."""
    return min(POOL_ROWS, POOL_PER_SEALED * rows)


@dataclass(frozen=True)
class Size:
    """How often everything is repeated.

    Attributes:
        reseeds: pairs of seeds in each cell of item 1.
        lives: lives of 100 pull requests in each cell of items 2 and 10.
        obedient_lives: those of authors who do not forge, which take longest.
        singles: sets that are used once.
        power: pull requests in each cell of item 3.
        attacks: runs of 1,000 pull requests of every attack.
        obedient_attacks: those of authors who do not forge.
        control: runs of the positive control.
        draws: sealed sets drawn from real rows.
        forest: trees in the bank that the example's models are made of.
        creeps: runs of items 7 and 9.
        rows: changes of one row of each kind, each of which trains a model.
    """

    name: str
    reseeds: int
    lives: int
    obedient_lives: int
    singles: int
    power: int
    attacks: int
    obedient_attacks: int
    control: int
    draws: int
    forest: int
    creeps: int
    rows: int


QUICK = Size("quick", 1000, 150, 10, 400, 60, 20, 2, 20, 100, 300, 20, 2)
FULL = Size("full", 2000, 600, 60, 2000, 300, 100, 100, 100, 300, 600, 100, 20)
