"""Compact clusters of compositions, by the sum of the differences of their atomic shares.

The distance of two compositions is sum |x - y| over their atomic shares, from 0 to 2. No two rows
of a cluster are further apart than its extent (complete linkage).
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from assay.compositions import parse

# atomic shares that differ by no more than this, all of them: near enough to know one another
NEAR = 0.01
# rows whose distances are held at once; more of them are halved before they are clustered
LARGEST, FEW = 5000, 1000
# what rounding adds to a distance
ROUNDING = 1e-9


def shares(formulas: Sequence[str]) -> np.ndarray:
    """Atomic shares (n, 119) by atomic number."""
    found = np.zeros((len(formulas), 119))
    for place, formula in enumerate(formulas):
        for element, share in parse(formula).fractional_composition.items():
            found[place, element.Z] = share
    return found


def clusters(formulas: Sequence[str], extent: float) -> list[str]:
    """The cluster of each composition, named after the member that is nearest to all others.

    Rows linked by steps of at most the extent are clustered together, which gives the clusters of
    the whole table. Of more than `LARGEST` such rows the halves by their most varied element are
    clustered each for itself.
    """
    points = shares(formulas)
    linked = _linked(points, extent)
    blocks = (block for rows in linked for block in _halved(points, rows, LARGEST))
    return _named(formulas, points, blocks, extent)


def _named(
    formulas: Sequence[str], points: np.ndarray, blocks: Iterable[np.ndarray], extent: float
) -> list[str]:
    names = np.empty(len(formulas), dtype=object)
    for block in blocks:
        for cluster in _complete(points, block, extent):
            names[cluster] = formulas[_medoid(points, cluster, formulas)]
    return [str(name) for name in names]


def joined(formulas: Sequence[str], names: Sequence[str], extent: float) -> list[str]:
    """The cluster of each composition: of those that are there the nearest within the extent.

    Those that are near none are clusters of their own, found by halves of `FEW` rows at most.

    Args:
        formulas: compositions (n,).
        names: of the known clusters, each the formula of its middle.
        extent: as of `clusters`.
    """
    found = [known or "" for known in nearest(formulas, names, extent)]
    rest = [place for place, name in enumerate(found) if not name]
    others = [formulas[place] for place in rest]
    points = shares(others)
    blocks = _halved(points, np.arange(len(rest)), FEW)
    for place, name in zip(rest, _named(others, points, blocks, extent), strict=True):
        found[place] = name
    return found


def nearest(formulas: Sequence[str], names: Sequence[str], extent: float) -> list[str | None]:
    """The known composition that is nearest to each of n, if it lies within the extent."""
    from scipy.spatial import KDTree

    known = sorted(set(names))
    if not known or not len(formulas):
        return [None] * len(formulas)
    _, places = KDTree(shares(known)).query(
        shares(formulas), p=1, distance_upper_bound=extent + ROUNDING
    )
    return [known[place] if place < len(known) else None for place in places]


def distances(formulas: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """How far each composition is from its partner (n,)."""
    return np.asarray(np.abs(shares(formulas) - shares(others)).sum(axis=1))


def near_units(formulas: Sequence[str], names: Sequence[str]) -> list[str]:
    """What may not be divided: clusters, joined where a row of one is `NEAR` a row of another.

    A continuous series is cut into clusters somewhere, and rows on both sides of a cut know one
    another.
    """
    labels, codes = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    pairs = codes[_pairs(shares(formulas), NEAR, np.inf)]
    components = _components(pairs, len(labels))
    first = {component: labels[place] for place, component in reversed([*enumerate(components)])}
    return [str(first[components[code]]) for code in codes]


def _pairs(points: np.ndarray, apart: float, power: float) -> np.ndarray:
    from scipy.spatial import KDTree

    present = points[:, points.any(axis=0)]
    found = KDTree(present).query_pairs(apart + ROUNDING, p=power, output_type="ndarray")
    return np.asarray(found)


def _components(pairs: np.ndarray, count: int) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def _linked(points: np.ndarray, extent: float) -> Iterator[np.ndarray]:
    components = _components(_pairs(points, extent, 1), len(points))
    order = np.argsort(components, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(components[order])) + 1)


def _halved(points: np.ndarray, rows: np.ndarray, most: int) -> Iterator[np.ndarray]:
    if len(rows) <= most:
        yield rows
        return
    own = points[rows]
    order = np.argsort(own[:, own.var(axis=0).argmax()], kind="stable")
    for half in np.array_split(rows[order], 2):
        yield from _halved(points, half, most)


def _complete(points: np.ndarray, rows: np.ndarray, extent: float) -> Iterator[np.ndarray]:
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(rows) < 2:  # noqa: PLR2004 (nothing to link)
        yield from [rows] if len(rows) else []
        return
    tree = linkage(points[rows], "complete", "cityblock")
    labels = fcluster(tree, extent + ROUNDING, "distance")
    for label in np.unique(labels):
        yield rows[labels == label]


def _medoid(points: np.ndarray, rows: np.ndarray, formulas: Sequence[str]) -> int:
    from scipy.spatial.distance import cdist

    sums = cdist(points[rows], points[rows], "cityblock").sum(axis=1).round(9)
    return min(zip(sums, (formulas[row] for row in rows), rows, strict=True))[2]
