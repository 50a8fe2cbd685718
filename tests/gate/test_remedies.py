"""Why the public rows decide nothing, and that what is said to decide does."""

import dataclasses

import numpy as np
import pytest

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.decision import Budget, Decision
from assay.gate.metrics import MAE
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping
from gate_answers import decide

FRESH = Budget(0, 0)
SIZE = 2  # rows of a chemical system
# noise makes a model worse by about as much as these smaller errors make it better
EQUAL = {"change": 0.2, "share": 0.97}


def compared(
    rows: int, seed: int, *, change: float, share: float = 1.0, margin: float = 0.1, **asked: str
) -> Comparison:
    """A champion of error 1, and one with `share` of its errors and noise of mean size `change`."""
    rng = np.random.default_rng(seed)
    truth = [rng.normal(size=n) for n in (rows, rows, max(10 * rows, 6000))]
    champion = [part + rng.standard_t(5, size=len(part)) for part in truth]
    candidate = [
        y + share * (p - y) + change * rng.normal(size=len(y))
        for y, p in zip(truth, champion, strict=True)
    ]
    groups = Groups(*(Grouping.of(np.arange(len(part)) // SIZE) for part in truth))
    required = [Requirement(MAE, margin, primary=True)]
    claim = asked.get("claim", "no-regression")
    models = Predictions(*candidate), Predictions(*champion)
    return Comparison(*models, groups, truth[0], required, claim)


def decided(comparison: Comparison) -> Decision:
    """What the gate says; labels that it opens are zeros."""
    sealed = comparison.groups.sealed.codes
    margin = comparison.requirements[0].margin
    return decide(comparison, Gate(margin=margin), FRESH, lambda _: np.zeros(len(sealed)))


def stages(rows: int, **given: float | str) -> list[str]:
    """Where ten comparisons of this kind are decided."""
    return [decided(compared(rows, seed, **given)).stage for seed in range(10)]


@pytest.mark.parametrize(
    "given", [{**EQUAL, "margin": 0.04}, {"change": 0.2, "share": 0.93, "claim": "improvement"}]
)
def test_the_rows_that_are_said_to_decide_do(given):
    """With the further rows the labels are opened far more often than before."""
    first = [decided(compared(600, seed, **given)) for seed in range(10)]
    remedies = [found.remedy for found in first if found.reason == "headroom"]
    needed = [remedy.rows for remedy in remedies if remedy.rows is not None]
    assert len(needed) >= 5
    opened = stages(600, **given).count("sealed")
    assert stages(600 + int(np.median(needed)), **given).count("sealed") >= opened + 3
    assert {remedy.groups - remedy.rows / SIZE for remedy in remedies if remedy.rows} <= {0, 0.5}


def test_the_margin_that_is_said_to_decide_does():
    """Just above that margin the labels are opened on the same rows, and below it they are not."""
    for seed in range(5):
        margin = decided(compared(600, seed, **EQUAL, margin=0.01)).remedy.margin
        for factor, stage in ((1.01, "sealed"), (0.99, "public")):
            again = compared(600, seed, **EQUAL, margin=factor * margin)
            assert decided(again).stage == stage


def test_no_margin_decides_an_improvement():
    """The bar of a claimed improvement is 0, so rows are what is said to be missing."""
    found = decided(compared(600, 0, change=0.3, share=0.95, claim="improvement"))
    assert found.remedy.margin is None
    none = decided(compared(600, 0, change=0.3, claim="improvement"))
    assert (none.reason, none.remedy.rows) == ("headroom", None)


def only(comparison: Comparison, rows: slice, parts: str) -> Comparison:
    """The champion, but for the candidate's predictions of some rows of some parts."""
    made = {}
    for part in ("train", "sealed", "pool"):
        made[part] = getattr(comparison.reference, part).copy()
        if part[0] in parts:
            made[part][rows] = getattr(comparison.candidate, part)[rows]
    return dataclasses.replace(comparison, candidate=Predictions(**made))


def test_a_table_of_the_sealed_inputs_is_named():
    """Predictions that move for the sealed inputs alone are reported with both numbers."""
    whole = compared(600, 0, change=1.0)
    found = decided(only(whole, slice(None), "s"))
    assert (found.outcome, found.reason) == ("INCONCLUSIVE", "table")
    part = only(whole, slice(None), "s").primary
    for changes in (part.on_sealed, part.on_pool):
        assert f"{changes.values.mean():.2g}" in found.explanation
    # the same beside a small change of all else, as of a model that was trained again
    beside = compared(600, 0, **EQUAL, margin=0.01)
    table = dataclasses.replace(beside.candidate, sealed=whole.candidate.sealed)
    assert decided(dataclasses.replace(beside, candidate=table)).reason == "table"


def test_a_change_of_few_systems_everywhere_is_no_table():
    """A change that concerns a few systems of every part is named as that, with what is missing."""
    found = decided(only(compared(600, 0, change=1.0, margin=0.001), slice(0, 20), "tsp"))
    assert found.reason == "carriers"
    assert decided(compared(600, 0, **EQUAL, margin=0.03)).reason == "headroom"


def test_other_folds_are_no_change_of_the_model():
    """A model that predicts the same, on other folds, is unchanged, and the folds are named."""
    same = only(compared(600, 0, **EQUAL, margin=0.03), slice(None), "t")
    assert decided(same).outcome == "INCONCLUSIVE"
    found = decided(dataclasses.replace(same, paired=False))
    assert (found.outcome, found.stage) == ("PASS", "unchanged")
    assert "folds" in found.explanation
    changed = dataclasses.replace(compared(600, 0, **EQUAL, margin=0.03), paired=False)
    assert decided(changed).outcome == "INCONCLUSIVE"
