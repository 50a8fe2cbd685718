"""What each property went through, counted while it ran, and what became of it."""

import itertools
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from assay.sanity.suites import FOLDER, KIT

LONGEST = 300
# as Hypothesis prints them
_EXAMPLE = re.compile(r"^\w[\w ]*: \w+\((\n.*?)^\)", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r" {2}# .*$", re.MULTILINE)
_DRAW = re.compile(r"^(Draw \d+(?: \(.*?\))?:) (.*)$", re.MULTILINE)
ACCEPTED, THROWN_AWAY = {"valid", "interesting"}, {"invalid", "overrun"}
PHASES = ("reuse-phase", "generate-phase")
EXHAUSTED = "nothing left to do"


def outcome(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> dict[str, Any]:
    """The record of one stage of one test: what it is called, how it ended, what falsified it."""
    error = _innermost(call.excinfo.value) if call.excinfo else None
    path, line, _ = item.location
    own = item.path.parent == FOLDER  # wherever assay is installed, it is found by its name
    documentation = getattr(getattr(item, "function", None), "__doc__", None)
    return {
        "name": item.name,
        # with the class, if it is in one
        "node": f"{KIT + item.path.stem if own else path}::{item.nodeid.partition('::')[2]}",
        "file": "" if own else path,
        "path": str(item.path.resolve()),
        "line": (line or 0) + 1,
        "outcome": report.outcome,
        "xfail": getattr(report, "wasxfail", None),
        "skipped": _why_skipped(report),
        "stage": report.when,
        "property": (documentation or item.name).strip().split("\n")[0],
        "properties": dict(item.user_properties),
        **({} if error is None else _explained(error, getattr(item, "fixturenames", ()))),
    }


def _why_skipped(report: pytest.TestReport) -> str:
    """The reason that pytest gives, or ""."""
    where = report.longrepr
    return str(where[2]) if report.outcome == "skipped" and isinstance(where, tuple) else ""


def _innermost(error: BaseException) -> BaseException:
    """The first single exception; Hypothesis groups them when a failure is not repeatable."""
    while isinstance(error, BaseExceptionGroup):
        notes = getattr(error, "__notes__", [])
        error = error.exceptions[0]
        for note in notes:
            error.add_note(note)
    return error


def _explained(error: BaseException, fixtures: Sequence[str]) -> dict[str, Any]:
    notes = "\n".join(getattr(error, "__notes__", []))
    blob = re.search(r"@reproduce_failure\(.*\)", notes)
    formula = getattr(error, "formula", None)
    said = str(error) or type(error).__name__
    return {
        # a property of assay names what broke it itself; an author's need not
        "message": said if formula is not None else _with_drawn(said, notes, fixtures),
        "formula": _first_formula(notes) if formula is None else formula,
        "value": getattr(error, "value", None),
        "example": notes,
        "reproduction": blob.group(0) if blob else None,
    }


def _with_drawn(said: str, notes: str, fixtures: Sequence[str]) -> str:
    """The first line of what an error says, with the values that Hypothesis drew, if any."""
    found = "; ".join(drawn(notes, fixtures))
    first, *_ = said.strip().split("\n")
    return f"{first[:LONGEST]} (drawn: {found:.{LONGEST}})" if found else said


def drawn(notes: str, fixtures: Sequence[str]) -> list[str]:
    """The values of a falsifying example, each with its name, as Hypothesis tells them.

    What stands for `fixtures`, and for `st.data()`, is left out: it is no value.
    """
    found = []
    for example in _EXAMPLE.findall(notes):
        parts = re.split(r"^ {4}(?=\w+=)", example, flags=re.MULTILINE)[1:]
        clean = (" ".join(_REMARK.sub("", part).split()).removesuffix(",") for part in parts)
        named = ((part.partition("=")[0], part) for part in clean)
        found += [
            part for name, part in named if name not in fixtures and part != f"{name}=data(...)"
        ]
    return found + [f"{name} {_REMARK.sub('', value)}" for name, value in _DRAW.findall(notes)]


def _first_formula(notes: str) -> str | None:
    """The first quoted text in a falsifying example that can be read as a formula."""
    from assay.compositions import problem

    quoted = (text[1:-1] for text in re.findall(r"'[^'\n]*'|\"[^\"\n]*\"", notes))
    return next((text for text in quoted if problem(text) is None), None)


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
