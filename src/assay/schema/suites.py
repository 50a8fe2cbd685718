"""The rules that a model repository's data must meet, as suites by table."""

import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import great_expectations.expectations as gxe

from assay.compositions import identity, problem
from assay.groups import COMPOSITION
from assay.groups import SYSTEM as GROUP_OF_SYSTEMS
from assay.records import MAXIMUM_FINDINGS
from assay.repository import BaseBranch, Repository
from assay.schema import differences as differ
from assay.schema.comparison import Compared, element_rules, new_row_rules, removal_rules
from assay.schema.corrections import correction_rules, judged, read_corrections
from assay.schema.differences import COLUMN, CORRELATION, paired, rows_of
from assay.schema.expectations import (
    ExpectColumnCompositionsToBeUnrelated,
    ExpectColumnElementsToBeInSet,
    ExpectDuplicateCompositionsToAgree,
)
from assay.schema.formulas import Kin, relatives_of, symbols
from assay.schema.group_rules import group_history, group_leakage, group_rules
from assay.schema.history import history_rules
from assay.schema.rules import (
    FAILURE,
    FORMULA,
    ROW_ID,
    SYSTEM,
    WARNING,
    Rule,
    Table,
    balanced_charges,
    columns,
    enough_groups,
    literal,
    readable_formulas,
    reduced_spelling,
    row_ids,
    table,
)
from assay.settings import Settings
from assay.tables import harmless_rounding, read_labelled, read_table

Suite = tuple[Table, list[Rule]]


def target_rules(settings: Settings) -> list[Rule]:
    """Rules of the target of a train set."""
    target = settings.target
    unit = "" if target.unit == "1" else f" {literal(target.unit)}"
    return [
        *_number_rules(target.column),
        _varies(target.column),
        _agreement(target.column, settings.data.duplicate_tolerance, unit),
        *_bound_rules(settings, unit),
    ]


def _number_rules(name: str) -> list[Rule]:
    return [
        Rule(
            "target.number",
            gxe.ExpectColumnValuesToNotBeNull(column=name, description="Every target is a number."),
            "{column} is {value!r}, not a number; "
            "write it with a decimal point and without separators of thousands, or remove the row.",
        ),
        Rule(
            "target.finite",
            gxe.ExpectColumnValuesToBeBetween(
                column=name,
                min_value=-sys.float_info.max,
                max_value=sys.float_info.max,
                description="Every target is finite.",
            ),
            "{column} is {value}, which is not finite; correct or remove the row.",
        ),
    ]


def _varies(name: str) -> Rule:
    return Rule(
        "target.varies",
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column=name, min_value=2, description="The target is not constant."
        ),
        "{column} has {observed} distinct value; a model needs at least two.",
    )


def _agreement(name: str, tolerance: float, unit: str) -> Rule:
    return Rule(
        "duplicates.agree",
        ExpectDuplicateCompositionsToAgree(
            column_A=FORMULA,
            column_B=name,
            tolerance=tolerance,
            description="Rows of one composition agree in the target.",
        ),
        "{formula} has {value} here, and another row of the same composition differs by more "
        f"than {tolerance:g}{unit}; keep the right one.",
    )


def _bound_rules(settings: Settings, unit: str) -> list[Rule]:
    target = settings.target
    if target.kind == "class":
        expectation = gxe.ExpectColumnValuesToBeInSet(
            column=target.column, value_set=[0, 1], description="A class is 0 or 1."
        )
        return [Rule("target.class", expectation, "{column} is {value}; a class is 0 or 1.")]
    if math.isinf(target.lower) and math.isinf(target.upper):
        return []
    bounds = f"{target.lower:g} to {target.upper:g}{unit}"
    expectation = gxe.ExpectColumnValuesToBeBetween(
        column=target.column,
        min_value=None if math.isinf(target.lower) else target.lower,
        max_value=None if math.isinf(target.upper) else target.upper,
        description=f"Every target lies in {bounds}.",
    )
    return [
        Rule(
            "target.bounds",
            expectation,
            f"{{column}} is {{value}}, outside of {bounds}; "
            "check its unit, or target.lower and target.upper in assay.toml.",
        )
    ]


