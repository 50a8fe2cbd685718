"""Errors of two models with a chosen true difference, to try the gate on before a model exists.

For a number, errors are drawn from Student's t with 3 degrees of freedom and changes from that
with 5: about as heavy are the tails on the shipped example. For a class both models are calibrated.
Rows of one group share a part of every draw.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from assay.gate.policy import MetricKey
from assay.gate.statistics import Grouping

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


class RandomSource(Protocol):
    """Where random numbers come from: `numpy.random.Generator`, or a `SampleBank`."""

    def standard_t(self, df: float, size: int) -> Array:
        """Student's t."""

    def standard_normal(self, size: tuple[int, int]) -> Array:
        """Normal numbers."""


# target, reference's and candidate's predictions of the rows of a grouping, each (n,)
Draw = Callable[[RandomSource, Grouping], tuple[Array, Array, Array]]

_NODES, _REACH = 281, 7.0
_CLOSE = 1e-9


@dataclass(frozen=True)
class Guess:
    """What is assumed of the two models.

    Attributes:
        metric: what `error` is a value of.
        error: the reference's error, in the metric's unit.
        change: mean |candidate's - reference's prediction|, in the target's unit.
        icc: correlation of errors, and of changes, between two rows of one group.
        on_pool: mean change over the pool in multiples of that over labelled rows.
        share: how many answers are yes, for a class.
    """

    metric: MetricKey
    error: float
    change: float
    icc: float
    on_pool: float = 1.0
    share: float = 0.5


@dataclass(frozen=True)
class Pair:
    """A way to draw two models; `change` is the mean change it really has on labelled rows.

    On the pool changes are `on_pool` times as large, within the limits of a prediction.
    """

    draw: Draw
    change: float
    on_pool: float = 1.0
    limits: tuple[float, float] = (-math.inf, math.inf)

    def pool(self, rng: RandomSource, groups: Grouping) -> tuple[Array, Array]:
        """The reference's and the candidate's predictions of pool rows, each (n,)."""
        _, reference, candidate = self.draw(rng, groups)
        further = reference + self.on_pool * (candidate - reference)
        return reference, np.clip(further, *self.limits)


def pair_of(guess: Guess, difference: float) -> Pair:
    """Two models whose errors truly differ by `difference` (candidate's less reference's).

    The change is as near to the guessed one as two such models can have.

    Raises:
        ValueError: there are no two such models.
    """
    return _numbers(guess, difference) if guess.metric in _SIZES else _classes(guess, difference)


def _numbers(guess: Guess, difference: float) -> Pair:
    """The candidate's errors are a e + b w: e the reference's errors, w drawn independently."""
    shares = np.sqrt([guess.icc, 1 - guess.icc])
    size, none = _SIZES[guess.metric], np.zeros(0)
    scale = guess.error / size(shares, none)
    unit = scale * mean_size(shares, none)
    growth = difference / guess.error
    if growth <= -1:
        raise ValueError("no model's error can be zero or less")
    # |p' - p| lies between the difference and the sum of both errors
    change = min(max(guess.change / unit, abs(growth) * (1 + _CLOSE)), (2 + growth) * (1 - _CLOSE))
    kept, fresh = _mixture(size, shares, 1 + growth, change)

    def draw(rng: RandomSource, groups: Grouping) -> tuple[Array, Array, Array]:
        reference = scale * _heavy(rng, groups, shares, ERRORS)
        own = scale * _heavy(rng, groups, shares, CHANGES)
        return np.zeros(len(own)), reference, kept * reference + fresh * own

    return Pair(draw, change * unit, guess.on_pool)


def _heavy(rng: RandomSource, groups: Grouping, shares: Array, degrees: int) -> Array:
    shared = rng.standard_t(degrees, groups.count)[groups.codes]
    return np.asarray(shares[0] * shared + shares[1] * rng.standard_t(degrees, len(shared)))


_Size = Callable[[Array, Array], float]
_SIZES: dict[MetricKey, _Size] = {"mae": mean_size, "rmse": root_mean_square}


