"""Checks without which nothing gets through, and why they are kept all the same."""

_TABLE = (
    "no model can be trained on such a table, so `assay train` refuses it at the first row that it "
    "meets; the check tells every row, with its line, before anything is trained"
)
_HISTORY = (
    "the rules in `history` tell of such a table, too, where main has one to compare with; before "
    "there is one, the check is the first to tell"
)
_SEALED = "the gate refuses sealed inputs and a pool that are not main's; the check says why"

SECOND_LINES = {
    "corrections.few": (
        "in a table of 1,600 rows `history.rows` stops fewer; in one of 100,000 it would leave a "
        "reviewer 5,000 lines to look at"
    ),
    "history.renumbered": (
        "`assay score` refuses a train set that has none of main's rows under their ids; the check "
        "says that the ids are new, and how to get them back"
    ),
    "test_amounts_matter": (
        "a model that forgets amounts is worse than main's, which the gate notices; of the first "
        "model of a repository nothing better is known, and the check says what is wrong"
    ),
    "test_good_rows_keep_their_numbers_among_unusable_ones": (
        "what makes up numbers for unusable rows is found by asking for those alone; the check "
        "says that good rows of the same batch get other numbers by it"
    ),
    "test_predictions_have_the_scale_of_the_labels": (
        "a model of another scale is far worse than main's, and misses what is known of elements; "
        "the check says that it is the scale, for a first model as well"
    ),
    "columns": _SEALED,
    "formula.present": _TABLE,
    "formula.readable": _TABLE,
    "kept.inputs": _SEALED,
    "kept.pool": _SEALED,
    "machinery.pinned": (
        "`assay train` refuses a wheel that the lock does not pin, too; the check names lock and "
        "wheel among the findings, before anything is trained"
    ),
    "row_id.present": _TABLE,
    "row_id.unique": _HISTORY,
    "systems.enough": _HISTORY,
    "target.class": "labels of another kind cannot be trained on either; and main's kind is kept",
    "target.finite": _HISTORY,
    "target.number": _TABLE,
    "target.varies": _HISTORY,
    "test_training_rows_are_predicted_in_their_unit": (
        "another unit changes every prediction by a factor of four or more, which bounds, declared "
        "relations and the gate notice as well; the check says that it is the unit"
    ),
}
