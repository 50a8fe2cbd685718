"""A sealed set made of two tables, for repositories that a test writes by hand."""

from assay.layout import Layout
from assay.sealing.labels import write_sealed
from assay.tables import read_table


def seal_labels(layout: Layout) -> None:
    """Seal the open labels as `assay init` seals a table: with the formulas, under a new key."""
    rows = read_table(layout.open_labels, ["row_id"])
    rows.insert(1, "formula", read_table(layout.sealed_inputs, ["row_id", "formula"])["formula"])
    write_sealed(layout, rows)
