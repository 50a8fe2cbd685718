"""What the checks found, in the order a reviewer wants it, and what to do next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.records import Finding, VerdictRecord, ranked
from assay.report.inputs import ReportInputs
from assay.sanity.suites import example_of, reproduction
from assay.texts import plural

HOW_TO_SEAL = (
    "The held-out labels of this repository are in plain text. Whoever trains can look at them, "
    "so a PASS shows only that the mechanism works. To seal them: run `assay init`, commit what it "
    "writes, store the two keys it names as secrets of the environment `heldout`, and restrict "
    "that environment to the branch `main`."
)

PUBLIC = (
    "All rows of this repository are public, so the verdict rests on grouped cross-validation. It "
    "protects from mistakes, not from an author who tunes to the labels. When there are enough "
    "rows that nobody has seen, `assay seal fresh FILE` seals them."
)
PREVIEW = (
    "This is a preview: the numbers of a pull request come from its own run and can be forged. "
    "Main's own run decides once it is merged, and the certificate rests on that."
)

FAILED = {
    "Data schema": "correct the first row listed under Findings, then run `assay schema`",
    "Sanity": "fix the first property listed under Findings, then run `assay check`",
}

_ENDED = "ended before it wrote its record: read the error in its log, then run it again"
MISSING = {
    "Data schema": f"the job Schema {_ENDED}",
    "Candidate": f"the job Candidate {_ENDED}",
    "Sanity": f"the job Sanity {_ENDED}",
    "Benchmark": (
        "read in the log of the step Score what is wrong, do what it says, and re-run the job"
    ),
}

REFUSED = {
    "Data schema": "do what the row Data schema says, then run `assay schema`",
    "Candidate": "do what the row Candidate says, then run `assay train`",
    "Sanity": "do what the row Sanity says, then run `assay check`",
    "Benchmark": "do what the row Benchmark says, then run the job Score again",
}

_AFTER = {
    ("FAIL", "public"): (
        "find in the report, under Errors by family, where the model is worse (`assay report`), "
        "improve it there, commit, and run `assay check`, then `assay score`"
    ),
    ("FAIL", "revoked"): "propose another model: neither this one nor its predictions can pass",
    ("INCONCLUSIVE", "sealed"): (
        "run `assay plan`, which estimates what this sealed set can decide, before you try "
        "another variation: each costs a use of the sealed set"
    ),
    ("INCONCLUSIVE", "retired"): (
        "ask whoever holds the keys to renew the sealed set: `assay seal renew TABLE`"
    ),
}
_SHUT = ", and the sealed labels were not opened"
_NO_FAILURE = f"this is not a failure of the model{_SHUT}"
_MEANING = {
    "groups": f"there are too few chemical systems to decide about any model; {_NO_FAILURE}",
    "pool": f"there are too few unlabelled compositions to show rare large errors; {_NO_FAILURE}",
    "carriers": (
        "nearly all changes of predictions are in a few chemical systems, too few to show "
        f"whether the model got better or worse; {_NO_FAILURE}"
    ),
    "table": (
        "a model that holds a table of predictions for the sealed inputs looks like this; "
        "the sealed labels were not opened"
    ),
    "nothing": (
        "the public errors of the two models cannot be compared, because they are all alike or "
        f"some are enormous; {_NO_FAILURE}"
    ),
}
_CLOSED = {
    "sealed": (
        "the sealed rows did not confirm the claim; they did not show that the model is worse, "
        "either; by design nothing more is revealed"
    ),
    "retired": (
        "the sealed set is used up or retired; this says nothing about the model, and no other "
        "model would pass on it"
    ),
}
_ROWS = (
    "seal {} more of {} further chemical systems (`assay seal renew TABLE`), with train rows in "
    "proportion (`assay data add TABLE`)"
)
_PUBLIC_ROWS = "add {} of {} further chemical systems with `assay data add TABLE`"
_PUBLIC_SYSTEMS = "add rows of further chemical systems with `assay data add TABLE`"
_MORE_SYSTEMS = (
    "add rows of further chemical systems, to the train set with `assay data add TABLE`, to the "
    "sealed set with `assay seal renew TABLE`; `assay plan` says how many"
)
_PLAN = "run `assay plan`, which estimates what these rows can decide"


@dataclass(frozen=True)
class Told:
    """A finding, whose words are text of the pull request, and what a report adds to it.

    `more` counts what else breaks the same rule, at the first finding of the rule; `command` shows
    a failed property again, `note` says what it leaves out, and `example` is the line by which
    Hypothesis tries the very same example. Of warnings those that main has as well stand apart and
    are counted apart.
    """

    finding: Finding
    first: bool
    more: int
    command: str = ""
    note: str = ""
    example: str = ""

    @property
    def standing(self) -> bool:
        """Whether this is a warning that main has, too, so that the change does not bring it."""
        return _stands(self.finding)


def told(inputs: ReportInputs) -> list[Told]:
    """Failures, new warnings, main's; of each the first of every rule, then the rest."""
    records = (inputs.schema, inputs.candidate, inputs.sanity)
    found = [one for record in records if record for one in _of(record.findings)]
    found += _of(inputs.uncovered)
    return sorted(
        found,
        key=lambda one: (one.finding.severity != "failure", one.standing, not one.first),
    )


