"""Which rows go together: by chemical system, by composition, or by a column of the table.

Everything that groups rows asks `group_names`: folds, the sealed division, and all evidence.
"""

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from assay.compositions import chemical_system, identity
from assay.texts import plural

SYSTEM, COMPOSITION = "system", "composition"
# where the tables keep the clusters of compositions
CLUSTERS = "group"


def column_of(group: str) -> str | None:
    """The column of the tables that holds the groups; None where they follow from formulas."""
    return {SYSTEM: None, COMPOSITION: CLUSTERS}.get(group, group)


def group_names(rows: pd.DataFrame, group: str) -> list[str]:
    """The name of each row's group.

    Rows without a cell for it, as those of most pools, go by their chemical system.

    Args:
        rows: a table with `formula`.
        group: `split.group` of `assay.toml`.
    """
    column = column_of(group)
    if column is None or column not in rows:
        return [chemical_system(formula) for formula in rows["formula"]]
    pairs = zip(rows["formula"], rows[column], strict=True)
    return [cell or chemical_system(formula) for formula, cell in pairs]


def plain(name: str) -> str:
    """A group's name without what people write now so, now otherwise: case, spaces, Unicode forms.

    Of two rows whose groups differ by that alone, nobody could say that they do not go together.
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def counted(formulas: Sequence[str], names: Sequence[str], most: int | None) -> np.ndarray:
    """Which rows count as evidence: at most so many of a group, None for all.

    Those of a group with the smallest digests of their compositions count, so nobody chooses them,
    and whether a row counts does not depend on labels, on ids or on other groups.

    Returns:
        bool (n,).
    """
    if most is None:
        return np.ones(len(formulas), dtype=bool)
    return counted_compositions(list(map(identity, formulas)), names, most)


def counted_compositions(
    compositions: Sequence[str], names: Sequence[str], most: int
) -> np.ndarray:
    """The same of compositions by their `identity`."""
    chosen = np.ones(len(compositions), dtype=bool)
    digests = [hashlib.sha256(composition.encode()).digest() for composition in compositions]
    taken: dict[str, int] = {}
    for place in sorted(range(len(digests)), key=digests.__getitem__):
        taken[names[place]] = taken.get(names[place], 0) + 1
        chosen[place] = taken[names[place]] <= most
    return chosen


def promise(group: str) -> str:
    """What errors of a model are measured on, in words that end a sentence."""
    if group == SYSTEM:
        return "new chemistry: no chemical system is both learnt from and judged on"
    if group == COMPOSITION:
        return "new compositions of known families: no cluster is both learnt from and judged on"
    return f"new values of {group!r}: none is both learnt from and judged on"


def told(group: str, extent: float, most: int | None) -> str:
    """The grouping and what it promises, in one line."""
    kind = {
        SYSTEM: "chemical system",
        COMPOSITION: f"composition (clusters within {100 * extent:g} % of the atoms)",
    }.get(group, f"column {group!r}")
    cap = "" if most is None else f", at most {plural(most, 'row')} of a group counted"
    return f"grouped by {kind}{cap}; {promise(group)}"
