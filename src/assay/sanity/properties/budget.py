"""Predictions come at a bearable cost: a smoke test, with room for slow machines."""

from assay.sanity.assertions import FalsifiedError
from assay.sanity.policy import Sanity
from assay.sanity.subprocess_model import Answer


def test_rows_per_second(elsewhere: Answer, sanity: Sanity) -> None:
    """A loaded model predicts at least `sanity.rows_per_second` formulas it has not met yet."""
    speed = elsewhere.rows / elsewhere.seconds
    if speed < sanity.rows_per_second:
        raise FalsifiedError(
            f"{elsewhere.rows} rows took {elsewhere.seconds:.3g} s: {speed:.3g} a second are fewer "
            f"than sanity.rows_per_second, {sanity.rows_per_second:g}",
            value=f"{speed:.3g}",
        )


def test_memory_of_a_prediction(elsewhere: Answer, sanity: Sanity) -> None:
    """A process that loads the model and predicts stays below `sanity.memory` GiB."""
    if elsewhere.memory > sanity.memory:
        raise FalsifiedError(
            f"predicting {elsewhere.rows} rows took {elsewhere.memory:.3g} GiB, more than "
            f"sanity.memory, {sanity.memory:g}",
            value=f"{elsewhere.memory:.3g}",
        )
