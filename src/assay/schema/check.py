"""The data checks: Great Expectations over every table of the repository, and between them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from assay.files import digest_file
from assay.records import MAXIMUM_TALLIES, CheckReport, Tally, bounded
from assay.repository import Repository
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.schema.data_docs import Outcome


def check_schema(repository: Repository) -> CheckReport:
    """Validate train, sealed inputs, pool and candidate lists; write `out/data_docs/`.

    The report lists few rows of a rule; `out/data_docs/rows.csv` holds all that break one.

    Where git knows `origin/main` (or `main`), the train set is compared with main's, and main's
    tolerances and severities are in force.

    Raises:
        UsageError: a table cannot be read as CSV with the columns it must have, or `[severity]` of
            `assay.toml` names no rule.
        NotCarriedOutError: an expectation could not be evaluated.
    """
    from assay.schema.data_docs import BROKEN, broken_rows
    from assay.schema.demands import require_known
    from assay.schema.findings import broken_on_main, findings_of
    from assay.tables import write_table

    checked, main = repository.in_force, repository.base.settings
    require_known(repository.settings.severity)
    outcomes = _outcomes(repository, checked, main)
    broken = broken_rows(outcomes)
    write_table(broken, repository.layout.out / BROKEN)
    mains = broken_on_main(checked, main, outcomes)
    findings, unlisted = bounded(
        finding
        for table, rules, results in outcomes
        for finding in findings_of(table, rules, results, checked.settings, mains)
    )
    tallies = list(tallied(outcomes))
    return CheckReport(
        check="schema",
        subject=digest_file(repository.layout.train),
        executed=len(tallies),
        findings=findings,
        unlisted=unlisted,
        tallies=tallies[:MAXIMUM_TALLIES],
        details=f"{len(outcomes)} tables, {_tables_compared(repository, outcomes)}",
    )


def _outcomes(
    repository: Repository, checked: Repository, main: Settings | None
) -> "list[Outcome]":
    """Every table with its rules as weighed, and what Great Expectations found.

    Args:
        repository: with its own settings.
        checked: with the settings in force.
        main: main's own settings, if they are at hand.
    """
    from assay.progress import counting
    from assay.schema.data_docs import validated_tables
    from assay.schema.demands import weighed
    from assay.schema.kept_rules import kept_suites
    from assay.schema.settings_rules import settings_suites
    from assay.schema.suites import suites
    from assay.schema.workflows import workflow_suites

    outcomes = []
    with counting("schema", unit=" suites", leave=False) as progress:
        found = [
            *suites(checked, main),
            *settings_suites(repository, main),
            *workflow_suites(repository.root),
        ]
        found += kept_suites(repository)
        weighted = [(table, weighed(rules, checked.settings.severity)) for table, rules in found]
        progress.reset(total=len(weighted))
        for outcome in validated_tables(weighted, repository.layout.out / "data_docs"):
            outcomes.append(outcome)
            progress.update()
    return outcomes


def tallied(outcomes: "Iterable[Outcome]") -> Iterator[Tally]:
    """How many rows each rule was evaluated on, as Great Expectations counted them.

    What it says nothing of, as for a rule of a column as a whole, had the rows of the table.
    """
    for table, _, results in outcomes:
        for result in results:
            rows = result.result.get("element_count", len(table.frame))
            name = result.expectation_config.meta["rule"]
            yield Tally(name=name, where=table.name, rows=min(rows, len(table.frame)))


def _tables_compared(repository: Repository, outcomes: "list[Outcome]") -> str:
    if any(table.name == "main" for table, _, _ in outcomes):
        return "compared with main"
    if repository.base.content(repository.layout.train) is None:
        return "not compared with main, which is not at hand"
    return "the train set of main"
