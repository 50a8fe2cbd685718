"""The author's own tests: what their files define, what of it ran, and what main has besides."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from assay.records import MAXIMUM_TEXT, Finding
from assay.repository import Repository
from assay.sanity.shortfalls import Cause
from assay.sanity.suites import MARKER
from assay.texts import plural

FOLDER = "tests"
PATTERNS = ("test_*.py", "*_test.py")
GONE, NOT_RUN, HOOK = "own-tests.gone", "own-tests.not-run", "own-tests.hook"
# it may end a test without running its function, which nothing else would show
REPLACING = "pytest_pyfunc_call"
SHOWN = 5

Names = dict[str, list[str]]  # of test functions, by file


def names_in(text: bytes) -> list[str]:
    """The test functions of a file, also those in classes, without running it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # pytest reports it
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bodies = [tree.body, *(node.body for node in classes if node.name.startswith("Test"))]
    return [
        node.name
        for body in bodies
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
        and not any("fixture" in ast.unparse(one) for one in node.decorator_list)
    ]


def is_collected(file: str) -> bool:
    """Whether pytest looks for tests in a file, unless it is configured otherwise."""
    return any(fnmatch(Path(file).name, pattern) for pattern in PATTERNS)


def own_tests(root: Path, *, fast: bool = False) -> Names:
    """The tests that the files of a checkout define; with `fast` without files of slow ones."""
    texts = _texts(root)
    return {
        file: names
        for file, text in texts.items()
        if is_collected(file)
        and not (fast and MARKER.encode() in text)
        and (names := names_in(text))
    }


def _texts(root: Path) -> dict[str, bytes]:
    paths = sorted((root / FOLDER).rglob("*.py"))
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file() and not path.is_symlink()
    }


def gone(repository: Repository) -> Iterator[Finding]:
    """Tests that main's files define, and none of this checkout: deleted, or not collected."""
    root, base = repository.root, repository.base
    here = {file: names_in(text) for file, text in _texts(root).items()}
    kept = {name for file, names in here.items() if is_collected(file) for name in names}
    for file in filter(is_collected, base.changed_files(FOLDER)):
        lost = [name for name in names_in(base.content(root / file) or b"") if name not in kept]
        if lost:
            moved = [other for other, names in here.items() if set(lost) & set(names)]
            yield _gone(file, lost, moved, base.name)


def _gone(file: str, lost: Sequence[str], moved: Sequence[str], base: str) -> Finding:
    told = f"{file} on main has {_listed(lost)}"
    if moved:
        return _finding(
            GONE,
            f"{told}, now in {moved[0]}, where pytest does not look for tests: name it test_*.py, "
            "or delete the tests",
            file,
        )
    return _finding(
        GONE,
        f"{told}, which no test file has any more: `git checkout {base} -- {file}` brings them "
        "back, or merge main if the branch is older; if they are meant to go, say why in the "
        "pull request",
        file,
        severity="warning",
    )


def not_run(defined: Names, content: Mapping[str, Any], cause: Cause) -> Iterator[Finding]:
    """Tests that the files define, and that pytest did not run."""
    ran = {(test["file"], test["function"]) for test in content["tests"]}
    reported = {entry["file"] for entry in content["unreadable"]}
    for file, why in content["skipped"].items():
        yield _finding(NOT_RUN, f"{file} was skipped as a whole: {why}", file, severity="warning")
    for file, names in defined.items():
        left = [name for name in names if (file, name) not in ran]
        if left and file not in reported | set(content["skipped"]):
            where = f" (perhaps {cause()})" if cause() else ""
            told = f"{file} has {_listed(left)}, of which pytest ran none"
            yield _finding(NOT_RUN, f"{told}; remove what keeps them from running{where}", file)


def hooked(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Hooks of the repository that decide what becomes of a test, and tests that they changed."""
    for hook in content["hooks"]:
        replaces = hook["name"] == REPLACING
        yield _finding(
            HOOK,
            f"{hook['file']} defines {hook['name']}, which can decide how a test ends: "
            + ("take it out" if replaces else "see that it lets failures fail"),
            hook["file"],
            hook["line"],
            "failure" if replaces else "warning",
        )
    for test in content["tests"]:
        if test["raised"] and test["outcome"] == "passed":
            told = f"{test['name']} raised an error, and a hook reports it as passed: take it out"
            yield _finding(test["name"], told, test["file"], test["line"])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{plural(len(names), 'test')} ({', '.join(names[:SHOWN])}{more})"


def _finding(
    rule: str, told: str, file: str, line: int | None = None, severity: Any = "failure"
) -> Finding:
    return Finding(
        rule=rule[:MAXIMUM_TEXT],
        severity=severity,
        message=f"{told}."[:MAXIMUM_TEXT],
        file=file[:MAXIMUM_TEXT],
        line=line,
    )
