"""The rules of the wheel that a repository carries: it fits its lock, and changes by itself."""

from collections.abc import Iterator
from pathlib import Path

import great_expectations.expectations as gxe

from assay import wheels
from assay.machinery import Fault, pinned_wheels, wheel_faults
from assay.mainline import changed_files, content_on_main
from assay.schema import differences as differ
from assay.schema.rules import Rule, Table, literal
from assay.settings import Settings

# What a change of the machinery leaves alone: model, data and policy.
FILES, SECTIONS = ("src", "data"), ("model", "project", "gate", "split", "target")
LISTED = 3
MINE = f"{wheels.FOLDER} {wheels.LOCK} {wheels.PROJECT}"


def machinery_suites(
    root: Path, settings: Settings, main: Settings | None
) -> Iterator[tuple[Table, list[Rule]]]:
    """What is wrong with the wheel, and what changes together with it, each with its rule."""
    for number, fault in enumerate(wheel_faults(root), start=1):
        yield differ.files_table(f"machinery-{number}", [fault.file]), [_fitting(fault)]
    if not _machinery_differs(root):
        return
    others = changed_files(root, *FILES) + _changed_keys(settings, main)
    if others:
        yield differ.files_table("machinery-with", [_listed(others)]), [_alone(_listed(others))]


def _machinery_differs(root: Path) -> bool:
    """Whether wheel or hash are others than main's; not where main is not at hand or had none."""
    content = content_on_main(root, root / wheels.LOCK)
    if content is None:
        return False
    here = root / wheels.LOCK
    text = here.read_bytes() if here.is_file() else b""
    on_main, now = (pinned_wheels(one.decode(errors="replace")) for one in (content, text))
    return bool(changed_files(root, wheels.FOLDER)) or on_main != now


def _changed_keys(settings: Settings, main: Settings | None) -> list[str]:
    if main is None:
        return []
    changed = differ.changed_settings(settings, main)
    return [
        f"{key} of assay.toml"
        for key in changed[differ.KEY][changed[differ.SECTION].isin(SECTIONS)]
    ]


def _listed(others: list[str]) -> str:
    more = len(others) - LISTED
    return ", ".join(others[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _fitting(fault: Fault) -> Rule:
    return Rule(
        "machinery.pinned",
        gxe.ExpectColumnValuesToNotBeInSet(
            column=differ.FILE,
            value_set=[fault.file],
            description="There is one wheel of assay, and the lock has its hash.",
        ),
        f"{{file}}: {literal(fault.sentence)}.",
    )


def _alone(others: str) -> Rule:
    return Rule(
        "machinery.alone",
        gxe.ExpectColumnValuesToNotBeInSet(
            column=differ.FILE,
            value_set=[others],
            description="Model, data and policy are main's where the wheel of assay is another.",
        ),
        "the wheel of assay changes together with {file}, so nobody could tell which of them moved "
        "a verdict; take it out of this pull request with "
        f"`git restore --source=origin/main --staged --worktree {MINE}` and `make setup`, "
        "and bring it in one of its own: `git switch -c update-assay origin/main` and then "
        "`assay update`.",
    )
