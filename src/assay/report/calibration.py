"""Whether prediction intervals hold what they say, as far as public rows can tell."""

from dataclasses import dataclass

import numpy as np

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Coverage:
    """Share of rows within an interval of a nominal `level`: over all rows, and by fold."""

    level: float
    share: float
    lowest: float
    highest: float


def coverages(residuals: np.ndarray, folds: np.ndarray) -> list[Coverage]:
    """How often intervals made from other folds' residuals hold a fold's own rows.

    For each level and fold the half width is the conformal quantile of the absolute residuals of
    all other folds (as `model.metrics.interval_half_width`, Vovk et al. 2005). Folds share no
    chemical system. The models behind the residuals were trained on one another's folds, so this
    is an estimate and no proof.

    Args:
        residuals: out-of-fold prediction minus target, (n,).
        folds: number of each row's fold, (n,).
    """
    from assay.model.metrics import interval_half_width

    sizes, found = np.abs(residuals), []
    for level in LEVELS:
        held = np.empty(len(sizes), dtype=bool)
        for fold in np.unique(folds):
            own, others = folds == fold, sizes[folds != fold]
            if not len(others):
                return []
            width = interval_half_width(np.zeros(len(others)), others, level)
            held[own] = sizes[own] <= width
        shares = [float(held[folds == fold].mean()) for fold in np.unique(folds)]
        found.append(Coverage(level, float(held.mean()), min(shares), max(shares)))
    return found
