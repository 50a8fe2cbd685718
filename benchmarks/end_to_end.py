"""Measures whole batches, from a CSV to the table with all columns, and adds them to batch.json.

`make bench` runs this on the repository that `make demo` left behind. The anchor is the pipeline of
the Garden matminer example with the same forest, on all cores: one Composition a formula,
MultipleFeaturizer through featurize_many, an imputer, predict. matminer takes one process or as
many as there are cores, whichever is faster here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pages
import pandas as pd

from batch import cost, matminer_features

TEMPLATE = Path(__file__).resolve().parents[1]
REPOSITORY = TEMPLATE / "demo" / "formation-enthalpy"
SIZES = (100_000, 1_000_000, 10_000_000)
ROWS = 200_000
TRIED = 5_000
LIST = "measured.csv"
# Magpie and Stoichiometry, which the shipped forest was fitted on, among the columns of the four
STOICHIOMETRY, MAGPIE = 6, 132


def main() -> None:
    """Print one line a figure with its bar; arguments are other sizes of lists."""
    warnings.simplefilter("ignore")
    if not REPOSITORY.is_dir():
        sys.exit("bench: run `make demo` first; its repository is what is measured.")
    formulas = shipped()
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    anchor = garden(formulas)
    print(f"Garden pipeline: {anchor:,.0f} rows/s")
    alone = parts(formulas)
    for name, speed in alone.items():
        print(f"  {name} alone, one core: {speed:,.0f} rows/s")
    small = batch(formulas, len(formulas), ())
    print(f"assay predict, {len(formulas)} rows: {small['seconds']:.1f} s (bar 10)")
    batches = [batch(formulas, size, ("--scheduler", "local", "--no-csv")) for size in sizes]
    for found in batches:
        tell(found, anchor)
    record = json.loads(pages.RECORD.read_text())
    record["end_to_end"] = {
        "garden_rows_per_second": anchor,
        "parts_rows_per_second": alone,
        "shipped_list": small,
        "batches": batches,
        "marginal_rows_per_second": marginal(batches),
    }
    pages.RECORD.write_text(json.dumps(record, indent=2) + "\n")
    pages.main()
    print(f"rows/s between the sizes: {', '.join(f'{s:,.0f}' for s in marginal(batches))}")


def shipped() -> list[str]:
    """The formulas of the transport database that can be predicted."""
    from assay.features import missing_properties

    found = pd.read_csv(REPOSITORY / "data" / "candidates" / "transport.csv")["formula"]
    return [formula for formula in found if not missing_properties(formula)]


def model() -> Any:
    """The shipped model as it was certified."""
    from assay.model.loading import load_bundle
    from assay.settings import read_settings

    package = read_settings(REPOSITORY).project.package
    (certified,) = (REPOSITORY / ".assay" / "models").glob("*/bundle")
    return load_bundle(certified, package)


def garden(formulas: Sequence[str]) -> float:
    """Rows a second of the anchor, features and forest, by the wall clock."""
    from sklearn.impute import SimpleImputer

    forest, jobs = model().model[-1], faster(formulas[:TRIED])
    print(f"matminer is faster with n_jobs {jobs}")
    start = time.perf_counter()
    rows = matminer_features(formulas, jobs)
    features = SimpleImputer().fit_transform(rows)
    magpie = features[:, STOICHIOMETRY : STOICHIOMETRY + MAGPIE]
    forest.set_params(n_jobs=os.cpu_count())
    forest.predict(np.hstack([magpie, features[:, :STOICHIOMETRY]]))
    return len(formulas) / (time.perf_counter() - start)


def faster(formulas: Sequence[str]) -> int:
    """In how many processes matminer is faster: more than one have to be sent every row."""
    seconds = {}
    for jobs in {1, os.cpu_count() or 1}:
        start = time.perf_counter()
        matminer_features(formulas, jobs)
        seconds[jobs] = time.perf_counter() - start
    return min(seconds, key=seconds.__getitem__)


def parts(formulas: Sequence[str]) -> dict[str, float]:
    """Rows a second of each part of a batch alone, on one core by the processor's time."""
    from assay.batch.lists import open_list, read_range
    from assay.batch.prediction import prediction_ids, prediction_rows
    from assay.features.parsing import amounts
    from assay.features.transformers import ParsedFrame

    os.environ["OMP_NUM_THREADS"] = "1"
    bundle, chunk = model(), list(formulas[:5_000])
    bundle.inference.expect(10**9)
    table = pd.DataFrame({"formula": chunk}, dtype=str)
    values, accounts = bundle.predict(chunk), {"model_id": "m", "batch_id": "b"}
    content = amounts(chunk)
    frame = prediction_rows(table, content, values, bundle, accounts)
    parsed = ParsedFrame.of(content)
    features = bundle.model[:-1].transform(parsed)
    forest = bundle.inference
    way = forest._way(len(chunk), len(forest._forest.roots))  # noqa: SLF001
    walked = partial(forest._of_features, way, forest._forest, features)  # noqa: SLF001
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        write(path, formulas, ROWS)
        works: dict[str, tuple[int, Callable[[], Any]]] = {
            "reading": (ROWS, lambda: list(read_range(open_list(path), 0, ROWS, len(chunk)))),
            "parsing": (len(chunk), lambda: amounts(chunk)),
            "features": (len(chunk), lambda: bundle.model[:-1].transform(parsed)),
            "trees": (len(chunk), walked),
            "domain": (len(chunk), lambda: bundle.domain.reasons(content)),
            "ids": (len(chunk), lambda: prediction_ids(content, "m")),
            "writing": (len(chunk), lambda: frame.to_parquet(Path(folder) / "table.parquet")),
        }
        return {name: rows / cost(work)[0] for name, (rows, work) in works.items()}


