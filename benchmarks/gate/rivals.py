"""Other gates on the same sealed labels, for comparison and as a control of the harness.

Each rule answers a question about a candidate's predictions (n,) relative to the first champion's,
with the leading model's: a number that is larger for better models, or 1 for PASS and 0.
"""

import math
from collections.abc import Callable

import numpy as np
from benchmarks.gate.populations import Array
from scipy.special import stdtrit

Rule = Callable[[Array, Array, Array], float]


def _difference(errors: Array, made: Array, leader: Array) -> Array:
    return np.abs(errors - made) - np.abs(errors - leader)


def five_decimals(errors: Array, made: Array, _: Array) -> float:
    """Prints the sealed MAE with five decimals."""
    return -round(float(np.abs(errors - made).mean()), 5)


def two_decimals(errors: Array, made: Array, _: Array) -> float:
    """Prints the sealed MAE with two decimals."""
    return -round(float(np.abs(errors - made).mean()), 2)


def lower_wins(errors: Array, made: Array, leader: Array) -> float:
    """PASS if the sealed MAE is lower than the leader's."""
    return float(_difference(errors, made, leader).mean() < 0)


def t_test(errors: Array, made: Array, leader: Array) -> float:
    """PASS if a paired one-sided t-test at .05 says that the MAE is lower."""
    return float(upper(_difference(errors, made, leader), 0.05) < 0)


def ladder(errors: Array, made: Array, leader: Array) -> float:
    """The parameter-free Ladder: PASS if lower by more than one standard error.

    Source: Blum and Hardt, ICML 2015 (arXiv:1502.04585).
    """
    difference = _difference(errors, made, leader)
    return float(difference.mean() < -difference.std() / math.sqrt(len(errors)))


def upper(values: Array, level: float) -> float:
    """Upper bound of the mean of independent rows (n,) by Student's t."""
    quantile = -float(stdtrit(len(values) - 1, level))
    return float(values.mean() + quantile * values.std(ddof=1) / math.sqrt(len(values)))


NAIVE = "prints MAE, 5 decimals"
PRINTING: dict[str, Rule] = {NAIVE: five_decimals, "prints MAE, 2 decimals": two_decimals}
VERDICTS: dict[str, Rule] = {
    "lower wins": lower_wins,
    "t-test .05": t_test,
    "parameter-free Ladder": ladder,
}
RIVALS = PRINTING | VERDICTS
