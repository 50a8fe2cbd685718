"""Random numbers for large tables: drawn once, and taken from there at random places."""

from functools import lru_cache

import numpy as np

SIZE = 2**20


class Bank:
    """Stretches of a million stored numbers; far quicker than drawing a whole pool for each trial.

    Two stretches of 30,000 share some of their numbers once in about 17 times, in other places.
    """

    def __init__(self, seed: int, places: np.random.Generator) -> None:
        """Numbers follow from `seed`, places from the generator."""
        self._seed = seed
        self._places = places

    def standard_t(self, df: float, size: int) -> np.ndarray:
        """Student's t with so many degrees of freedom, (size,)."""
        return self._stretch(df, size)

    def standard_normal(self, size: tuple[int, int]) -> np.ndarray:
        """Normal numbers, of this shape."""
        return self._stretch(None, size[0] * size[1]).reshape(size)

    def _stretch(self, df: float | None, size: int) -> np.ndarray:
        if size > SIZE // 2:
            return _drawn(self._places, df, size)
        first = int(self._places.integers(0, SIZE - size))
        return _stored(df, self._seed)[first : first + size]


@lru_cache(maxsize=4)
def _stored(df: float | None, seed: int) -> np.ndarray:
    return _drawn(np.random.default_rng(seed), df, SIZE)


def _drawn(rng: np.random.Generator, df: float | None, size: int) -> np.ndarray:
    return rng.standard_normal(size) if df is None else rng.standard_t(df, size)
