"""Your own properties of the model: what chemistry says must hold, whatever the data."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import given

from assay.sanity.strategies import charge_balanced, in_space

Predict = Callable[[Sequence[str]], np.ndarray]


@given(formula=in_space(["Na", "Cl"]) | charge_balanced(["Li", "Na", "Fe", "O", "Cl"]))
def test_mixtures_stay_near_what_was_measured(
    predict: Predict, training_targets: np.ndarray, formula: str
) -> None:
    """No compound of a few common elements is predicted far beyond all that was ever measured."""
    low, high, spread = training_targets.min(), training_targets.max(), np.ptp(training_targets)
    assert low - spread <= predict([formula])[0] <= high + spread
