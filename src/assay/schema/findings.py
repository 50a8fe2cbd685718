"""Findings of the data checks: where, what is wrong, what to do, and which of them main has too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from assay.compositions import identity, problem
from assay.errors import NotCarriedOutError, UsageError
from assay.records import Finding
from assay.repository import Repository
from assay.schema.data_docs import BROKEN
from assay.schema.formulas import reduced, system
from assay.schema.rules import SYSTEM, Rule, Table
from assay.settings import Settings
from assay.texts import plural

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from assay.schema.data_docs import Outcome
    from assay.schema.rules import Table

# whether main has it, too; None where that is not known
Standing = bool | None
# file, rule, and the cells of the row, or None where a rule is broken as a whole
Key = tuple[str, str, tuple[str, ...] | None]
MAXIMUM_FINDINGS = {"failure": 20, "warning": 5}
CELL = 80


def keys(table: "Table", rule: str, rows: Sequence[int] | None) -> list[Key]:
    """What the rows (n,) that break a rule are known by, wherever in the file they stand."""
    if rows is None:
        return [(table.file, rule, None)]
    cells = table.cells.iloc[list(rows)].astype(str)
    return [(table.file, rule, row) for row in cells.itertuples(index=False, name=None)]


def broken_on_main(
    repository: Repository, main: Settings | None, outcomes: "Sequence[Outcome]"
) -> frozenset[Key] | None:
    """What breaks a rule on main, of the files in which something does here; None without main.

    Tables outside of `data/` are left out: their rules compare with main, which main itself meets.

    Args:
        repository: with the settings in force here.
        main: main's own, by which its tables are checked, if they are at hand.
        outcomes: what was found here.
    """
    if main is None:
        return None
    tables = {table.file: table for table, _, results in outcomes if _breaks(table, results)}
    if not tables:
        return frozenset()
    root, layout = repository.root, repository.layout
    read = [layout.train, layout.sealed_inputs, layout.pool, *(root / file for file in tables)]
    contents = {path: repository.base.content(path) for path in read}
    if repository.settings == main and all(_is(path, there) for path, there in contents.items()):
        found = [outcome for outcome in outcomes if outcome[0].file in tables]
        return frozenset(_keys(found))
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for path, there in contents.items():
            if there is not None:
                target = copy / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(there)
        return frozenset(_keys(_found(Repository(copy, main), set(tables))))


def _is(path: Path, content: bytes | None) -> bool:
    return path.read_bytes() == content if path.is_file() else content is None


def _breaks(table: "Table", results: "Sequence[ExpectationValidationResult]") -> bool:
    return table.file.startswith("data/") and not all(result.success for result in results)


def _found(copy: Repository, files: set[str]) -> "Iterator[Outcome]":
    from assay.schema.data_docs import validated
    from assay.schema.suites import suites

    try:
        yield from validated(pair for pair in suites(copy, None) if pair[0].file in files)
    except UsageError:
        return  # main lacks a table, or one cannot be read: what is there tells nothing more


def _keys(outcomes: "Iterable[Outcome]") -> Iterator[Key]:
    for table, _, results in outcomes:
        for result in results:
            if not result.success:
                rows = result.result.get("unexpected_index_list")
                yield from keys(table, result.expectation_config.meta["rule"], rows)


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
            f"{str(raised[0].get('exception_message'))[:300]}.",
            code="schema.not-evaluated",
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
