"""A model's domain, fitted to the formulas of its train set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from pydantic import model_validator

from assay.features.parsing import Amounts, amounts
from assay.features.tables import ELEMENTS, element_symbols
from assay.model.chemical_space import fitted_space, nearest, positions, rounded, shares
from assay.model.difficulty import Difficulty, fit_difficulty
from assay.records import Record

DOMAIN = "domain.json"
QUANTILE = 0.95
# The pair of a binary compound is its chemical system, and new systems are what the interval and
# all public errors are made for; only in larger compounds does a new pair stand for more.
PAIRS_FROM = 3
PAIRS_TOLD = 3
MAXIMUM_REFERENCES = 2048
SEED = 0


class DomainRecord(Record):
    """The domain as a bundle holds it.

    `elements` gives for each element where it lies in the space of `model.chemical_space`,
    `partners` for each of the train set with which others a training row holds it; `references`
    are the training rows, or a selection, that distances are measured from, `bound` the largest
    distance inside. `difficulty` is how large errors are around each reference; None for a class,
    and in bundles of one width.
    """

    elements: dict[str, list[float]]
    partners: dict[str, list[str]]
    references: list[str]
    bound: float
    difficulty: Difficulty | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if set(self.elements) != set(element_symbols()[1:]):
            raise ValueError("elements must be the 118")
        if len({len(position) for position in self.elements.values()}) != 1:
            raise ValueError("all elements must have as many coordinates")
        named = {partner for partners in self.partners.values() for partner in partners}
        if not set(self.partners) >= named or not set(self.elements) >= set(self.partners):
            raise ValueError("partners must be elements that have partners themselves")
        if not self.references:
            raise ValueError("references must not be empty")
        if self.difficulty and len(self.difficulty.scales) != len(self.references):
            raise ValueError("difficulty must have a scale for each reference")
        return self


@dataclass(frozen=True)
class Strangeness:
    """What tells n compositions from those of the train set.

    `unseen` (k, 2) are rows and atomic numbers of elements that no training row holds, `pairs`
    (l, 3) rows and two atomic numbers that none holds together, in the order of rows; `nearest`
    (n,) are the indices of the nearest references, and `distances` (n,) how far these are.
    """

    unseen: np.ndarray
    pairs: np.ndarray
    nearest: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class Domain:
    """A domain ready to be asked, for whole columns of compositions.

    `space` (119, dimensions) says where elements lie; `known` (119, 119) which are held together
    by a training row, and on its diagonal which are held; `references` (m, dimensions) are the
    places of the training rows `names`.
    """

    space: np.ndarray
    known: np.ndarray
    references: np.ndarray
    names: Sequence[str]
    bound: float
    expected: Difficulty | None = None

    @classmethod
    def of(cls, record: DomainRecord) -> Self:
        """The domain that a bundle holds."""
        symbols = element_symbols()
        space = np.array([record.elements[symbol] for symbol in symbols[1:]])
        space = np.vstack([np.zeros(space.shape[1]), space])
        numbers = {symbol: number for number, symbol in enumerate(symbols)}
        known = np.zeros((ELEMENTS + 1, ELEMENTS + 1), dtype=bool)
        for symbol, partners in record.partners.items():
            known[numbers[symbol], [numbers[one] for one in (symbol, *partners)]] = True
        known |= known.T
        references = positions(space, amounts(record.references))
        return cls(space, known, references, record.references, record.bound, record.difficulty)

    def strangeness(self, content: Amounts) -> Strangeness:
        """What tells n compositions from the train set, whether or not it puts them outside."""
        unseen = ~self.known.diagonal()[content.numbers]
        elements = np.column_stack([content.rows[unseen], content.numbers[unseen]])
        found = nearest(self.references, positions(self.space, content))
        return Strangeness(elements, self._unseen_pairs(content), *found)

    def _unseen_pairs(self, content: Amounts) -> np.ndarray:
        """Pairs of known elements that no training row holds: (l, 3), sorted."""
        rows, numbers = content.rows, content.numbers
        lengths = np.diff(content.starts, append=len(rows))
        held, enough = self.known.diagonal(), (lengths >= PAIRS_FROM)[rows]
        found = [np.empty((0, 3), dtype=np.int64)]
        for step in range(1, int(lengths.max(initial=0))):
            one, other = numbers[:-step], numbers[step:]
            new = (rows[:-step] == rows[step:]) & enough[step:] & ~self.known[one, other]
            at = np.flatnonzero(new & held[one] & held[other])
            found.append(np.column_stack([rows[at], one[at], other[at]]))
        pairs = np.concatenate(found)
        return pairs[np.lexsort((pairs[:, 2], pairs[:, 1], pairs[:, 0]))]

    def reasons(self, content: Amounts) -> list[str]:
        """Why each of n compositions lies outside; empty where it lies inside."""
        return self.judge(content)[0]

    def difficulty(self, strange: Strangeness) -> np.ndarray | None:
        """The absolute error to expect (n,), in the target's unit; None where it is not known."""
        known = self.expected
        return None if known is None else known.at(strange.nearest, strange.distances)

    def judge(self, content: Amounts) -> tuple[list[str], Strangeness]:
        """The `reasons`, and what they follow from."""
        strange = self.strangeness(content)
        told: dict[int, list[str]] = {}
        for row, reason in self._told(strange):
            told.setdefault(row, []).append(reason)
        reasons = [""] * len(content.starts)
        for row, parts in told.items():
            reasons[row] = "; ".join(parts)
        return reasons, strange

    def _told(self, strange: Strangeness) -> Iterator[tuple[int, str]]:
        symbols, pairs = element_symbols(), _pair_words()
        unseen = [symbols[number] for number in strange.unseen[:, 1].tolist()]
        for row, words in _by_row(strange.unseen[:, 0], unseen):
            yield row, f"no training row holds {', '.join(sorted(words))}"
        codes = strange.pairs @ [0, len(symbols), 1]
        for row, words in _by_row(strange.pairs[:, 0], [pairs[code] for code in codes.tolist()]):
            if len(words) > PAIRS_TOLD + 1:
                words[PAIRS_TOLD:] = [f"{len(words) - PAIRS_TOLD} more such pairs"]
            yield row, f"no training row holds {', or '.join(words)}"
        usual = f"{QUANTILE:.0%} of known rows have one within {self.bound:.2f}"
        for row in np.flatnonzero(strange.distances > self.bound).tolist():
            name, distance = self.names[strange.nearest[row]], strange.distances[row]
            yield row, f"the nearest training row, {name}, is {distance:.2f} away; {usual}"


