"""The gate's whole answer, for tests that have the sealed labels at hand."""

from collections.abc import Callable

import numpy as np

from assay.gate import decision
from assay.gate.comparisons import Comparison
from assay.gate.decision import Budget, Decision, SealedTest, judge_sealed
from assay.gate.policy import Gate


def decide(
    comparison: Comparison,
    policy: Gate,
    budget: Budget,
    open_labels: Callable[[SealedTest], np.ndarray],
) -> Decision:
    """Decide, and open the labels (n,) only if the gate asks for them."""
    said = decision.decide(comparison, policy, budget)
    return said if isinstance(said, Decision) else judge_sealed(said, open_labels(said))
