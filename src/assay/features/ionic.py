"""Whether each formula of a column can be an ionic compound, and how ionic its bonds are."""

from collections.abc import Iterable

import numpy as np

from assay.features.parsing import Amounts, amounts
from assay.features.tables import electronegativities, oxidation_states

# numpy.isclose to zero, by which matminer calls a sum of charges neutral
NEUTRAL = 1e-8
# sums of charges from which on equal ones are joined, as their number grows with each element
MANY = 1_000_000
# decimals of sums that are joined: finer than NEUTRAL, coarser than what rounding leaves of a sum
DECIMALS = 10


def ion_property(formulas: Iterable[str]) -> np.ndarray:
    """What matminer's `IonProperty(fast=True)` gives: (n, 3).

    Whether the charges can add up to zero with one oxidation state an element (1 or 0), and the
    largest and the mean ionic character of a pair of elements, `1 - exp(-(X_A - X_B)^2 / 4)`.

    Raises:
        ValueError: a formula cannot be read.
    """
    content = amounts(formulas)
    if not len(content.starts):
        return np.empty((0, 3))
    return np.column_stack([_can_be_neutral(content), *_characters(content)])


def _lengths(content: Amounts) -> np.ndarray:
    return np.diff(content.starts, append=len(content.rows))


def _can_be_neutral(content: Amounts) -> np.ndarray:
    """Try all states of the first elements, of these sums all states of the second, and so on."""
    states, first = oxidation_states()
    lengths = _lengths(content)
    neutral = lengths == 1
    rows = np.flatnonzero(lengths > 1)
    sums = np.zeros(len(rows))
    for place in range(int(lengths.max())):
        going = lengths[rows] > place
        rows, sums = rows[going], sums[going]
        at = content.starts[rows] + place
        begin = first[content.numbers[at]]
        many = first[content.numbers[at] + 1] - begin
        which = np.repeat(np.arange(len(rows)), many)
        within = np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
        sums = sums[which] + states[begin[which] + within] * content.amounts[at][which]
        rows = rows[which]
        if len(rows) > MANY:
            rows, sums = _distinct(rows, sums)
        last = lengths[rows] == place + 1
        neutral[rows[last & (np.abs(sums) <= NEUTRAL)]] = True
    return neutral


def _distinct(rows: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums of each row, those that are equal but for rounding once."""
    numbers = np.round(sums, DECIMALS) + 0.0  # no negative zero, which would be another value
    pairs = np.unique(np.column_stack([rows, numbers]), axis=0)
    return pairs[:, 0].astype(int), pairs[:, 1]


def _characters(content: Amounts) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the mean ionic character (n,) over all pairs of elements of a formula."""
    lengths = _lengths(content)
    largest, mean = np.zeros(len(lengths)), np.zeros(len(lengths))
    affinity = electronegativities()[content.numbers]
    for apart in range(1, int(lengths.max())):
        one = np.arange(len(content.rows) - apart)
        one = one[content.rows[one] == content.rows[one + apart]]
        other, rows = one + apart, content.rows[one]
        ionic = 1.0 - np.exp(-0.25 * (affinity[one] - affinity[other]) ** 2)
        with np.errstate(invalid="ignore"):  # NaN where an electronegativity is
            np.maximum.at(largest, rows, ionic)
        np.add.at(mean, rows, content.fractions[one] * content.fractions[other] * ionic)
    return largest, mean
