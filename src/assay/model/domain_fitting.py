"""A model's domain, fitted to the formulas of its train set."""

from collections.abc import Sequence

import numpy as np

from assay.features.parsing import Amounts, amounts
from assay.features.tables import element_symbols
from assay.model.chemical_space import fitted_space, nearest, positions, rounded, shares
from assay.model.domain import QUANTILE, DomainRecord

MAXIMUM_REFERENCES = 2048
SEED = 0


def fit_domain(formulas: Sequence[str], folds: np.ndarray) -> DomainRecord:
    """Fit the domain of a model that was trained on the formulas.

    The bound on the distance is the 95 % quantile of the distances (n,) from each row to the
    nearest row of the other folds, so that no row is measured from its own chemical system.

    Args:
        formulas: of the train rows, (n,).
        folds: number of each row's fold, (n,); those of `splits.grouped_folds`.

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    space = fitted_space(content)
    distances = distances_between_folds(positions(space, content), folds)
    symbols, distinct = element_symbols(), sorted(set(formulas))
    return DomainRecord(
        elements=dict(zip(symbols[1:], space[1:].tolist(), strict=True)),
        partners=_partners(content),
        references=[distinct[index] for index in _selected(len(distinct))],
        bound=float(rounded(np.quantile(distances, QUANTILE, method="higher"))),
    )


def distances_between_folds(points: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Distances (n,) from each point (n, dimensions) to the nearest of the other folds'."""
    distances = np.empty(len(points))
    for fold in np.unique(folds):
        own = folds == fold
        others = np.flatnonzero(~own)
        distances[own] = nearest(points[others[_selected(len(others))]], points[own])[1]
    return distances


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
