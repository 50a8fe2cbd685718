"""What a step tells the runner stays what it is, whatever stands in a finding."""

from io import StringIO
from pathlib import Path

import pytest

from assay.github import MARKER
from assay.records import Finding
from assay.runner import annotate, refuse
from inert import HOSTILE, assert_inert


def _finding(**changes: object) -> Finding:
    return Finding.model_validate(
        {"rule": "range", "severity": "failure", "message": "out of range"} | changes
    )


def test_annotation_cannot_issue_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line break, `%`, colon or comma of a finding stays inside its one annotation."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    stream = StringIO()
    hostile = _finding(
        message="50%\r\n::stop-commands::x", file="a,line=9:b\n.csv", line=3, rule="x::y,file=z"
    )
    annotate([hostile], stream)
    assert stream.getvalue() == (
        "::error file=a%2Cline=9%3Ab%0A.csv,line=3,title=x%3A%3Ay%2Cfile=z"
        "::50%25%0D%0A::stop-commands::x\n"
    )


def test_annotations_are_few_and_only_for_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the runner shows, warnings as such, and nothing on a laptop."""
    findings = [_finding()] * 30 + [_finding(severity="warning")] * 30
    stream = StringIO()
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    annotate(findings, stream)
    assert stream.getvalue() == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    annotate(findings, stream)
    lines = stream.getvalue().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10


def test_refusal_is_seen_in_the_run_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In Actions it is an annotation and a summary in which nothing acts; on a laptop nothing."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    refuse("the list is empty: add rows.")
    assert not summary.exists()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for text in HOSTILE:
        summary.unlink(missing_ok=True)
        refuse(f"no row of {text} can be predicted: try `assay plan`.")
        assert_inert(f"{MARKER}\n{summary.read_text()}")
        assert "assay plan" in summary.read_text()
        assert capsys.readouterr().out.count("\n") == 1
