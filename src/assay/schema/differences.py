"""Small tables that put the train set beside main's, for expectations to be asked of."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from assay.compositions import elements, identity, problem
from assay.errors import UsageError
from assay.schema.pairing import Pairing
from assay.schema.rules import FORMULA, ROW_ID, Table, table
from assay.settings import Settings
from assay.tables import parse_table

KEPT, ELEMENT, SHIFT, SIZE = "kept", "element", "shift", "size"
SECTION, KEY, HERE, ON_MAIN = "section", "key", "here", "on main"
COLUMN, CORRELATION, FILE = "column", "correlation", "file"


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


def element_shares(train: Table, before: Table) -> Table:
    """Main's elements: whether each still occurs, and its share of the rows then and now."""
    then, now = _shares(before), _shares(train)
    cells = pd.DataFrame(
        {
            ELEMENT: sorted(then),
            "share on main": [f"{then[symbol]:.1%}" for symbol in sorted(then)],
            "share here": [f"{now.get(symbol, 0.0):.1%}" for symbol in sorted(then)],
            SHIFT: [abs(now.get(symbol, 0.0) - then[symbol]) for symbol in sorted(then)],
        }
    )
    frame = cells.assign(
        **{ELEMENT: [symbol if symbol in now else None for symbol in sorted(then)]}
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