def counted_warnings(found: Sequence[Told]) -> str:
    """How many warnings there are, how many of them are new, and how many main has as well."""
    warnings = [one.finding for one in found if one.finding.severity == "warning"]
    new = sum(one.on_main is False for one in warnings)
    standing = sum(map(_stands, warnings))
    brought = len(warnings) - standing
    if not standing:
        return plural(brought, "new warning" if new == brought > 0 else "warning")
    told = plural(brought, "new warning" if new == brought else "warning")
    return f"{told if brought else 'no new warning'}, {standing:,} that main has, too"


def _stands(finding: Finding) -> bool:
    return finding.severity == "warning" and finding.on_main is True


def _of(findings: Sequence[Finding]) -> Iterator[Told]:
    places: Counter[tuple[str, str, bool]] = Counter()
    for finding in findings:
        places[finding.severity, finding.rule, _stands(finding)] += finding.count
    for finding in ranked(findings):
        rest = places.pop((finding.severity, finding.rule, _stands(finding)), 0)
        command, note = reproduction(finding.node) if finding.node else ("", "")
        more = max(rest - finding.count, 0)
        yield Told(finding, rest > 0, more, command, note, example_of(finding))


def meaning(verdict: VerdictRecord) -> str:
    """What an INCONCLUSIVE means, in one plain sentence; nothing of any other verdict."""
    if verdict.outcome != "INCONCLUSIVE":
        return ""
    known = _CLOSED.get(verdict.stage) or _MEANING.get(verdict.reason or "")
    said = known or f"{_found(verdict)}; {_NO_FAILURE}"
    return said.replace(_SHUT, "") if verdict.evidence == "public" else said


def of_evidence(verdict: VerdictRecord | None) -> tuple[str, str]:
    """A title and what is to be said where no sealed set was asked; both empty where one was."""
    if verdict is None or verdict.sealed:
        return "", ""
    if verdict.evidence == "public":
        return "Public evidence.", f"{PREVIEW} {PUBLIC}" if verdict.preview else PUBLIC
    return "Not sealed.", HOW_TO_SEAL


def _found(verdict: VerdictRecord) -> str:
    """What the public errors say of the claim, which they do not decide."""
    better = verdict.candidate_error < verdict.reference_error
    if verdict.claim == "improvement":
        return (
            "the model has a smaller public error, but the gain is too small to be told from "
            "chance on so few rows"
            if better
            else "the public errors show no gain, so there is none to confirm"
        )
    if better:
        return (
            "the model has a smaller public error, but its predictions changed so much that so few "
            "rows cannot exclude a loss above the margin"
        )
    return (
        "the model has a larger public error, which may be chance, and so few rows cannot exclude "
        "a loss above the margin"
    )


def after(verdict: VerdictRecord) -> str:
    """What to do after a verdict; nothing after a PASS."""
    if (verdict.outcome, verdict.stage) == ("INCONCLUSIVE", "public"):
        return _todo(verdict)
    return _AFTER.get((verdict.outcome, verdict.stage), "")


def _todo(verdict: VerdictRecord) -> str:
    rows = _further_rows(verdict)
    match verdict.reason:
        case "groups":
            return rows or (_PUBLIC_SYSTEMS if verdict.evidence == "public" else _MORE_SYSTEMS)
        case "pool":
            more = plural(verdict.further_rows or 0, "composition")
            return f"add {more} to `data/pool.csv` on main, in a pull request of their own"
        case "carriers":
            return f"make a change that reaches more chemical systems{f', or {rows}' * bool(rows)}"
        case "table":
            return (
                "explain in the pull request why the sealed inputs change most, and remove any "
                "table of their predictions from `src/`"
            )
        case "nothing":
            return "look at Largest residuals on the page, and correct the model or the label there"
    return _deciding(verdict, rows)


def _further_rows(verdict: VerdictRecord) -> str:
    if verdict.further_rows is None or verdict.further_groups is None:
        return ""
    more, groups = plural(verdict.further_rows, "row"), f"{verdict.further_groups:,}"
    return (_PUBLIC_ROWS if verdict.evidence == "public" else _ROWS).format(more, groups)


def _deciding(verdict: VerdictRecord, rows: str) -> str:
    """What would decide the claim, in numbers."""
    ways = [rows] if rows else []
    if verdict.margin_needed is not None:
        unit = "" if verdict.unit in {"", "1"} else f" {verdict.unit}"
        ways.append(
            f"set a margin above {verdict.margin_needed:.2g}{unit} (now {verdict.margin:.2g}) on "
            "main, in a pull request of its own"
        )
    if not ways:
        plan = "" if verdict.evidence == "public" else f", or {_PLAN}"
        return f"make a change with a larger gain{plan}"
    other = "with a larger gain" if verdict.claim == "improvement" else "of fewer predictions"
    return f"to decide it, {', or '.join(ways)}; or make a change {other}"
