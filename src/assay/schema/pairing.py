"""Each train row beside the row of main that it stands for, and what became of its label."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.compositions import identity
from assay.roundings import is_rounded
from assay.schema.rules import FORMULA, ROW_ID, Table

NONE = -1


@dataclass(frozen=True)
class Rows:
    """Labelled rows of a train set: ids, formulas, labels (n,) as numbers and as they are written.

    A label that is no number is nan. `lines` (n,) are those of the file.
    """

    ids: Sequence[str]
    formulas: Sequence[str]
    labels: np.ndarray
    cells: Sequence[str]
    lines: np.ndarray

    @cached_property
    def identities(self) -> list[str]:
        """The reduced formulas."""
        return [identity(formula) for formula in self.formulas]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)


def rows_of(table: Table, target: str) -> Rows:
    """The rows of a train set."""
    return Rows(
        table.cells[ROW_ID].tolist(),
        table.cells[FORMULA].tolist(),
        table.frame[target].to_numpy(dtype=float),
        table.cells[target].tolist(),
        np.asarray(table.cells.index) + 2,
    )


@dataclass(frozen=True)
class Pairing:
    """Rows here and on main; `mains` (n,) is the place on main of each row here, or -1.

    A row is main's of the same id and composition; without one, main's of the same composition that
    no other row here stands for. Roundings by up to `harmless` do not count as corrections.
    """

    here: Rows
    main: Rows
    mains: np.ndarray
    harmless: float

    @cached_property
    def before(self) -> np.ndarray:
        """Main's labels (n,) of the rows here, nan where there is none."""
        return np.where(self.mains == NONE, np.nan, self.main.labels[self.mains])

    @cached_property
    def changed(self) -> np.ndarray:
        """Whether the label is another number than main's: (n,) bool."""
        both = np.isfinite(self.before) & np.isfinite(self.here.labels)
        same = np.isclose(self.here.labels, self.before, rtol=1e-9, atol=1e-12)
        return np.asarray(both & ~same)

    @cached_property
    def rounded(self) -> np.ndarray:
        """Whether the label is main's, rounded when it was saved: (n,) bool."""
        pairs = zip(self.changed, self.before, self.here.cells, strict=True)
        return np.array([moved and is_rounded(old, cell) for moved, old, cell in pairs], dtype=bool)

    @cached_property
    def moved(self) -> np.ndarray:
        """How far the label is from main's: (n,), nan where there is none."""
        return np.asarray(np.abs(self.here.labels - self.before))

    @cached_property
    def kept(self) -> np.ndarray:
        """Whether the label is as good as main's, rounded by a harmless amount: (n,) bool."""
        return np.asarray(self.rounded & (self.moved <= self.harmless))

    @cached_property
    def relabelled(self) -> np.ndarray:
        """Whether the label is another one than main's: (n,) bool."""
        return np.asarray(self.changed & ~self.kept)

    @cached_property
    def added(self) -> np.ndarray:
        """Places here of rows that main does not have."""
        return np.flatnonzero(self.mains == NONE)

    @cached_property
    def removed(self) -> np.ndarray:
        """Places on main of rows that are gone."""
        return np.setdiff1d(np.arange(len(self.main)), self.mains)

    @cached_property
    def renumbered(self) -> np.ndarray:
        """Whether the row stands under another id than on main: (n,) bool."""
        there = (NONE if place == NONE else self.main.ids[place] for place in self.mains)
        pairs = zip(self.here.ids, there, strict=True)
        return np.array([other not in (NONE, own) for own, other in pairs], dtype=bool)


def paired(here: Rows, main: Rows, harmless: float) -> Pairing:
    """Find for each row the one of main that it stands for."""
    mains = np.full(len(here), NONE)
    taken: set[int] = set()
    # first by id, then by label, so that two rows of a composition are not taken for each other
    for known, own in (
        (zip(main.ids, main.identities, strict=True), zip(here.ids, here.identities, strict=True)),
        (_labelled(main), _labelled(here)),
        (main.identities, here.identities),
    ):
        free = defaultdict(list)
        for place, key in enumerate(known):
            if place not in taken:
                free[key].append(place)
        for place, key in enumerate(own):
            if mains[place] == NONE and free.get(key):
                mains[place] = free[key].pop(0)
                taken.add(int(mains[place]))
    return Pairing(here, main, mains, harmless)


def _labelled(rows: Rows) -> list[tuple[str, float]]:
    return list(zip(rows.identities, rows.labels.round(9).tolist(), strict=True))
