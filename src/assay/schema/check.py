"""The data checks: Great Expectations over every table of the repository, and between them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assay.commits import content_on_main, in_force, settings_on_main
from assay.files import digest_file
from assay.layout import Layout
from assay.records import MAXIMUM_TALLIES, CheckReport, Tally, bounded
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.schema.data_docs import Outcome


def check_schema(root: Path, settings: Settings) -> CheckReport:
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

    main = settings_on_main(root)
    ours, settings = settings, in_force(settings, main)
    require_known(ours.severity)
    outcomes = _outcomes(root, ours, settings, main)
    broken = broken_rows(outcomes)
    write_table(broken, Layout(root).out / BROKEN)
    mains = broken_on_main(root, settings, main, outcomes)
    findings, unlisted = bounded(
        finding
        for table, rules, results in outcomes
        for finding in findings_of(table, rules, results, settings, mains)
    )
    tallies = list(tallied(outcomes))
    return CheckReport(
        check="schema",
        subject=digest_file(Layout(root).train),
        executed=len(tallies),
        findings=findings,
        unlisted=unlisted,
        tallies=tallies[:MAXIMUM_TALLIES],
        details=f"{len(outcomes)} tables, {_tables_compared(root, outcomes)}",
    )


def _outcomes(
    root: Path, ours: Settings, settings: Settings, main: Settings | None
) -> "list[Outcome]":
    """Every table with its rules as weighed, and what Great Expectations found."""
    from tqdm import tqdm

    from assay.schema.data_docs import validated_tables
    from assay.schema.demands import weighed
    from assay.schema.kept_rules import kept_suites
    from assay.schema.settings_rules import settings_suites
    from assay.schema.suites import suites

    outcomes = []
    with tqdm(desc="schema", total=None, unit=" suites", disable=None, leave=False) as progress:
        found = [*suites(root, settings, main), *settings_suites(root, ours, main)]
        found += kept_suites(root)
        weighted = [(table, weighed(rules, settings.severity)) for table, rules in found]
        progress.reset(total=len(weighted))
        for outcome in validated_tables(weighted, Layout(root).out / "data_docs"):
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


def _tables_compared(root: Path, outcomes: "list[Outcome]") -> str:
    if any(table.name == "main" for table, _, _ in outcomes):
        return "compared with main"
    if content_on_main(root, Layout(root).train) is None:
        return "not compared with main, which is not at hand"
    return "the train set of main"
