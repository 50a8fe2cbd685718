"""Runs the property-based tests of a model and reports what falsifies them.

pytest runs in a process of its own: the tests may import, patch and seed what they like, and
a crash of theirs is reported instead of suffered. That costs about three seconds of imports.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import NotCarriedOutError
from assay.findings import bounded
from assay.mainline import in_force, settings_on_main
from assay.model.bundle import digest_bundle
from assay.records import MAXIMUM_TEXT, CheckReport, Finding
from assay.sanity.reproduction import PLUGIN
from assay.sanity.tiers import FAST, FOLDER, MARKER, SLOW, property_files, property_names
from assay.settings import Settings

LONGEST_BLOB = 400


def run_sanity(
    root: Path, settings: Settings, bundle: Path, junit: Path | None = None, *, fast: bool = False
) -> CheckReport:
    """Test the bundle against assay's properties and the repository's own in `tests/`.

    Args:
        root: the repository.
        settings: `sanity.examples` Hypothesis examples a property, always the same ones.
        bundle: folder of the model.
        junit: where to write pytest's JUnit XML, if anywhere.
        fast: leave out what trains models. It is left out, too, once anything faster failed.

    Raises:
        NotCarriedOutError: there is no bundle, it cannot be loaded, or pytest ended without a
            record.
    """
    if not bundle.is_dir():
        raise NotCarriedOutError(f"there is no bundle at {bundle}: run `assay train` first.")
    settings = in_force(settings, settings_on_main(root))  # as the tests themselves take them
    content = _run(root.resolve(), bundle, junit, fast=fast)
    _require_ready(content)
    withheld = content["withheld"]
    expected = FAST if fast or withheld else FAST + SLOW
    seed = settings.sanity.seed
    wanted = [name for name in property_names(expected) if name not in _optional(settings)]
    found = [*_unreadable(content), *_missing(content, wanted), *_failed(content)]
    findings, unlisted = bounded(found)
    ran = [t for t in content["tests"] if t["stage"] == "call" and not _was_skipped(t)]
    return CheckReport(
        check="sanity",
        subject=digest_bundle(bundle),
        executed=len({test["node"] for test in ran}),
        findings=findings,
        unlisted=unlisted,
        details=f"{settings.sanity.examples} examples each, seed {seed}"
        + ("; no training was tested, as something faster failed" if withheld else "")
        + ("; no training was tested, as only the fast tier was asked for" if fast else ""),
    )


def _was_skipped(test: dict[str, Any]) -> bool:
    return bool(test["outcome"] == "skipped")


def _run(root: Path, bundle: Path, junit: Path | None, *, fast: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        command = [sys.executable, "-m", "pytest", *map(str, property_files())]
        command += [str(root / "tests")] if (root / "tests").is_dir() else []
        # named, as pytest would look for it above all files, of which assay's may lie elsewhere
        command += (
            ["-c", str(root / "pyproject.toml")] if (root / "pyproject.toml").is_file() else []
        )
        command += [f"--rootdir={root}", "-p", PLUGIN, "-p", "no:cacheprovider", "-v"]
        command += ["--continue-on-collection-errors"]
        command += ["-m", f"not {MARKER}"] if fast else []
        command += [f"--assay-bundle={bundle.resolve()}", f"--assay-record={record}"]
        command += [] if junit is None else [f"--junitxml={junit.resolve()}"]
        code, printed = _followed(command, root)
        if not record.is_file():
            raise NotCarriedOutError(
                f"pytest ended with code {code} before it could report: "
                f"{' '.join(printed.split())[-600:]}"
            )
        return dict(json.loads(record.read_text(encoding="utf-8")))


def _followed(command: list[str], root: Path) -> tuple[int, str]:
    """Run pytest with a bar that counts its tests; its exit code and all it printed."""
    from tqdm import tqdm

    lines = []
    with (
        subprocess.Popen(
            command,
            cwd=root,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
        tqdm(desc="sanity", unit=" properties", disable=None, leave=False) as progress,
    ):
        for line in process.stdout or ():
            lines.append(line)
            progress.update("::" in line and "%]" in line)
    return process.returncode, "".join(lines)


def _environment() -> dict[str, str]:
    # a user's own pytest options must not change what is run
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    source = str(Path(__file__).parents[2])
    paths = [source, kept["PYTHONPATH"]] if kept.get("PYTHONPATH") else [source]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}


def _require_ready(content: dict[str, Any]) -> None:
    # a bundle that cannot be loaded says nothing about the model
    fast = [test for test in content["tests"] if not test["slow"]]
    stuck = [test for test in fast if test["stage"] == "setup"]
    broken = [test for test in stuck if test["outcome"] == "failed"]
    if broken and len(stuck) == len(fast):
        raise NotCarriedOutError(f"no property could be tested: {broken[0]['message'][:800]}")


def _optional(settings: Settings) -> set[str]:
    """The properties that do not apply: nothing is declared for them, or the model decides."""
    declared = {
        "test_declared_monotonic_relations_hold": settings.sanity.monotonic,
        "test_declared_symmetries_hold": settings.sanity.symmetric,
        "test_elements_have_their_known_value": settings.target.element_value is not None,
    }
    undeclared = {name for name, given in declared.items() if not given}
    return undeclared | {"test_elements_without_properties_are_refused"}


def _missing(content: dict[str, Any], wanted: Sequence[str]) -> Iterator[Finding]:
    executed = {
        test["name"]
        for test in content["tests"]
        if not _was_skipped(test) and Path(test["path"]).parent == FOLDER
    }
    for name in wanted:
        if name not in executed:
            yield Finding(
                rule=name,
                severity="failure",
                message=f"{name} was not executed; remove what skips or deselects it.",
            )


def _unreadable(content: dict[str, Any]) -> Iterator[Finding]:
    for entry in content["unreadable"]:
        yield Finding(
            rule="collection",
            severity="failure",
            message=f"pytest cannot read this file: {entry['message'].strip()[-800:]}",
            file=entry["file"] or None,
        )


def _failed(content: dict[str, Any]) -> Iterator[Finding]:
    for test in content["tests"]:
        warning, failed = test["properties"].get("warning"), test["outcome"] == "failed"
        if failed or warning:
            yield Finding(
                rule=_cut(test["name"]),
                severity=test["severity"] if failed else "warning",
                message=_cut(_message(test, warning)),
                file=test["file"] if _is_inside(test["file"]) else None,
                line=test["line"] if _is_inside(test["file"]) else None,
                formula=_short(test.get("formula") or test["properties"].get("formula")),
                value=_short(test.get("value")),
                node=_cut(test["node"]) if failed else None,
                example=_example(test),
            )


def _is_inside(file: str) -> bool:
    """Whether a test lies in the repository, where a reviewer can look at its line."""
    return bool(file) and not file.startswith("..")


def _short(text: Any) -> str | None:
    return None if text in (None, "") else str(text)[:200]


def _cut(text: str) -> str:
    return text if len(text) <= MAXIMUM_TEXT else f"{text[: MAXIMUM_TEXT - 1]}…"


def _example(test: dict[str, Any]) -> str | None:
    found = test.get("reproduction")
    return found if found and len(found) < LONGEST_BLOB else None


def _message(test: dict[str, Any], warning: str | None) -> str:
    if warning:
        return f"{test['property']} But {warning}."
    reason = test["message"].strip().split("\n")[0][:500]
    if test["stage"] != "call":
        return f"{test['name']} could not be set up: {reason}"
    return f"{test['property']} But {reason}."
