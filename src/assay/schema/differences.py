"""Each train row beside the row of main that it stands for, as small tables for expectations."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import elements, identity, problem
from assay.errors import UsageError
from assay.schema.formulas import symbols
from assay.schema.rules import FORMULA, ROW_ID, Table, table
from assay.settings import Settings
from assay.tables import is_rounded, parse_table

NONE = -1
KEPT, ELEMENT, SHIFT, SIZE = "kept", "element", "shift", "size"
SECTION, KEY, HERE, ON_MAIN = "section", "key", "here", "on main"
COLUMN, CORRELATION, FILE = "column", "correlation", "file"


@dataclass(frozen=True)
class TrainRows:
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


def rows_of(table: Table, target: str) -> TrainRows:
    """The rows of a train set."""
    return TrainRows(
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

    here: TrainRows
    main: TrainRows
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
    def gained(self) -> np.ndarray:
        """Whether the label is main's, but for rounding, with more digits: (n,) bool."""
        rows = zip(self.changed, self.mains, self.here.labels, self.here.cells, strict=True)
        return np.array(
            [
                bool(moved)
                and len(cell.strip()) > len(self.main.cells[place].strip())
                and (is_rounded(label, self.main.cells[place]) or is_rounded(old, cell))
                for (moved, place, label, cell), old in zip(rows, self.before, strict=True)
            ],
            dtype=bool,
        )

    @cached_property
    def moved(self) -> np.ndarray:
        """How far the label is from main's: (n,), nan where there is none."""
        return np.asarray(np.abs(self.here.labels - self.before))

    @cached_property
    def kept(self) -> np.ndarray:
        """Whether the label is as good as main's, but for harmless digits: (n,) bool."""
        return np.asarray((self.rounded | self.gained) & (self.moved <= self.harmless))

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


def paired(here: TrainRows, main: TrainRows, harmless: float) -> Pairing:
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


def _labelled(rows: TrainRows) -> list[tuple[str, float]]:
    return list(zip(rows.identities, rows.labels.round(9).tolist(), strict=True))


def train_on_main(content: bytes | None, on_main: str, target: str) -> Table | None:
    """Main's labelled train rows, or None: not at hand, or not readable.

    Args:
        content: main's `train.csv`, if there is one.
        on_main: main's name of the target; it is renamed to
        target: the target's name here.
    """
    if content is None:
        return None
    try:
        cells = parse_table(content, [ROW_ID, FORMULA, on_main], Path("train.csv"))
    except UsageError:
        return None
    renamed = cells.rename(columns={on_main: target})
    before = table("before", "data/train.csv", renamed, target)
    labelled = before.frame[target].notna()
    if not labelled.any():
        return None
    return Table(before.name, before.file, renamed[labelled], before.frame[labelled])


def kept_rows(train: Table, pairing: Pairing) -> Table:
    """Main's labelled rows, each with True where composition and label still stand.

    A label that is no number is for another rule to tell.
    """
    standing = set(pairing.mains[~pairing.relabelled].tolist())
    cells = [True if place in standing else None for place in range(len(pairing.main))]
    kept = pd.DataFrame({KEPT: cells}, dtype=object)
    return Table("main", train.file, kept, kept, located=False)


def element_shares(train: Table, before: Table, unlisted: Sequence[str]) -> Table:
    """Main's elements: whether each still occurs, and its share of the rows then and now.

    One that only rows held whose removal is listed counts as if it occurred: `unlisted` are the
    formulas of the others that are gone.
    """
    then, now = _shares(before), _shares(train)
    lost = symbols(unlisted) - now.keys()
    cells = pd.DataFrame(
        {
            ELEMENT: sorted(then),
            "share on main": [f"{then[symbol]:.1%}" for symbol in sorted(then)],
            "share here": [f"{now.get(symbol, 0.0):.1%}" for symbol in sorted(then)],
            SHIFT: [abs(now.get(symbol, 0.0) - then[symbol]) for symbol in sorted(then)],
        }
    )
    frame = cells.assign(
        **{ELEMENT: [None if symbol in lost else symbol for symbol in sorted(then)]}
    )
    return Table("elements", train.file, cells, frame, located=False)


def _shares(rows: Table) -> dict[str, float]:
    readable = [formula for formula in rows.cells[FORMULA] if problem(formula) is None]
    counts = Counter(symbol for formula in readable for symbol in elements(formula))
    return {symbol: count / max(len(readable), 1) for symbol, count in counts.items()}


def new_rows(train: Table, before: Table, target: str) -> Table:
    """The sizes |y| of labels whose composition main does not have."""
    known = set(before.cells[FORMULA].map(identity))
    fresh = ~train.cells[FORMULA].map(identity).isin(known) & train.frame[target].notna()
    sizes = pd.DataFrame({SIZE: train.frame.loc[fresh, target].abs().to_numpy()})
    return Table("new_rows", train.file, sizes, sizes, located=False)


def further_columns(train: Table, target: str) -> Table | None:
    """The numeric columns of a train set beside its own, each with its correlation to the target.

    The correlation is Spearman's, so that any increasing function of the target shows.
    """
    labels, names, found = train.frame[target], [], []
    for name in train.cells.columns.difference([ROW_ID, FORMULA, target]):
        numbers = pd.to_numeric(train.cells[name], errors="coerce")
        both = numbers.notna() & labels.notna()
        if both.sum() > 2 and numbers[both].nunique() > 2:  # noqa: PLR2004 (or any would correlate)
            names.append(name)
            found.append(abs(numbers[both].corr(labels[both], method="spearman")))
    if not names:
        return None
    frame = pd.DataFrame({COLUMN: names, CORRELATION: np.array(found)})
    cells = frame.assign(**{CORRELATION: [f"{size:.4f}" for size in found]})
    return Table("columns", train.file, cells, frame, located=False)


def changed_settings(settings: Settings, main: Settings) -> pd.DataFrame:
    """The keys of `assay.toml` that differ from main's: section, key, and both values."""
    here, there = _flat(settings), _flat(main)
    keys = sorted(key for key in here | there if here.get(key) != there.get(key))
    return pd.DataFrame(
        {
            SECTION: [section for section, _ in keys],
            KEY: [".".join(key) for key in keys],
            HERE: [here.get(key, "not set") for key in keys],
            ON_MAIN: [there.get(key, "not set") for key in keys],
        },
        dtype=str,
    )


def _flat(settings: Settings) -> dict[tuple[str, str], str]:
    sections = settings.model_dump(mode="json")
    return {
        (section, key): str(value)
        for section, content in sections.items()
        for key, value in content.items()
    }


def settings_table(name: str, cells: pd.DataFrame) -> Table:
    """Rows of `changed_settings`, for the rules of one kind of key."""
    return Table(name, "assay.toml", cells, cells, located=False)


def files_table(name: str, files: Sequence[str]) -> Table:
    """Files that git keeps, or kept."""
    cells = pd.DataFrame({FILE: files}, dtype=str)
    return Table(name, ".", cells, cells, located=False)
