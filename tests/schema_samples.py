"""A small repository of sound data, and how a test of the data checks changes it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assay.records import CheckReport, Finding
from assay.repository import read_repository
from assay.schema import data_docs
from assay.schema.check import check_schema
from assay.schema.rules import Rule, Table

if TYPE_CHECKING:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

VALIDATE = data_docs._validate
ANSWERS: "dict[str, list[ExpectationValidationResult]]" = {}

SETTINGS = """
[project]
name = "toy"
package = "toy"
[target]
column = "y"
{target}
[gate]
margin = 0.1
[split]
folds = 3
"""
NUMBER = 'unit = "eV/atom"\nlower = -5.0\nupper = 5.0'
METALS = ["Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Al"]
TRAIN = [f"{metal}{anion}" for metal in METALS for anion in ("F", "Cl", "I")]
SEALED = [f"{metal}{anion}" for metal in METALS for anion in ("O", "S", "N")]


def write(path: Path, header: str, rows: list[str]) -> None:
    """Write a CSV of ready lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A sound repository: 30 train rows, 30 sealed, 2 in the pool and 2 to screen."""
    data = tmp_path / "data"
    rows = [f"t{n:05d},{formula},{-n / 10:g}" for n, formula in enumerate(TRAIN, start=1)]
    write(data / "train.csv", "row_id,formula,y", rows)
    rows = [f"s{n:05d},{formula}" for n, formula in enumerate(SEALED, start=1)]
    write(data / "sealed_inputs.csv", "row_id,formula", rows)
    write(data / "pool.csv", "row_id,formula", ["p00001,LiCl", "p00002,TiO2"])
    write(data / "candidates" / "list.csv", "name,formula", ["a,NaF", "b,NaO"])
    (tmp_path / "assay.toml").write_text(SETTINGS.format(target=NUMBER))
    return tmp_path


def edit(toy: Path, table: str, change: Callable[[list[str]], None]) -> None:
    """Change the lines of a table in place; index 0 is the header."""
    path = toy / "data" / table
    lines = path.read_text(encoding="utf-8").splitlines()
    change(lines)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def check(toy: Path) -> CheckReport:
    """Run the data checks, without the pages, and no table by the same rules a second time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_docs, "_validate", validate_once)
        patch.setattr(data_docs, "validated_tables", lambda suites, _: data_docs.validated(suites))
        return check_with_pages(toy)


def validate_once(
    context: Any, source: Any, table: Table, rules: list[Rule]
) -> "list[ExpectationValidationResult]":
    """What Great Expectations finds, which depends on the cells and the expectations alone."""
    asked = [(rule.name, type(rule.expectation), rule.expectation.dict()) for rule in rules]
    cells = table.frame.to_dict("split")
    question = repr((table.name, cells, list(table.frame.dtypes), asked))
    if question not in ANSWERS:
        ANSWERS[question] = VALIDATE(context, source, table, rules)
    return ANSWERS[question]


def check_with_pages(toy: Path) -> CheckReport:
    """Run the data checks."""
    return check_schema(read_repository(toy))


def found(report: CheckReport, rule: str) -> list[Finding]:
    """What a rule found."""
    return [finding for finding in report.findings if finding.rule == rule]


def only(report: CheckReport, rule: str) -> Finding:
    """The one finding of a rule."""
    [finding] = found(report, rule)
    return finding


def commit(toy: Path) -> None:
    """Make the present state `main`."""
    git = str(shutil.which("git"))
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "data"]):
        subprocess.run([git, "-C", str(toy), *identity, *words], check=True)
