"""The rules of groups that stand in a column: whole, compact, apart and as they are on main."""

from collections.abc import Mapping

import great_expectations.expectations as gxe

from assay.clustering import ROUNDING, distances, nearest
from assay.compositions import identity, problem
from assay.groups import COMPOSITION, plain
from assay.records import MAXIMUM_FINDINGS
from assay.schema.comparison import RESTORE, Compared
from assay.schema.differences import NONE
from assay.schema.expectations import ExpectRowsToBeSpared
from assay.schema.rules import FORMULA, ROW_ID, Rule, Table
from assay.settings import Settings


def group_rules(settings: Settings, rows: Table) -> list[Rule]:
    """Rules of the groups of train set or sealed inputs by themselves; none for systems."""
    column = settings.group_column
    if column is None:
        return []
    present = Rule(
        "groups.present",
        gxe.ExpectColumnValuesToNotBeNull(column=column, description="Every row has a group."),
        f"the row has no {column}; {_to_fill(settings)}.",
    )
    once = _spared(
        "groups.one", column, "Rows of one composition are in one group.", _torn(rows, column)
    )
    if settings.split.group != COMPOSITION:
        return [present, once]
    description = f"No row is further than {settings.split.extent:g} from its cluster's middle."
    far = _far(rows, column, settings.split.extent)
    return [present, once, _spared("groups.extent", column, description, far)]


def _to_fill(settings: Settings) -> str:
    if settings.split.group == COMPOSITION:
        return "write the formula of the nearest cluster, or its own where none is near"
    return "fill it in, or take the row out"


def _spared(name: str, column: str, description: str, said: Mapping[int, str]) -> Rule:
    expectation = ExpectRowsToBeSpared(
        column_A=ROW_ID, column_B=column, rows=sorted(said), description=description
    )
    return Rule(name, expectation, "{hint}", {f"line {n + 2}": text for n, text in said.items()})


def _torn(rows: Table, column: str) -> dict[int, str]:
    """What is said of rows whose composition is in another group above them."""
    first: dict[str, tuple[int, str]] = {}
    said = {}
    for place, (formula, cell) in enumerate(
        zip(rows.cells[FORMULA], rows.cells[column], strict=True)
    ):
        line, known = first.setdefault(identity(formula), (place + 2, cell))
        if cell != known:
            said[place] = (
                f"{formula} is of {column} {cell!r} here and of {known!r} in line {line}: give "
                "both rows the same."
            )
    return said


def _far(rows: Table, column: str, extent: float) -> dict[int, str]:
    """What is said of rows that do not lie near the composition their cluster is named after."""
    pairs = [*zip(rows.cells[FORMULA], rows.cells[column], strict=True)]
    told = {
        place: f"the {column} {cell!r} is no composition; write the formula of a cluster's middle."
        for place, (_, cell) in enumerate(pairs)
        if cell and problem(cell) is not None
    }
    sound = [
        place
        for place, (formula, cell) in enumerate(pairs)
        if cell and place not in told and problem(formula) is None
    ]
    apart = distances(*([pairs[place][side] for place in sound] for side in (0, 1)))
    for place, distance in zip(sound, apart, strict=True):
        if distance > extent + ROUNDING:
            formula, cell = pairs[place]
            told[place] = (
                f"{formula} is {distance:.2g} away from {cell}, the middle of its cluster, where "
                f"split.extent allows {extent:g}; write the cluster that is nearer, or its own "
                "formula."
            )
    return told


def group_leakage(
    settings: Settings, rows: Table, others: Table, what: str, todo: str
) -> list[Rule]:
    """The rule that no group stands on both sides, spelt as it may; `others` is the other table."""
    column = settings.group_column
    if column is None:
        return []
    lines = range(2, len(others.cells) + 2)
    alike = _spelling if settings.split.group == COMPOSITION else plain
    known = dict(zip(map(alike, others.cells[column]), lines, strict=True))
    where = {cell: known[alike(cell)] for cell in rows.cells[column] if alike(cell) in known}
    return [
        Rule(
            "leakage.group",
            gxe.ExpectColumnValuesToNotBeInSet(
                column=column,
                value_set=sorted(filter(None, {*where, *others.cells[column]})),
                description="No group of sealed rows stands in the train set.",
            ),
            f"{{formula}} {what} {column} {{value!r}} also is in {others.file} ({{hint}}); take "
            f"{todo} out of the train set.",
            {name: f"line {line}" for name, line in where.items()},
            listed=MAXIMUM_FINDINGS,
        )
    ]


def _spelling(cluster: str) -> str:
    return identity(cluster) if problem(cluster) is None else cluster


def group_history(
    compared: Compared, train: Table, before: Table, sealed: Table | None
) -> list[Rule]:
    """The rule that rows of main keep their groups, and new ones join the cluster they lie in."""
    column, said = compared.settings.group_column, dict[int, str]()
    if column is None:
        return []
    if column in before.cells:
        said |= _moved(compared, train, before, column)
    if compared.settings.split.group == COMPOSITION:
        mains = before.cells.get(column, [])
        others = set() if sealed is None else set(sealed.cells[column])
        said |= _strays(compared, train, set(mains), others)
    description = "Rows have the groups that they have on main, and new ones join those."
    return [compared.rule("history.groups", description, said, column)]


def _moved(compared: Compared, train: Table, before: Table, column: str) -> dict[int, str]:
    here, there = train.cells[column].tolist(), before.cells[column].tolist()
    return {
        place: f"{compared.pairing.here.formulas[place]} is of {column} {here[place]!r} here and "
        f"of {there[main]!r} on main, whose folds and evidence rest on it: put it back ({RESTORE} "
        "does so for all)."
        for place, main in enumerate(compared.pairing.mains.tolist())
        if main != NONE and here[place] and here[place] != there[main]
    }


def _strays(compared: Compared, train: Table, mains: set[str], sealed: set[str]) -> dict[int, str]:
    """New rows that lie in a cluster of main's, or in a sealed one, and are given another."""
    cells = train.cells[compared.settings.group_column].tolist()
    formulas = compared.pairing.here.formulas
    added = [int(place) for place in compared.pairing.added]
    fresh = [n for n in added if cells[n] and problem(formulas[n]) is None]
    known = [name for name in mains | sealed if name and problem(name) is None]
    found = nearest([formulas[n] for n in fresh], known, compared.settings.split.extent)
    return {
        place: f"{formulas[place]} is new and lies in the cluster {name!r}, not in "
        f"{cells[place]!r}: {_way_on(name, sealed)}."
        for place, name in zip(fresh, found, strict=True)
        if name is not None and cells[place] != name
    }


def _way_on(name: str, sealed: set[str]) -> str:
    return "which is sealed: take this row out" if name in sealed else f"write {name} instead"