def write(path: Path, formulas: Sequence[str], rows: int) -> None:
    """A list of so many rows, the formulas over and over."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("formula\n")
        stream.writelines(f"{formula}\n" for formula in islice(cycle(formulas), rows))


def batch(formulas: Sequence[str], rows: int, options: Sequence[str]) -> dict[str, Any]:
    """One `assay predict`, start-up included: wall clock, and the most memory of all processes."""
    forget()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / LIST
        write(path, formulas, rows)
        command = [sys.executable, "-m", "assay", "predict", str(path), *options]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
        environment.pop("OMP_NUM_THREADS", None)
        start, most = time.perf_counter(), 0
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE
        ) as process:
            while process.poll() is None:
                most = max(most, sum(memory(process.pid)))
                time.sleep(0.2)
        seconds = time.perf_counter() - start
        if process.returncode:
            sys.exit(f"bench: assay predict ended with {process.returncode}")
    return {
        "rows": rows,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "memory_bytes": most,
        "options": list(options),
    }


def forget() -> None:
    """Take away the batches of runs before: what is done already would be taken as it is."""
    for record in (REPOSITORY / "out" / "batches").glob("*/batch.json"):
        if json.loads(record.read_text())["candidates"] == LIST:
            shutil.rmtree(record.parent)


def memory(process: int) -> Iterator[int]:
    """The memory of a process and all below it, in bytes; shared pages count for their share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        yield next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, StopIteration):
        return  # it has just ended
    for child in children:
        yield from memory(int(child))


def tell(found: dict[str, Any], anchor: float) -> None:
    """One line for a batch."""
    speed = found["rows_per_second"]
    print(
        f"{found['rows']:,} rows: {found['seconds']:.1f} s, {speed:,.0f} rows/s, "
        f"{speed / anchor:.0f} times the Garden pipeline (bar 50, goal 100); "
        f"{found['memory_bytes'] / pages.GIBIBYTE:.2f} GiB (bar 2)"
    )


def marginal(batches: Sequence[dict[str, Any]]) -> list[float]:
    """Rows a second between one size and the next, which start-up has no part in."""
    return [
        (more["rows"] - less["rows"]) / (more["seconds"] - less["seconds"])
        for less, more in pairwise(batches)
    ]


if __name__ == "__main__":
    main()
