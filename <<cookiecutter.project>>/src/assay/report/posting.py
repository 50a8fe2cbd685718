"""Writes the report, and posts it where the run stands: job summary, comment, commit status."""

import os
from pathlib import Path

from assay import provenance
from assay.files import write_text
from assay.layout import Handover
from assay.report.comment import commit_status, render_comment, render_summary
from assay.report.page import render_page
from assay.report.summary import ReportInputs
from assay.scoring.references import recorded
from assay.settings import Settings


def write_report(root: Path, settings: Settings, handover: Handover, *, post: bool) -> Path:
    """Write `report/comment.md` and `report/index.html`; returns the page's path.

    In Actions the job summary is written, too. With `post` the comment and the commit status go
    to GitHub.

    Raises:
        NotCarriedOutError: GitHub refuses or does not answer, or no run to report on is named.
    """
    reference = None
    if handover.reference.is_file():
        reference = recorded(handover.reference.read_bytes(), "the reference")
    inputs = ReportInputs(handover, settings, root, reference, provenance.run_url())
    folder = handover.folder / "report"
    comment = render_comment(inputs)
    write_text(folder / "comment.md", comment)
    write_text(folder / "index.html", render_page(inputs))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(render_summary(inputs))
    if post:
        _post(inputs, comment)
    return folder / "index.html"


def _post(inputs: ReportInputs, comment: str) -> None:
    from assay.github import Repository

    sha = provenance.triggering_run()["head_sha"]
    repository = Repository.from_environment()
    state, description = commit_status(inputs)
    repository.set_status(sha, state, description, inputs.link)
    number = repository.pull_number(sha)
    if number is not None:
        repository.upsert_comment(number, comment)
