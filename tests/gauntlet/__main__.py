"""Runs all planted pull requests, switches each check off in turn, and writes the record.

`make gauntlet` runs this and writes `benchmarks/gauntlet.json` and docs/appendix/gauntlet*.md.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gauntlet import counting
from gauntlet.base import TEMPLATE, make_base
from gauntlet.cases import Case
from gauntlet.families import all_cases
from gauntlet.harness import Outcome, run
from gauntlet.mutation import Escape, catchers, mutate
from gauntlet.second_lines import SECOND_LINES
from gauntlet.tables import write_tables

RECORD = TEMPLATE / "benchmarks" / "gauntlet.json"
WORKERS = 2


def main() -> None:
    """Exit 1 if a case does not end as planted, or a check is idle and no known second line."""
    chosen = _arguments()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder))
        if chosen.counts:
            amiss, idle = _counts(base, Path(folder)), []
        elif chosen.checks is not None:
            amiss, idle = [], _checks(chosen.checks, base, Path(folder))
        elif chosen.names:
            amiss, idle = _some(chosen.names, base, Path(folder), update=chosen.update), []
        else:
            amiss, idle = _whole(base, Path(folder))
    print(
        f"not as planted: {', '.join(amiss) or 'none'}; idle checks: {', '.join(idle) or 'none'}; "
        f"{(time.monotonic() - start) / 60:.1f} minutes"
    )
    sys.exit(bool(amiss or idle))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="run these cases alone and switch no check off")
    parser.add_argument("--update", action="store_true", help="put them into the last record")
    parser.add_argument("--counts", action="store_true", help="mutate each count of a run alone")
    parser.add_argument(
        "--checks",
        nargs="*",
        help="switch these checks off, or all that no record tells of, by the last record's cases",
    )
    return parser.parse_args()


def _whole(base: Path, folder: Path) -> tuple[list[str], list[str]]:
    amiss, planted = [], all_cases()
    for family in dict.fromkeys(case.family for case in planted):
        # what is done stays if the rest is broken off
        cases = [case for case in planted if case.family == family]
        amiss += _run(cases, base, folder, update=True)
    _publish(json.loads(RECORD.read_text()) | {"switched_off": []})
    return amiss + _counts(base, folder), _checks([], base, folder)


def _counts(base: Path, folder: Path) -> list[str]:
    """Mutate each count of one run; those of which a mutation passes."""
    [case] = [case for case in all_cases() if case.name == counting.CHANGED]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found = counting.counted(case, base, Path(place))
    _publish(json.loads(RECORD.read_text()) | {"counts": counting.as_json(found)})
    return [f"{one.check} {one.name}" for one in found if counting.PASSED in vars(one).values()]


def _some(names: Sequence[str], base: Path, folder: Path, *, update: bool) -> list[str]:
    return _run([case for case in all_cases() if case.name in names], base, folder, update=update)


def _run(cases: Sequence[Case], base: Path, folder: Path, *, update: bool) -> list[str]:
    outcomes = run_all(cases, base, folder)
    for case in cases:
        print(f"{case.name}: wanted {case.caught_by or 'no objection'}; {outcomes[case.name]}")
    if update:
        _publish(updated(json.loads(RECORD.read_text()), told(cases, outcomes)))
    return wrong(cases, outcomes)


def _checks(checks: Sequence[str], base: Path, folder: Path) -> list[str]:
    """Switch checks off, all that are not in the record if none is named; the idle ones of it."""
    content = json.loads(RECORD.read_text())
    cases = all_cases()
    tries = catchers(cases, {one["name"]: one["caught_by"] for one in content["cases"]})
    known = {one["check"]: Escape(**one) for one in content["switched_off"]}
    again = {check: tries[check] for check in checks or [one for one in tries if one not in known]}
    found = mutate({case.name: case for case in cases}, again, base, folder, WORKERS)
    known |= {escape.check: escape for escape in found}
    _publish(content | {"switched_off": [vars(known[check]) for check in tries]})
    return [check for check in tries if not known[check].case and check not in SECOND_LINES]


def _publish(content: dict[str, Any]) -> None:
    RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    write_tables(RECORD)


def wrong(cases: Sequence[Case], outcomes: dict[str, Outcome]) -> list[str]:
    """The cases that did not end as planted."""
    return [case.name for case in cases if not outcomes[case.name].suits(case)]


def run_all(cases: Sequence[Case], base: Path, folder: Path) -> dict[str, Outcome]:
    """Run cases side by side; each has a folder of its own, which is removed."""

    def one(case: Case) -> tuple[str, Outcome]:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            return case.name, run(case, base, Path(place))

    with ThreadPoolExecutor(WORKERS) as workers:
        done = workers.map(one, cases)
        return dict(tqdm(done, total=len(cases), desc="gauntlet", unit="case", disable=None))


def updated(before: dict[str, Any], news: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A record with the cases of a smaller run in their places, new ones where they are planted."""
    known = {one["name"]: one for one in [*before["cases"], *news]}
    return before | {"cases": [known[case.name] for case in all_cases() if case.name in known]}


def told(cases: Sequence[Case], outcomes: dict[str, Outcome]) -> list[dict[str, Any]]:
    """What is published of each case."""
    return [
        {
            "name": case.name,
            "family": case.family,
            "sentence": case.sentence,
            "planted": case.caught_by,
            **outcomes[case.name].as_json(),
        }
        for case in cases
    ]


if __name__ == "__main__":
    main()
