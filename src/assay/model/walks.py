"""The walk of rows down the trees of a forest: by numpy for few, else by compiled code.

The code is compiled when it is first asked for. Eight rows go down a tree together, so that the
processor fetches the next node of one while it waits for another's; a few hundred rows are taken
through all trees before the next, so that they stay in the cache. Each row's sum is made in the
order of the trees, as scikit-learn makes it.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from assay.model.forests import Forest

ROWS, TOGETHER = 512, 8


def walk(forest: Forest, features: np.ndarray, threads: int = 1) -> np.ndarray:
    """Sums (n,) of a forest for features (n, columns), finite and of its thresholds' type.

    Each thread takes a run of rows; what a row gets does not depend on the others.

    Raises:
        ImportError: numba is not installed, or not for this Python.
    """
    down = compiled(forest.thresholds.dtype.name)
    totals = np.full(len(features), forest.start)
    trees = (forest.columns, forest.thresholds, forest.children, forest.values, forest.roots)

    def part(begin: int, end: int) -> None:
        down(features[begin:end], *trees, totals[begin:end])

    threads = min(threads, len(features) // ROWS)
    if threads < 2:  # noqa: PLR2004 (nothing to share)
        part(0, len(features))
        return forest.finish(totals)
    cuts = np.linspace(0, len(features), threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, cuts[:-1], cuts[1:]))
    return forest.finish(totals)


def walk_few(forest: Forest, features: np.ndarray) -> np.ndarray:
    """What `walk` gives, without numba: each row takes its next step in all trees at once."""
    rows, width = features.shape
    flat, begins = features.ravel(), np.tile(np.arange(rows) * width, len(forest.roots))
    leaves = np.repeat(forest.roots, rows)
    going, at = np.arange(len(leaves)), leaves
    while len(going):
        right = flat.take(begins + forest.columns.take(at)) > forest.thresholds.take(at)
        below = forest.children.take(at) + right
        moved = below != at
        leaves[going] = below
        going, begins, at = going[moved], begins[moved], below[moved]
    totals = np.full(rows, forest.start)
    for values in forest.values.take(leaves).reshape(-1, rows):
        totals += values
    return forest.finish(totals)


def cores() -> int:
    """How many threads a process may use: OMP_NUM_THREADS, or as many as it has cores.

    Set it to 1 where each core has a worker of its own; scikit-learn's threads heed it, too.
    """
    from joblib import cpu_count

    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(told), cpu_count()) if told.isdecimal() and int(told) else cpu_count()


@lru_cache
def compiled(dtype: str) -> Callable[..., None]:
    """The walk for features and thresholds of one type, `float32` or `float64`.

    Nothing compiled is kept on disk, where numba would read it back with pickle.

    Raises:
        ImportError: numba is not installed, or not for this Python.
    """
    import numba

    kinds = [f"{dtype}[:,::1]", "int32[::1]", f"{dtype}[::1]", "int32[::1]", "float64[::1]"]
    signature = f"void({', '.join([*kinds, 'int32[::1]', 'float64[::1]'])})"
    made: Any = numba.njit(signature, nogil=True)(_down)
    return made


def _down(  # noqa: C901, PLR0913 (numba compiles one function of arrays and loops)
    features: np.ndarray,
    columns: np.ndarray,
    thresholds: np.ndarray,
    children: np.ndarray,
    values: np.ndarray,
    roots: np.ndarray,
    totals: np.ndarray,
) -> None:
    rows = len(features)
    at = np.empty(TOGETHER, np.int32)
    for begin in range(0, rows, ROWS):
        end = min(begin + ROWS, rows)
        for root in roots:
            row = begin
            while row + TOGETHER <= end:
                for lane in range(TOGETHER):
                    at[lane] = root
                moved = np.int32(1)
                while moved != 0:
                    moved = np.int32(0)
                    for lane in range(TOGETHER):
                        node = at[lane]
                        right = features[row + lane, columns[node]] > thresholds[node]
                        below = children[node] + np.int32(right)
                        moved |= below ^ node
                        at[lane] = below
                for lane in range(TOGETHER):
                    totals[row + lane] += values[at[lane]]
                row += TOGETHER
            for rest in range(row, end):
                node = root
                while True:
                    right = features[rest, columns[node]] > thresholds[node]
                    below = children[node] + np.int32(right)
                    if below == node:
                        break
                    node = below
                totals[rest] += values[node]
