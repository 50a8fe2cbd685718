"""The order of findings, and how many of them a record holds."""

from collections.abc import Iterable
from operator import itemgetter

from assay.records import MAXIMUM_FINDINGS, Finding


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Failures before warnings, and of both the first of every rule before any second one.

    So no rule hides another, wherever the list is cut.
    """
    seen: set[tuple[str, str]] = set()
    places = []
    for finding in findings:
        rule = (finding.severity, finding.rule)
        places.append((finding.severity != "failure", rule in seen, finding))
        seen.add(rule)
    return [finding for *_, finding in sorted(places, key=itemgetter(0, 1))]


def bounded(findings: Iterable[Finding]) -> tuple[list[Finding], int]:
    """As many as a record holds, ranked, and the number of those left out."""
    listed = ranked(findings)
    return listed[:MAXIMUM_FINDINGS], len(listed[MAXIMUM_FINDINGS:])
