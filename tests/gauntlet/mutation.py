"""Switches each check off in turn, and looks for a planted case that then passes everything."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from gauntlet.base import switched_off
from gauntlet.cases import BENCHMARK, GOOD, REFUSED, Case
from gauntlet.harness import run

# What catches without being a check that `[severity]` could switch off.
NO_CHECK = frozenset({BENCHMARK, REFUSED, "collection"})


@dataclass(frozen=True)
class Escape:
    """A check that was switched off, and the planted case that then passed everything, if any.

    `tried` cases were run; `instead` has what stopped those that did not pass.
    """

    check: str
    case: str
    tried: int
    instead: list[str]


def catchers(cases: Sequence[Case], caught_by: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The bad cases that each check caught, by their names: what fewer checks caught first.

    Args:
        cases: all cases, in the order in which they are planted; what is planted late for one
            check alone is tried before what is planted early.
        caught_by: the checks that caught each case.
    """
    found: dict[str, list[str]] = {}
    late_first = list(reversed(cases))
    for case in sorted(late_first, key=lambda case: len(caught_by[case.name])):
        for check in caught_by[case.name] if case.caught_by != GOOD else ():
            if check not in NO_CHECK:
                found.setdefault(check, []).append(case.name)
    return {check: found[check] for check in sorted(found)}


def mutate(
    cases: Mapping[str, Case],
    tries: Mapping[str, Sequence[str]],
    base: Path,
    folder: Path,
    workers: int,
) -> list[Escape]:
    """Switch off each check of `tries` and run its cases until one passes."""

    def one(check: str) -> Escape:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            off = switched_off(base, Path(place), check)
            return _escape(check, [cases[name] for name in tries[check]], off, Path(place))

    with ThreadPoolExecutor(workers) as threads:
        done = threads.map(one, tries)
        return list(tqdm(done, total=len(tries), desc="switched off", disable=None))


def _escape(check: str, cases: Iterable[Case], base: Path, folder: Path) -> Escape:
    instead: set[str] = set()
    tried = 0
    for tried, case in enumerate(cases, start=1):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            caught_by = run(case, base, Path(place)).caught_by
        if not caught_by:
            return Escape(check, case.name, tried, sorted(instead))
        instead |= set(caught_by)
    return Escape(check, "", tried, sorted(instead))
