"""Which tables of a repository are checked by which rules."""

import re
from collections.abc import Iterator
from pathlib import Path

from assay.layout import Layout
from assay.mainline import content_on_main
from assay.schema import differences as differ
from assay.schema.difference_rules import element_rules, new_row_rules, removal_rules
from assay.schema.history import history_rules
from assay.schema.rules import FORMULA, ROW_ID, Rule, Table, table
from assay.schema.suites import (
    candidate_rules,
    column_rules,
    pool_rules,
    sealed_rules,
    train_rules,
)
from assay.settings import Settings
from assay.tables import read_labelled, read_table

Suite = tuple[Table, list[Rule]]


def suites(root: Path, settings: Settings, main: Settings | None) -> Iterator[Suite]:
    """Every table with its rules; those on what main holds only where something differs.

    Args:
        root: the repository.
        settings: the settings in force.
        main: main's own settings, if they are at hand.

    Raises:
        UsageError: a table cannot be read as CSV with the columns it must have.
    """
    layout, target = Layout(root), settings.target.column
    train = _read("train", layout.train, root, [ROW_ID, FORMULA], target)
    before = _before(root, target, main)
    yield train, [*train_rules(settings), *_history(settings, train, before)]
    sealed = _read("sealed_inputs", layout.sealed_inputs, root, [ROW_ID, FORMULA])
    yield sealed, sealed_rules(settings, train, sealed)
    yield _read("pool", layout.pool, root, [ROW_ID, FORMULA]), pool_rules(settings)
    for number, path in enumerate(sorted(layout.candidates.glob("*.csv")), start=1):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:60]
        rows = _read(f"candidates-{number}-{stem}", path, root, [FORMULA])
        yield rows, candidate_rules(train)
    if (further := differ.further_columns(train, target)) is not None:
        yield further, column_rules(settings)
    if before is not None:
        yield from _comparisons(settings, train, before)


def _before(root: Path, target: str, main: Settings | None) -> Table | None:
    train = Layout(root).train
    named = target if main is None else main.target.column
    content = content_on_main(root, train)
    return differ.train_on_main(content, train.read_bytes(), named, target)


def _history(settings: Settings, train: Table, before: Table | None) -> list[Rule]:
    return [] if before is None else history_rules(settings, train, before)


def _comparisons(settings: Settings, train: Table, before: Table) -> Iterator[Suite]:
    target = settings.target.column
    yield differ.kept_rows(train, before, target), removal_rules(settings)
    yield differ.element_shares(train, before), element_rules(settings)
    fresh = differ.new_rows(train, before, target)
    if rules := new_row_rules(settings, fresh, before):
        yield fresh, rules


def _read(
    name: str, path: Path, root: Path, columns: list[str], target: str | None = None
) -> Table:
    cells = read_labelled(path, columns, target) if target else read_table(path, columns)
    settled = content_on_main(root, path) == path.read_bytes() and name.startswith("candidates")
    return table(name, path.relative_to(root).as_posix(), cells, target, settled=settled)
