"""How each property ended, with the falsifying composition, for whoever started pytest."""

import re
from typing import Any

import pytest

from assay.sanity.tiers import FOLDER, KIT


def outcome(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> dict[str, Any]:
    """The record of one stage of one test: what it is called, how it ended, what falsified it."""
    error = _innermost(call.excinfo.value) if call.excinfo else None
    path, line, _ = item.location
    own = item.path.parent == FOLDER  # wherever assay is installed, it is found by its name
    documentation = getattr(getattr(item, "function", None), "__doc__", None)
    return {
        "name": item.name,
        # with the class, if it is in one
        "node": f"{KIT + item.path.stem if own else path}::{item.nodeid.partition('::')[2]}",
        "file": "" if own else path,
        "path": str(item.path.resolve()),
        "line": (line or 0) + 1,
        "outcome": report.outcome,
        "xfail": getattr(report, "wasxfail", None),
        "skipped": _why_skipped(report),
        "stage": report.when,
        "property": (documentation or item.name).strip().split("\n")[0],
        "properties": dict(item.user_properties),
        **({} if error is None else _explained(error)),
    }


def _why_skipped(report: pytest.TestReport) -> str:
    """The reason that pytest gives, or ""."""
    where = report.longrepr
    return str(where[2]) if report.outcome == "skipped" and isinstance(where, tuple) else ""


def _innermost(error: BaseException) -> BaseException:
    """The first single exception; Hypothesis groups them when a failure is not repeatable."""
    while isinstance(error, BaseExceptionGroup):
        notes = getattr(error, "__notes__", [])
        error = error.exceptions[0]
        for note in notes:
            error.add_note(note)
    return error


def _explained(error: BaseException) -> dict[str, Any]:
    notes = "\n".join(getattr(error, "__notes__", []))
    blob = re.search(r"@reproduce_failure\(.*\)", notes)
    formula = getattr(error, "formula", None)
    return {
        "message": str(error) or type(error).__name__,
        "formula": _first_formula(notes) if formula is None else formula,
        "value": getattr(error, "value", None),
        "example": notes,
        "reproduction": blob.group(0) if blob else None,
    }


def _first_formula(notes: str) -> str | None:
    """The first quoted text in a falsifying example that can be read as a formula."""
    from assay.compositions import problem

    quoted = (text[1:-1] for text in re.findall(r"'[^'\n]*'|\"[^\"\n]*\"", notes))
    return next((text for text in quoted if problem(text) is None), None)
