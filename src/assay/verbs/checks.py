"""The untrusted half: `schema`, `train`, `sanity`, and `check`, which is all of them."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.errors import CheckFailedError
from assay.layout import Handover, Layout
from assay.machinery import machinery_of, require_pinned
from assay.mainline import require_main
from assay.progress import stages
from assay.texts import on_one_line, plural
from assay.verbs.console import Machine, here, repository, tell
from assay.verbs.refusals import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.records import CheckReport, Finding

_KINDS = {
    "schema": ("data check", "data checks"),
    "sanity": ("sanity property", "sanity properties"),
}


def schema(machine: Machine = False) -> None:  # noqa: FBT002 (a flag)
    """Check the data with Great Expectations."""
    handover = _out()
    with recorded(handover, "schema"):
        root, settings = here()
        require_main(root)
        require_pinned(root)  # what is wrong with the wheel itself is among the findings
        with stages("schema") as doing:
            doing("starting Great Expectations")
            from assay.schema import data_docs  # noqa: F401 (takes seconds)
            from assay.schema.check import check_schema

        report = check_schema(root, settings)
        report.write(handover.schema)
    _conclude(report, "expectations hold", machine=machine)


def train(machine: Machine = False) -> None:  # noqa: FBT002
    """Train the candidate and write its bundle and predictions."""
    with recorded(_out(), "candidate"):
        root, settings = here()
        machinery_of(root)
        with stages("train") as doing:
            doing("starting")
            from assay.model.training import train as fit

        card = fit(root, settings)
    _tell_findings(card.findings, machine=machine)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items())
    tell(
        f"train: {card.estimator} on {card.rows} rows, {card.groups} chemical systems; out of "
        f"fold: {metrics} ({card.unit}); bundle {card.bundle_digest[:12]}",
        card,
        machine=machine,
    )


def sanity(
    bundle: Annotated[Path | None, typer.Option(help="The bundle to test [out/bundle].")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Train nothing, hand nothing over.")] = False,  # noqa: FBT002
    machine: Machine = False,  # noqa: FBT002
) -> None:
    """Test the bundle's behaviour with properties that any composition model must have."""
    from assay.sanity.check import run_sanity

    handover = _out()
    with recorded(handover, "sanity") if not fast else nullcontext():
        root, settings = here()
        require_main(root)
        machinery_of(root)
        report = run_sanity(root, settings, bundle or handover.bundle, fast=fast)
        # what is handed over says that all was tested
        report.write(handover.fast_sanity if fast else handover.sanity)
    _conclude(report, "properties hold", machine=machine)


def check(machine: Machine = False) -> None:  # noqa: FBT002
    """Run schema, train and sanity: the untrusted half, as the workflow runs it."""
    schema(machine=machine)
    train(machine=machine)
    sanity(machine=machine)


def _out() -> Handover:
    return Handover(Layout(repository()).out)


def _tell_findings(findings: "Sequence[Finding]", *, machine: bool) -> None:
    from assay.runner import annotate
    from assay.sanity.reproduction import told_with_command

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
        raise CheckFailedError(f"{report.check} executed nothing: that is not a pass.")
    if not report.passed:
        broken = plural(len(report.failed), *_KINDS[report.check])
        raise CheckFailedError(f"{broken} failed: fix what is listed above.")
