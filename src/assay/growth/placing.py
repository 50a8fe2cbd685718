"""Where each new row goes: to the train set, or left out, and why."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd

from assay.clustering import joined, nearest
from assay.compositions import identity
from assay.datasets import reduced_formulas
from assay.errors import UsageError
from assay.groups import CLUSTERS, COMPOSITION, SYSTEM, plain
from assay.layout import Layout
from assay.repository import Repository
from assay.schema.corrections import line_to_paste
from assay.schema.formulas import relatives_of
from assay.splits import of_groups
from assay.tables import for_spreadsheets, parse_table, read_table

ADDED, KNOWN, OTHER_VALUE, SEALED, LATER = (
    *("train", "known.same-value", "known.other-value"),
    *("sealed.same-group", "later.limit"),
)
REASONS = {
    ADDED: "goes to the train set",
    KNOWN: "the composition is in the train set already, with this value",
    OTHER_VALUE: "the composition is in the train set already, with another value",
    SEALED: "the group is of the sealed set, which no train row may give away",
    LATER: "comes next: above the limit of this call",
}


@dataclass(frozen=True)
class Known:
    """The train set as text: `row_id, formula`, the target and further columns."""

    table: pd.DataFrame
    target: str

    def by_composition(self, layout: Layout) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Id and label of the rows of each composition, by its identity."""
        formulas = reduced_formulas(self.table["formula"], layout.train)
        found: dict[str, list[tuple[str, str]]] = {}
        rows = zip(formulas, self.table["row_id"], self.table[self.target], strict=True)
        for formula, row_id, label in rows:
            found.setdefault(identity(formula), []).append((row_id, label))
        return found


def placed(
    repository: Repository, rows: pd.DataFrame, known: Known, limit: int | None
) -> pd.DataFrame:
    """The rows with `place`, a code, `reason` in words, and `suggestion`, a correction to paste.

    Args:
        repository: whose train set and sealed inputs decide.
        rows: `formula` in reduced spelling, the target as numbers, and the group where a column
            holds it; one row a composition. Clusters of compositions are found here.
        known: the train set.
        limit: how many rows may be added, in their order; None: all.
    """
    if repository.settings.split.group == COMPOSITION:
        rows = rows.assign(**{CLUSTERS: cluster_names(repository, list(rows["formula"]))})
    sealed = sealed_rows(repository, rows)
    standing = known.by_composition(repository.layout)
    room = count() if limit is None else iter(range(limit))
    found = [
        _place(formula, value, standing, known.target, room) if not secret else (SEALED, "", "")
        for formula, value, secret in zip(rows["formula"], rows[known.target], sealed, strict=True)
    ]
    names = ["place", "reason", "suggestion"]
    cells = pd.DataFrame(found, columns=names, index=rows.index)
    reasons = cells["reason"].where(cells["reason"] != "", cells["place"].map(REASONS))
    return rows.join(cells.assign(reason=reasons))


def _place(
    formula: str,
    value: float,
    standing: Mapping[str, Sequence[tuple[str, str]]],
    target: str,
    room: Iterator[int],
) -> tuple[str, str, str]:
    rows = standing.get(identity(formula), ())
    if not rows:
        return (LATER if next(room, None) is None else ADDED), "", ""
    for row_id, label in rows:
        if np.isclose(_number(label), value, rtol=1e-9, atol=1e-12):
            return KNOWN, f"{row_id} has this composition and value", ""
    row_id, label = rows[0]
    line = line_to_paste(row_id, target, label, f"{value:.12g}")
    reason = f"{row_id} has this composition with {label}, here it is {value:.12g}"
    suggestion = (
        f"if the train set is wrong, change {row_id} in data/train.csv and add the line {line} to "
        "data/corrections.csv, in a pull request of its own"
    )
    return OTHER_VALUE, reason, suggestion


def _number(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return float("nan")


def cluster_names(repository: Repository, formulas: list[str]) -> list[str]:
    """The cluster of each composition: main's or a sealed one that is near, else one of its own."""
    extent = repository.settings.split.extent
    sealed = list(_sealed(repository)[CLUSTERS])
    settled = nearest(formulas, [*_clusters_of_main(repository), *sealed], extent)
    train = read_table(repository.layout.train, ["formula", CLUSTERS])
    here = joined(formulas, list(train[CLUSTERS]), extent)
    return [name or own for name, own in zip(settled, here, strict=True)]


def _clusters_of_main(repository: Repository) -> list[str]:
    path = repository.layout.train
    content = repository.base.content(path)
    try:
        return [] if content is None else list(parse_table(content, [CLUSTERS], path)[CLUSTERS])
    except UsageError:
        return []


def _sealed(repository: Repository) -> pd.DataFrame:
    """The sealed inputs; no rows where public rows decide."""
    named = ["formula", *filter(None, [repository.settings.group_column])]
    if repository.settings.public:
        return pd.DataFrame(columns=named, dtype=str)
    return read_table(repository.layout.sealed_inputs, named)


def sealed_rows(repository: Repository, rows: pd.DataFrame) -> list[bool]:
    """Whether each row is of a group of the sealed set, or too near to one of its rows.

    Too near is within 1 %; where a column that people filled says what goes together, only the
    same composition is.
    """
    group, column = repository.settings.split.group, repository.settings.group_column
    sealed, formulas = _sealed(repository), list(rows["formula"])
    compositions = tuple(sealed["formula"])
    near = relatives_of(compositions)
    kin = [near.kin(formula) for formula in formulas]
    if column is None:
        of_sealed = of_groups(formulas, compositions)
    else:
        of_sealed = rows[column].map(plain).isin({*map(plain, sealed[column])} - {""}).tolist()
    close = {SYSTEM: {"identical", "near", "system"}, COMPOSITION: {"identical", "near"}}
    return [
        known or found in close.get(group, {"identical"})
        for known, found in zip(of_sealed, kin, strict=True)
    ]


def placed_table(found: pd.DataFrame, target: str) -> pd.DataFrame:
    """One row a composition for a spreadsheet: line, formula, value, place, reason, suggestion."""
    shown = found.reset_index(names="line").rename(columns={target: "value"})
    return for_spreadsheets(shown[["line", "formula", "value", "place", "reason", "suggestion"]])


def counted(found: pd.DataFrame) -> Counter[str]:
    """How many rows went to each place."""
    return Counter(found["place"])
