"""The rows that a gate decides on, before there are models: their groups and requirements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.errors import UsageError
from assay.gate.comparisons import Groups, Requirement, Slice
from assay.gate.decision import POOL_ROWS, POOL_ROWS_PER_SEALED
from assay.gate.metrics import METRICS
from assay.gate.statistics import Grouping
from assay.layout import Layout
from assay.settings import Settings

MAXIMUM_ROWS = 1_000_000


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

        Groups are drawn anew from the present ones, with the slices that their rows belong to. The
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


def pool_rows(sealed_rows: int) -> int:
    """How large a pool the gate asks for beside so many sealed rows."""
    return min(POOL_ROWS, POOL_ROWS_PER_SEALED * sealed_rows)


def design_of_repository(layout: Layout, settings: Settings) -> Design:
    """The rows of the repository's public tables; no label is read.

    Raises:
        UsageError: a table is missing or not as it must be.
    """
    from assay.compositions import chemical_system
    from assay.gate.slices import requirements
    from assay.tables import read_table

    columns = ["row_id", "formula"]
    tables = [
        read_table(path, columns) for path in (layout.train, layout.sealed_inputs, layout.pool)
    ]
    groups = [Grouping.of([chemical_system(row) for row in rows["formula"]]) for rows in tables]
    deciding = [part for part in requirements(settings, tables) if not part.advisory]
    return Design(Groups(*groups), deciding)


def design_of_sizes(sealed_rows: int, groups: int, settings: Settings, seed: int) -> Design:
    """So many sealed rows in so many groups of skewed sizes (geometric), without slices.

    Train rows follow from `split.sealed_fraction`, the pool is what the gate asks for; both have as
    many rows to a group as the sealed set.

    Raises:
        UsageError: there are fewer than two groups, or fewer rows than groups.
    """
    if not 2 <= groups <= sealed_rows <= MAXIMUM_ROWS:  # noqa: PLR2004 (a spread needs two)
        raise UsageError(
            f"{sealed_rows} rows in {groups} groups is no sealed set: give --rows of at most "
            f"{MAXIMUM_ROWS} and --groups between 2 and that."
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
