"""What a property went through, counted while it runs: Hypothesis' examples, and rows predicted."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ACCEPTED, THROWN_AWAY = {"valid", "interesting"}, {"invalid", "overrun"}
PHASES = ("reuse-phase", "generate-phase")
EXHAUSTED = "nothing left to do"


class Meter:
    """How many rows were predicted so far, by whatever thread."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.rows, self._lock = 0, threading.Lock()

    def add(self, rows: int) -> None:
        """Count further rows."""
        with self._lock:
            self.rows += rows


METER = pytest.StashKey[Meter]()
COUNTS = pytest.StashKey[dict[str, Any]]()


@contextmanager
def counted(item: pytest.Item) -> Iterator[None]:
    """Note in the item what happens within: `rows`, and `examples` if Hypothesis draws any.

    Statistics are collected within the collector of Hypothesis' own plugin, which gets them, too.
    """
    from hypothesis import is_hypothesis_test, statistics

    collector: Any = statistics.collector  # a variable whose type is that of its first value
    drawn = is_hypothesis_test(getattr(item, "obj", None))
    counts: dict[str, Any] = {"examples": 0, "rejected": 0, "exhausted": False} if drawn else {}
    item.stash[COUNTS] = counts
    meter, outer = item.config.stash[METER], collector.value
    before = meter.rows

    def note(told: Any) -> None:
        _add(counts, told)
        if outer is not None:
            outer(told)

    try:
        with collector.with_value(note):
            yield
    finally:
        counts["rows"] = meter.rows - before


def _add(counts: dict[str, Any], statistics: Any) -> None:
    cases = [case for phase in PHASES for case in statistics.get(phase, {}).get("test-cases", [])]
    for name, statuses in (("examples", ACCEPTED), ("rejected", THROWN_AWAY)):
        found = sum(case["status"] in statuses for case in cases)
        counts[name] = counts.get(name, 0) + found
    counts["exhausted"] = statistics.get("stopped-because") == EXHAUSTED


def limits(item: pytest.Item) -> dict[str, Any]:
    """How many examples a test is limited to, and whether it says so itself; nothing if none."""
    from hypothesis import Phase, is_hypothesis_test, settings

    test = getattr(item, "obj", None)
    if not is_hypothesis_test(test):
        return {}
    profile: Any = settings.default
    own = getattr(test, "_hypothesis_internal_use_settings", profile)
    draws = Phase.generate in own.phases
    return {
        "limit": own.max_examples if draws else 0,
        # a limit of its own is written above the test; that of a profile is anybody's
        "own": _names_limit(item) or own.max_examples != profile.max_examples,
        "profile": settings.get_current_profile_name(),
    }


def _names_limit(item: pytest.Item) -> bool:
    import inspect

    function: Any = getattr(item, "function", None)
    function = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    try:
        lines = inspect.getsource(function).splitlines()
    except (OSError, TypeError):
        return False
    decorators = itertools.takewhile(lambda line: "def " not in line, lines)
    return any("max_examples" in line or "phases" in line for line in decorators)
