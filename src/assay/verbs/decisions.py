"""The trusted half and what it tells: `score` and `report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import CheckFailedError
from assay.layout import Handover, Layout
from assay.progress import stages
from assay.verbs.console import HandoverOption, Machine, Remote, here, repository, tell
from assay.verbs.refusals import recorded

if TYPE_CHECKING:
    from assay.records import VerdictRecord
    from assay.settings import Settings


def score(
    handover: HandoverOption = None,
    remote: Remote = None,
    publish: Annotated[bool, typer.Option(help="Release a certified bundle on GitHub.")] = False,  # noqa: FBT002
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Decide: the trusted half, with the sealed labels."""
    folder = Handover(handover or Layout(repository()).out)
    with stages("score") as doing:
        with recorded(folder, "score"):
            root, settings = here()
            from assay.report.advice import after, meaning
            from assay.report.figures import gate_line
            from assay.scoring.score import score as decide

            verdict = decide(root, settings, folder, remote, doing)
        # no refusal from here on: the verdict stands in the ledger, whatever becomes of the model
        if verdict.certified:
            doing("keeping the certified model")
            _spread(root, settings, folder, verdict.bundle_digest, publish=publish)
    tell(gate_line(verdict), verdict, machine=machine)
    if verdict.outcome == "PASS":
        tell(_certificate(root, verdict), machine=machine)
    if said := meaning(verdict):
        tell(f"this means: {said}. Next: {after(verdict)}.", machine=machine)
    if verdict.outcome != "PASS":
        raise CheckFailedError(f"{verdict.outcome}: {verdict.explanation}.")


def _certificate(root: Path, verdict: "VerdictRecord") -> str:
    from assay import provenance
    from assay.scoring.cases import MAIN

    if verdict.certified:
        return f"certified: model {verdict.bundle_digest[:12]} may predict"
    branch = provenance.branch_of(root)
    if branch != MAIN:
        return f"not certified: only main's own run is, and this is {branch or 'no branch'}"
    return "not certified: there is no signing key here (`assay init` makes one)"


def _spread(
    root: Path, settings: "Settings", handover: Handover, digest: str, *, publish: bool
) -> None:
    from assay.batch import models
    from assay.model.tracking import promote
    from assay.scoring import attestation

    stored = models.store(Layout(root), digest, handover.bundle, handover.certificate)
    if publish:
        notes = "Verify with `assay verify certificate.json` in a checkout of this repository."
        models.publish(digest, stored.bundle, stored.certificate, notes)
    promote(root, settings, digest, stored.bundle)
    attestation.offer(handover, Layout(root).public_key)


def report(
    handover: HandoverOption = None,
    post: Annotated[bool, typer.Option(help="Set the status and comment on GitHub.")] = False,  # noqa: FBT002
) -> None:
    """Write the comment and the page that a reviewer reads."""
    root, settings = here()
    with stages("report") as doing:
        doing("gathering what was found, and drawing it")
        from assay.report.posting import write_report

        page = write_report(root, settings, Handover(handover or Layout(root).out), post=post)
    typer.echo(f"report: {page}")
