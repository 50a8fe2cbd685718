"""The data checks: Great Expectations over every table of the repository, and between them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.compositions import problem
from assay.errors import NotCarriedOutError
from assay.files import digest_file
from assay.findings import bounded
from assay.layout import Layout
from assay.mainline import content_on_main, in_force, settings_on_main
from assay.records import CheckReport, Finding
from assay.settings import Settings
from assay.texts import plural

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from assay.schema.data_docs import Outcome
    from assay.schema.rules import Rule, Table

MAXIMUM_FINDINGS = {"failure": 20, "warning": 5}
CELL = 80


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
    from assay.schema.broken import BROKEN, broken_rows
    from assay.schema.severities import require_known
    from assay.tables import write_table

    main = settings_on_main(root)
    ours, settings = settings, in_force(settings, main)
    require_known(ours.severity)
    outcomes = _outcomes(root, ours, settings, main)
    broken = broken_rows(outcomes)
    write_table(broken, Layout(root).out / BROKEN)
    findings, unlisted = bounded(
        finding
        for table, rules, results in outcomes
        for finding in _findings(table, rules, results, settings)
    )
    executed = sum(len(results) for _, _, results in outcomes)
    return CheckReport(
        check="schema",
        subject=digest_file(Layout(root).train),
        executed=executed,
        findings=findings,
        unlisted=unlisted,
        details=f"{len(outcomes)} tables, {_compared(root, outcomes)}",
    )


def _outcomes(
    root: Path, ours: Settings, settings: Settings, main: Settings | None
) -> "list[Outcome]":
    """Every table with its rules as weighed, and what Great Expectations found."""
    from tqdm import tqdm

    from assay.schema.data_docs import validated_tables
    from assay.schema.repository import suites
    from assay.schema.settings_rules import settings_suites
    from assay.schema.severities import weighed

    outcomes = []
    with tqdm(desc="schema", total=None, unit=" suites", disable=None, leave=False) as progress:
        found = [*suites(root, settings, main), *settings_suites(root, ours, main)]
        weighted = [(table, weighed(rules, settings.severity)) for table, rules in found]
        progress.reset(total=len(weighted))
        for outcome in validated_tables(weighted, Layout(root).out / "data_docs"):
            outcomes.append(outcome)
            progress.update()
    return outcomes


def _compared(root: Path, outcomes: "list[Outcome]") -> str:
    if any(table.name == "main" for table, _, _ in outcomes):
        return "compared with main"
    if content_on_main(root, Layout(root).train) is None:
        return "not compared with main, which is not at hand"
    return "the train set of main"


def _findings(
    table: "Table",
    rules: list["Rule"],
    results: "list[ExpectationValidationResult]",
    settings: Settings,
) -> Iterator[Finding]:
    known = {rule.name: rule for rule in rules}
    for result in results:
        rule = known[result.expectation_config.meta["rule"]]
        _require_evaluated(table, rule, result)
        if result.success:
            continue
        rows = result.result.get("unexpected_index_list")
        if rows is None:
            yield _finding(table, rule, None, result.result, settings)
            continue
        maximum = 0 if table.settled else MAXIMUM_FINDINGS[rule.severity]
        for row in sorted(rows)[:maximum]:
            yield _finding(table, rule, row, result.result, settings)
        if len(rows) > maximum:
            yield _counted(table, rule, len(rows) - maximum)


def _counted(table: "Table", rule: "Rule", more: int) -> Finding:
    from assay.schema.broken import BROKEN

    all_of_them = f"out/{BROKEN.as_posix()}"
    if table.settled:
        broken = f"{plural(more, 'row breaks', 'rows break')} this rule, as on main"
        message = f"{broken} (see {all_of_them}): {rule.expectation.description}"
    else:
        broken = plural(more, "more row breaks", "more rows break")
        message = f"{broken} this rule; {all_of_them} has all."
    return Finding(
        rule=rule.name, severity=rule.severity, message=message, file=table.file, count=more
    )


def _require_evaluated(table: "Table", rule: "Rule", result: "ExpectationValidationResult") -> None:
    information = result.exception_info or {}
    nested = [information, *(x for x in information.values() if isinstance(x, dict))]
    raised = [entry for entry in nested if entry.get("raised_exception")]
    if raised:
        raise NotCarriedOutError(
            f"{table.file}: rule {rule.name} could not be evaluated: "
            f"{str(raised[0].get('exception_message'))[:300]}."
        )


def _finding(
    table: "Table", rule: "Rule", row: int | None, result: Mapping[str, Any], settings: Settings
) -> Finding:
    cells = {} if row is None else table.cells.iloc[row].to_dict()
    formula, observed = cells.get("formula"), result.get("observed_value")
    expectation = rule.expectation
    column = getattr(expectation, "column", None) or getattr(expectation, "column_B", "")
    value = str(cells[column])[:CELL] if column in cells else None
    facts = _facts(rule, formula, value, observed) | {"column": settings.target.column}
    facts["share"] = (result.get("unexpected_percent") or 0) / 100
    if not table.located:
        facts |= {name: str(cell)[:CELL] for name, cell in cells.items()}
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        message=rule.sentence.format(**facts)[:2000],
        file=table.file,
        line=None if row is None or not table.located else row + 2,
        formula=None if formula is None else formula[:CELL],
        value=value if observed is None else _shown(observed),
    )


def _facts(rule: "Rule", formula: str | None, value: str | None, observed: Any) -> dict[str, Any]:
    from assay.schema.formulas import identity, system

    facts: dict[str, Any] = {"value": value}
    facts["observed"] = observed if isinstance(observed, float) else _shown(observed)
    if formula is not None:
        reduced = identity(formula)
        named = (value or "", reduced, system(formula))
        hint = next((rule.hints[name] for name in named if name in rule.hints), "")
        facts |= {"formula": formula[:CELL], "reduced": reduced, "hint": hint}
        facts["problem"] = problem(formula)
    return facts


def _shown(observed: Any) -> str:
    if isinstance(observed, dict) and "values" in observed:
        return ", ".join(f"{value:.4g}" for value in observed["values"])
    if isinstance(observed, list):
        from assay.schema.rules import SYSTEM

        return ", ".join(str(item) for item in observed if item != SYSTEM)[:CELL]
    return str(observed)[:CELL]
