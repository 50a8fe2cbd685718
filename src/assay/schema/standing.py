"""Which findings main has as well: its own tables, checked by its own settings."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from assay.errors import UsageError
from assay.layout import Layout
from assay.mainline import content_on_main
from assay.settings import Settings

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from assay.schema.data_docs import Outcome
    from assay.schema.rules import Table

# whether main has it, too; None where that is not known
Standing = bool | None
# file, rule, and the cells of the row, or None where a rule is broken as a whole
Key = tuple[str, str, tuple[str, ...] | None]


def keys(table: "Table", rule: str, rows: Sequence[int] | None) -> list[Key]:
    """What the rows (n,) that break a rule are known by, wherever in the file they stand."""
    if rows is None:
        return [(table.file, rule, None)]
    cells = table.cells.iloc[list(rows)].astype(str)
    return [(table.file, rule, row) for row in cells.itertuples(index=False, name=None)]


def broken_on_main(
    root: Path, settings: Settings, main: Settings | None, outcomes: "Sequence[Outcome]"
) -> frozenset[Key] | None:
    """What breaks a rule on main, of the files in which something does here; None without main.

    Tables outside of `data/` are left out: their rules compare with main, which main itself meets.

    Args:
        root: the repository.
        settings: the settings in force here.
        main: main's own, by which its tables are checked, if they are at hand.
        outcomes: what was found here.
    """
    if main is None:
        return None
    tables = {table.file: table for table, _, results in outcomes if _breaks(table, results)}
    if not tables:
        return frozenset()
    layout = Layout(root)
    read = [layout.train, layout.sealed_inputs, layout.pool, *(root / file for file in tables)]
    contents = {path: content_on_main(root, path) for path in read}
    if settings == main and all(_holds(path, there) for path, there in contents.items()):
        found = [outcome for outcome in outcomes if outcome[0].file in tables]
        return frozenset(_keys(found))
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for path, there in contents.items():
            if there is not None:
                target = copy / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(there)
        return frozenset(_keys(_found(copy, main, set(tables))))


def _holds(path: Path, content: bytes | None) -> bool:
    return content is not None and path.is_file() and path.read_bytes() == content


def _breaks(table: "Table", results: "Sequence[ExpectationValidationResult]") -> bool:
    return table.file.startswith("data/") and not all(result.success for result in results)


def _found(copy: Path, settings: Settings, files: set[str]) -> "Iterator[Outcome]":
    from assay.schema.data_docs import validated
    from assay.schema.repository import suites

    try:
        yield from validated(pair for pair in suites(copy, settings, None) if pair[0].file in files)
    except UsageError:
        return  # main lacks a table, or one cannot be read: what is there tells nothing more


def _keys(outcomes: "Iterable[Outcome]") -> Iterator[Key]:
    for table, _, results in outcomes:
        for result in results:
            if not result.success:
                rows = result.result.get("unexpected_index_list")
                yield from keys(table, result.expectation_config.meta["rule"], rows)