def train_rules(settings: Settings, rows: Table) -> list[Rule]:
    """Rules of the train set by itself."""
    return [
        *row_ids("t"),
        *readable_formulas(),
        reduced_spelling(),
        balanced_charges(settings),
        *target_rules(settings),
        enough_groups(settings.split.folds, "split.folds", settings.group_column),
        *group_rules(settings, rows),
    ]


def sealed_rules(settings: Settings, rows: Table) -> list[Rule]:
    """Rules of the sealed inputs by themselves."""
    return [
        *row_ids("s"),
        columns([ROW_ID, FORMULA, *settings.kept_columns], [SYSTEM]),
        *readable_formulas(),
        enough_groups(
            settings.gate.minimum_groups, "gate.minimum_groups", settings.group_column, WARNING
        ),
        *group_rules(settings, rows),
    ]


def leakage_rules(settings: Settings, rows: Table, others: Table) -> list[Rule]:
    """Rules of the train set or the sealed inputs, which must not know each other.

    Args:
        settings: whose `split.group` says what makes a group.
        rows: the table whose rows are named: the one that the change is in.
        others: the other one.
    """
    lines = range(2, len(others.frame) + 2)
    by_formula = dict(zip(others.cells[FORMULA].map(identity), lines, strict=True))
    by_system = dict(zip(others.frame[SYSTEM], lines, strict=True))
    sealed = others.name != "train"
    what = "stands in the train set, but its" if sealed else "is sealed, but its"
    also = "is sealed" if sealed else "also stands in the train set"
    todo = "this row" if sealed else "that row"
    kinds: list[tuple[str, Kin, str, dict[str, int]]] = [
        ("composition", "identical", "composition", by_formula),
        ("near", "near", "composition within 1 %", _near_lines(rows, others, by_formula)),
        ("system", "system", "chemical system", by_system),
    ]
    if settings.split.group != GROUP_OF_SYSTEMS:
        kinds.pop()
    divided_by_chemistry = settings.split.group in {GROUP_OF_SYSTEMS, COMPOSITION}
    rules = [
        Rule(
            f"leakage.{name}",
            ExpectColumnCompositionsToBeUnrelated(
                column=FORMULA,
                relatives=list(others.cells[FORMULA]),
                kin=kin,
                description=f"No sealed {shared} stands in the train set.",
            ),
            f"{{formula}} {what} {shared} {also} ({{hint}}); take {todo} out of the train set.",
            {known: f"{others.file}, line {line}" for known, line in where.items()},
            severity=FAILURE if kin == "identical" or divided_by_chemistry else WARNING,
            listed=MAXIMUM_FINDINGS,
        )
        for name, kin, shared, where in kinds
    ]
    return [*rules, *group_leakage(settings, rows, others, what, todo)]


def _near_lines(rows: Table, others: Table, by_formula: dict[str, int]) -> dict[str, int]:
    """The other row that is nearest to each composition, where one is near."""
    relatives = relatives_of(tuple(others.cells[FORMULA]))
    readable = (text for text in rows.cells[FORMULA] if problem(text) is None)
    found = ((identity(text), relatives.nearest(text)) for text in readable)
    return {text: by_formula[other] for text, other in found if other is not None}


def column_rules(settings: Settings) -> list[Rule]:
    """Rule of a train set's further columns: none of them tells the target."""
    return [
        Rule(
            "leakage.column",
            gxe.ExpectColumnValuesToBeBetween(
                column=CORRELATION,
                max_value=settings.data.maximum_correlation,
                description="No further column follows the target.",
            ),
            f"the column {{{COLUMN}}} carries the target (rank correlation {{value}}); take it "
            "out, or a model that reads it knows the answer.",
        )
    ]


def pool_rules(settings: Settings) -> list[Rule]:
    """Rules of the pool of unlabelled compositions."""
    names = [ROW_ID, FORMULA, *settings.pool_columns]
    return [*row_ids("p"), columns(names, []), *readable_formulas()]


def candidate_rules(train: Table) -> list[Rule]:
    """Rules of a list to screen: all are warnings, since bad rows go to quarantine."""
    return [
        *readable_formulas(WARNING),
        Rule(
            "formula.elements",
            ExpectColumnElementsToBeInSet(
                column=FORMULA,
                value_set=sorted(symbols(train.cells[FORMULA])),
                description="Every element of a candidate occurs in the train set.",
            ),
            "{formula} holds an element that the train set never shows; "
            "its prediction will be marked as out of domain.",
            severity=WARNING,
        ),
    ]


