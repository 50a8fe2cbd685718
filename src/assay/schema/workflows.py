"""The workflow files against the template's: who is let by, and what runs beside the keys."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import great_expectations.expectations as gxe

from assay.commits import blob_id
from assay.origins import RECORD
from assay.schema import differences as differ
from assay.schema.rules import WARNING, Rule, Table

FOLDER = ".github/workflows"
# what another workflow asks for that would see the keys, or write what the gate writes
KEYS = re.compile(
    r"heldout|ASSAY_[A-Z]+_KEY|assay-ledger"
    r"|secrets['\"]?\s*:\s*['\"]?inherit|toJSON\(\s*secrets|secrets\s*\["
    r"|environment['\"]?\s*:[^\n]*\$\{\{",
    re.IGNORECASE,
)


def workflow_suites(root: Path) -> Iterator[tuple[Table, list[Rule]]]:
    """The workflow files, with the rule that they are the template's, where that is on record."""
    recorded = _recorded(root)
    if not recorded:
        return
    here = {path.relative_to(root).as_posix(): path for path in _files(root)}
    others = [name for name in here.keys() - recorded.keys() if _touches_keys(here[name])]
    changed = [
        name
        for name, identifier in recorded.items()
        if name not in here or blob_id(here[name].read_bytes(), identifier) != identifier
    ]
    listed = sorted({*recorded, *others})
    yield differ.files_table("workflows", listed), [_rule(sorted({*changed, *others}))]


def _recorded(root: Path) -> Mapping[str, str]:
    """Git's ids of the workflow files that the template made, by path."""
    try:
        files = json.loads((root / RECORD).read_text(encoding="utf-8"))["files"]
        return {name: str(found) for name, found in files.items() if name.startswith(f"{FOLDER}/")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # made by hand, or before the template kept a record


def _files(root: Path) -> list[Path]:
    paths = sorted((root / FOLDER).glob("*.y*ml"))
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _touches_keys(path: Path) -> bool:
    return KEYS.search(path.read_text(encoding="utf-8", errors="replace")) is not None


def _rule(changed: list[str]) -> Rule:
    expectation = gxe.ExpectColumnValuesToNotBeInSet(
        column=differ.FILE,
        value_set=changed,
        description="The workflows are those of the template.",
    )
    return Rule(
        "workflows.of_template",
        expectation,
        "{file} is not as the template made it, so a check may be skipped or the keys may be seen: "
        "read it whole, or take the template's by `assay update`.",
        severity=WARNING,
    )
