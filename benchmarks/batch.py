"""Measures batch prediction against what it must beat, and writes benchmarks/batch.json.

`make bench` runs this. Every figure and its anchor come from one run: features of all formulas of
the transport database by matminer's featurizers, one formula at a time as in the Garden matminer
example (Composition, MultipleFeaturizer, featurize_many), and by `assay.features`, a core each.
"""

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEMPLATE = Path(__file__).resolve().parents[1]
REPOSITORY = TEMPLATE / "<<cookiecutter.project>>"
LIST = REPOSITORY / "data" / "candidates" / "transport.csv"
RECORD = TEMPLATE / "benchmarks" / "batch.json"
RUNS = 5
EQUAL = 1e-9


def cost(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """The least processor time of some runs, in seconds, and what the last one gave."""
    times, made = [], None
    for _ in range(runs):
        start = time.process_time()
        made = work()
        times.append(time.process_time() - start)
    return min(times), made


def matminer_features(formulas: Sequence[str]) -> np.ndarray:
    """The four featurizers of the anchor, gaps left as they are, in one process."""
    from matminer.featurizers import composition as known
    from matminer.featurizers.base import MultipleFeaturizer
    from pymatgen.core import Composition

    every = MultipleFeaturizer(
        [
            known.Stoichiometry(),
            known.ElementProperty.from_preset("magpie", impute_nan=False),
            known.ValenceOrbital(impute_nan=False),
            known.IonProperty(fast=True, impute_nan=False),
        ]
    )
    every.set_n_jobs(1)
    rows = every.featurize_many([Composition(formula) for formula in formulas], pbar=False)
    return np.array(rows, dtype=float)


def own_features(formulas: Sequence[str]) -> np.ndarray:
    """The same columns in the same order, from text to numbers."""
    return np.hstack([compute(formulas) for compute in _own().values()])


def _own() -> dict[str, Callable[[Sequence[str]], np.ndarray]]:
    from assay.features.ionic import ion_property
    from assay.features.statistics import magpie, stoichiometry, valence_orbitals

    return {
        "Stoichiometry": stoichiometry,
        "Magpie": magpie,
        "ValenceOrbital": valence_orbitals,
        "IonProperty": ion_property,
    }


def parts(formulas: Sequence[str]) -> dict[str, float]:
    """Rows a second of reading the formulas, and of each group of columns once they are read."""
    alone: dict[str, Callable[[], Any]] = {"parsing": lambda: _parsed(formulas)}
    alone |= {name: partial(compute, formulas) for name, compute in _own().items()}
    return {name: len(formulas) / cost(work)[0] for name, work in alone.items()}


def _parsed(formulas: Sequence[str]) -> Any:
    from assay.compositions import parse
    from assay.features.parsing import amounts, amounts_of

    amounts_of.cache_clear()  # what is kept from the run before is not read again
    parse.cache_clear()
    return amounts(formulas)


def features(formulas: Sequence[str]) -> dict[str, Any]:
    """Both paths on all formulas: speed, ratio, and how far apart their values are."""

    def fresh() -> np.ndarray:
        _parsed(formulas)
        return own_features(formulas)

    own_features(formulas[:10])
    own, ours = cost(fresh)
    matminer_features(formulas[:10])
    other, theirs = cost(lambda: matminer_features(formulas), 1)
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


def main() -> None:
    """Print one line a figure with its bar; exit 1 if a value is not matminer's."""
    warnings.simplefilter("ignore")
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    sys.path.insert(0, str(REPOSITORY / "src"))
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
    record = {"python": platform.python_version(), "cores": os.cpu_count(), "features": found}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    sys.exit(found["largest_difference"] > EQUAL or found["gaps_that_differ"] > 0)


if __name__ == "__main__":
    main()
