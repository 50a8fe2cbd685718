"""What fell short of what main demands, and which line of the repository is to blame."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.records import MAXIMUM_TEXT, Finding
from assay.sanity.suites import FOLDER

HOOKS = (
    r"pytest_(?:collection_\w+|pyfunc_call|runtest_\w+|itemcollected|ignore_collect|pycollect_\w+|"
    r"generate_tests)"
)
CODE = re.compile(
    rf"\b(?:def (?P<hook>{HOOKS})|(?P<name>xfail|skipif|skip|importorskip|collect_ignore\w*|"
    r"load_profile|register_profile|suppress_health_check|deselect\w*|max_examples|monkeypatch|"
    r"(?:HYPOTHESIS|PYTEST)_\w+))\b|(?P<patch>\bhypothesis\.[\w.]+\s*=[^=])"
)
OPTIONS = re.compile(
    r"(?P<name>--deselect|--ignore(?:-glob)?|-p[ =\"',]*no:\w+|--hypothesis-profile|--maxfail"
    r"|(?<![\w-])-[kmx](?![\w-])|--exitfirst|--co(?:llect-only)?\b|--setup-(?:plan|only)"
    r"|python_(?:files|functions|classes)|norecursedirs)"
)
CONFIGURATION = ("pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
LONGEST = 1_000_000
SHOWN = 3
Cause = Callable[[], str]
Test = dict[str, Any]


def causes(root: Path) -> str:
    """Where files of the repository tell pytest or Hypothesis to leave something out, or "".

    Looked through are each `conftest.py`, the repository's tests and modules, and pytest's options.
    The line is where to look, not a proof: `tests/conftest.py, line 12: load_profile`.
    """
    found = list(_found(root))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _found(root: Path) -> Iterator[str]:
    code = [*sorted((root / "tests").rglob("conftest.py")), root / "conftest.py"]
    others = [
        path
        for folder in ("tests", "src")
        for path in sorted((root / folder).rglob("*.py"))
        if path.name != "conftest.py"
    ]
    for path in code:
        yield from _lines(root, path, CODE)
    for name in CONFIGURATION:
        yield from _lines(root, root / name, OPTIONS)
    for path in others:
        yield from _lines(root, path, CODE)


def _lines(root: Path, path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LONGEST:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        match = pattern.search(line.partition("#")[0])
        if match:
            words = next(text for text in match.groups() if text).strip(" =")
            yield f"{path.relative_to(root).as_posix()}, line {number}: {words}"


def was_skipped(test: Test) -> bool:
    """Whether a test did not run to its end, or may fail without a word."""
    return bool(test["outcome"] == "skipped" or test["xfail"] is not None)


def kit_shortfalls(
    tests: Sequence[Test], wanted: Sequence[str], drawn: Sequence[str], examples: int, cause: Cause
) -> Iterator[Finding]:
    """Properties of assay that were not run, or on fewer examples than demanded.

    Args:
        tests: what the run of assay's properties left.
        wanted: the properties that must have run.
        drawn: those of them that Hypothesis draws examples for.
        examples: how many it must draw, unless there are no more.
        cause: what may be to blame, asked for only if something is missing.
    """
    ran = {
        test["name"]: test
        for test in tests
        if not was_skipped(test) and Path(test["path"]).parent == FOLDER
    }
    for name in wanted:
        test = ran.get(name)
        if test is None:
            yield _failure(
                name, f"{name} was not executed; remove what keeps it from running", cause
            )
        elif name in drawn and test["outcome"] == "passed" and is_short(test, examples):
            told = f"{name} was tried on {_counted(test)}, and {examples} are demanded"
            yield _failure(name, f"{told}; remove what limits it", cause)


def hindered(
    collected: Sequence[Test], wanted: Sequence[str], examples: int, cause: Cause
) -> Iterator[Finding]:
    """Properties of assay that the repository's own configuration leaves out of plain `pytest`."""
    found = {test["name"]: test for test in collected}
    weak = []
    for name in wanted:
        test = found.get(name)
        if test is None or test["marks"]:
            what = f"marks {name} as {test['marks'][0]}" if test else f"leaves out {name}"
            told = f"the repository {what}, which assay ran all the same; remove what does"
            yield _failure(name, told, cause)
        elif test.get("limit", examples) < examples:
            weak.append(test)
    if weak:
        told = (
            f"plain `pytest` tries {len(weak)} properties of assay on {weak[0]['limit']} examples, "
            f"by the Hypothesis profile {weak[0]['profile']!r}, and not on {examples}, as here"
        )
        where = f" ({cause()})" if cause() else ""
        yield Finding(rule="hypothesis.profile", severity="warning", message=f"{told}{where}.")


def own_shortfalls(tests: Sequence[Test], examples: int, cause: Cause) -> Iterator[Finding]:
    """The author's tests that prove less than their green suggests.

    A limit above the test itself, `@settings(max_examples=5)`, is the author's to choose; one that
    a profile sets for all of them is a failure, and a skip or xfail is reported.
    """
    for test in tests:
        if test["xfail"] is not None:
            yield _warning(
                test, f"is marked xfail, so that its failure does not count: {test['xfail']}"
            )
        elif test["outcome"] == "skipped":
            yield _warning(test, f"was skipped: {test['skipped'] or 'no reason is given'}")
        elif test["outcome"] != "passed" or test.get("examples") is None or test["own"]:
            continue
        elif test["limit"] < examples and is_short(test, examples):
            told = (
                f"{test['name']} was tried on {_counted(test)}, and sanity.examples asks for "
                f"{examples}: the Hypothesis profile {test['profile']!r} limits it; take the "
                "profile out, or write @settings(max_examples=...) above the one test that is slow"
            )
            yield _failure(test["name"], told, cause, test)
        elif is_short(test, examples):
            told = f"was tried on {_counted(test)} of {examples}: draw what is needed, not less"
            yield _warning(test, f"{told} (Hypothesis threw away {test['rejected']})")


def is_short(test: Test, examples: int) -> bool:
    """Whether Hypothesis accepted fewer examples than that though it could have drawn more."""
    return not test.get("exhausted") and (test.get("examples") or 0) < examples


def _counted(test: Test) -> str:
    count = test.get("examples") or 0
    return "1 example" if count == 1 else f"{count} examples"


def _failure(name: str, told: str, cause: Cause, test: Test | None = None) -> Finding:
    where = f" (perhaps {cause()})" if cause() else ""
    return Finding(
        rule=name[:MAXIMUM_TEXT],
        # the author's own are as grave as `[severity]` says
        severity=test["severity"] if test else "failure",
        message=f"{told}{where}."[:MAXIMUM_TEXT],
        file=(test["file"] or None) if test else None,
        line=test["line"] if test else None,
    )


def _warning(test: Test, told: str) -> Finding:
    return Finding(
        rule=test["name"][:MAXIMUM_TEXT],
        severity="warning",
        message=f"{test['name']} {told}."[:MAXIMUM_TEXT],
        file=test["file"] or None,
        line=test["line"],
    )
