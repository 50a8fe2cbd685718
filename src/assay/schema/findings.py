"""What broke the rules, as findings: where, and the sentence that tells what to do."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assay.compositions import identity, problem
from assay.errors import NotCarriedOutError
from assay.records import Finding
from assay.schema.broken import BROKEN
from assay.schema.formulas import reduced, system
from assay.schema.rules import SYSTEM, Rule, Table
from assay.schema.standing import Key, Standing, keys
from assay.settings import Settings
from assay.texts import plural

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

MAXIMUM_FINDINGS = {"failure": 20, "warning": 5}
CELL = 80


def findings_of(
    table: Table,
    rules: list[Rule],
    results: "list[ExpectationValidationResult]",
    settings: Settings,
    mains: frozenset[Key] | None,
) -> Iterator[Finding]:
    """What broke rules, row by row; first what the change brings, then what main has as well.

    Args:
        table: what was checked.
        rules: the rules, as weighed.
        results: what Great Expectations found, one for each rule.
        settings: the settings in force.
        mains: what breaks rules on main, or None if main is not at hand.

    Raises:
        NotCarriedOutError: an expectation could not be evaluated.
    """
    known = {rule.name: rule for rule in rules}
    for result in results:
        rule = known[result.expectation_config.meta["rule"]]
        _require_evaluated(table, rule, result)
        if result.success:
            continue
        rows = result.result.get("unexpected_index_list")
        for those, standing in _divided(table, rule.name, rows, mains):
            if those is None:
                yield _finding(table, rule, None, result.result, settings, standing)
                continue
            most = MAXIMUM_FINDINGS[rule.severity] if rule.listed is None else rule.listed
            maximum = 0 if table.settled and standing else most
            for row in those[:maximum]:
                yield _finding(table, rule, row, result.result, settings, standing)
            if len(those) > maximum:
                yield _counted(table, rule, len(those), maximum, standing)


def _divided(
    table: Table, rule: str, rows: list[int] | None, mains: frozenset[Key] | None
) -> list[tuple[list[int] | None, Standing]]:
    """What breaks a rule, in order: what the change brings, then what main has as well."""
    places = None if rows is None else sorted(rows)
    if mains is None:
        return [(places, None)]
    standing = [one in mains for one in keys(table, rule, places)]
    if places is None:
        return [(None, standing[0])]
    parts = {
        wanted: [row for row, there in zip(places, standing, strict=True) if there is wanted]
        for wanted in (False, True)
    }
    return [(part, wanted) for wanted, part in parts.items() if part]


def _counted(table: Table, rule: Rule, rows: int, listed: int, standing: Standing) -> Finding:
    all_of_them = f"out/{BROKEN.as_posix()}"
    if listed:
        more = plural(rows - listed, "more row breaks", "more rows break")
        message = f"{more} this rule; {all_of_them} has all."
    else:
        broken = f"{plural(rows, 'row breaks', 'rows break')} this rule"
        message = f"{broken} (see {all_of_them}): {rule.expectation.description}"
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        message=message,
        file=table.file,
        count=rows - listed,
        on_main=standing,
    )


def _require_evaluated(table: Table, rule: Rule, result: "ExpectationValidationResult") -> None:
    information = result.exception_info or {}
    nested = [information, *(x for x in information.values() if isinstance(x, dict))]
    raised = [entry for entry in nested if entry.get("raised_exception")]
    if raised:
        raise NotCarriedOutError(
            f"{table.file}: rule {rule.name} could not be evaluated: "
            f"{str(raised[0].get('exception_message'))[:300]}."
        )


def _finding(  # noqa: PLR0913 (what a finding is made of)
    table: Table,
    rule: Rule,
    row: int | None,
    result: Mapping[str, Any],
    settings: Settings,
    standing: Standing,
) -> Finding:
    cells = {} if row is None else table.cells.iloc[row].to_dict()
    formula, observed = cells.get("formula"), result.get("observed_value")
    expectation = rule.expectation
    column = getattr(expectation, "column", None) or getattr(expectation, "column_B", "")
    value = str(cells[column])[:CELL] if column in cells else None
    facts: dict[str, Any] = {"value": value, "column": settings.target.column}
    facts |= _facts(rule, row, formula, value, observed)
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
        on_main=standing,
    )


def _facts(
    rule: Rule, row: int | None, formula: str | None, value: str | None, observed: Any
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "observed": observed if isinstance(observed, float) else _shown(observed)
    }
    named = [value or ""] if row is None else [f"line {row + 2}", value or ""]
    if formula is not None:
        named += [identity(formula), system(formula)]
        facts |= {"formula": formula[:CELL], "reduced": reduced(formula)}
        facts["problem"] = problem(formula)
    facts["hint"] = next((rule.hints[name] for name in named if name in rule.hints), "")
    return facts


def _shown(observed: Any) -> str:
    if isinstance(observed, dict) and "values" in observed:
        return ", ".join(f"{value:.4g}" for value in observed["values"])
    if isinstance(observed, list):
        return ", ".join(str(item) for item in observed if item != SYSTEM)[:CELL]
    return str(observed)[:CELL]
