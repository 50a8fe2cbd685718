"""docs/explanation/security.md names what exists, and all that is hostile is named there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import workflow_rules
from assay.github import CONTEXT
from assay.ledger.branches import BRANCH
from workflow_rules import parse, read_texts

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "<<cookiecutter.project>>"
SOURCE = ROOT / "src" / "assay"
PAGE = ROOT / "docs" / "explanation" / "security.md"
SETTINGS = ROOT / "docs" / "howto" / "github-settings.md"
HOSTILE = ("test_hostile_*.py", "test_noninterference.py")


def names_in(path: Path) -> set[str]:
    """Functions, methods and classes of a Python file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}


def written_tests(path: Path) -> set[str]:
    """The tests of a file."""
    return {name for name in names_in(path) if name.startswith("test_")}


def rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables of threats, in four cells."""
    threats = text[text.index("## Threats") : text.index("## What is not defended")]
    for line in threats.splitlines():
        if line.startswith("| ") and not line.startswith("| threat"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def faults(text: str) -> list[str]:
    """What the page names that is not there, and hostile tests that it does not name."""
    places = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    found = [f"no test {f}::{t}" for f, t in named if not _has(places.get(f), t)]
    sources = re.findall(r"`([\w/]+\.py): (\w+)`", text)
    found += [f"no {name} in {file}" for file, name in sources if not _has(SOURCE / file, name)]
    rules = re.findall(r"rules? `(\w+)`(?:, `(\w+)`)?", text)
    known = {rule.__name__ for rule in (*workflow_rules.EVERYWHERE, *workflow_rules.GENERATED)}
    found += [f"no rule {rule}" for pair in rules for rule in pair if rule and rule not in known]
    hostile = {
        (path.name, test)
        for pattern in HOSTILE
        for path in (ROOT / "tests").glob(pattern)
        for test in written_tests(path)
    }
    return found + [f"{file}::{test} is not named" for file, test in sorted(hostile - {*named})]


def _has(path: Path | None, name: str) -> bool:
    return path is not None and path.is_file() and name in names_in(path)


def test_page_names_what_exists_and_all_that_is_hostile():
    """Page and tests cannot drift apart."""
    assert faults(PAGE.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("test_one_planted_digit_is_found`", "test_gone`", "no test test_noninterference.py::"),
        ("`test_noninterference.py::test_one", "`test_none.py::test_one", "is not named"),
        ("`cli.py: _confess`", "`cli.py: _profess`", "no _profess in cli.py"),
        ("rule `no_expression_in_run`", "rule `no_run`", "no rule no_run"),
    ],
)
def test_planted_drift_is_found(old: str, new: str, fault: str):
    """A name that is gone or misspelt, and a hostile test left out, are found."""
    text = PAGE.read_text()
    assert old in text
    assert any(fault in found for found in faults(text.replace(old, new)))


def test_every_threat_has_its_defence_and_its_test():
    """Each row has four cells, and in the last one a test or the static rules."""
    found = list(rows(PAGE.read_text()))
    assert len(found) >= 35
    for row in found:
        assert len(row) == 4, row
        assert all(row), row
        assert "::test_" in row[3] or "static" in row[3], row


def test_settings_are_those_that_the_workflows_need(rendered: Path):
    """Environment, secrets, checks, branches: the page and the repository's README name all."""
    score, gate = (parse(read_texts(TEMPLATE))[name] for name in ("score.yml", "gate.yml"))
    secrets = set(re.findall(r"secrets\.(\w+)", score.text))
    wanted = {score.jobs["score"]["environment"], *secrets, CONTEXT, BRANCH, "main"}
    wanted.add(gate.jobs["gate"]["name"])
    assert len(wanted) == 7
    settings = SETTINGS.read_text().partition("## Settings")[2]
    readme = (rendered / "README.md").read_text().partition("## On GitHub")[2]
    for text in (settings, readme):
        assert {word for word in wanted if f"`{word}`" not in text} == set()


def test_page_is_linked():
    """Whoever reads README or architecture finds the page."""
    for path in (ROOT / "README.md", ROOT / "docs" / "architecture.md", ROOT / "docs" / "index.md"):
        assert "security.md)" in path.read_text()
