"""What the records of a run say, in words and without any markup; `comment` and `page` dress it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from assay.errors import NotCarriedOutError
from assay.layout import Handover
from assay.records import (
    CandidateCard,
    CheckReport,
    Finding,
    PublicFigure,
    Record,
    VerdictRecord,
    read_record,
)
from assay.settings import Settings

State = Literal["ok", "failed", "undecided", "missing"]
CommitState = Literal["success", "failure", "error"]

NOTHING_SAID = "this says nothing about the model"
HOW_TO_SEAL = (
    "The held-out labels of this repository lie open, so whoever trains can look at them and a "
    "PASS shows only that the mechanism works. To seal them: run `assay init`, commit what it "
    "writes, store the two keys it names as secrets of the environment `heldout`, and restrict "
    "that environment to the branch `main`."
)

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&+,;=%-]+")

_METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "brier": "Brier score",
    "error_rate": "Error rate",
}

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class ReportInputs:
    """Everything a report is made of; any record may be missing.

    `root` is the repository whose public tables the plots need (no plots without it),
    `reference_predictions` the reference model's predictions by row id (rows that it lacks are
    left out of the comparison), `url` the address of the run or page to link to. Sealed labels
    are not among the inputs, and are never read.
    """

    handover: Handover
    settings: Settings
    root: Path | None = None
    reference_predictions: Mapping[str, float] | None = None
    url: str | None = None

    @cached_property
    def schema(self) -> CheckReport | None:
        """The data checks, or None where they left no readable record."""
        return _checks("schema", self.handover.schema)

    @cached_property
    def sanity(self) -> CheckReport | None:
        """The property-based tests, or None where they left no readable record."""
        return _checks("sanity", self.handover.sanity)

    @cached_property
    def candidate(self) -> CandidateCard | None:
        """What the training says of its model, or None."""
        return _record(CandidateCard, self.handover.candidate)

    @cached_property
    def verdict(self) -> VerdictRecord | None:
        """The verdict, or None."""
        return _record(VerdictRecord, self.handover.verdict)

    @property
    def link(self) -> str | None:
        """`url`, if it is a web address that needs no escaping."""
        return self.url if self.url and _ADDRESS.fullmatch(self.url) else None

    @property
    def findings(self) -> list[Finding]:
        """What both checks found: failures first, data before sanity."""
        reports = [report for report in (self.schema, self.sanity) if report]
        found = [finding for report in reports for finding in report.findings]
        return sorted(found, key=lambda finding: finding.severity != "failure")

    @property
    def falsified(self) -> list[Finding]:
        """Failed sanity properties that name the composition which breaks them."""
        failures = self.sanity.failures if self.sanity else []
        return [finding for finding in failures if finding.formula]


def reproduction(finding: Finding) -> tuple[str, str]:
    """What a failed property says, and the command that shows it again (empty if none is told)."""
    said, _, command = finding.message.partition(" Run: ")
    return said, command


@dataclass(frozen=True)
class Row:
    """One line of the table of checks; `name` is text of the pull request, not to be trusted."""

    part: str
    state: State
    said: str
    what: str
    name: str = ""


@dataclass(frozen=True)
class Headline:
    """The verdict in one word and the reason in one clause."""

    state: State
    word: str
    why: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.word}: {self.why}"


def headline(inputs: ReportInputs) -> Headline:
    """The one sentence a reviewer reads; failed checks outrank whatever a verdict says."""
    if broken := _failed_checks(inputs):
        return Headline("failed", "Not scored", broken)
    for name, record in (
        ("data checks", inputs.schema),
        ("training", inputs.candidate),
        ("sanity checks", inputs.sanity),
        ("benchmark", inputs.verdict),
    ):
        if record is None or (isinstance(record, CheckReport) and not record.executed):
            why = f"the {name} could not be carried out; {NOTHING_SAID}"
            return Headline("missing", "ERROR", why)
    return _of_verdict(inputs.verdict)


def scored(inputs: ReportInputs) -> VerdictRecord | None:
    """The verdict, unless a check failed, after which it must not be shown."""
    return None if _failed_checks(inputs) else inputs.verdict


def _failed_checks(inputs: ReportInputs) -> str:
    counts = [
        (inputs.schema, "data check", "data checks"),
        (inputs.sanity, "sanity property", "sanity properties"),
    ]
    parts = [
        f"{len(report.failures)} {one if len(report.failures) == 1 else many} failed"
        for report, one, many in counts
        if report and report.failures
    ]
    return " and ".join(parts)


def _of_verdict(verdict: VerdictRecord | None) -> Headline:
    assert verdict is not None  # noqa: S101 (the caller looked)
    states: dict[str, State] = {"PASS": "ok", "FAIL": "failed", "INCONCLUSIVE": "undecided"}
    opened = verdict.stage == "sealed" and not verdict.sealed
    note = " (its labels are not sealed yet)" if opened else ""
    return Headline(states[verdict.outcome], verdict.outcome, f"{verdict.explanation}{note}")


def commit_status(inputs: ReportInputs) -> tuple[CommitState, str]:
    """State and description of the commit status; success only if every part held."""
    line = headline(inputs)
    states: dict[State, CommitState] = {"ok": "success", "missing": "error"}
    return states.get(line.state, "failure"), str(line)


def table(inputs: ReportInputs) -> list[Row]:
    """What each of the four parts did."""
    return [
        _check_row("Data schema", inputs.schema, "rule", "rules"),
        _candidate_row(inputs.candidate),
        _check_row("Sanity", inputs.sanity, "property", "properties"),
        _benchmark_row(inputs),
    ]


def _check_row(part: str, report: CheckReport | None, one: str, many: str) -> Row:
    if report is None:
        return Row(part, "missing", "did not run", "its record is missing or cannot be read")
    ran = f"{report.executed} {one if report.executed == 1 else many}"
    warnings = len(report.findings) - len(report.failures)
    also = f", {warnings} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
    if report.failures:
        count = len(report.failures)
        found = f"{count} {'failure' if count == 1 else 'failures'}"
        return Row(part, "failed", "failed", f"{ran} checked: {found}{also}")
    if not report.executed:
        return Row(part, "missing", "did not run", f"no {one} was checked")
    return Row(part, "ok", "holds", f"{ran} checked{also}")


def _candidate_row(card: CandidateCard | None) -> Row:
    if card is None:
        return Row("Candidate", "missing", "not trained", "its record is missing or cannot be read")
    what = f"{card.rows:,} rows in {card.groups:,} chemical systems"
    return Row("Candidate", "ok", "trained", what, card.estimator)


def _benchmark_row(inputs: ReportInputs) -> Row:
    if _failed_checks(inputs):
        return Row("Benchmark", "missing", "not scored", "the checks before it must hold first")
    if inputs.verdict is None:
        return Row("Benchmark", "missing", "not carried out", NOTHING_SAID)
    line = _of_verdict(inputs.verdict)
    certified = "; certified" if inputs.verdict.certified else ""
    return Row("Benchmark", line.state, line.word, f"{line.why}{certified}")


def gate_line(verdict: VerdictRecord) -> str:
    """The fixed template of docs/gate.md; nothing in it but fields of the verdict."""
    level = "" if verdict.level is None else f", level {verdict.level:.1e}"
    seal = "sealed set" if verdict.sealed else "open set (NOT SEALED)"
    rows = f"n={verdict.sealed_rows}, {verdict.sealed_groups} groups"
    uses = f"sealed use {verdict.use}/{verdict.uses}"
    wrong = f"disagreements {verdict.disagreements}/{verdict.maximum_disagreements}"
    errors = f"{number(verdict.candidate_error)} vs {number(verdict.reference_error)}"
    parts = [
        f"Gate: {verdict.outcome} ({verdict.explanation})",
        f"claim {verdict.claim}, margin {number(verdict.margin, verdict.unit)}",
        f"{seal} {verdict.sealed_digest[:8]} {rows}",
        f"{uses}, {wrong}{level}",
        f"train {verdict.metric} {errors} (public)",
    ]
    return " | ".join(parts)


def reference_name(verdict: VerdictRecord) -> str:
    """The reference as people read it: a baseline by name, a model by 12 digits."""
    return verdict.reference if " " in verdict.reference else verdict.reference[:12]


def public_numbers(inputs: ReportInputs) -> list[tuple[str, str, str]]:
    """Rows (name, candidate, reference) of public figures: out-of-fold errors, change on pool.

    The scorer's own figures where there is a verdict, else what the training run claims.
    """
    verdict, card = scored(inputs), inputs.candidate
    rows = []
    figures = verdict.figures if verdict else []
    rows += [_figure_row(figure) for figure in figures]
    told = {figure.name for figure in figures}
    for key, name in _METRICS.items():
        if card and key in card.metrics and name not in told:
            unit = _in(inputs.settings.target.unit) if key in {"mae", "rmse"} else ""
            rows.append((f"{name}{unit}", number(card.metrics[key]), ""))
    if verdict:
        change = f"Mean change of predictions on the pool{_in(verdict.unit)}"
        rows.append((change, number(verdict.change_on_pool), ""))
    return rows


def _figure_row(figure: PublicFigure) -> tuple[str, str, str]:
    name = f"{figure.name}{_in(figure.unit)}"
    if not figure.required:
        name += f": {figure.groups:.0f} effective groups, too few to decide"
    candidate, reference = (
        "" if error is None else number(error) for error in (figure.candidate, figure.reference)
    )
    return name, candidate, reference


def _in(unit: str) -> str:
    return "" if unit in {"", "1"} else f" ({unit})"


def number(value: float, unit: str = "1") -> str:
    """Four significant digits and the unit, if there is one."""
    text = f"{value:.4g}"
    return text if unit in {"", "1"} else f"{text} {unit}"


def _checks(check: str, path: Path) -> CheckReport | None:
    report = _record(CheckReport, path)
    return report if report and report.check == check else None


def _record(kind: type[R], path: Path) -> R | None:
    try:
        return read_record(kind, path)
    except NotCarriedOutError:
        return None
