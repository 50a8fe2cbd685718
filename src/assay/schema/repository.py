"""Which tables of a repository are checked by which rules."""

import re
from collections.abc import Iterator
from pathlib import Path

from assay.layout import Layout
from assay.mainline import content_on_main, differs_from_main
from assay.roundings import harmless_rounding
from assay.schema import differences as differ
from assay.schema.comparison import Compared
from assay.schema.corrections import correction_rules, judged, read_corrections
from assay.schema.difference_rules import element_rules, new_row_rules, removal_rules
from assay.schema.history import history_rules
from assay.schema.pairing import paired, rows_of
from assay.schema.rules import FORMULA, ROW_ID, Rule, Table, table
from assay.schema.suites import (
    candidate_rules,
    column_rules,
    leakage_rules,
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
    compared = None if before is None else _compared(root, settings, train, before)
    changed = content_on_main(root, layout.train) != layout.train.read_bytes()
    history = history_rules(compared, before) if compared and before and changed else []
    sealed = _read("sealed_inputs", layout.sealed_inputs, root, [ROW_ID, FORMULA])
    # the fault is where the change is: rows are added to a train set, seldom to sealed inputs
    leaks_in = (
        sealed if not changed and differs_from_main(root, "data/sealed_inputs.csv") else train
    )
    leakage = {leaks_in.name: leakage_rules(leaks_in, sealed if leaks_in is train else train)}
    yield train, [*train_rules(settings), *leakage.get(train.name, []), *history]
    if compared is not None and compared.corrections is not None:
        yield compared.corrections.table, correction_rules(settings, compared.corrections)
    yield sealed, [*sealed_rules(settings), *leakage.get(sealed.name, [])]
    yield _read("pool", layout.pool, root, [ROW_ID, FORMULA]), pool_rules(settings)
    for number, path in enumerate(sorted(layout.candidates.glob("*.csv")), start=1):
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:60]
        rows = _read(f"candidates-{number}-{stem}", path, root, [FORMULA])
        yield rows, candidate_rules(train)
    if (further := differ.further_columns(train, target)) is not None:
        yield further, column_rules(settings)
    if compared is not None and before is not None and changed:
        yield from _comparisons(compared, train, before)


def _before(root: Path, target: str, main: Settings | None) -> Table | None:
    named = target if main is None else main.target.column
    return differ.train_on_main(content_on_main(root, Layout(root).train), named, target)


def _compared(root: Path, settings: Settings, train: Table, before: Table) -> Compared:
    """The train set beside main's, with what a change adds to the list of corrections."""
    target = settings.target.column
    pairing = paired(rows_of(train, target), rows_of(before, target), harmless_rounding(settings))
    path = Layout(root).corrections
    here = path.read_bytes() if path.is_file() else b""
    main = content_on_main(root, path) or b""
    if here == main:
        return Compared(settings, pairing, None)
    found = read_corrections(here, main)
    return Compared(settings, pairing, judged(*found, pairing, target))


def _comparisons(compared: Compared, train: Table, before: Table) -> Iterator[Suite]:
    settings = compared.settings
    yield differ.kept_rows(train, compared.pairing), removal_rules(settings, compared.pairing)
    yield differ.element_shares(train, before), element_rules(settings)
    fresh = differ.new_rows(train, before, settings.target.column)
    if rules := new_row_rules(settings, fresh, before):
        yield fresh, rules


def _read(
    name: str, path: Path, root: Path, columns: list[str], target: str | None = None
) -> Table:
    cells = read_labelled(path, columns, target) if target else read_table(path, columns)
    settled = content_on_main(root, path) == path.read_bytes() and name.startswith("candidates")
    return table(name, path.relative_to(root).as_posix(), cells, target, settled=settled)
