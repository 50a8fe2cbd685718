"""Measures what a person waits for, and what the vectorised features gain over matminer.

`make bench` runs this on the repository that `make demo` left behind and prints medians of whole
processes, and the ratio of two feature paths taken in one process.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = ROOT / "demo" / "formation-enthalpy"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
ROWS = 1000


def seconds(command: Sequence[str], runs: int) -> float:
    """Median wall time of a command in seconds, after one run to warm up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, cwd=REPOSITORY, env=ENVIRONMENT, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def feature_ratio() -> tuple[float, float]:
    """Rows per second of the vectorised Magpie features, and how many times matminer's that is."""
    sys.path.insert(0, str(REPOSITORY / "src"))
    import pandas as pd
    from matminer.featurizers.composition import ElementProperty

    from assay.compositions import parse
    from assay.features import magpie

    pool = pd.read_csv(REPOSITORY / "data" / "pool.csv", keep_default_na=False)
    formulas = list(pool["formula"].sample(ROWS, random_state=0))
    featurizer = ElementProperty.from_preset("magpie", impute_nan=False)
    magpie(formulas[:10])
    parse.cache_clear()
    start = time.perf_counter()
    magpie(formulas)
    fast = ROWS / (time.perf_counter() - start)
    parse.cache_clear()
    start = time.perf_counter()
    for formula in formulas:
        featurizer.featurize(parse(formula))
    return fast, fast / (ROWS / (time.perf_counter() - start))


def main() -> None:
    """Print one line a figure, with the bar it is held against."""
    if not REPOSITORY.is_dir():
        sys.exit("bench: run `make demo` first; its repository is what is measured.")
    assay = [sys.executable, "-m", "assay"]
    print(f"assay --help   {seconds([*assay, '--help'], 5):6.2f} s   (bar 0.4)")
    print(f"assay check    {seconds([*assay, 'check'], 1):6.1f} s   (bar 45)")
    fast, ratio = feature_ratio()
    print(f"Magpie, parsing included: {fast:,.0f} rows/s, {ratio:.0f} times matminer's own path")


if __name__ == "__main__":
    main()
