"""Writes the report, and posts it where the run stands: job summary, comment, commit status."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay import provenance
from assay.errors import NotCarriedOutError
from assay.files import write_text
from assay.layout import Handover, Layout
from assay.report.comment import render_comment, render_summary
from assay.report.figures import commit_status
from assay.report.images import exhibit, images
from assay.report.inputs import ReportInputs
from assay.report.page import render_page
from assay.repository import Repository
from assay.runner import summarise
from assay.texts import on_one_line

HISTORY = 10


def write_report(
    repository: Repository, handover: Handover, *, post: bool, changed: Sequence[str] = ()
) -> Path:
    """Write `report/comment.md` and `report/index.html`; returns the page's path.

    In Actions the job summary is written, too. With `post` the comment and the commit status go
    to GitHub; a token that may not comment is told of, since the summary says the same. What is
    posted shows pictures if they can be put on their branch; everything else has drawings in
    characters. Both name what `changed` since the checks.

    Raises:
        NotCarriedOutError: GitHub refuses or does not answer, or no run to report on is named.
    """
    inputs = replace(gathered(repository, handover), changed=changed)
    folder = handover.folder / "report"
    comment = render_comment(inputs)
    write_text(folder / "comment.md", comment)
    write_text(folder / "index.html", render_page(inputs))
    summarise(lambda: render_summary(inputs))
    if post:
        _post(inputs, comment)
    return folder / "index.html"


def gathered(repository: Repository, handover: Handover) -> ReportInputs:
    """All that a report on what was handed over goes by, as far as it is there.

    Raises:
        NotCarriedOutError: the reference's predictions are there and cannot be read.
    """
    inputs = ReportInputs(
        handover,
        repository.settings,
        repository.root,
        _reference(handover),
        provenance.run_url(),
        data_docs=_data_docs(repository.layout),
    )
    return replace(inputs, history=_history(repository.root, inputs))


def _reference(handover: Handover) -> Mapping[str, float] | None:
    from assay.scoring.references import recorded

    if not handover.reference.is_file():
        return None
    return recorded(handover.reference.read_bytes(), "the reference")


def _data_docs(layout: Layout) -> str | None:
    """The run that kept the Data Docs as an artifact, or on a laptop their folder."""
    if os.environ.get("GITHUB_ACTIONS"):
        return provenance.triggering_run_url()
    index = layout.out / "data_docs" / "index.html"
    return "../data_docs/index.html" if index.is_file() else None


def _history(root: Path, inputs: ReportInputs) -> Sequence[tuple[str, ...]]:
    """The ledger's last lines; none where it cannot be read, which `score` and `predict` tell."""
    from assay.ledger.audit import earlier
    from assay.ledger.record import read_ledger_at_hand

    digest = inputs.candidate.predictions_digest if inputs.candidate else None
    try:
        return earlier(read_ledger_at_hand(root), digest, HISTORY)
    except NotCarriedOutError:
        return ()


def _post(inputs: ReportInputs, comment: str) -> None:
    from assay.github import GitHubRepository, ReadOnlyError

    sha = provenance.triggering_run()["head_sha"]
    repository = GitHubRepository.from_environment()
    state, description = commit_status(inputs)
    repository.set_status(sha, state, description, inputs.link)
    try:
        number = repository.pull_number(sha)
        if number is not None:
            repository.upsert_comment(number, _pictured(inputs) or comment)
    except ReadOnlyError as error:
        # the status is what counts, and it is set
        _tell(f"{error} The job summary says the same as the comment.")


def _pictured(inputs: ReportInputs) -> str | None:
    """The comment with pictures, where there is something to show and a branch to put it on."""
    address = provenance.repository_url()
    if address is None or inputs.root is None or not (drawn := images(inputs)):
        return None
    try:
        return render_comment(inputs, exhibits=exhibit(inputs.root, drawn, address))
    except (NotCarriedOutError, OSError) as error:
        _tell(f"the comment was posted without images: {error}")
        return None


def _tell(sentence: str) -> None:
    sys.stderr.write(on_one_line(f"assay: {sentence}") + "\n")
