"""Every rule is known by name and told of in the documentation."""

import re
from pathlib import Path

from assay.schema.demands import RULES

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "assay" / "schema"


def test_the_known_rules_are_those_that_are_written() -> None:
    """Names in the sources of the rules and the list of known names are the same."""
    text = "".join(path.read_text() for path in SOURCES.glob("*.py") if path.stem != "severities")
    written = set(
        re.findall(r'(?:Rule|rule|_rules?|_equal|_not_kept|_spared|Fault)\(\s*"([^"]+)"', text)
    )
    leakage = {f"leakage.{kind}" for kind in ("composition", "near", "system")}
    assert written | leakage == RULES


def test_every_rule_is_documented() -> None:
    """The tables of docs/reference/data-rules.md have a row for each rule, and for nothing else."""
    page = (ROOT / "docs" / "reference" / "data-rules.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(told) == sorted(RULES)
