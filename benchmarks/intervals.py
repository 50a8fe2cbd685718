"""Measures what prediction intervals are worth whose width follows the difficulty.

`make bench` runs this on the train rows of the example; `python benchmarks/intervals.py FILE ...`
measures tables of formulas and numbers, too, and `make bench` leaves their figures as they are. It
writes benchmarks/intervals.json, docs/figures/interval-widths.svg and the tables of
docs/appendix/interval-benchmark.md; half a minute on two cores for the example.
"""

import io
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEMPLATE = Path(__file__).resolve().parents[1]
RECORD = TEMPLATE / "benchmarks" / "intervals.json"
FIGURE = TEMPLATE / "docs" / "figures" / "interval-widths.svg"
EXAMPLE = "formation enthalpies (the example)"
FOLDS, TREES, LEVEL, DRAWS, SLABS, SHOWN = 5, 100, 0.9, 60, 200, 30
# shares of the rows by distance: the near half, and the farthest twentieth
BANDS = (0.5, 0.8, 0.95)
ONE, TAKEN = "one width", "errors nearby and distance (in force)"
CLUSTER = 0.05  # of the sum of differences of atomic shares, where linked systems are one group


@dataclass(frozen=True)
class Known:
    """Train rows out of fold: absolute errors (n,), and what a row without a label has.

    `groups` (n,) share no fold; `points` (n, dimensions) are places in the domain's space,
    `distances` (n,) those to the other folds' rows, `spread` (n,) that of the trees.
    """

    formulas: list[str]
    groups: np.ndarray
    folds: np.ndarray
    sizes: np.ndarray
    spread: np.ndarray
    points: np.ndarray
    distances: np.ndarray
    ways: dict[str, np.ndarray] = field(default_factory=dict)


def example() -> tuple[list[str], np.ndarray]:
    """The train rows that ship."""
    from benchmarks.domain import labelled

    rows, count = labelled()
    return list(rows.formulas[:count]), rows.target[:count]


def table(path: Path) -> tuple[list[str], np.ndarray]:
    """The readable rows of a table, one a composition."""
    from assay.intake.choices import Choices
    from assay.intake.intake import take_in

    found = take_in(str(path), Choices(unit="1", duplicates="median"))
    return list(found.rows["formula"]), found.rows[found.target.name].to_numpy(dtype=float)


def groups_of(formulas: list[str]) -> np.ndarray:
    """Linked systems; compact clusters of the atomic shares where those are one group."""
    from assay.features.parsing import amounts
    from assay.model.chemical_space import shares
    from assay.splits import linked_systems

    systems = np.array(linked_systems(formulas))
    if len(set(systems)) >= 2 * FOLDS:
        return systems
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(shares(amounts(formulas)).toarray(), "complete", "cityblock")
    return np.array([f"{number}" for number in fcluster(tree, CLUSTER, "distance")])


