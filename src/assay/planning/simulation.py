"""The gate's own rule tried on drawn models many times: how often does it say what?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from assay.errors import UsageError
from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement, Slice
from assay.gate.decision import (
    Budget,
    Decision,
    decide,
    judge_sealed,
)
from assay.gate.metrics import METRICS
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping
from assay.intake.pools import pool_rows
from assay.planning.error_models import Pair
from assay.records import Claim
from assay.repository import Repository
from assay.settings import Settings

SIZE = 2**20
MAXIMUM_ROWS = 1_000_000
Pool = tuple[np.ndarray, np.ndarray]


class SampleBank:
    """Stretches of a million stored numbers; far quicker than drawing a whole pool for each trial.

    Two stretches of 30,000 share some of their numbers once in about 17 times, in other places.
    """

    def __init__(self, seed: int, places: np.random.Generator) -> None:
        """Numbers follow from `seed`, places from the generator."""
        self._seed = seed
        self._places = places

    def standard_t(self, df: float, size: int) -> np.ndarray:
        """Student's t with so many degrees of freedom, (size,)."""
        return self._stretch(df, size)

    def standard_normal(self, size: tuple[int, int]) -> np.ndarray:
        """Normal numbers, of this shape."""
        return self._stretch(None, size[0] * size[1]).reshape(size)

    def _stretch(self, df: float | None, size: int) -> np.ndarray:
        if size > SIZE // 2:
            return _student_t(self._places, df, size)
        first = int(self._places.integers(0, SIZE - size))
        return _stored(df, self._seed)[first : first + size]


@lru_cache(maxsize=4)
def _stored(df: float | None, seed: int) -> np.ndarray:
    return _student_t(np.random.default_rng(seed), df, SIZE)


def _student_t(rng: np.random.Generator, df: float | None, size: int) -> np.ndarray:
    return rng.standard_normal(size) if df is None else rng.standard_t(df, size)


@dataclass(frozen=True)
class Design:
    """Groups of train rows, sealed rows and pool, and what is required of a candidate on them."""

    groups: Groups
    requirements: Sequence[Requirement]

    @property
    def sealed_rows(self) -> int:
        """Number of sealed rows."""
        return len(self.groups.sealed.codes)

    @property
    def ratio(self) -> float:
        """Train rows to each sealed row."""
        return len(self.groups.train.codes) / self.sealed_rows

    def sized(self, sealed_rows: int, seed: int) -> "Design":
        """As many sealed rows as asked for, train rows in proportion, of groups like the present.

        Groups are drawn again from the present ones, with the slices that their rows belong to. The
        pool grows where the gate would ask for a larger one.
        """
        rng = np.random.default_rng(seed)
        factor = sealed_rows / self.sealed_rows
        pool = max(len(self.groups.pool.codes), pool_rows(sealed_rows))
        counts = (round(len(self.groups.train.codes) * factor), sealed_rows, pool)
        parts = (self.groups.train, self.groups.sealed, self.groups.pool)
        drawn = [
            _drawn(part, max(count, 1), rng) for part, count in zip(parts, counts, strict=True)
        ]
        chosen = [rows for rows, _ in drawn]
        return Design(
            Groups(*(groups for _, groups in drawn)),
            [replace(part, slice=_taken(part.slice, chosen)) for part in self.requirements],
        )

    def scaled(self, factor: float) -> "Design":
        """The same rows with every margin times a factor."""
        parts = [replace(part, margin=part.margin * factor) for part in self.requirements]
        return Design(self.groups, parts)


def _drawn(grouping: Grouping, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, Grouping]:
    """Indices of so many rows, whole groups at a time (the last may be cut), and their groups."""
    by_group = np.argsort(grouping.codes, kind="stable")
    starts = np.cumsum(grouping.sizes) - grouping.sizes
    # as many picks as could be needed if all were of size 1
    picks = rng.integers(0, grouping.count, rows)
    sizes = grouping.sizes[picks]
    picks = picks[: int(np.searchsorted(np.cumsum(sizes), rows)) + 1]
    sizes = grouping.sizes[picks]
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    within = np.arange(sizes.sum()) - first
    chosen = by_group[np.repeat(starts[picks], sizes) + within][:rows]
    return chosen, Grouping.of(np.repeat(np.arange(len(picks)), sizes)[:rows])


def _taken(chosen: Slice | None, rows: Sequence[np.ndarray]) -> Slice | None:
    if chosen is None:
        return None
    masks = (chosen.train, chosen.sealed, chosen.pool)
    return Slice(chosen.name, *(mask[taken] for mask, taken in zip(masks, rows, strict=True)))


def design_of_repository(repository: Repository) -> Design:
    """The rows of the repository's public tables; no label is read.

    Raises:
        UsageError: a table is missing or not as it must be.
    """
    from assay.gate.slices import requirements
    from assay.groups import group_names
    from assay.tables import read_table

    columns, layout, settings = ["row_id", "formula"], repository.layout, repository.settings
    named = [*columns, *filter(None, [settings.group_column])]
    tables = [
        read_table(layout.train, named),
        read_table(layout.sealed_inputs, named),
        read_table(layout.pool, columns),
    ]
    tables = [rows[_counted(rows, settings)] for rows in tables]
    groups = [Grouping.of(group_names(rows, settings.split.group)) for rows in tables]
    deciding = [part for part in requirements(settings, tables) if not part.advisory]
    return Design(Groups(*groups), deciding)


