"""Runs all planted pull requests, switches each check off in turn, and writes the record.

`make gauntlet` runs this; what came out is in `benchmarks/gauntlet.json` and docs/gauntlet.md.
"""

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gauntlet.base import TEMPLATE, make_base, switched_off
from gauntlet.cases import BENCHMARK, GOOD, REFUSED, Case
from gauntlet.families import all_cases
from gauntlet.harness import Outcome, run
from gauntlet.tables import write_tables

RECORD = TEMPLATE / "benchmarks" / "gauntlet.json"
WORKERS = 2


@dataclass(frozen=True)
class Escape:
    """A check that was switched off, and the planted case that then passed everything, if any."""

    check: str
    case: str
    tried: int


def main() -> None:
    """Exit 1 if a bad case was not caught by its check, a good one refused, or a check is idle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="run these cases alone and switch no check off")
    parser.add_argument("--update", action="store_true", help="put them into the last record")
    chosen = parser.parse_args()
    cases = [case for case in all_cases() if not chosen.names or case.name in chosen.names]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder))
        outcomes = run_all(cases, base, Path(folder))
        if not chosen.names:  # before what takes as long again
            _publish(record(cases, outcomes, []))
        escapes = [] if chosen.names else mutate(cases, outcomes, base, Path(folder))
    wrong = [case for case in cases if not outcomes[case.name].suits(case)]
    for case in cases if chosen.names else wrong:
        print(f"{case.name}: wanted {case.caught_by or 'no objection'}; {outcomes[case.name]}")
    idle = [escape.check for escape in escapes if not escape.case]
    if not chosen.names:
        _publish(record(cases, outcomes, escapes))
    elif chosen.update:
        _publish(updated(json.loads(RECORD.read_text()), record(cases, outcomes, [])))
    print(
        f"{len(cases) - len(wrong)} of {len(cases)} as planted; checks that caught nothing alone: "
        f"{', '.join(idle) or 'none'}; {(time.monotonic() - start) / 60:.1f} minutes"
    )
    sys.exit(bool(wrong or idle))


def _publish(content: dict[str, Any]) -> None:
    RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    write_tables(RECORD)


def run_all(cases: list[Case], base: Path, folder: Path) -> dict[str, Outcome]:
    """Run cases side by side; each has a folder of its own, which is removed."""

    def one(case: Case) -> tuple[str, Outcome]:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            return case.name, run(case, base, Path(place))

    with ThreadPoolExecutor(WORKERS) as workers:
        done = workers.map(one, cases)
        return dict(tqdm(done, total=len(cases), desc="gauntlet", unit="case", disable=None))


def mutate(
    cases: list[Case], outcomes: dict[str, Outcome], base: Path, folder: Path
) -> list[Escape]:
    """Switch off each check that caught a case, and look for a case that then passes.

    Cases that fewer checks caught are tried first.
    """
    catchers: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: len(outcomes[case.name].caught_by)):
        for check in outcomes[case.name].caught_by if case.caught_by != GOOD else ():
            catchers.setdefault(check, []).append(case)
    switches = sorted(set(catchers) - {BENCHMARK, REFUSED, "collection"})

    def one(check: str) -> Escape:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            return _escape(
                check, catchers[check], switched_off(base, Path(place), check), Path(place)
            )

    with ThreadPoolExecutor(WORKERS) as workers:
        done = workers.map(one, switches)
        return list(tqdm(done, total=len(switches), desc="switched off", disable=None))


def _escape(check: str, cases: list[Case], base: Path, folder: Path) -> Escape:
    for tried, case in enumerate(cases, start=1):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            if not run(case, base, Path(place)).caught_by:
                return Escape(check, case.name, tried)
    return Escape(check, "", len(cases))


def updated(before: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    """A record with the cases of a smaller run in their places, new ones where they are planted."""
    told = {one["name"]: one for one in [*before["cases"], *news["cases"]]}
    return before | {"cases": [told[case.name] for case in all_cases() if case.name in told]}


def record(
    cases: list[Case], outcomes: dict[str, Outcome], escapes: list[Escape]
) -> dict[str, Any]:
    """What is published."""
    return {
        "cases": [
            {
                "name": case.name,
                "family": case.family,
                "sentence": case.sentence,
                "planted": case.caught_by,
                **outcomes[case.name].as_json(),
            }
            for case in cases
        ],
        "switched_off": [vars(escape) for escape in escapes],
    }


if __name__ == "__main__":
    main()