def known(formulas: list[str], target: np.ndarray) -> Known:
    """Fit the shipped forest without each fold, and ask it for the fold's rows."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_union

    from assay.features import MagpieFeatures, StoichiometryFeatures
    from assay.features.parsing import amounts
    from assay.model.chemical_space import fitted_space, positions
    from assay.model.domain import neighbours_between_folds
    from assay.splits import grouped_folds

    groups = groups_of(formulas)
    folds = grouped_folds(list(groups), FOLDS, 0)
    features = make_union(MagpieFeatures(), StoichiometryFeatures()).fit_transform(
        pd.DataFrame({"formula": formulas})
    )
    predicted, spread = np.empty(len(target)), np.empty(len(target))
    for fold in range(FOLDS):
        own = folds == fold
        forest = RandomForestRegressor(TREES, max_features=1 / 3, random_state=0)
        forest.fit(features[~own], target[~own])
        trees = [one.predict(features[own]) for one in forest.estimators_]
        predicted[own], spread[own] = np.mean(trees, axis=0), np.std(trees, axis=0)
    content = amounts(formulas)
    points = positions(fitted_space(content), content)
    distances = neighbours_between_folds(points, folds)[1]
    sizes = np.abs(predicted - target)
    return Known(formulas, groups, folds, sizes, spread, points, distances)


def difficulties(rows: Known) -> dict[str, np.ndarray]:
    """What the widths may follow: (n,) for each way."""
    from scipy.optimize import nnls

    from assay.model.domain import out_of_fold_difficulty

    def fitted(*columns: np.ndarray) -> np.ndarray:
        parts = np.column_stack([np.ones(len(rows.sizes)), *columns])
        return np.maximum(parts @ nnls(parts, rows.sizes)[0], 0.1 * rows.sizes.mean())

    return {
        ONE: np.ones(len(rows.sizes)),
        "distance": fitted(rows.distances),
        "spread of the trees": fitted(rows.spread),
        "spread of the trees and distance": fitted(rows.spread, rows.distances),
        TAKEN: out_of_fold_difficulty(rows.formulas, rows.folds, rows.sizes),
    }


def held(rows: Known, difficulty: np.ndarray) -> tuple[np.ndarray, float]:
    """How often each row (n,) lies in an interval that half of the other groups gave; mean half."""
    from assay.model.intervals import fit_interval

    generator, widths = np.random.default_rng(0), []
    inside, asked = np.zeros(len(rows.sizes)), np.zeros(len(rows.sizes))
    _, codes = np.unique(rows.groups, return_inverse=True)
    for _ in range(DRAWS):
        gives = (generator.permutation(codes.max() + 1) < (codes.max() + 1) // 2)[codes]
        quantile = fit_interval(rows.sizes[gives], difficulty[gives], LEVEL).quantile
        half = quantile * difficulty[~gives]
        inside[~gives] += rows.sizes[~gives] <= half
        asked[~gives] += 1
        widths.append(float(half.mean()))
    return inside / asked, float(np.mean(widths))


def slabs(rows: Known) -> np.ndarray:
    """Rows in the outermost tenth along directions drawn at random: (2 * SLABS, n)."""
    directions = np.random.default_rng(0).standard_normal((rows.points.shape[1], SLABS))
    along = (rows.points @ directions).T
    both = np.vstack([along, -along])
    return both <= np.quantile(both, 0.1, axis=1, keepdims=True)


def judged(rows: Known, difficulty: np.ndarray) -> dict[str, Any]:
    """All that is published of one way."""
    from sklearn.metrics import roc_auc_score

    from assay.model.intervals import fit_interval
    from assay.report.family_coverage import ROWS, short_families
    from assay.report.public_rows import holding_families

    inside, half = held(rows, difficulty)
    own = fit_interval(rows.sizes, difficulty, LEVEL)
    plain = fit_interval(rows.sizes, np.ones(len(rows.sizes)), LEVEL)
    edges = np.quantile(rows.distances, BANDS)
    bands = np.searchsorted(edges, rows.distances)
    families = {
        name: float(inside[holds].mean())
        for name, holds in holding_families(rows.formulas)
        if holds.sum() >= ROWS
    }
    worst = min(families, key=families.__getitem__)
    alike = difficulty.std() == 0
    return {
        "coverage": float(inside.mean()),
        "half_width": half,
        "bands": [float(inside[bands == band].mean()) for band in range(len(BANDS) + 1)],
        "worst_slab": float(min(inside[part].mean() for part in slabs(rows))),
        "families": families,
        "worst_family": [worst, families[worst]],
        "short": sorted(short_families(rows.formulas, own.inside, LEVEL)),
        "auc_distance": float(roc_auc_score(~own.inside, rows.distances)),
        "auc_difficulty": 0.5 if alike else float(roc_auc_score(~plain.inside, difficulty)),
    }


def measured(formulas: list[str], target: np.ndarray) -> tuple[dict[str, Any], Known]:
    """One table in all ways."""
    rows = known(formulas, target)
    rows.ways.update(difficulties(rows))
    return {
        "rows": len(formulas),
        "groups": len(set(rows.groups)),
        "mae": float(rows.sizes.mean()),
        "ways": {name: judged(rows, one) for name, one in rows.ways.items()},
    }, rows


def widths(rows: Known) -> list[dict[str, float]]:
    """Absolute errors by the width of their interval: median and the 90 % quantile of each part."""
    from assay.model.intervals import fit_interval

    own = fit_interval(rows.sizes, rows.ways[TAKEN], LEVEL)
    parts = pd.qcut(own.half_widths, SHOWN, labels=False, duplicates="drop")
    frame = pd.DataFrame({"half": own.half_widths, "size": rows.sizes, "part": parts})
    return [
        {
            "half_width": float(part["half"].median()),
            "middle": float(part["size"].median()),
            "high": float(part["size"].quantile(LEVEL)),
        }
        for _, part in frame.groupby("part")
    ]


def cost(rows: Known) -> dict[str, float]:
    """Microseconds a row of the list that ships, by the processor's time, on one core."""
    from types import SimpleNamespace

    from benchmarks.domain import REPOSITORY

    from assay.batch.prediction import prediction_rows
    from assay.features import MagpieFeatures, StoichiometryFeatures, missing_properties
    from assay.features.parsing import amounts
    from assay.features.transformers import ParsedFrame
    from assay.model.bundle import BundleMetadata
    from assay.model.domain import Domain, fit_domain

    path = REPOSITORY / "data" / "candidates" / "transport.csv"
    offered = pd.read_csv(path, keep_default_na=False)["formula"][:6_000]
    content = amounts([formula for formula in offered if not missing_properties(formula)])
    listed, values = pd.DataFrame({"formula": list(content.formulas)}), np.zeros(len(content))
    accounts = {"model_id": "m", "batch_id": "b"}
    metadata = BundleMetadata(
        model="m",
        target="t",
        kind="number",
        unit="1",
        lower=None,
        upper=None,
        interval_level=LEVEL,
        interval_half_width=1.0,
        interval_quantile=2.0,
        train_digest="0" * 64,
    )
    found = {}
    for name, sizes in ((ONE, None), (TAKEN, rows.sizes)):
        domain = Domain.of(fit_domain(rows.formulas, rows.folds, sizes))
        bundle: Any = SimpleNamespace(metadata=metadata, domain=domain)
        found[name] = _cost(
            lambda own=bundle: prediction_rows(listed, content, values, own, accounts)
        ) / len(content)
    frame = ParsedFrame.of(content)
    made = (MagpieFeatures(), StoichiometryFeatures())
    found["features"] = _cost(lambda: [one.fit_transform(frame) for one in made]) / len(content)
    return found


