"""The tables that a candidate is trained on: read together, or refused with file and line."""

import pytest

from assay.datasets import read_dataset, read_tables
from assay.errors import UsageError
from assay.layout import Layout
from assay.repository import read_repository


def test_tables_are_read_in_the_order_of_their_files(toy):
    """Rows, targets and chemical systems stand as they do in the files."""
    layout = Layout(toy)
    data = read_dataset(read_repository(toy))
    lines = layout.train.read_text().splitlines()[1:]
    assert list(data.train["row_id"]) == [line.split(",")[0] for line in lines]
    assert data.target == pytest.approx([float(line.split(",")[-1]) for line in lines])
    assert len(data.groups) == len(lines)
    assert all(system == "-".join(sorted(system.split("-"))) for system in data.groups)
    assert len(data.pool) == len(layout.pool.read_text().splitlines()) - 1


@pytest.mark.parametrize("table", ["train", "sealed_inputs", "pool"])
def test_unreadable_formula_is_refused_with_file_and_line(toy, table):
    """Each table's formulas are looked at, unless they are left out to save time."""
    path = getattr(Layout(toy), table)
    lines = path.read_text().splitlines()
    row_id, _, *rest = lines[4].split(",")
    lines[4] = ",".join([row_id, "Xx2O", *rest])
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(UsageError, match=rf"{path.name}, line 5: .*Xx.*correct or remove"):
        read_dataset(read_repository(toy))
    assert "Xx2O" in list(getattr(read_tables(read_repository(toy)), _name(table)).formula)


def _name(table):
    return table.removesuffix("_inputs")
