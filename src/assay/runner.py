"""What a step tells the runner of GitHub Actions: outputs, and annotations of findings."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from assay.errors import UsageError
from assay.records import Finding
from assay.sanity.suites import told_with_command

MAXIMUM_ANNOTATIONS = 10


def set_output(name: str, value: str) -> None:
    """Tell the workflow's later steps something, of a step with an id; nothing outside Actions.

    Raises:
        UsageError: the value has a line end, with which it could tell of other things, too.
    """
    path = os.environ.get("GITHUB_OUTPUT")
    if value.splitlines() not in ([], [value]):
        raise UsageError(
            f"{name} is {value!r:.80}: remove the line break.", code="github.bad-output"
        )
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{name}={value}\n")


def summarise(render: Callable[[], str]) -> None:
    """Add Markdown to the summary of the workflow run; outside Actions it is not even made."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(render())


def refuse(sentence: str) -> None:
    """Show why nothing was made, as an annotation and in the summary; nothing outside Actions."""
    from assay.markdown import LONG, code

    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(f"::error::{_escaped(sentence)}\n")
        summarise(lambda: f"## Not carried out\n\n{code(sentence, LONG)}\n")


def annotate(findings: Iterable[Finding], stream: TextIO | None = None) -> None:
    """Print findings as annotations of a workflow run; silent outside GitHub Actions.

    The runner shows ten errors and ten warnings of a step, so no more are printed.
    """
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    printed = {"failure": 0, "warning": 0}
    for finding in findings:
        printed[finding.severity] += 1
        if printed[finding.severity] <= MAXIMUM_ANNOTATIONS:
            print(_command(finding), file=stream or sys.stdout)


def _command(finding: Finding) -> str:
    level = "error" if finding.severity == "failure" else "warning"
    properties = {
        "file": finding.file,
        "line": finding.line if finding.file else None,
        "title": finding.rule,
    }
    given = [f"{key}={_escaped(str(text), ':,')}" for key, text in properties.items() if text]
    return f"::{level} {','.join(given)}::{_escaped(told_with_command(finding))}"


def _escaped(text: str, also: str = "") -> str:
    """Escape as the runner's own toolkit does: `%`, CR, LF; in properties `:` and `,` too."""
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
