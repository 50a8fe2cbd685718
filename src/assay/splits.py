"""Divides rows by groups, so that no group stands on both sides."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.groups import COMPOSITION, SYSTEM, group_names, plain

TRACE = 0.02
# to be changed with whatever puts rows into other folds
FOLD_RULE = "rendezvous-1"


@dataclass(frozen=True)
class Parts:
    """Both sides of a split, each `row_id, formula, <target>` and the columns `further`.

    `pool` is `row_id, formula` of a pool that is made with the split; None: that of the repository.
    """

    target: str
    train: pd.DataFrame
    held_out: pd.DataFrame
    further: Sequence[str] = ()
    pool: pd.DataFrame | None = None

    @property
    def public(self) -> pd.DataFrame:
        """The columns of `train.csv`."""
        return self.train[["row_id", "formula", *self.further, self.target]]

    @property
    def inputs(self) -> pd.DataFrame:
        """The columns of `sealed_inputs.csv`."""
        return self.held_out[["row_id", "formula", *self.further]]

    @property
    def labelled(self) -> pd.DataFrame:
        """What is sealed, and public once the set is retired."""
        return self.held_out[["row_id", "formula", self.target]]


def numbered(rows: pd.DataFrame, letter: str, first: int) -> pd.DataFrame:
    """The rows with ids such as `t00001`, counted from `first`, in a column `row_id`."""
    ids = [f"{letter}{number:05d}" for number in range(first, first + len(rows))]
    return rows.assign(row_id=ids).reset_index(drop=True)


def next_number(ids: Iterable[str]) -> int:
    """One more than the highest number in ids such as `t00001`."""
    return 1 + max((int(row_id[1:]) for row_id in ids if row_id[1:].isdecimal()), default=0)


def linked_systems(formulas: Sequence[str]) -> list[str]:
    """The groups that may not be divided: chemical systems, joined where but traces differ.

    A series that is doped by 1 % has many chemical systems and is one material: with some of it in
    the train set, the rest would be known. Traces are elements below 2 % of the atoms.

    Returns:
        a chemical system (n,) for each formula, its own unless traces join it to another.
    """
    from scipy.cluster.hierarchy import DisjointSet

    from assay.compositions import chemical_system

    systems = [chemical_system(formula) for formula in formulas]
    together = DisjointSet(("all", system) for system in systems)
    for formula, system in zip(formulas, systems, strict=True):
        together.add(("host", _host(formula)))
        together.merge(("all", system), ("host", _host(formula)))
    names: dict[str, str] = {}
    for group in together.subsets():
        members = {system for kind, system in group if kind == "all"}
        names |= dict.fromkeys(members, min(members))
    return [names[system] for system in systems]


def of_groups(formulas: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Whether each formula, for itself, is of one of the groups of `others`; see `linked_systems`.

    What links two groups is of both, and draws no other formula with it.
    """
    from assay.compositions import chemical_system

    systems, hosts = set(map(chemical_system, others)), set(map(_host, others))
    return [chemical_system(text) in systems or _host(text) in hosts for text in formulas]


def _host(formula: str) -> str:
    """The chemical system without the elements that are traces."""
    from assay.compositions import parse

    shares = parse(formula).fractional_composition.items()
    return "-".join(sorted(element.symbol for element, share in shares if share >= TRACE))


def undivided(rows: pd.DataFrame, group: str) -> list[str]:
    """What stands on one side of train and sealed set: groups, joined where rows are too near.

    Args:
        rows: a table with `formula` and the column of the groups, if there is one.
        group: `split.group` of `assay.toml`.
    """
    if group == SYSTEM:
        return linked_systems(list(rows["formula"]))
    names = group_names(rows, group)
    if group != COMPOSITION:
        return [plain(name) for name in names]
    from assay.clustering import near_units

    return near_units(list(rows["formula"]), names)


def split_by_system(
    systems: Sequence[str], fraction: float, seed: int, most: int | None = None
) -> np.ndarray:
    """Choose about `fraction` of the systems, or other groups, to seal.

    Args:
        systems: the group of each row.
        fraction: the share of the groups.
        seed: of the draw.
        most: groups of more rows stay in the train set; None: any may be drawn.

    Returns:
        bool (n,): True where the row belongs to the sealed set; rows of one system agree.

    Raises:
        ValueError: there are too few systems to have some on both sides.
    """
    if most is not None:
        return _split_of_small(np.asarray(systems), fraction, seed, most)
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(n_splits=1, test_size=fraction, random_state=seed)
    _, held_out = next(splitter.split(np.zeros(len(systems)), groups=np.asarray(systems)))
    sealed = np.zeros(len(systems), dtype=bool)
    sealed[held_out] = True
    return sealed


def _split_of_small(systems: np.ndarray, fraction: float, seed: int, most: int) -> np.ndarray:
    names, sizes = np.unique(systems, return_counts=True)
    small = names[sizes <= most]
    wanted = min(math.ceil(fraction * len(names)), len(small), len(names) - 1)
    if wanted < 1:
        raise ValueError(f"no group has {most} rows or fewer")
    return np.isin(systems, np.random.default_rng(seed).permutation(small)[:wanted])


def grouped_folds(systems: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """Number the folds of a grouped cross-validation.

    A system's fold follows from its name, `folds` and `seed`, so a row that is added or removed
    leaves all others where they were. Only where a fold would be empty does it get the system
    that suits it best of a fold that has several.

    Returns:
        int (n,) in 0..folds-1; rows of one system agree, no fold is empty.

    Raises:
        ValueError: there are fewer systems than folds.
    """
    names, codes = np.unique(np.asarray(systems), return_inverse=True)
    return _folds_of(names, folds, seed)[0][codes]


def fold_rule(systems: Sequence[str], folds: int, seed: int, group: str = SYSTEM) -> str:
    """Name what the folds of these rows follow from; `group` is `split.group` of `assay.toml`.

    Equal names mean equal folds for equal systems: those that fill empty folds are in it.
    """
    names = np.unique(np.asarray(systems))
    chosen, moved = _folds_of(names, folds, seed)
    filled = "".join(f", {names[place]} in {chosen[place]}" for place in moved)
    by = "" if group == SYSTEM else f" by {group}"
    return f"{FOLD_RULE}{by}, {folds} folds, seed {seed}{filled}"


def _folds_of(names: np.ndarray, folds: int, seed: int) -> tuple[np.ndarray, list[int]]:
    """The fold of each system, (n,), and the places of those that fill empty folds."""
    if len(names) < folds:
        raise ValueError(f"the number of groups is {len(names)}, fewer than {folds} folds")
    ranks = np.array([[_rank(name, fold, seed) for fold in range(folds)] for name in names])
    chosen, moved = ranks.argmax(axis=1), []
    for fold in np.setdiff1d(np.arange(folds), chosen):
        spare = np.bincount(chosen, minlength=folds)[chosen] > 1
        moved.append(int(np.where(spare, ranks[:, fold], -1.0).argmax()))
        chosen[moved[-1]] = fold
    return chosen, moved


def _rank(name: str, fold: int, seed: int) -> float:
    """How well a system suits a fold, in [0, 1): rendezvous hashing, the highest rank wins."""
    digest = hashlib.sha256(f"{seed}/{fold}/{name}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53
