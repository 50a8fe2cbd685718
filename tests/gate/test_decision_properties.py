"""What no comparison may do, however odd: warn, give what is not a number, or pass by luck."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.decision import Budget, Decision, SealedTest
from assay.gate.metrics import METRICS, Metric
from assay.gate.policy import METRICS_OF, Gate
from assay.gate.statistics import Grouping
from gate_answers import decide

pytestmark = pytest.mark.filterwarnings("error")
MARGIN = 0.1
POLICY = Gate(margin=MARGIN)
TRAIN, SEALED, POOL = 600, 400, 4000
CLAIMS = ["no-regression", "improvement"]
KEYS = list(METRICS)


def labels_for(metric: Metric, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Numbers, or yes and no."""
    if metric.key in METRICS_OF["class"]:
        return rng.integers(0, 2, rows).astype(float)
    return rng.normal(size=rows)


def decided(
    comparison: Comparison, labels: np.ndarray, budget: Budget | None = None
) -> tuple[Decision, bool]:
    """The decision, and whether the labels were opened."""
    opened: list[SealedTest] = []

    def open_labels(test: SealedTest) -> np.ndarray:
        opened.append(test)
        return labels

    decision = decide(comparison, POLICY, budget or Budget(0, 0), open_labels)
    assert decision.level is None or 0 < decision.level < POLICY.alpha
    assert "nan" not in decision.explanation
    return decision, bool(opened)


def comparison_of(
    metric: Metric, predictions: list, groups: list, target: np.ndarray, claim: str
) -> Comparison:
    """Candidate's, then reference's train, sealed and pool rows, with the one requirement."""
    parts = (Predictions(*values) for values in (predictions[:3], predictions[3:]))
    required = [Requirement(metric, MARGIN, primary=True)]
    grouped = Groups(*(Grouping.of(names) for names in groups))
    return Comparison(*parts, grouped, target, required, claim)


def plain(metric: Metric, claim: str, **odd: object) -> tuple[Comparison, np.ndarray]:
    """An ordinary comparison of a better candidate, but for what is said to be odd."""
    rng = np.random.default_rng(0)
    rows = odd.get("rows", (TRAIN, SEALED, POOL))
    groups = odd.get("groups", [np.arange(n) for n in rows])
    truth = [labels_for(metric, rng, n) for n in rows]
    errors = [rng.uniform(0.1, 0.9, n) for n in rows]
    signs = [np.where(values > 0, -1, 1) for values in truth]
    reference = [t + s * e for t, s, e in zip(truth, signs, errors, strict=True)]
    candidate = [t + s * 0.2 * e for t, s, e in zip(truth, signs, errors, strict=True)]
    change = odd.get("change", lambda candidate, _: candidate)
    candidate = [change(c, r) for c, r in zip(candidate, reference, strict=True)]
    made = comparison_of(metric, [*candidate, *reference], groups, truth[0], claim)
    return made, truth[1]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("key", KEYS)
def test_an_ordinary_better_model_passes(key, claim):
    """The comparison that the odd ones are made of passes by the labels: oddness is what stops."""
    decision, opened = decided(*plain(METRICS[key], claim))
    assert (decision.outcome, opened) == ("PASS", True)