def _by_row(rows: np.ndarray, words: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row of sorted `rows` (l,) with its part of the words (l,)."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    bounds = [*starts.tolist(), len(rows)]
    for row, start, stop in zip(rows[starts].tolist(), bounds, bounds[1:], strict=False):
        yield row, words[start:stop]


@lru_cache(maxsize=1)
def _pair_words() -> list[str]:
    """What is said of a pair of elements, at 119 times the first's number and the other's."""
    symbols = element_symbols()
    return [f"both {one} and {other}" for one in symbols for other in symbols]


def fit_domain(
    formulas: Sequence[str], folds: np.ndarray, sizes: np.ndarray | None = None
) -> DomainRecord:
    """Fit the domain of a model that was trained on the formulas.

    The bound on the distance is the 95 % quantile of the distances (n,) from each row to the
    nearest row of the other folds, so that no row is measured from its own chemical system.

    Args:
        formulas: of the train rows, (n,).
        folds: number of each row's fold, (n,); those of `splits.grouped_folds`.
        sizes: absolute out-of-fold errors, (n,), which the difficulty is fitted to; None: it is
            not.

    Raises:
        ValueError: a formula cannot be read.
    """
    return _fitted(formulas, folds, sizes)[0]


def out_of_fold_difficulty(
    formulas: Sequence[str], folds: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """The difficulty (n,) of each row for a model that knew none of its fold; see `fit_domain`."""
    if len(np.unique(folds)) == 1:
        return np.ones(len(sizes))
    return _fitted(formulas, folds, sizes)[1]


def _fitted(
    formulas: Sequence[str], folds: np.ndarray, sizes: np.ndarray | None
) -> tuple[DomainRecord, np.ndarray]:
    # in the order of their formulas, of which alone a bundle may depend
    order = sorted(range(len(formulas)), key=formulas.__getitem__)
    content = amounts([formulas[row] for row in order])
    space = fitted_space(content)
    points, folds = positions(space, content), np.asarray(folds)[order]
    near, distances = neighbours_between_folds(points, folds)
    symbols, (distinct, first) = element_symbols(), np.unique(content.formulas, return_index=True)
    chosen = _selected(len(distinct))
    difficulty, own = None, np.full(len(order), np.nan)
    if sizes is not None:
        parts = points, folds, np.asarray(sizes)[order], near, distances, first[chosen]
        difficulty, own[order] = fit_difficulty(*parts)
    record = DomainRecord(
        elements=dict(zip(symbols[1:], space[1:].tolist(), strict=True)),
        partners=_partners(content),
        references=distinct[chosen].tolist(),
        bound=float(rounded(np.quantile(distances, QUANTILE, method="higher"))),
        difficulty=difficulty,
    )
    return record, own


def neighbours_between_folds(
    points: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of the other folds' points to each point (n, dimensions), and how far it is.

    Returns:
        numbers of points (n,) and distances (n,).
    """
    found, distances = np.empty(len(points), dtype=np.int64), np.empty(len(points))
    for fold in np.unique(folds):
        own = folds == fold
        others = np.flatnonzero(~own)
        chosen = others[_selected(len(others))]
        indices, distances[own] = nearest(points[chosen], points[own])
        found[own] = chosen[indices]
    return found, distances


def _selected(count: int) -> np.ndarray:
    """Which of `count` rows distances are measured from: all, or those that a fixed seed draws."""
    if count <= MAXIMUM_REFERENCES:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, MAXIMUM_REFERENCES, replace=False))


def _partners(content: Amounts) -> dict[str, list[str]]:
    """Each element of the compositions, with all others that one of them holds beside it."""
    symbols, held = element_symbols(), shares(content)
    together = (held.T @ held).toarray() > 0
    return {
        symbols[one]: [symbols[other] for other in np.flatnonzero(together[one]) if other != one]
        for one in np.flatnonzero(together.diagonal()).tolist()
    }