def _mixture(size: _Size, shares: Array, error: float, change: float) -> tuple[float, float]:
    # a and b such that |a e + b w| is `error` and |(a - 1) e + b w| is `change`, where |e| is 1
    from scipy.optimize import brentq

    none = np.zeros(0)
    units = {of: of(shares, none) for of in (size, mean_size)}

    def sized(of: _Size, kept: float, fresh: float) -> float:
        return of(kept * shares, fresh * shares) / units[of]

    most = change / (mean_size(none, shares) / units[mean_size]) * (1 + _CLOSE)

    def fresh_for(kept: float) -> float:
        if change - abs(kept - 1) <= _CLOSE * change:
            return 0.0
        return float(brentq(lambda b: sized(mean_size, kept - 1, b) - change, 0, most))

    # at either end the candidate's errors are the reference's own, times a factor
    low, high = 1 - change, 1 + change
    kept = float(brentq(lambda a: sized(size, a, fresh_for(a)) - error, low, high))
    return kept, fresh_for(kept)


def _classes(guess: Guess, difference: float) -> Pair:
    """The answer is yes where a hidden normal z is large; each model sees a score akin to z.

    Its probability is what follows from its score, so it is no worse than always giving the share.
    """
    from scipy.special import ndtri

    cut = -float(ndtri(guess.share))
    ours, theirs = (_skill(guess, error, cut) for error in (guess.error, guess.error + difference))
    agreement, change = _agreement(ours, theirs, cut, guess.change)
    correlations = np.array([[1, ours, theirs], [ours, 1, agreement], [theirs, agreement, 1]])
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(np.maximum(values, 0))

    def draw(rng: RandomSource, groups: Grouping) -> tuple[Array, Array, Array]:
        shared = rng.standard_normal((groups.count, 3))[groups.codes]
        single = rng.standard_normal((len(groups.codes), 3))
        mixed = math.sqrt(guess.icc) * shared + math.sqrt(1 - guess.icc) * single
        hidden, first, second = root @ mixed.T
        target = (hidden > cut).astype(float)
        return target, _probability(first, ours, cut), _probability(second, theirs, cut)

    return Pair(draw, change, guess.on_pool, (0.0, 1.0))


def _probability(score: Array, skill: float, cut: float) -> Array:
    """P(z > cut | score), where the score's correlation with z is `skill`."""
    from scipy.special import ndtr

    return np.asarray(ndtr((skill * score - cut) / math.sqrt(1 - skill**2)))


def _nodes() -> tuple[Array, Array]:
    # a weighted sum over the points is a mean over a standard normal
    points = np.linspace(-_REACH, _REACH, _NODES)
    weights = np.exp(-(points**2) / 2)
    return points, weights / weights.sum()


def _skill(guess: Guess, error: float, cut: float) -> float:
    from scipy.optimize import brentq

    points, weights = _nodes()

    def loss(probability: Array) -> Array:
        other = 1 - probability
        return probability * other if guess.metric == "brier" else np.minimum(probability, other)

    chance = float(loss(np.array(guess.share)))
    if not 0 < error < chance:
        raise ValueError(f"a calibrated model's error lies between 0 and {chance:.3g}")
    return float(
        brentq(lambda s: weights @ loss(_probability(points, s, cut)) - error, 0, 1 - _CLOSE)
    )


def _agreement(ours: float, theirs: float, cut: float, change: float) -> tuple[float, float]:
    """Correlation of the two scores, and the mean |p' - p| that it gives."""
    from scipy.optimize import brentq

    points, weights = _nodes()
    first = _probability(points, ours, cut)[:, None]

    def size(agreement: float) -> float:
        score = agreement * points[:, None] + math.sqrt(1 - agreement**2) * points[None, :]
        return float(weights @ np.abs(_probability(score, theirs, cut) - first) @ weights)

    spread = math.sqrt((1 - ours**2) * (1 - theirs**2))
    low, high = max(ours * theirs - spread, -1.0), min(ours * theirs + spread, 1.0)
    if change <= size(high):
        return high, size(high)
    if change >= size(low):
        return low, size(low)
    return float(brentq(lambda value: size(value) - change, low, high)), change
