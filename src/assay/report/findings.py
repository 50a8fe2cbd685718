"""What the checks found, in the order in which a reviewer wants it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.findings import ranked
from assay.records import Finding
from assay.report.inputs import ReportInputs
from assay.sanity.reproduction import example_of, reproduction
from assay.texts import plural


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
