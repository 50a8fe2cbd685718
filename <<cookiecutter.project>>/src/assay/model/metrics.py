"""What is said in public of a model's errors: metrics, and the width of its interval."""

import numpy as np


def public_metrics(kind: str, target: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Errors of predictions (n,) on targets (n,): see `CandidateCard.metrics` for names."""
    error = predicted - target
    if kind == "class":
        wrong = (predicted >= 0.5) != (target >= 0.5)  # noqa: PLR2004 (even odds)
        return {"brier": float(np.mean(error**2)), "error_rate": float(np.mean(wrong))}
    return {
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "r2": float(1 - np.mean(error**2) / np.var(target)),
    }


def interval_half_width(target: np.ndarray, predicted: np.ndarray, level: float) -> float:
    """Half width of the split-conformal interval from out-of-fold residuals.

    The ceil((n + 1) level)-th smallest absolute residual (Vovk et al., Algorithmic Learning in a
    Random World, 2005), here from folds grouped by chemical system.
    """
    residuals = np.sort(np.abs(predicted - target))
    rank = min(int(np.ceil((len(residuals) + 1) * level)), len(residuals))
    return float(residuals[rank - 1])