def _counted(rows: pd.DataFrame, settings: Settings) -> np.ndarray:
    from assay.groups import counted, group_names

    names = group_names(rows, settings.split.group)
    return counted(list(rows["formula"]), names, settings.gate.rows_per_group)


def design_of_sizes(sealed_rows: int, groups: int, settings: Settings, seed: int) -> Design:
    """So many sealed rows in so many groups of skewed sizes (geometric), without slices.

    Train rows follow from `split.sealed_fraction`, the pool is what the gate asks for; both have as
    many rows to a group as the sealed set.

    Raises:
        UsageError: there are fewer than two groups, or fewer rows than groups.
    """
    if not 2 <= groups <= sealed_rows <= MAXIMUM_ROWS:  # noqa: PLR2004 (a spread needs two)
        raise UsageError(
            f"{sealed_rows} rows in {groups} groups cannot be a sealed set: give --rows up to "
            f"{MAXIMUM_ROWS:,}, and --groups from 2 to --rows.",
            code="plan.bad-sizes",
        )
    rng = np.random.default_rng(seed)
    share = settings.split.sealed_fraction
    train = max(round(sealed_rows * (1 - share) / share), 2)
    parts = [
        _skewed(rows, round(rows * groups / sealed_rows), rng)
        for rows in (train, sealed_rows, pool_rows(sealed_rows))
    ]
    metric = METRICS[settings.primary_metric]
    further = [Requirement(METRICS[key], margin) for key, margin in settings.gate.further.items()]
    primary = Requirement(metric, settings.gate.margin, primary=True)
    return Design(Groups(*parts), [primary, *further])


def _skewed(rows: int, groups: int, rng: np.random.Generator) -> Grouping:
    # random cuts leave pieces whose sizes are geometric given their sum
    cuts = rng.choice(rows - 1, min(max(groups, 2), rows) - 1, replace=False) + 1
    codes = np.zeros(rows, dtype=int)
    codes[cuts] = 1
    return Grouping.of(np.cumsum(codes))


@dataclass(frozen=True)
class Trial:
    """What is asked of the gate: a claim, and how much of the sealed set's budget is gone."""

    claim: Claim
    budget: Budget


@dataclass(frozen=True)
class VerdictCounts:
    """What the gate said in so many trials; `opened` counts uses of the sealed labels."""

    trials: int = 0
    passed: int = 0
    failed: int = 0
    opened: int = 0
    unchanged: int = 0

    def plus(self, decision: Decision) -> "VerdictCounts":
        """One trial more."""
        return VerdictCounts(
            self.trials + 1,
            self.passed + (decision.outcome == "PASS"),
            self.failed + (decision.outcome == "FAIL"),
            self.opened + (decision.stage == "sealed"),
            self.unchanged + (decision.stage == "unchanged"),
        )


@dataclass(frozen=True)
class Models:
    """Two drawn models on the rows of a design, and the labels (train and sealed rows)."""

    design: Design
    candidate: Predictions
    reference: Predictions
    target: np.ndarray
    labels: np.ndarray

    def compared(self, claim: Claim) -> Comparison:
        """What the gate gets to see, but for the sealed labels."""
        return Comparison(
            self.candidate,
            self.reference,
            self.design.groups,
            self.target,
            self.design.requirements,
            claim,
        )

    def decided(self, compared: Comparison, policy: Gate, budget: Budget) -> Decision:
        """What the gate says, with the sealed labels if it asks for them."""
        said = decide(compared, policy, budget)
        return said if isinstance(said, Decision) else judge_sealed(said, self.labels)


def drawn_models(pair: Pair, design: Design, rng: np.random.Generator, pool: Pool) -> Models:
    """Draw train and sealed rows; `pool` holds the reference's and the candidate's predictions."""
    target, *train = pair.draw(rng, design.groups.train)
    labels, *sealed = pair.draw(rng, design.groups.sealed)
    reference, candidate = (
        Predictions(*values) for values in zip(train, sealed, pool, strict=True)
    )
    return Models(design, candidate, reference, target, labels)


def simulate(
    pair: Pair,
    design: Design,
    policy: Gate,
    questions: Sequence[Trial],
    repeats: tuple[int, int],
) -> list[VerdictCounts]:
    """Draw models and ask `assay.gate.decision.decide` every question about each.

    Args:
        pair: how the predictions of both models are drawn.
        design: the rows that they are compared on.
        policy: the gate's policy.
        questions: what is asked about each two models.
        repeats: number of trials, and the seed.

    Returns:
        One tally a question, in the order given.
    """
    trials, seed = repeats
    tallies = [VerdictCounts()] * len(questions)
    for stream in np.random.SeedSequence(seed).spawn(trials):
        rng = np.random.default_rng(stream)
        pool = pair.pool(SampleBank(seed, rng), design.groups.pool)
        models = drawn_models(pair, design, rng, pool)
        seen = {question.claim: models.compared(question.claim) for question in questions}
        tallies = [
            tally.plus(models.decided(seen[asked.claim], policy, asked.budget))
            for tally, asked in zip(tallies, questions, strict=True)
        ]
    return tallies
