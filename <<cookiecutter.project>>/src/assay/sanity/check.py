"""Runs the property-based tests of a model and reports what falsifies them.

pytest runs in a process of its own: the tests may import, patch and seed what they like, and
a crash of theirs is reported instead of suffered. That costs about three seconds of imports.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.errors import NotCarriedOutError
from assay.model.bundle import digest_bundle
from assay.records import CheckReport, Finding
from assay.settings import Settings

PROPERTIES = Path(__file__).with_name("properties.py")
PLUGIN = "assay.sanity.plugin"
# Whether these apply depends on the settings or the model.
OPTIONAL = ("test_elements_have_their_known_value", "test_elements_without_properties_are_refused")
LONGEST_BLOB = 400


def run_sanity(
    root: Path, settings: Settings, bundle: Path, junit: Path | None = None
) -> CheckReport:
    """Test the bundle against assay's properties and the repository's own in `tests/`.

    Args:
        root: the repository.
        settings: `sanity.examples` Hypothesis examples a property, always the same ones.
        bundle: folder of the model.
        junit: where to write pytest's JUnit XML, if anywhere.

    Raises:
        NotCarriedOutError: there is no bundle, it cannot be loaded, or pytest ended without a
            record.
    """
    if not bundle.is_dir():
        raise NotCarriedOutError(f"there is no bundle at {bundle}: run `assay train` first.")
    content = _run(root.resolve(), bundle, junit)
    _require_ready(content)
    findings = [*_unreadable(content), *_missing(content), *_failed(content)]
    ran = [t for t in content["tests"] if t["stage"] == "call" and t["outcome"] != "skipped"]
    return CheckReport(
        check="sanity",
        subject=digest_bundle(bundle),
        executed=len({test["node"] for test in ran}),
        findings=findings[:1000],
        details=f"{len(ran)} properties, {settings.sanity.examples} examples each.",
    )


def _run(root: Path, bundle: Path, junit: Path | None) -> dict[str, Any]:
    from tqdm import tqdm

    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        command = [sys.executable, "-m", "pytest", str(PROPERTIES)]
        command += [str(root / "tests")] if (root / "tests").is_dir() else []
        command += [f"--rootdir={root}", "-p", PLUGIN, "-p", "no:cacheprovider", "-v"]
        command += ["--continue-on-collection-errors"]
        command += [f"--assay-bundle={bundle.resolve()}", f"--assay-record={record}"]
        command += [] if junit is None else [f"--junitxml={junit.resolve()}"]
        process = subprocess.Popen(
            command,
            cwd=root,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        lines = []
        with process, tqdm(desc="sanity", unit="property", disable=None, leave=False) as progress:
            for line in process.stdout or ():
                lines.append(line)
                progress.update("::" in line and "%]" in line)
        if not record.is_file():
            raise NotCarriedOutError(
                f"pytest ended with code {process.returncode} before it could report: "
                f"{' '.join(''.join(lines).split())[-600:]}"
            )
        return dict(json.loads(record.read_text(encoding="utf-8")))


def _environment() -> dict[str, str]:
    # a user's own pytest options must not change what is run
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    source = str(Path(__file__).parents[2])
    paths = [source, kept["PYTHONPATH"]] if kept.get("PYTHONPATH") else [source]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def property_names() -> list[str]:
    """The tests that `assay.sanity.properties` holds, without importing it."""
    tree = ast.parse(PROPERTIES.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]


def _require_ready(content: dict[str, Any]) -> None:
    # a bundle that cannot be loaded says nothing about the model
    stuck = [test for test in content["tests"] if test["stage"] == "setup"]
    broken = [test for test in stuck if test["outcome"] == "failed"]
    if broken and len(stuck) == len(content["tests"]):
        raise NotCarriedOutError(f"no property could be tested: {broken[0]['message'][:800]}")


def _missing(content: dict[str, Any]) -> Iterator[Finding]:
    executed = {
        test["name"]
        for test in content["tests"]
        if test["outcome"] != "skipped" and Path(test["file"]).name == PROPERTIES.name
    }
    for name in property_names():
        if name not in executed and name not in OPTIONAL:
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
        warning = test["properties"].get("warning")
        if test["outcome"] == "failed" or warning:
            yield Finding(
                rule=test["name"],
                severity="failure" if test["outcome"] == "failed" else "warning",
                message=_message(test, warning)[:2000],
                file=None if test["file"].startswith("..") else test["file"],
                line=test["line"],
                formula=_short(test.get("formula") or test["properties"].get("formula")),
                value=_short(test.get("value")),
            )


def _short(text: Any) -> str | None:
    return None if text in (None, "") else str(text)[:200]


def _message(test: dict[str, Any], warning: str | None) -> str:
    if warning:
        return f"{test['property']} But {warning}."
    reason = test["message"].strip().split("\n")[0][:500]
    if test["stage"] != "call":
        return f"{test['name']} could not be set up: {reason}"
    parts = [f"{test['property']} But {reason}.", f'Run: pytest "{test["node"]}"']
    if test["reproduction"] and len(test["reproduction"]) < LONGEST_BLOB:
        parts.append(f"(exactly this example: {test['reproduction']})")
    return " ".join(parts)
