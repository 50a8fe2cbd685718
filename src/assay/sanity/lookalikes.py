"""Formulas that a cache with a careless key takes for one another."""

import random
from collections.abc import Sequence
from itertools import pairwise

from assay.sanity.strategies import spelt

PAIRS, FEWEST, MOST = 24, 7, 12
NEAR = 4  # thousandths of the atoms, so that shares agree at two decimals


def lookalikes(elements: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """Pairs of compositions of up to 12 elements that differ in the amounts of the last two.

    Their shares agree at two decimals, and their texts for all but the last characters. They are
    always the same for a seed, and few where the elements are fewer than two.
    """
    draw = random.Random(seed)  # noqa: S311 (not for secrets)
    return [_pair(elements, draw) for _ in range(PAIRS if len(elements) > 1 else 0)]


def _pair(elements: Sequence[str], draw: random.Random) -> tuple[str, str]:
    symbols = draw.sample(list(elements), min(draw.randint(FEWEST, MOST), len(elements)))
    cuts = [0, *sorted(draw.sample(range(1, 100), len(symbols) - 1)), 100]
    *amounts, last_but_one, last = (10 * (stop - start) for start, stop in pairwise(cuts))
    one, other = ([*amounts, last_but_one + step, last - step] for step in (NEAR, -NEAR))
    return _spelt(symbols, one), _spelt(symbols, other)


def _spelt(symbols: Sequence[str], amounts: Sequence[int]) -> str:
    return spelt(list(zip(symbols, amounts, strict=True)))
