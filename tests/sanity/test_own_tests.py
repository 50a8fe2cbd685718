"""The author's own tests cannot vanish: what does not run, or is gone from main's, is named."""

import subprocess
from pathlib import Path
from typing import Any

import planted
import pytest

from assay.errors import NotCarriedOutError
from assay.records import CheckReport, Finding, Tally
from assay.repository import read_repository
from assay.sanity import runs
from assay.sanity.own_tests import GONE, HOOK, NOT_RUN, gone, hooked, names_in, not_run, own_tests
from assay.scoring.acceptance import require_own_tests

OTHER_WAYS = "starts pytest for each other way; the ways on every push take the same code"
FILE = "tests/test_own.py"
OWN = """
import pytest


@pytest.fixture
def test_data():
    return 1


def test_holds(test_data):
    assert test_data


class TestMore:
    @pytest.mark.parametrize("number", [1, 2])
    def test_in_a_class(self, number):
        assert number


def test_never():
    assert False
"""
PYFUNC = "def pytest_pyfunc_call(pyfuncitem):\n    return True\n"
CLEARED = """
import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    call.excinfo = None
    return (yield)
"""
SORTED = """
import pytest


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.outcome = report.outcome
    return report
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A toy with tests of its own, of which one fails, committed as main."""
    planted.write(tmp_path)
    (tmp_path / FILE).write_text(OWN)
    (tmp_path / "tests" / "conftest.py").write_text('pytest_plugins = ["assay.sanity.plugin"]\n')
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "Begin"]):
        named = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        subprocess.run(["git", *named, *words], cwd=tmp_path, check=True)
    return tmp_path


def ran(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the author's run leaves; that of assay's properties has one trivial test."""
    kit = root.parent / "test_kit.py"
    kit.write_text("def test_kit(): pass\n")
    files = iter([[kit], []])
    monkeypatch.setattr(runs, "property_files", lambda: next(files))
    _, content = runs.run_both(root, root, "none:none", fast=False)
    assert content is not None
    return content


def found(root: Path, content: dict[str, Any]) -> list[Finding]:
    """All that is said of it."""
    return [*not_run(own_tests(root), content, lambda: "here"), *hooked(content)]


def option(root: Path, text: str) -> None:
    """Add to the options of pytest."""
    path = root / "pyproject.toml"
    path.write_text(path.read_text().replace('addopts = ["--strict-markers"]', text))


WAYS = {
    "collect_ignore": ("tests/conftest.py", "collect_ignore = ['test_own.py']", NOT_RUN),
    "plan": ("pyproject.toml", 'addopts = ["--setup-plan"]', NOT_RUN),
    "pyfunc": ("tests/conftest.py", PYFUNC, HOOK),
    "cleared": ("tests/conftest.py", CLEARED, "test_never"),
}
BY_NIGHT = {
    "collect": ("pyproject.toml", 'addopts = ["--collect-only"]', NOT_RUN),
    "ignore": ("pyproject.toml", f'addopts = ["--ignore={FILE}"]', NOT_RUN),
    "deselect": ("pyproject.toml", f'addopts = ["--deselect={FILE}::test_never"]', NOT_RUN),
    "files": ("pyproject.toml", 'python_files = ["nothing_*.py"]', NOT_RUN),
    "functions": ("pyproject.toml", 'python_functions = ["check_*"]', NOT_RUN),
    "protocol": (
        "tests/conftest.py",
        "def pytest_runtest_protocol(item):\n    return True\n",
        NOT_RUN,
    ),
}


@pytest.mark.parametrize(
    "way", [*WAYS, *(pytest.param(way, marks=pytest.mark.nightly(OTHER_WAYS)) for way in BY_NIGHT)]
)
def test_own_test_that_does_not_run_is_a_failure(root, way, monkeypatch):
    """A failing test is red, however the repository keeps it from failing."""
    file, text, rule = (WAYS | BY_NIGHT)[way]
    if file == "pyproject.toml":
        option(root, text)
    else:
        with (root / file).open("a") as opened:
            opened.write("\n\n" + text)
    content = ran(root, monkeypatch)
    assert not any(test["outcome"] == "failed" for test in content["tests"])
    assert rule in {one.rule for one in found(root, content) if one.severity == "failure"}


def test_honest_hooks_and_tests_are_no_failure(root, monkeypatch):
    """Sorting, and a hook that only looks, leave all tests counted; the hook is named."""
    with (root / "tests" / "conftest.py").open("a") as opened:
        opened.write(SORTED)
    (root / "tests" / "test_optional.py").write_text(
        'import pytest\n\npytest.importorskip("no_such")\n\n\ndef test_it():\n    pass\n'
    )
    content = ran(root, monkeypatch)
    assert [test["name"] for test in content["tests"] if test["outcome"] == "failed"] == [
        "test_never"
    ]
    said = {one.rule: one for one in found(root, content)}
    assert {rule: one.severity for rule, one in said.items()} == {
        HOOK: "warning",
        NOT_RUN: "warning",
    }
    assert said[HOOK].line
    assert said[NOT_RUN].file == "tests/test_optional.py"


def test_names_are_those_that_pytest_would_run():
    """Functions and methods, no fixtures and helpers; a file that cannot be read has none."""
    assert names_in(OWN.encode()) == ["test_holds", "test_never", "test_in_a_class"]
    assert names_in(b"def broken(:") == []


def test_what_is_gone_from_main_is_named(root):
    """A deleted file, a deleted test and a renamed file are; a test that moved is not."""
    repository = read_repository(root)
    assert list(gone(repository)) == []
    (root / FILE).rename(root / "tests" / "check_own.py")
    [one] = gone(read_repository(root))
    assert (one.rule, one.severity, one.file) == (GONE, "failure", FILE)
    assert "tests/check_own.py" in one.message
    (root / "tests" / "check_own.py").rename(root / "tests" / "test_other.py")
    assert list(gone(read_repository(root))) == []
    (root / "tests" / "test_other.py").write_text(OWN.replace("test_never", "test_always"))
    [one] = gone(read_repository(root))
    assert (one.severity, "test_never" in one.message) == ("warning", True)
    (root / "tests" / "test_other.py").unlink()
    [one] = gone(read_repository(root))
    assert one.severity == "warning"
    assert f"git checkout main -- {FILE}" in one.message


def test_a_record_that_says_nothing_of_a_test_of_mains_is_refused(root):
    """Each of main's own tests is counted or named, as far as the record has room."""
    names = own_tests(root)[FILE]
    tallies = [Tally(name=name, where=FILE) for name in names]

    def report(left: list[Tally], *findings: Finding) -> CheckReport:
        return CheckReport(
            check="sanity", subject="0" * 64, executed=9, tallies=left, findings=list(findings)
        )

    require_own_tests(root, report(tallies))
    for place, name in enumerate(names):
        left = [*tallies[:place], *tallies[place + 1 :]]
        with pytest.raises(NotCarriedOutError, match=name):
            require_own_tests(root, report(left))
        elsewhere = [*left, Tally(name=name, where="tests/test_moved.py")]
        require_own_tests(root, report(elsewhere))
        skipped = Finding(rule=f"{name}[1]", severity="warning", message="It was skipped.")
        require_own_tests(root, report(left, skipped))
    lost = Finding(rule=GONE, severity="warning", message="It is gone.", file=FILE)
    require_own_tests(root, report([], lost))
    with pytest.raises(NotCarriedOutError):
        require_own_tests(root, report([], lost.model_copy(update={"file": "tests/test_b.py"})))