ODD = {
    "one group": {"groups": [np.zeros(n) for n in (TRAIN, SEALED, POOL)]},
    "two groups": {"groups": [np.arange(n) % 2 for n in (TRAIN, SEALED, POOL)]},
    "one sealed group": {"groups": [np.arange(TRAIN), np.zeros(SEALED), np.arange(POOL)]},
    "one pool group": {"groups": [np.arange(TRAIN), np.arange(SEALED), np.zeros(POOL)]},
    "one huge train group": {
        "groups": [np.maximum(np.arange(TRAIN), 500), np.arange(SEALED), np.zeros(POOL)]
    },
    "one row each": {"rows": (1, 1, 1)},
    "one sealed row": {"rows": (TRAIN, 1, POOL)},
    "small pool": {"rows": (TRAIN, SEALED, 1000)},
    "no spread": {
        "change": lambda _, reference: np.clip(reference - 0.3, 0, 1)[:1] + 0 * reference
    },
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("odd", ODD)
def test_degenerate_samples_are_never_passed(odd, key, claim):
    """One group, one row, a small pool: no PASS, no warning, and the labels stay shut."""
    decision, opened = decided(*plain(METRICS[key], claim, **ODD[odd]))
    assert decision.outcome != "PASS"
    assert not opened
    if odd != "no spread":
        assert decision.outcome == "INCONCLUSIVE"


@pytest.mark.parametrize("key", KEYS)
def test_equal_models_pass_without_labels_or_not_at_all(key):
    """The reference itself is unchanged, which needs no label, and is never an improvement."""
    for claim, outcome, stage in (
        ("no-regression", "PASS", "unchanged"),
        ("improvement", "INCONCLUSIVE", "public"),
    ):
        made = plain(METRICS[key], claim, change=lambda _, reference: reference)
        decision, opened = decided(*made)
        assert (decision.outcome, decision.stage, opened) == (outcome, stage, False)


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("size", [1e100, 1e200, 1e300])
@pytest.mark.parametrize("key", METRICS_OF["number"])
def test_huge_values_are_inconclusive(key, size, claim):
    """Predictions near the largest number there is: no overflow warning, no PASS."""

    def change(candidate: np.ndarray, _: np.ndarray) -> np.ndarray:
        return candidate * size * np.where(np.arange(len(candidate)) % 2, 1, -1)

    decision, opened = decided(*plain(METRICS[key], claim, change=change))
    assert decision.outcome != "PASS"
    assert not opened


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_target_that_overflows_makes_no_bar(claim):
    """One label whose square is infinite: the margin of the RMSE means nothing then, nor a PASS."""
    made, labels = plain(METRICS["rmse"], claim)
    assert decided(made, labels)[0].outcome == "PASS"
    made.target[0] = 1e160
    overflowing = dataclasses.replace(made)
    decision, opened = decided(overflowing, labels)
    assert (decision.outcome, opened) == ("INCONCLUSIVE", False)


@pytest.mark.parametrize("key", METRICS_OF["number"])
def test_empty_tail_charges_little(key):
    """With no row beyond the threshold the ordinary model passes; with one huge row it does not."""
    made, labels = plain(METRICS[key], "no-regression")
    threshold = made.primary.guard(POLICY.tail, 1e-4).threshold
    assert made.primary.on_pool.values.max() < threshold
    assert decided(made, labels)[0].outcome == "PASS"

    def one_jump(candidate: np.ndarray, _: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(candidate)) == 0, 1e6, candidate)

    assert decided(*plain(METRICS[key], "no-regression", change=one_jump))[0].outcome != "PASS"


odd_numbers = st.sampled_from([0.0, -0.0, 1e-300, 1.0, -1.0, 0.5, 1e150, -1e150, 1e300, 5e-324])
few = st.integers(0, 3)


def tables(elements: st.SearchStrategy[float], rows: int) -> st.SearchStrategy[np.ndarray]:
    """A column of so many numbers."""
    return arrays.arrays(float, rows, elements=elements)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(METRICS_OF["number"]),
    st.sampled_from(CLAIMS),
    st.lists(tables(odd_numbers, 6), min_size=8, max_size=8),
    st.lists(arrays.arrays(int, 6, elements=few), min_size=3, max_size=3),
)
def test_small_odd_tables_never_pass_by_their_labels(key, claim, columns, groups):
    """Six rows of extreme numbers in few groups: no warning, no label opened, and no PASS but one.

    That one is 'unchanged', and then no labels can have the loss grow by more than the bar.
    """
    metric = METRICS[key]
    target, labels, *values = columns
    made = comparison_of(metric, values, groups, target, claim)
    decision, opened = decided(made, labels)
    assert not opened
    if decision.outcome == "PASS":
        assert decision.stage == "unchanged"
        for ours, theirs in zip(values[:3], values[3:], strict=True):
            assert np.abs(ours - theirs).mean() <= MARGIN * (1 + 1e-9)
    else:
        assert decision.outcome == "INCONCLUSIVE"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KEYS), st.floats(0, 0.3), st.integers(0, 10**6))
def test_unchanged_holds_for_the_worst_labels(key, size, seed):
    """If nothing but predictions says PASS, the labels that make most of the change agree."""
    metric, rng = METRICS[key], np.random.default_rng(seed)
    truth = [labels_for(metric, rng, n) for n in (TRAIN, SEALED, POOL)]
    reference = [rng.uniform(0, 1, len(t)) for t in truth]
    candidate = [np.clip(r + size * rng.normal(size=len(r)), 0, 1) for r in reference]
    groups = [np.arange(len(t)) // 2 for t in truth]
    made = comparison_of(metric, [*candidate, *reference], groups, truth[0], "no-regression")
    decision, _ = decided(made, truth[1])
    if decision.stage != "unchanged":
        return
    for ours, theirs in zip(candidate, reference, strict=True):
        for worst in _worst_labels(key, ours, theirs, made.primary.reference_loss):
            grown = metric.loss(worst, ours).mean() - metric.loss(worst, theirs).mean()
            assert grown <= made.primary.bar * (1 + 1e-9)


def _worst_labels(key: str, ours: np.ndarray, theirs: np.ndarray, loss: float) -> list[np.ndarray]:
    if key == "mae":
        return [theirs]
    if key == "rmse":
        # as wrong as the reference is known to be, on the side that hurts the candidate
        return [theirs - np.sign(ours - theirs) * math.sqrt(loss)]
    likely = (ours < theirs).astype(float)
    return [likely, 1 - likely, np.zeros(len(ours)), np.ones(len(ours))]
