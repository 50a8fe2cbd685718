"""What the checks found, in the order in which a reviewer wants it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from assay.findings import ranked
from assay.records import CheckReport, Finding
from assay.report.inputs import ReportInputs
from assay.sanity.reproduction import example_of, reproduction


@dataclass(frozen=True)
class Told:
    """A finding, whose words are text of the pull request, and what a report adds to it.

    `more` counts what else breaks the same rule, at the first finding of the rule; `command` shows
    a failed property again, `note` says what it leaves out, and `example` is the line by which
    Hypothesis tries the very same example.
    """

    finding: Finding
    first: bool
    more: int
    command: str = ""
    note: str = ""
    example: str = ""


def told(inputs: ReportInputs) -> list[Told]:
    """Failures, then warnings; of both the first of every rule, then the rest; data first."""
    found = [one for report in (inputs.schema, inputs.sanity) if report for one in _of(report)]
    return sorted(found, key=lambda one: (one.finding.severity != "failure", not one.first))


def _of(report: CheckReport) -> Iterator[Told]:
    places: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        places[finding.severity, finding.rule] += finding.count
    for finding in ranked(report.findings):
        rest = places.pop((finding.severity, finding.rule), 0)
        command, note = reproduction(finding.node) if finding.node else ("", "")
        more = max(rest - finding.count, 0)
        yield Told(finding, rest > 0, more, command, note, example_of(finding))
