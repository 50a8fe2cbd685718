"""What the intake makes of tables of every shape: no row is lost, and no value changes."""

import time
from collections import Counter

import pytest

from assay.compositions import identity
from assay.features.parsing import amounts, readable
from assay.features.spelling import groups
from assay.intake.choices import Choices
from assay.intake.faults import first_of_rows
from assay.intake.intake import take_in
from shapes import SHAPES, UNREADABLE

# under which rule; the unit and the rows of the table, those used, merged and set aside
EXPECTED = {
    "dilute_series": ("refuse", "MPa", 300, 300, 0, 0),
    "polymorphs": ("lowest", "eV/atom", 600, 200, 400, 0),
    "giant_groups": ("refuse", "1", 5680, 5680, 0, 0),
    "few": ("refuse", "eV", 60, 60, 0, 0),
    "superconductors": ("median", "K", 16_000, 15_753, 200, 47),
    "text_classes": ("refuse", "1", 400, 400, 0, 0),
    "tiny_numbers": ("lowest", "1/K", 300, 290, 10, 0),
}
# processor time that 16,000 rows may take; they take about one
SECONDS = 6.0
# of so many rows one is compared by itself
SOME = 16


@pytest.fixture(scope="module", params=SHAPES)
def taken(request, tmp_path_factory):
    """A shape's name, its table, what was taken in, and the processor's seconds."""
    table = SHAPES[request.param]()
    path = tmp_path_factory.mktemp("shapes") / f"{request.param}.csv"
    table.to_csv(path, index=False)
    begin = time.process_time()
    found = take_in(str(path), Choices(duplicates=EXPECTED[request.param][0]))
    return request.param, table, found, time.process_time() - begin


def test_every_row_is_used_merged_or_set_aside(taken):
    """The numbers are those that the table was made with, and add up; the unit is the header's."""
    name, table, found, _ = taken
    _, unit, rows, used, merged, aside = EXPECTED[name]
    assert (found.total, found.unit) == (len(table), unit) == (rows, unit)
    assert (len(found.rows), found.merged.repeated, found.set_aside) == (used, merged, aside)
    assert used + merged + aside == rows
    assert not found.merged.faults


def test_no_value_changes(taken):
    """Each row that is used has the composition of its line, and a value of that composition."""
    name, table, found, _ = taken
    column, target = table.columns
    lines = [line - 2 for line in found.rows.index]
    pairs = list(zip(found.rows["formula"], table[column][lines], strict=True))[::SOME]
    assert [identity(one) for one, _ in pairs] == [identity(other) for _, other in pairs]
    if name in {"giant_groups", "text_classes"}:
        labels = [found.classes[label] for label in found.rows[found.target.name]]
        assert labels == list(table[target][lines])
        return
    _, reasons = readable(list(table[column]))
    sound = table[[reason is None for reason in reasons]]
    cells = sound[target].astype(float).groupby(groups(amounts(list(sound[column]))), sort=False)
    rule = EXPECTED[name][0]
    wanted = {"refuse": cells.first, "lowest": cells.min, "median": cells.median}[rule]()
    assert sorted(found.rows[found.target.name]) == sorted(wanted)
    by_line = dict(zip(found.rows.index, found.rows[found.target.name], strict=True))
    single = cells.filter(lambda part: len(part) == 1)
    assert {line + 2: value for line, value in single.items()}.items() <= by_line.items()


def test_contradictions_and_unreadable_rows_are_counted(taken):
    """Where labels of a composition differ, all of its rows are named if no rule was chosen."""
    name, table, found, _ = taken
    again = found.total - found.set_aside - len(found.rows)
    if not again:
        assert not found.faults
        return
    refused = take_in_again(found, table)
    assert refused.merged.disagreeing == {"polymorphs": 200, "superconductors": 200}.get(name, 10)
    assert len(refused.merged.faults) == again + refused.merged.disagreeing
    kinds = Counter(fault.code for fault in first_of_rows(found.faults))
    if name == "superconductors":
        assert kinds == {"formula.unreadable": 47}
        assert {fault.value for fault in found.faults} == set(UNREADABLE)
        assert all(fault.advice for fault in found.faults)


def take_in_again(found, table):
    """The same table without a rule for repeated compositions."""
    from pathlib import Path

    from assay.intake.intake import take_in_table
    from assay.intake.raw import RawTable

    cells = table.set_axis(range(2, len(table) + 2))
    return take_in_table(RawTable(Path(found.name), cells), Choices())


def test_the_intake_takes_little_time(taken):
    """The largest shape is taken in within seconds of one core."""
    assert taken[3] < SECONDS
