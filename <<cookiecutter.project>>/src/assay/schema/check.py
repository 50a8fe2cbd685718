"""The data checks: Great Expectations over every table of the repository, and between them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.compositions import problem
from assay.errors import NotCarriedOutError
from assay.files import digest_file
from assay.layout import Layout
from assay.records import CheckReport, Finding
from assay.settings import Settings
from assay.tables import read_table

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from assay.schema.rules import Rule, Table

MAXIMUM_FINDINGS = {"failure": 20, "warning": 5}
CELL = 80


def check_schema(root: Path, settings: Settings) -> CheckReport:
    """Validate train, sealed inputs, pool and candidate lists; write `out/data_docs/`.

    Where git knows `origin/main` (or `main`) and its train set differs, labels, rows and scale
    are compared with it.

    Raises:
        UsageError: a table cannot be read as CSV with the columns it must have.
        NotCarriedOutError: an expectation could not be evaluated.
    """
    from tqdm import tqdm

    from assay.schema.data_docs import validated_tables

    with tqdm(desc="schema", total=None, unit="suite", disable=None, leave=False) as progress:
        suites = list(_suites(root, settings))
        progress.reset(total=len(suites))
        outcomes = []
        for outcome in validated_tables(suites, Layout(root).out / "data_docs"):
            outcomes.append(outcome)
            progress.update()
    findings = [
        finding
        for table, rules, results in outcomes
        for finding in _findings(table, rules, results, settings)
    ]
    executed = sum(len(results) for _, _, results in outcomes)
    compared = any(table.name == "main" for table, _, _ in outcomes)
    details = f"{executed} expectations over {len(suites)} tables; " + (
        "compared with main." if compared else "main has the same train set, or is not at hand."
    )
    return CheckReport(
        check="schema",
        subject=digest_file(Layout(root).train),
        executed=executed,
        findings=_bounded(findings),
        details=details,
    )


def _suites(root: Path, settings: Settings) -> Iterator[tuple["Table", list["Rule"]]]:
    from assay.schema.history import kept_rows, removal_rules, train_on_main
    from assay.schema.suites import candidate_rules, pool_rules, sealed_rules, train_rules

    layout, target = Layout(root), settings.target.column
    train = _table("train", layout.train, root, ["row_id", "formula", target], target)
    before = train_on_main(root, layout.train, target)
    yield train, train_rules(settings, before)
    sealed = _table("sealed_inputs", layout.sealed_inputs, root, ["row_id", "formula"])
    yield sealed, sealed_rules(settings, train)
    yield _table("pool", layout.pool, root, ["row_id", "formula"]), pool_rules(settings)
    for number, path in enumerate(sorted(layout.candidates.glob("*.csv")), start=1):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:60]
        name = f"candidates-{number}-{stem}"
        yield _table(name, path, root, ["formula"]), candidate_rules(train)
    if before is not None:
        yield kept_rows(train, before, target), removal_rules(settings)


def _table(
    name: str, path: Path, root: Path, columns: list[str], target: str | None = None
) -> "Table":
    from assay.schema.rules import table

    return table(name, path.relative_to(root).as_posix(), read_table(path, columns), target)


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
            yield _finding(table, rule, None, result.result.get("observed_value"), settings)
            continue
        maximum = MAXIMUM_FINDINGS[_severity(rule)]
        for row in sorted(rows)[:maximum]:
            yield _finding(table, rule, row, None, settings)
        if len(rows) > maximum:
            yield Finding(
                rule=rule.name,
                severity=_severity(rule),
                message=f"{len(rows) - maximum} more rows break this rule.",
                file=table.file,
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
    table: "Table", rule: "Rule", row: int | None, observed: Any, settings: Settings
) -> Finding:
    cells = {} if row is None else table.cells.iloc[row].to_dict()
    formula = cells.get("formula")
    expectation = rule.expectation
    column = getattr(expectation, "column", None) or getattr(expectation, "column_B", "")
    value = str(cells[column])[:CELL] if column in cells else None
    return Finding(
        rule=rule.name,
        severity=_severity(rule),
        message=_sentence(rule, formula, value, observed, settings)[:2000],
        file=table.file,
        line=None if row is None else row + 2,
        formula=None if formula is None else formula[:CELL],
        value=value if observed is None else _shown(observed),
    )


def _sentence(
    rule: "Rule", formula: str | None, value: str | None, observed: Any, settings: Settings
) -> str:
    from assay.schema.expectations import identity, system

    facts: dict[str, Any] = {"column": settings.target.column, "value": value}
    facts["observed"] = observed if isinstance(observed, float) else _shown(observed)
    if formula is not None:
        reduced = identity(formula)
        hint = rule.hints.get(reduced) or rule.hints.get(system(formula), "")
        facts |= {"formula": formula[:CELL], "reduced": reduced, "hint": hint}
        facts["problem"] = problem(formula)
    return rule.sentence.format(**facts)


def _shown(observed: Any) -> str:
    if isinstance(observed, dict) and "values" in observed:
        return ", ".join(f"{value:.4g}" for value in observed["values"])
    if isinstance(observed, list):
        from assay.schema.rules import SYSTEM

        return ", ".join(str(item) for item in observed if item != SYSTEM)[:CELL]
    return str(observed)[:CELL]


def _severity(rule: "Rule") -> Any:
    return "warning" if rule.expectation.severity == "warning" else "failure"


def _bounded(findings: list[Finding]) -> list[Finding]:
    # a record holds 1000 findings: warnings give way to failures
    failures = [finding for finding in findings if finding.severity == "failure"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    return [*failures, *warnings][:1000]