def suites(repository: Repository, main: Settings | None) -> Iterator[Suite]:
    """Every table with its rules; those on what main holds only where something differs.

    Args:
        repository: with the settings in force.
        main: main's own settings, if they are at hand.

    Raises:
        UsageError: a table cannot be read as CSV with the columns it must have.
    """
    layout, settings, base = repository.layout, repository.settings, repository.base
    target = settings.target.column
    named = [ROW_ID, FORMULA, *filter(None, [settings.group_column])]
    train = _read("train", layout.train, base, named, target)
    before = _before(repository, main)
    compared = None if before is None else _compared(repository, train, before)
    changed = base.content(layout.train) != layout.train.read_bytes()
    sealed = None
    if not settings.public:
        sealed = _read("sealed_inputs", layout.sealed_inputs, base, named)
    history = _history(compared, train, before, sealed) if compared and before and changed else []
    leakage = _leakage(settings, train, sealed, base, changed=changed) if sealed else {}
    yield train, [*train_rules(settings, train), *leakage.get(train.name, []), *history]
    if compared is not None and compared.corrections is not None:
        yield compared.corrections.table, correction_rules(settings, compared.corrections)
    if sealed:
        yield sealed, [*sealed_rules(settings, sealed), *leakage.get(sealed.name, [])]
    yield _read("pool", layout.pool, base, [ROW_ID, FORMULA]), pool_rules(settings)
    for number, path in enumerate(sorted(layout.candidates.glob("*.csv")), start=1):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:60]
        rows = _read(f"candidates-{number}-{stem}", path, base, [FORMULA])
        yield rows, candidate_rules(train)
    if (further := differ.further_columns(train, target)) is not None:
        yield further, column_rules(settings)
    if compared is not None and before is not None and changed:
        yield from _comparisons(compared, train, before)


def _history(compared: Compared, train: Table, before: Table, sealed: Table | None) -> list[Rule]:
    return [*history_rules(compared, before), *group_history(compared, train, before, sealed)]


def _leakage(
    settings: Settings, train: Table, sealed: Table, base: BaseBranch, *, changed: bool
) -> dict[str, list[Rule]]:
    # the fault is where the change is: rows are added to a train set, seldom to sealed inputs
    in_sealed = not changed and base.changed_files("data/sealed_inputs.csv")
    leaks_in, others = (sealed, train) if in_sealed else (train, sealed)
    return {leaks_in.name: leakage_rules(settings, leaks_in, others)}


def _before(repository: Repository, main: Settings | None) -> Table | None:
    target = repository.settings.target.column
    named = target if main is None else main.target.column
    return differ.train_on_main(repository.base.content(repository.layout.train), named, target)


def _compared(repository: Repository, train: Table, before: Table) -> Compared:
    """The train set beside main's, with what a change adds to the list of corrections."""
    settings, path = repository.settings, repository.layout.corrections
    target = settings.target.column
    pairing = paired(rows_of(train, target), rows_of(before, target), harmless_rounding(settings))
    here = path.read_bytes() if path.is_file() else b""
    main = repository.base.content(path) or b""
    if here == main:
        return Compared(settings, pairing, None)
    found = read_corrections(here, main)
    return Compared(settings, pairing, judged(*found, pairing, target))


def _comparisons(compared: Compared, train: Table, before: Table) -> Iterator[Suite]:
    settings = compared.settings
    yield differ.kept_rows(train, compared.pairing), removal_rules(settings, compared.pairing)
    unlisted = [compared.pairing.main.formulas[place] for place in compared.unlisted_removals()]
    yield differ.element_shares(train, before, unlisted), element_rules(compared)
    fresh = differ.new_rows(train, before, settings.target.column)
    if rules := new_row_rules(settings, fresh, before):
        yield fresh, rules


def _read(
    name: str, path: Path, base: BaseBranch, columns: list[str], target: str | None = None
) -> Table:
    cells = read_labelled(path, columns, target) if target else read_table(path, columns)
    settled = base.content(path) == path.read_bytes() and name.startswith("candidates")
    return table(name, path.relative_to(base.root).as_posix(), cells, target, settled=settled)
