"""Public errors of a model: metrics, and values that are suspicious."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from assay.locks import LOCK, contradictions
from assay.records import MAXIMUM_TEXT, Finding

EXACT, ENVIRONMENT, CLAIM = "train.exact", "train.environment", "train.claim"
# Measured labels have noise of their own, which no model of formulas can know.
SMALLEST = 1e-4
SHOWN = 5


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


def warnings_of(root: Path, target: np.ndarray, out_of_fold: np.ndarray) -> list[Finding]:
    """The warnings of a training with these labels (n,) and out-of-fold predictions (n,)."""
    return [*_exact(target, out_of_fold), *_environment(root)]


def unread_claims(lines: Iterable[str]) -> list[Finding]:
    """A warning for each line of a commit's message that looks like a claim and is none."""
    return [
        _warning(
            CLAIM,
            f"the line {line[:80]!r} of a commit's message claims nothing: write `Assay-Claim: "
            "improvement` on a line of its own, in a further commit if need be",
        )
        for line in lines
    ]


def _exact(target: np.ndarray, out_of_fold: np.ndarray) -> Iterator[Finding]:
    error, spread = float(np.mean(np.abs(out_of_fold - target))), float(np.std(target))
    if error <= SMALLEST * spread:
        size = "exactly 0" if error == 0 else f"{error:.2g}, {error / spread:.0e} of the spread"
        yield _warning(
            EXACT,
            f"the out-of-fold error on {len(target):,} rows is {size} of the labels: the label is "
            "probably among the features, or looked up; look where build_model and its featurizer "
            "get their numbers from",
        )


def _environment(root: Path) -> Iterator[Finding]:
    found = contradictions(root)
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        listed = "; ".join(map(str, found[:SHOWN])) + more
        yield _warning(
            ENVIRONMENT,
            f"{LOCK} does not say what this model was trained with ({listed}): run `make setup` "
            "and train again, as such a model is never certified",
            file=LOCK,
        )


def _warning(rule: str, message: str, file: str | None = None) -> Finding:
    return Finding(rule=rule, severity="warning", message=f"{message}."[:MAXIMUM_TEXT], file=file)
