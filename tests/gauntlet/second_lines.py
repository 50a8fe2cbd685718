"""Checks without which nothing gets through, and why they are kept all the same."""

_TABLE = (
    "no model can be trained on such a table, so `assay train` refuses it at the first row that it "
    "meets; the check tells every row, with its line, before anything is trained"
)
_SEALED = "the gate refuses sealed inputs and a pool that are not main's; the check says why"

SECOND_LINES = {
    "columns": _SEALED,
    "formula.present": _TABLE,
    "formula.readable": _TABLE,
    "row_id.present": _TABLE,
    "row_id.unique": _TABLE,
    "systems.enough": _TABLE,
    "target.class": "labels of another kind cannot be trained on either; and main's kind is kept",
    "target.finite": _TABLE,
    "target.number": _TABLE,
    "target.varies": (
        "main's own labels, which every pull request is compared with, do vary; before there are "
        "any, it is the first to tell"
    ),
    "test_training_rows_are_predicted_in_their_unit": (
        "another unit changes every prediction by a factor of four or more, which bounds, declared "
        "relations and the gate notice as well; the check says that it is the unit"
    ),
}
