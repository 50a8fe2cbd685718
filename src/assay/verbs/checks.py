"""Verbs of every day: `schema`, `train`, `sanity`, `check`, `score` and `report`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import AssayError, CheckFailedError
from assay.layout import Handover, Layout
from assay.machinery import machinery_of, require_pinned
from assay.progress import stages
from assay.texts import on_one_line, plural
from assay.verbs.beside import verb_beside
from assay.verbs.console import HandoverOption, Machine, Remote, found_root, here, recorded, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.records import CandidateCard, CheckReport, Finding, VerdictRecord
    from assay.repository import Repository

StaleOption = Annotated[
    bool,
    typer.Option("--stale-ok", help="Go by the last checks though code, data or settings changed."),
]
_KINDS = {
    "schema": ("data check", "data checks"),
    "sanity": ("sanity property", "sanity properties"),
}


def schema(machine: Machine = False) -> None:
    """Check the data with Great Expectations."""
    handover = _out()
    with recorded(handover, "schema"):
        repository = here()
        repository.base.require()
        require_pinned(repository.root)  # what is wrong with the wheel itself is among the findings
        with stages("schema") as doing:
            doing("starting Great Expectations")
            from assay.schema import data_docs  # noqa: F401 (takes seconds)
            from assay.schema.check import check_schema
            from assay.staleness import inputs_noted

        with inputs_noted(repository, "schema"):
            report = check_schema(repository)
            report.write(handover.schema)
    _conclude(report, "expectations hold", machine=machine)


def train(machine: Machine = False) -> None:
    """Train the candidate and write its bundle and predictions."""
    _tell_card(_trained(), machine=machine)


def _trained() -> "CandidateCard":
    with recorded(_out(), "candidate"):
        repository = here()
        machinery_of(repository.root)
        with stages("train") as doing:
            doing("starting")
            from assay.model.training import train as fit
            from assay.staleness import inputs_noted

        with inputs_noted(repository, "candidate"):
            return fit(repository)


def _tell_card(card: "CandidateCard", *, machine: bool) -> None:
    _tell_findings(card.findings, machine=machine)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items())
    tell(
        f"train: {card.estimator} on {card.rows} rows, {card.groups} groups; out of "
        f"fold: {metrics} ({card.unit}); bundle {card.bundle_digest[:12]}",
        card,
        machine=machine,
    )


def sanity(
    bundle: Annotated[Path | None, typer.Option(help="Bundle to test [out/bundle].")] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Run the fast properties only; the result cannot be scored."),
    ] = False,
    machine: Machine = False,
) -> None:
    """Test the bundle with properties that any composition model must have."""
    from assay.sanity.check import run_sanity
    from assay.staleness import inputs_noted

    handover = _out()
    with recorded(handover, "sanity") if not fast else nullcontext():
        repository = here()
        repository.base.require()
        machinery_of(repository.root)
        with nullcontext() if fast else inputs_noted(repository, "sanity"):
            report = run_sanity(repository, bundle or handover.bundle, fast=fast)
            # what is handed over says that all was tested
            report.write(handover.fast_sanity if fast else handover.sanity)
    _conclude(report, "properties hold", machine=machine)


def check(machine: Machine = False) -> None:
    """Run schema, train and sanity, as the workflow of a pull request does.

    The data are checked in another process while the candidate is trained. What both say is printed
    in this order, however long each takes; the first that failed decides about the exit code.
    """
    here()  # outside of a repository nothing is begun
    with verb_beside("schema", ["--json"] if machine else []) as data_checks:
        card = error = None
        try:
            card = _trained()
        except AssayError as found:
            error = found
        code, printed_there, said = data_checks.ended()
    typer.echo(printed_there, nl=False)
    if card is not None:
        _tell_card(card, machine=machine)
    if code:
        if error is not None and str(error) not in said:
            typer.echo(f"assay: {on_one_line(str(error))} [{error.code}]", err=True)
        typer.echo(said, nl=False, err=True)
        raise typer.Exit(code)
    if error is not None:
        raise error
    sanity(machine=machine)


def _out() -> Handover:
    return Handover(Layout(found_root()).out)


def _tell_findings(findings: "Sequence[Finding]", *, machine: bool) -> None:
    from assay.runner import annotate
    from assay.sanity.suites import told_with_command

    if not machine:  # a runner reads its commands where JSON would stand
        annotate(list(findings))
    for finding in findings:
        place = ":".join(str(part) for part in (finding.file, finding.line) if part)
        also = ", as on main" if finding.on_main else ""
        told = (
            f"{finding.severity}{also}: {place}{': ' if place else ''}{told_with_command(finding)}"
        )
        tell(f"  {on_one_line(told)}", machine=machine)


def _conclude(report: "CheckReport", success: str, *, machine: bool) -> None:
    _tell_findings(report.findings, machine=machine)
    if report.unlisted:
        tell(
            f"  {plural(report.unlisted, 'further finding')} not listed: fix these first",
            machine=machine,
        )
    tell(
        f"{report.check}: {report.executed} {success if report.passed else 'checked'}, "
        f"{len(report.failed)} failed, {len(report.warned)} with warnings",
        report,
        machine=machine,
    )
    if not report.executed:
        raise CheckFailedError(
            f"{report.check} checked nothing, which is not a pass: run `assay {report.check}` "
            "again.",
            code="report.nothing-checked",
        )
    if not report.passed:
        broken = plural(len(report.failed), *_KINDS[report.check])
        raise CheckFailedError(
            f"{broken} failed: fix what is listed above.", code="report.failed-check"
        )


def score(
    handover: HandoverOption = None,
    remote: Remote = None,
    publish: Annotated[
        bool, typer.Option(help="Publish a certified bundle as a release on GitHub.")
    ] = False,
    stale_ok: StaleOption = False,
    machine: Machine = False,
) -> None:
    """Decide on the candidate; opens sealed labels only where they are needed."""
    folder = Handover(handover or Layout(found_root()).out)
    with stages("score") as doing:
        with recorded(folder, "score"):
            repository = here()
            from assay.ledger.branches import unshared
            from assay.report.advice import after, meaning
            from assay.report.figures import gate_line
            from assay.scoring.score import score as decide
            from assay.staleness import require_current, told

            changed = require_current(repository, folder, stale_ok=stale_ok)
            verdict = decide(repository, folder, remote, doing)
        # no refusal from here on: the verdict stands in the ledger, whatever becomes of the model
        if verdict.certified:
            doing("keeping the certified model")
            _spread(repository, folder, verdict.bundle_digest, publish=publish)
    if changed:
        tell(f"warning: {told(changed)} since the checks ran, which this goes by", machine=machine)
    tell(gate_line(verdict), verdict, machine=machine)
    if verdict.outcome == "PASS":
        tell(_certificate(verdict), machine=machine)
    if remote is None and unshared(repository.root):
        push = "the ledger of this clone is ahead of origin's: `git push origin assay-ledger`"
        tell(f"{push}, so that every clone counts the same uses", machine=machine)
    if said := meaning(verdict):
        tell(f"this means: {said}.", machine=machine)
    if todo := after(verdict):
        tell(f"next: {todo}.", machine=machine)
    if verdict.outcome != "PASS":
        raise CheckFailedError(
            f"{verdict.outcome}: {verdict.explanation}.", code="verdict.not-pass"
        )


def _certificate(verdict: "VerdictRecord") -> str:
    if verdict.certified:
        return f"certified: model {verdict.bundle_digest[:12]} may predict"
    return f"not certified: {verdict.why_not_certified}"


def _spread(repository: "Repository", handover: Handover, digest: str, *, publish: bool) -> None:
    from assay.batch import authorization
    from assay.model.tracking import promote
    from assay.scoring import recording

    layout = repository.layout
    stored = authorization.store(layout, digest, handover.bundle, handover.certificate)
    if publish:
        notes = f"Certified by {repository.settings.gate.evidence} evidence. Verify with `assay "
        notes += "verify certificate.json` in a checkout of this repository."
        authorization.publish(digest, stored.bundle, stored.certificate, notes)
    promote(repository, digest, stored.bundle)
    recording.offer(handover, layout.public_key)


def report(
    handover: HandoverOption = None,
    post: Annotated[
        bool, typer.Option(help="Set the commit status and comment on GitHub.")
    ] = False,
    stale_ok: StaleOption = False,
) -> None:
    """Write the comment and the page for the reviewer."""
    repository = here()
    with stages("report") as doing:
        doing("gathering what was found, and drawing it")
        from assay.report.posting import write_report
        from assay.staleness import require_current

        folder = Handover(handover) if handover else repository.handover
        changed = require_current(repository, folder, stale_ok=stale_ok)
        page = write_report(repository, folder, post=post, changed=changed)
    typer.echo(f"report: {page}")
