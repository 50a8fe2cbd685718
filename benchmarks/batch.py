"""Measures batch prediction against what it must beat, and writes benchmarks/batch.json.

`make bench` runs this. Every figure and its anchor come from one run: features of all formulas of
the transport database by matminer's featurizers, one formula at a time as in the Garden matminer
example (Composition, MultipleFeaturizer, featurize_many), and by `assay.features`, a core each;
predictions of fitted trees by scikit-learn, and by `assay.model.walks`.
"""

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pages
import pandas as pd

TEMPLATE = Path(__file__).resolve().parents[1]
REPOSITORY = TEMPLATE / "<<cookiecutter.project>>"
TRAIN = REPOSITORY / "data" / "train.csv"
LIST = REPOSITORY / "data" / "candidates" / "transport.csv"
RUNS = 5
AT_A_TIME = (500, 2_000, 10_000, 50_000)
EQUAL = 1e-9


def cost(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """The least processor time of some runs, in seconds, and what the last one gave."""
    times, made = [], None
    for _ in range(runs):
        start = time.process_time()
        made = work()
        times.append(time.process_time() - start)
    return min(times), made


def matminer_features(formulas: Sequence[str], jobs: int = 1, **options: bool) -> np.ndarray:
    """The four featurizers of the anchor, `options` for those that know missing properties."""
    from matminer.featurizers import composition as known
    from matminer.featurizers.base import MultipleFeaturizer
    from pymatgen.core import Composition

    every = MultipleFeaturizer(
        [
            known.Stoichiometry(),
            known.ElementProperty.from_preset("magpie", **options),
            known.ValenceOrbital(**options),
            known.IonProperty(fast=True, **options),
        ]
    )
    every.set_n_jobs(jobs)
    rows = every.featurize_many([Composition(formula) for formula in formulas], pbar=False)
    return np.array(rows, dtype=float)


def own_features(formulas: Sequence[str]) -> np.ndarray:
    """The same columns in the same order, from text to numbers."""
    return np.hstack([compute(formulas) for compute in _own().values()])


def _own() -> dict[str, Callable[[Sequence[str]], np.ndarray]]:
    from assay.features.tables import magpie, stoichiometry, valence_orbitals
    from assay.features.transformers import ion_property

    return {
        "Stoichiometry": stoichiometry,
        "Magpie": magpie,
        "ValenceOrbital": valence_orbitals,
        "IonProperty": ion_property,
    }


def parts(formulas: Sequence[str]) -> dict[str, float]:
    """Rows a second of reading the formulas, and of each group of columns once they are read."""
    alone: dict[str, Callable[[], Any]] = {"parsing": lambda: _parsed(formulas)}
    content = _parsed(formulas)
    alone |= {name: partial(compute, content) for name, compute in _own().items()}
    return {name: len(formulas) / cost(work)[0] for name, work in alone.items()}


def _parsed(formulas: Sequence[str]) -> Any:
    from assay.compositions import parse
    from assay.features.parsing import amounts

    parse.cache_clear()  # what is kept from the run before is not read again
    return amounts(formulas)


def features(formulas: Sequence[str]) -> dict[str, Any]:
    """Both paths on all formulas: speed, ratio, and how far apart their values are."""

    def fresh() -> np.ndarray:
        return own_features(_parsed(formulas))

    own_features(formulas[:10])
    own, ours = cost(fresh)
    matminer_features(formulas[:10], impute_nan=False)
    other, theirs = cost(lambda: matminer_features(formulas, impute_nan=False), 1)
    return {
        "rows": len(formulas),
        "columns": ours.shape[1],
        "rows_per_second": len(formulas) / own,
        "matminer_rows_per_second": len(formulas) / other,
        "ratio": other / own,
        "largest_difference": float(np.nanmax(np.abs(ours - theirs))),
        "gaps_that_differ": int((np.isnan(ours) != np.isnan(theirs)).sum()),
        "parts_rows_per_second": parts(formulas),
    }


def inference(formulas: Sequence[str]) -> dict[str, Any]:
    """Each way to ask the shipped forest and boosted trees, on one thread, by rows at a time.

    The ways take turns and the least processor time counts, since a machine may be shared.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

    train = pd.read_csv(TRAIN, keep_default_na=False)
    known, target = _shipped_features(train["formula"]), train.iloc[:, 2].astype(float)
    rows = _shipped_features(formulas)
    rows = np.resize(rows[~np.isnan(rows).any(axis=1)], (max(AT_A_TIME), rows.shape[1]))
    models = (
        RandomForestRegressor(n_estimators=100, max_features=1 / 3, random_state=0),
        HistGradientBoostingRegressor(random_state=0),
    )
    return {"compiling_seconds": _compiling()} | {
        type(model).__name__: _asked(model.fit(known, target), rows) for model in models
    }


def _shipped_features(formulas: Sequence[str]) -> np.ndarray:
    from assay.features.tables import magpie, stoichiometry

    return np.hstack([magpie(formulas), stoichiometry(formulas)])


def _compiling() -> float:
    from assay.model.walks import compiled

    start = time.process_time()
    compiled("float32")
    return time.process_time() - start


def _asked(model: Any, rows: np.ndarray) -> dict[str, Any]:
    ways = _ways(model)
    expected = model.predict(rows)
    found: dict[str, Any] = {
        "largest_difference": {
            name: float(np.abs(way(rows) - expected).max()) for name, way in ways.items()
        },
        "rows_per_second": {
            size: _in_turns(ways, rows[:size], time.process_time) for size in AT_A_TIME
        },
    }
    speeds = found["rows_per_second"].values()
    found["ratio"] = {
        size: speed["compiled walk"] / speed["scikit-learn"]
        for size, speed in zip(AT_A_TIME, speeds, strict=True)
    }
    threads = {f"{n} threads": partial(_walk, model, threads=n) for n in (1, 2)}
    found["rows_per_second_of_wall_clock"] = _in_turns(threads, rows, time.perf_counter)
    return found


def _ways(model: Any) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    ways = {"scikit-learn": model.predict, "compiled walk": partial(_walk, model)}
    if hasattr(model, "estimators_"):
        ways["scikit-learn, 2,000 rows at once"] = partial(_in_blocks, model)
        ways["scikit-learn's trees, one by one"] = partial(_tree_by_tree, model)
    return ways


def _walk(model: Any, rows: np.ndarray, threads: int = 1) -> np.ndarray:
    from assay.model.inference import as_rows
    from assay.model.walks import walk

    forest = _laid_out(model)
    usable = as_rows(forest, rows)
    assert usable is not None
    return walk(forest, usable, threads)


@cache
def _laid_out(model: Any) -> Any:
    from assay.model.forests import lay_out

    return lay_out(model)


def _in_blocks(model: Any, rows: np.ndarray) -> np.ndarray:
    starts = range(0, len(rows), 2_000)
    return np.concatenate([model.predict(rows[start : start + 2_000]) for start in starts])


def _tree_by_tree(model: Any, rows: np.ndarray) -> np.ndarray:
    single, total = rows.astype(np.float32), np.zeros(len(rows))
    for estimator in model.estimators_:
        total += estimator.tree_.predict(single)[:, 0]
    return total / len(model.estimators_)


def _in_turns(
    ways: dict[str, Callable[[np.ndarray], Any]], rows: np.ndarray, clock: Callable[[], float]
) -> dict[str, float]:
    """Rows a second of each way, by the least time of some turns."""
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(max(RUNS, 5_000 // len(rows))):
        for name, way in ways.items():
            start = clock()
            way(rows)
            least[name] = min(least[name], clock() - start)
    return {name: len(rows) / seconds for name, seconds in least.items()}


def tell_inference(found: dict[str, Any]) -> bool:
    """Print the figures; whether the compiled walk is scikit-learn's to the bit."""
    print(f"inference: compiled in {found['compiling_seconds']:.1f} s, once a process")
    models = {name: figures for name, figures in found.items() if isinstance(figures, dict)}
    for name, figures in models.items():
        for size, speeds in figures["rows_per_second"].items():
            told = ", ".join(f"{way} {speed:,.0f}" for way, speed in speeds.items())
            print(f"  {name}, {size:,} rows: {told}: {figures['ratio'][size]:.1f} times (bar 1.2)")
        clock = figures["rows_per_second_of_wall_clock"]
        told = ", ".join(f"{way} {speed:,.0f}" for way, speed in clock.items())
        print(f"  {name}, by the wall clock: {told}")
        print(f"  {name}, largest difference: {max(figures['largest_difference'].values()):.1e}")
    return all(m["largest_difference"]["compiled walk"] == 0 for m in models.values())


def main() -> None:
    """Print one line a figure with its bar; exit 1 if a value is not the anchor's."""
    warnings.simplefilter("ignore")
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    formulas = list(pd.read_csv(LIST, keep_default_na=False)["formula"])
    found = features(formulas)
    print(
        f"features: {found['rows_per_second']:,.0f} rows/s, matminer "
        f"{found['matminer_rows_per_second']:,.0f}: {found['ratio']:.0f} times (bar 100, goal 200)"
    )
    for name, speed in found["parts_rows_per_second"].items():
        print(f"  {name} alone: {speed:,.0f} rows/s")
    print(
        f"  largest difference of {found['columns']} columns: {found['largest_difference']:.1e} "
        f"(bar 1e-9); gaps that differ: {found['gaps_that_differ']}"
    )
    inferred = inference(formulas)
    same = tell_inference(inferred)
    record = {"python": platform.python_version(), "cores": os.cpu_count(), "features": found}
    record["inference"] = inferred
    # the other parts are measured anew by what `make bench` runs next
    record = json.loads(pages.RECORD.read_text()) | record
    pages.RECORD.write_text(json.dumps(record, indent=2) + "\n")
    pages.main()
    sys.exit(found["largest_difference"] > EQUAL or found["gaps_that_differ"] > 0 or not same)


if __name__ == "__main__":
    main()
