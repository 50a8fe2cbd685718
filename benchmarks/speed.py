"""Measures what a person waits for.

`make bench` runs this. The verbs of every day are timed on the repository that `make demo` left
behind, as medians of whole processes; those of the first day on tables of made-up labels.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = ROOT / "demo" / "formation-enthalpy"
LIST = ROOT / "<<cookiecutter.project>>" / "data" / "candidates" / "transport.csv"
ASSAY = (sys.executable, "-m", "assay")
# of these matminer's tables tell too little
NOBLE = re.compile(r"(?:He|Ne|Ar)(?![a-z])")
MEDIAN = ("--duplicates", "median")
TAKE_IN = (
    "import sys; from assay.intake.choices import Choices; from assay.intake.intake import take_in;"
    "take_in(sys.argv[1], Choices(duplicates='median'))"
)


def seconds(command: Sequence[str], runs: int, folder: Path = REPOSITORY) -> float:
    """Median wall time of a command in seconds, after one run to warm up if there are several."""
    times = []
    for _ in range(runs + (runs > 1)):
        start = time.perf_counter()
        environment = os.environ | {"PYTHONPATH": "src"}
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - start)
    return statistics.median(times[-runs:])


def table(path: Path, rows: int) -> Path:
    """A table of measurements in kelvin: compositions of the example's list, and doped ones."""
    listed = pd.read_csv(LIST, keep_default_na=False)["formula"]
    formulas = [formula for formula in listed if not NOBLE.search(formula)]
    doped = (f"{formula}Li0.0{n}" for n in range(1, 10) for formula in formulas)
    kept = [*formulas, *islice(doped, max(rows - len(formulas), 0))][:rows]
    rng = np.random.default_rng(0)
    values = [len(formula) + rng.normal() for formula in kept]
    pd.DataFrame({"formula": kept, "Tc (K)": values}).to_csv(path, index=False)
    return path


def generated(folder: Path, source: Path) -> Path:
    """A repository of the template on a table of one's own."""
    answers = ("--no-input", "-o", str(folder), f"data={source}", "project=measured")
    subprocess.run(
        [str(Path(sys.executable).with_name("cookiecutter")), str(ROOT), *answers],
        check=True,
        capture_output=True,
    )
    return folder / "measured"


def main() -> None:
    """Print one line a figure, with the bar it is held against."""
    if not REPOSITORY.is_dir():
        sys.exit("bench: run `make demo` first; its repository is what is measured.")
    print(f"assay --help   {seconds([*ASSAY, '--help'], 5):6.2f} s   (bar 0.4)")
    print(f"assay check    {seconds([*ASSAY, 'check'], 2):6.1f} s   (bar 25)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, own = table(folder / "large.csv", 100_000), table(folder / "own.csv", 5_000)
        root = generated(folder, own)
        for what, command, bar in (
            ("intake of 100,000 rows", [sys.executable, "-c", TAKE_IN, str(large)], 20),
            ("assay plan TABLE, 5,000 rows", [*ASSAY, "plan", str(own), *MEDIAN], 60),
            ("assay init, 5,000 rows", [*ASSAY, "init", *MEDIAN], 45),
            ("assay check, 5,000 rows", [*ASSAY, "check"], 90),
        ):
            print(f"{what:30} {seconds(command, 1, root):6.1f} s   (bar {bar})", flush=True)


if __name__ == "__main__":
    main()
