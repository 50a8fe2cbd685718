"""Every rule is known by name and told of in the documentation."""

import re
from pathlib import Path

from assay.schema.severities import RULES

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "<<cookiecutter.project>>" / "src" / "assay" / "schema"


def test_the_known_rules_are_those_that_are_written() -> None:
    """Names in the sources of the rules and the list of known names are the same."""
    text = "".join(path.read_text() for path in SOURCES.glob("*.py") if path.stem != "severities")
    written = set(re.findall(r'(?:Rule|_equal)\(\s*"([^"]+)"', text))
    leakage = {f"leakage.{kind}" for kind in ("composition", "near", "system")}
    assert written | leakage == RULES


def test_every_rule_is_documented() -> None:
    """docs/checks.md names each rule, and no other."""
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8").split("```")[0]
    told = set(re.findall(r"`((?:columns|[a-z_]+\.[a-z_]+))`", page))
    told = {name for name in told if name.split(".")[0] not in {"data", "target.lower"}}
    rules = {name for name in told if name in RULES or not name.startswith(("target.", "assay."))}
    assert rules == RULES
