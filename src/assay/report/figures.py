"""What the records of a run say, in words and numbers with units; comment and page dress it."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from assay.layout import Part
from assay.records import CandidateCard, CheckReport, PublicFigure, VerdictRecord
from assay.report import advice
from assay.report.inputs import ReportInputs
from assay.texts import plural

_METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "brier": "Brier score",
    "error_rate": "Error rate",
}
State = Literal["ok", "failed", "undecided", "missing"]
CommitState = Literal["success", "failure", "error", "pending"]
BENCHMARK = "Benchmark"

_WORDS: dict[Part, tuple[str, str]] = {
    "schema": ("Data schema", "did not run"),
    "candidate": ("Candidate", "not trained"),
    "sanity": ("Sanity", "did not run"),
    "score": (BENCHMARK, "not carried out"),
}
NOTHING_SAID = "this says nothing about the model"
UNREAD = "its record is missing or cannot be read"


class PublicNumber(NamedTuple):
    """A public figure of both models; `note` is what to say of it behind its name and unit."""

    name: str
    unit: str
    candidate: str
    reference: str = ""
    note: str = ""


def gate_line(verdict: VerdictRecord) -> str:
    """One line from a fixed template; nothing in it but fields of the verdict."""
    level = "" if verdict.level is None else f", level {verdict.level:.1e}"
    if verdict.evidence == "public":
        return _public_line(verdict, level)
    seal = "sealed set" if verdict.sealed else "open set (NOT SEALED)"
    rows = f"n={verdict.sealed_rows}, {verdict.sealed_groups} groups"
    uses = f"sealed use {verdict.use}/{verdict.uses}"
    wrong = f"failed confirmations {verdict.disagreements}/{verdict.maximum_disagreements}"
    errors = f"{number(verdict.candidate_error)} vs {number(verdict.reference_error)}"
    parts = [
        f"Gate: {verdict.outcome} ({verdict.explanation})",
        f"claim {verdict.claim}, margin {number(verdict.margin, verdict.unit)}",
        f"{seal} {verdict.sealed_digest[:8]} {rows}",
        f"{uses}, {wrong}{level}",
        f"train {verdict.metric} {errors} (public)",
    ]
    return " | ".join(parts)


def _public_line(verdict: VerdictRecord, level: str) -> str:
    errors = f"{number(verdict.candidate_error)} vs {number(verdict.reference_error)}"
    preview = ", preview" if verdict.preview else ""
    parts = [
        f"Gate: {verdict.outcome} ({verdict.explanation})",
        f"claim {verdict.claim}, margin {number(verdict.margin, verdict.unit)}",
        f"public evidence{preview}, n={verdict.public_rows}, {verdict.public_groups} groups{level}",
        f"{verdict.metric} {errors} (cross-validation)",
    ]
    return " | ".join(parts)


def public_numbers(inputs: ReportInputs) -> list[PublicNumber]:
    """Out-of-fold errors, how many rows the interval holds, and the change on the pool.

    The scorer's own figures where there is a verdict, else what the training run claims.
    """
    verdict, card = scored(inputs), inputs.candidate
    figures = verdict.figures if verdict else []
    rows = [_figure_row(figure) for figure in figures]
    told = {figure.name for figure in figures}
    for key, name in _METRICS.items():
        if card and key in card.metrics and name not in told:
            unit = inputs.settings.target.unit if key in {"mae", "rmse"} else ""
            other = number(inputs.reference_metrics[key]) if key in inputs.reference_metrics else ""
            rows.append(PublicNumber(name, unit, number(card.metrics[key]), other))
    rows += [*_ordering(inputs), *_coverages(inputs)]
    if verdict:
        change = "Mean change of predictions on the pool"
        rows.append(PublicNumber(change, verdict.unit, number(verdict.change_on_pool)))
    return rows


def _ordering(inputs: ReportInputs) -> list[PublicNumber]:
    """How well the probabilities order rows of both classes."""
    found = inputs.classes
    if found is None or found.auc is None:
        return []
    other = "" if found.reference_auc is None else number(found.reference_auc)
    return [PublicNumber("ROC AUC", "", number(found.auc), other)]


def _coverages(inputs: ReportInputs) -> list[PublicNumber]:
    found = inputs.coverage
    if found is None:
        return []
    name = f"Coverage of the {found.level:.0%} interval"
    return [
        PublicNumber(f"{name}, {which}", "", f"{share:.1%}")
        for which, share in (
            ("new groups", found.grouped),
            ("rows at random", found.random),
        )
    ]


def _figure_row(figure: PublicFigure) -> PublicNumber:
    few = f"{figure.groups:.0f} effective groups, too few to decide"
    undecided = "advisory, decides nothing" if figure.advisory else few
    candidate, reference = (
        "" if error is None else number(error) for error in (figure.candidate, figure.reference)
    )
    note = "" if figure.required else undecided
    return PublicNumber(figure.name, figure.unit, candidate, reference, note)


def in_unit(unit: str) -> str:
    """The unit in brackets, if there is one."""
    return "" if unit in {"", "1"} else f" ({unit})"


def number(value: float, unit: str = "1") -> str:
    """Four significant digits and the unit, if there is one."""
    text = f"{value:.4g}"
    return text if unit in {"", "1"} else f"{text} {unit}"


def signed(value: float) -> str:
    """Three significant digits with their sign; zero has none."""
    return f"{value:+.3g}" if value else "0"


@dataclass(frozen=True)
class CheckRow:
    """One line of the table of checks.

    `name`, `details` and `quoted`, an error's own words, are text of the pull request, not to be
    trusted.
    `todo` is the one thing to do next, empty where all is well; commands in it stand in backticks.
    Whatever is `silent` left neither a record nor a word: it may only not have begun.
    """

    part: str
    state: State
    said: str
    what: str
    name: str = ""
    todo: str = ""
    details: str = ""
    quoted: str = ""
    silent: bool = False


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


def next_step(inputs: ReportInputs) -> str:
    """What to do first: that of the first part which is not as it should be; empty if all is."""
    return next((row.todo for row in table(inputs) if row.todo), "")


def scored(inputs: ReportInputs) -> VerdictRecord | None:
    """The verdict, unless a check failed, after which it must not be shown."""
    return None if _failed_checks(inputs) else inputs.verdict


def _failed_checks(inputs: ReportInputs) -> str:
    counts = [
        (inputs.schema, "data check", "data checks"),
        (inputs.sanity, "sanity property", "sanity properties"),
    ]
    parts = [
        f"{_at_least(report)}{plural(len(report.failed), one, many)} failed"
        for report, one, many in counts
        if report and report.failed
    ]
    return " and ".join(parts)


def _at_least(report: CheckReport) -> str:
    """Before a number of rules: a record without room for all lists the first of each first."""
    return "at least " if report.unlisted and len(report.failed) == len(report.findings) else ""


def _of_verdict(verdict: VerdictRecord | None) -> Headline:
    assert verdict is not None  # noqa: S101 (the caller looked)
    states: dict[str, State] = {"PASS": "ok", "FAIL": "failed", "INCONCLUSIVE": "undecided"}
    opened = verdict.stage == "sealed" and not verdict.sealed
    note = " (its labels are not sealed yet)" if opened else ""
    preview = ", preview" if verdict.preview else ""
    by = f"public evidence{preview}: " if verdict.evidence == "public" else ""
    return Headline(states[verdict.outcome], verdict.outcome, f"{by}{verdict.explanation}{note}")


def commit_status(inputs: ReportInputs) -> tuple[CommitState, str]:
    """State and description of the commit status; success only if every part held.

    What waits for a person alone is pending, and says for whom.
    """
    line = headline(inputs)
    states: dict[State, CommitState] = {"ok": "success", "missing": "error"}
    verdict = inputs.verdict
    waits = verdict.waits_for if verdict else None
    if (
        verdict
        and waits
        and [row.part for row in table(inputs) if row.state != "ok"] == [BENCHMARK]
    ):
        return "pending", f"waits for {waits}: {verdict.explanation}"
    return states.get(line.state, "failure"), str(line)


def table(inputs: ReportInputs) -> list[CheckRow]:
    """What each of the four parts did; what only waits for an earlier one asks for nothing."""
    rows = [
        _check_row("Data schema", inputs.schema, "rule", "rules") or _unread(inputs, "schema"),
        _candidate_row(inputs),
        _check_row("Sanity", inputs.sanity, "property", "properties") or _unread(inputs, "sanity"),
        _benchmark_row(inputs),
    ]
    broken = next((number for number, row in enumerate(rows) if row.state != "ok"), len(rows))
    return [
        _behind(row, rows[broken]) if number > broken else row for number, row in enumerate(rows)
    ]


def _behind(row: CheckRow, broken: CheckRow) -> CheckRow:
    """What comes after a part that does not hold, and does not run unless that does."""
    if row.state != "missing":
        return row
    what = f"waits for {broken.part}" if row.silent else row.what
    return replace(row, todo="", what=what)


def _unread(inputs: ReportInputs, part: Part) -> CheckRow:
    """A part without a record: what it said of it, if it could still say something."""
    name, state = _WORDS[part]
    if quoted := inputs.refusal(part):
        return CheckRow(name, "missing", state, "", todo=advice.REFUSED[name], quoted=quoted)
    what = NOTHING_SAID if part == "score" else UNREAD
    return CheckRow(name, "missing", state, what, todo=advice.MISSING[name], silent=True)


def _check_row(part: str, report: CheckReport | None, one: str, many: str) -> CheckRow | None:
    if report is None:
        return None
    todo = advice.FAILED[part] if report.failures else advice.MISSING[part]
    ran = f"{plural(report.executed, one, many)} checked"
    if report.failures:
        what = f"{ran}: {_failures(report)}{_beside(report)}"
        return CheckRow(part, "failed", "failed", what, todo=todo, details=report.details)
    if not report.executed:
        return CheckRow(part, "missing", "did not run", f"no {one} was checked", todo=todo)
    return CheckRow(part, "ok", "holds", f"{ran}{_beside(report)}", details=report.details)


def _failures(report: CheckReport) -> str:
    """How many rules failed, and in how many rows, keys or files, if in more than one each."""
    failed, places = len(report.failed), sum(finding.count for finding in report.failures)
    where = f" in {places:,} places" if places > failed else ""
    return f"{_at_least(report)}{failed:,} failed{where}"


def _beside(report: CheckReport) -> str:
    """What else is to be said of a check: warnings, and what its record had no room for."""
    warned, unlisted = len(report.warned), report.unlisted
    also = f", {warned:,} with warnings" if warned else ""
    brought = {one.rule for one in report.findings if not one.on_main}
    if standing := len(set(report.warned) - brought):
        also += f", {standing:,} of them as on main"
    return also + (f"; {plural(unlisted, 'further finding')} not listed" if unlisted else "")


def _candidate_row(inputs: ReportInputs) -> CheckRow:
    card: CandidateCard | None = inputs.candidate
    if card is None:
        return _unread(inputs, "candidate")
    what = f"{card.rows:,} rows in {card.groups:,} groups"
    if card.findings:
        what += f", with {plural(len(card.findings), 'warning')}"
    return CheckRow("Candidate", "ok", "trained", what, card.estimator)


def _compared(verdict: VerdictRecord) -> str:
    """How many public rows were compared; "" in records of before there were counts."""
    if verdict.public_rows is None or verdict.public_groups is None:
        return ""
    rows, systems = plural(verdict.public_rows, "train row"), verdict.public_groups
    pool = f" and {verdict.pool_rows:,} of the pool" if verdict.pool_rows else ""
    return f"; compared: {rows} in {systems:,} groups{pool}"


def _benchmark_row(inputs: ReportInputs) -> CheckRow:
    if _failed_checks(inputs):
        return CheckRow(BENCHMARK, "missing", "not scored", "the checks before it must hold first")
    if inputs.verdict is None:
        return _unread(inputs, "score")
    line = _of_verdict(inputs.verdict)
    certified = "; certified" if inputs.verdict.certified else ""
    certified += _compared(inputs.verdict)
    todo = advice.after(inputs.verdict)
    return CheckRow(BENCHMARK, line.state, line.word, f"{line.why}{certified}", todo=todo)
