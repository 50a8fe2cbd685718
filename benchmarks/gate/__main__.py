"""`python -m benchmarks.gate [--full] [--workers N]`: run the protocol, print, write, judge."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

# many small products: threads of a linear-algebra library cost more than they give
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
ROOT = Path(__file__).resolve().parents[2]

KEPT = ROOT / "benchmarks" / "gate.json"
QUICK = ROOT / "build" / "gate-quick.json"


def main() -> int:
    """Exit code 1: a bar is missed, or the harness is too weak to tell."""
    from benchmarks.gate import bars
    from benchmarks.gate.attacks import CONTROL
    from benchmarks.gate.figures import draw_all
    from benchmarks.gate.pages import print_table, write_page
    from benchmarks.gate.protocol import carry_out, record
    from benchmarks.gate.tables import example, shipped, transport

    arguments = _arguments()
    size = bars.FULL if arguments.full else bars.QUICK
    start = time.perf_counter()
    transport(), shipped(), example(size.forest)  # made before there are several processes
    found, seconds = carry_out(size, arguments.workers)
    kept = record(size, found, seconds)
    path = KEPT if arguments.full else QUICK
    _write(path, kept)
    folder = ROOT / "docs" / "figures" if arguments.full else ROOT / "build"
    draw_all(kept, folder)
    if arguments.full:
        write_page(kept)
    print_table(kept)
    minutes, own = (time.perf_counter() - start) / 60, sum(seconds.values()) / 60
    print(f"{minutes:.1f} minutes, {own:.1f} of processor time; all figures are in {path}")
    missed = [finding for finding in found if finding.holds is False]
    if any(finding.item == CONTROL for finding in missed):
        print("The harness is too weak: it does not even break the gate that prints its score.")
    for finding in missed:
        print(f"MISSED: {finding.item}, {finding.name}: {finding.value:.4g}, bar {finding.bar}")
    return int(bool(missed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-gate", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the whole protocol, kept in git")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    return parser.parse_args()


def as_text(kept: dict[str, Any]) -> str:
    """JSON with one line a finding, so that differences can be read."""
    about = json.dumps({**kept, "findings": []}, indent=1).removesuffix("[]\n}")
    lines = ",\n".join(" " + json.dumps(finding) for finding in kept["findings"])
    return f"{about}[\n{lines}\n]}}\n"


def _write(path: Path, kept: dict[str, Any]) -> None:
    from assay.files import write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, as_text(kept))


if __name__ == "__main__":
    sys.exit(main())
