"""Sums of independent Student's t variables with 3 and with 5 degrees of freedom."""

import math

import numpy as np

Array = np.ndarray
ERRORS, CHANGES = 3, 5  # degrees of freedom of a model's errors and of changes to them


def mean_size(errors: Array, changes: Array) -> float:
    """E|X| for X the sum of independent Student's t variables with given weights.

    It is 2/pi times the integral of (1 - phi(s)) / s^2 over s > 0, where phi is the characteristic
    function: of t with 3 degrees of freedom (1 + x) exp(-x) at x = sqrt(3) |s|, with 5
    (1 + x + x^2 / 3) exp(-x) at x = sqrt(5) |s| (Hurst, The characteristic function of the Student
    t distribution, 1995). Here it is taken over log s.

    Args:
        errors: weights of variables with 3 degrees of freedom.
        changes: weights of variables with 5.
    """
    largest = max(np.abs(errors).max(initial=0), np.abs(changes).max(initial=0))
    if not largest:
        return 0.0
    u, step = np.linspace(-30, 30, 1201, retstep=True)
    three, five = (
        math.sqrt(degrees) * np.outer(np.exp(u), np.abs(weights) / largest)
        for degrees, weights in ((ERRORS, errors), (CHANGES, changes))
    )
    log_phi = (np.log1p(three) - three).sum(axis=1)
    log_phi += (np.log1p(five + five**2 / 3) - five).sum(axis=1)
    return float(largest * 2 / math.pi * (-np.expm1(log_phi) * np.exp(-u)).sum() * step)


def root_mean_square(errors: Array, changes: Array) -> float:
    """The root mean square of the same sum: variances are 3 and 5/3."""
    return math.sqrt(3 * float((errors**2).sum()) + 5 / 3 * float((changes**2).sum()))
