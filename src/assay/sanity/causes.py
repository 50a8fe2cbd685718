"""What in a repository keeps pytest or Hypothesis from running a test whole, found in its files."""

import re
from collections.abc import Iterator
from pathlib import Path

HOOKS = (
    r"pytest_(?:collection_\w+|runtest_\w+|itemcollected|ignore_collect|pycollect_\w+|"
    r"generate_tests)"
)
CODE = re.compile(
    rf"\b(?:def (?P<hook>{HOOKS})|(?P<name>xfail|skipif|skip|collect_ignore\w*|load_profile|"
    r"register_profile|suppress_health_check|deselect\w*|max_examples|monkeypatch|"
    r"(?:HYPOTHESIS|PYTEST)_\w+))\b|(?P<patch>\bhypothesis\.[\w.]+\s*=[^=])"
)
OPTIONS = re.compile(
    r"(?P<name>--deselect|--ignore(?:-glob)?|-p[ =\"',]*no:\w+|--hypothesis-profile|--maxfail"
    r"|(?<![\w-])-[kmx](?![\w-])|--exitfirst)"
)
CONFIGURATION = ("pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
LONGEST = 1_000_000
SHOWN = 3


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