def _cost(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(15):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e6 * min(times)


def drawn(kept: dict[str, Any]) -> str:
    """Errors against the half width, with the line below which a row is inside."""
    import matplotlib as mpl
    from benchmarks.gate.figures import INK, SERIES, STYLE, themed
    from matplotlib.figure import Figure

    points = pd.DataFrame(kept["widths"])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 3.0), layout="constrained")
        axes = figure.subplots()
        ends = [0, float(points["half_width"].max())]
        axes.plot(ends, ends, color=INK, linewidth=0.8, linestyle="--")
        named = (("high", f"{LEVEL:.0%} quantile"), ("middle", "median"))
        for (column, name), colour in zip(named, SERIES, strict=False):
            axes.plot(
                points["half_width"], points[column], "o", markersize=4, color=colour, label=name
            )
        axes.legend(loc="upper left")
        axes.set_ylim(0)
        axes.set_xlabel("half width of the interval, eV/atom")
        axes.set_ylabel("absolute error, eV/atom")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return themed(stream.getvalue())


def tables(kept: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of docs/appendix/interval-benchmark.md by their names."""
    from benchmarks.pages import table as markdown

    head = ["width follows", "all", "near half", "next 30 %", "next 15 %", "farthest 5 %"]
    head += ["worst slab", "worst family", "mean half width"]
    parts = []
    for name, found in kept["tables"].items():
        lines = [
            [
                way,
                *(f"{100 * share:.1f} %" for share in (one["coverage"], *one["bands"])),
                f"{100 * one['worst_slab']:.1f} %",
                f"{100 * one['worst_family'][1]:.1f} % ({one['worst_family'][0]})",
                f"{one['half_width']:.3g}",
            ]
            for way, one in found["ways"].items()
        ]
        title = f"**{name}**: {found['rows']:,} rows in {found['groups']:,} groups"
        parts.append(f"{title}, MAE {found['mae']:.3g}\n\n{markdown(head, lines)}")
    yield "interval widths", "\n\n".join(parts)
    lines = [
        [
            name,
            *(f"{found['ways'][way]['auc_distance']:.2f}" for way in (ONE, TAKEN)),
            f"{found['ways'][TAKEN]['auc_difficulty']:.2f}",
            *(", ".join(found["ways"][way]["short"]) or "none" for way in (ONE, TAKEN)),
        ]
        for name, found in kept["tables"].items()
    ]
    head = ["table", "AUC of the distance, one width", "in force", "AUC of the difficulty"]
    head += ["families not covered, one width", "in force"]
    yield "interval auc", markdown(head, lines)
    yield (
        "interval cost",
        markdown(
            ["part", "microseconds a row"],
            [
                ["rows of the table with one width", f"{kept['cost'][ONE]:.2f}"],
                ["rows of the table with widths that vary", f"{kept['cost'][TAKEN]:.2f}"],
                ["features of the same rows", f"{kept['cost']['features']:.2f}"],
            ],
        ),
    )


def main() -> None:
    """Print what was found; exit 1 if the intervals in force miss their level on the example."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(TEMPLATE))
    from benchmarks import pages

    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {"tables": {}}
    kept["tables"][EXAMPLE], rows = measured(*example())
    kept["widths"], kept["cost"] = widths(rows), cost(rows)
    for path in map(Path, sys.argv[1:]):
        kept["tables"][path.stem], _ = measured(*table(path))
        print(f"  {path.stem} is measured", file=sys.stderr, flush=True)
    RECORD.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    FIGURE.write_text(drawn(kept), encoding="utf-8")
    pages.fill(tables(kept))
    for name, made in tables(kept):
        print(f"{name}\n{made}\n")
    found = kept["tables"][EXAMPLE]["ways"]
    worse = any(share < LEVEL - 0.05 for share in found[TAKEN]["bands"])
    sys.exit(worse or abs(found[TAKEN]["coverage"] - LEVEL) > 0.02)  # noqa: PLR2004


if __name__ == "__main__":
    main()
