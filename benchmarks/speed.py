"""Measures what a person waits for.

`make bench` runs this on the repository that `make demo` left behind and prints medians of whole
processes.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = ROOT / "demo" / "formation-enthalpy"


def seconds(command: Sequence[str], runs: int) -> float:
    """Median wall time of a command in seconds, after one run to warm up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main() -> None:
    """Print one line a figure, with the bar it is held against."""
    if not REPOSITORY.is_dir():
        sys.exit("bench: run `make demo` first; its repository is what is measured.")
    assay = [sys.executable, "-m", "assay"]
    print(f"assay --help   {seconds([*assay, '--help'], 5):6.2f} s   (bar 0.4)")
    print(f"assay check    {seconds([*assay, 'check'], 1):6.1f} s   (bar 45)")


if __name__ == "__main__":
    main()
