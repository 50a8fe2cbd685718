"""Predictions obey what is declared of the target: bounds, unit, limits, relations, continuity."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.compositions import chemical_system
from assay.sanity.assertions import (
    BATCH,
    FalsifiedError,
    Predict,
    answered,
    answered_pairs,
    batches,
    require_same_scale,
    require_within,
)
from assay.sanity.policy import Sanity
from assay.sanity.strategies import (
    charge_balanced,
    exchanged,
    formulas,
    holding,
    moved,
    near,
    on_line,
    on_way,
    pairs_of,
    shifted,
)
from assay.settings import Settings

# A model in another unit is off by 4.18 (kJ and kcal) or more; an honest one is near 1.
LARGEST_SCALE = 3.0
# Fewer values, or chemical systems, may be alike by chance.
SEVERAL = 20
STEPS = 99  # of 1 %, between the ends of a way
# Half of the neighbours of training rows differ by less than this part of the largest change.
USUALLY = 40


@given(data=st.data())
def test_predictions_are_finite_and_within_bounds(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    training_formulas: list[str],
    bounds: tuple[float, float],
) -> None:
    """Predictions are finite numbers within the physical bounds, near the train set and far."""
    kinds = near(training_formulas, elements) | charge_balanced(elements)
    drawn: list[str] = data.draw(batches(kinds | formulas(elements, most=8)), label="formulas")
    drawn, values = answered(predict, drawn)
    lower, upper = bounds
    for formula, value in zip(drawn, values, strict=True):
        if not (np.isfinite(value) and lower <= value <= upper):
            raise FalsifiedError(
                f"{formula} is predicted as {value:.6g}, outside of {lower:g} to {upper:g}",
                formula,
                f"{value:.6g}",
            )


def test_the_bundle_is_of_the_declared_target(bundle: Any, settings: Settings) -> None:
    """The bundle carries the target, the kind and the unit that `assay.toml` declares."""
    ours, declared = bundle.metadata, settings.target
    for key, has, wanted in (
        ("target", ours.target, declared.column),
        ("kind", ours.kind, declared.kind),
        ("unit", ours.unit, declared.unit),
    ):
        if has != wanted:
            raise FalsifiedError(
                f"the bundle's {key} is {has!r}, but assay.toml declares {wanted!r}: train again",
                value=has,
            )


def test_training_rows_are_predicted_in_their_unit(
    predict: Predict, training_formulas: list[str], training_targets: np.ndarray
) -> None:
    """Predictions of training rows are about as large as their labels, not in another unit."""
    step = max(1, len(training_formulas) // 500)
    predicted = predict(training_formulas[::step])
    target = training_targets[::step].astype(float)
    # least squares through the origin, on either side: at a constant, or zero, it is quiet
    scale = float(predicted @ predicted) / max(abs(float(predicted @ target)), 1e-300)
    if predicted.any() and not 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE:
        raise FalsifiedError(
            f"training rows are predicted {scale:.3g} times as large as their labels: is the "
            "prediction in the target's unit?",
            value=f"{scale:.3g}",
        )


def test_predictions_are_doubles(
    bundle: Any, record_property: Any, training_formulas: list[str], training_targets: np.ndarray
) -> None:
    """Predictions are 64-bit floats, with more digits than half precision holds."""
    asked = training_formulas[:: max(1, len(training_formulas) // 500)]
    answer = _raw(bundle, asked)
    kind = getattr(answer, "dtype", np.dtype(float))
    halved, known = (_in_halves(values) for values in (answer, training_targets))
    varied = len(np.unique(np.asarray(answer))) > SEVERAL
    if kind == np.float16 or (halved and varied and not known):
        raise FalsifiedError(
            "predictions have no more digits than half precision (float16), which is three: keep "
            "them as 64-bit floats on the whole way",
            value="float16",
        )
    if kind == np.float32:
        record_property(
            "warning",
            "predictions come back as float32, of which seven of the nine digits that are kept "
            "mean something; end predict by .astype(float) if that is meant",
        )


def _raw(bundle: Any, formulas: list[str]) -> Any:
    """What the model itself returns, of whatever type."""
    model = getattr(bundle, "model", None)
    if model is None:
        return np.asarray(bundle.predict(formulas))
    frame = pd.DataFrame({"formula": formulas})
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(frame))
    return np.asarray(model.predict(frame))


def _in_halves(values: Any) -> bool:
    """Whether every value is one that half precision holds."""
    with np.errstate(over="ignore"):
        numbers = np.asarray(values, dtype=float)
        return bool((numbers.astype(np.float16) == numbers).all())


def test_amounts_matter(
    predict: Predict,
    training_formulas: list[str],
    training_targets: np.ndarray,
    tolerance: float,
) -> None:
    """Where labels of one chemical system differ by its amounts, not all predictions are equal."""
    rows = pd.DataFrame({"formula": training_formulas, "label": training_targets.astype(float)})
    by_system = rows.groupby(rows["formula"].map(chemical_system))["label"]
    spread = by_system.transform("max") - by_system.transform("min")
    several = rows[spread > 0.05 * float(rows["label"].std())]
    systems = several["formula"].map(chemical_system)
    if systems.nunique() < SEVERAL:  # too few: an honest model of little data may not tell them
        return
    values = pd.Series(predict(list(several["formula"])), several.index)
    by_system = values.groupby(systems)
    differences = by_system.transform("max") - by_system.transform("min")
    if differences.max() <= tolerance < np.ptp(values):
        first = several[systems == systems.iloc[0]]
        raise FalsifiedError(
            f"{', '.join(first['formula'].iloc[:3])} are all predicted as {values.iloc[0]:.6g}, "
            f"and in none of {systems.nunique()} systems whose labels differ do predictions: "
            "amounts are forgotten",
            first["formula"].iloc[0],
            f"{values.iloc[0]:.6g}",
        )


def test_predictions_have_the_scale_of_the_labels(
    predict: Predict,
    training_formulas: list[str],
    training_targets: np.ndarray,
    out_of_fold: np.ndarray | None,
) -> None:
    """The middle of the predictions lies within that of the labels, and is not much wider."""
    labels = training_targets.astype(float)
    if set(np.unique(labels)) <= {0.0, 1.0}:  # classes, whose predictions are probabilities
        return
    step = max(1, len(training_formulas) // 500)
    require_same_scale(predict(training_formulas[::step]), labels[::step], "of training rows")
    if out_of_fold is not None:
        require_same_scale(out_of_fold, labels, "out of fold")


@given(data=st.data())
def test_small_changes_have_small_effects(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    training_formulas: list[str],
    largest_change: float,
) -> None:
    """1 % of an element that gives way to another of the formula hardly moves the prediction."""
    pairs = data.draw(batches(shifted(training_formulas, elements)), label="before and after")
    pairs, first, second = answered_pairs(predict, pairs)
    before = [pair[0] for pair in pairs]
    require_within(before, second - first, largest_change, "changes with 1 % of an element", first)


@given(data=st.data())
def test_no_jump_lies_between_two_compositions(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    training_formulas: list[str],
    largest_change: float,
) -> None:
    """On the way from one composition to another no step of 1 % of the atoms is a jump."""
    ends = st.sampled_from(elements) | st.sampled_from(training_formulas)
    start, stop = data.draw(st.lists(ends, min_size=2, max_size=2, unique=True), label="ends")
    # all within: at its ends a way meets and loses elements, as the features of a model may notice
    line = [on_way(start, stop, percent / 100) for percent in range(1, STEPS + 1)]
    line, values = answered(predict, line)
    if len(line) < STEPS:  # what is refused is no jump
        return
    reason = f"changes with the next 1 % of the way to {stop}"
    require_within(line[:-1], np.diff(values), largest_change, reason, values)


def test_neighbours_of_training_rows_are_usually_close(
    predict: Predict, training_formulas: list[str], largest_change: float
) -> None:
    """1 % of the first element that gives way to the second usually changes next to nothing."""
    several = [formula for formula in training_formulas if len(pairs_of(formula)) > 1]
    before = several[:: max(1, len(several) // 300)]
    moves = [(formula, moved(formula, 0, pairs_of(formula)[1][0], 1)) for formula in before]
    pairs, values, after = answered_pairs(predict, moves)
    if not pairs:
        return
    before, change = [pair[0] for pair in pairs], np.abs(after - values)
    most = largest_change / USUALLY
    middle = int(np.argsort(change)[len(change) // 2])
    reason = "and half of all training rows change with 1 % of an element"
    one = slice(middle, middle + 1)
    require_within(before[one], change[one], most, reason, values[one])


@given(data=st.data())
def test_declared_monotonic_relations_hold(
    data: st.DataObject, predict: Predict, sanity: Sanity
) -> None:
    """Along the lines of `[[sanity.monotonic]]` predictions only rise, or only fall."""
    if not sanity.monotonic:
        pytest.skip("assay.toml declares no [[sanity.monotonic]]")
    relation = data.draw(st.sampled_from(sanity.monotonic), label="relation")
    percents = st.lists(st.integers(0, 100), min_size=2, max_size=BATCH, unique=True)
    drawn = sorted(data.draw(percents, label="percents of the way"))
    line = [on_line(relation.along, relation.between, percent / 100) for percent in drawn]
    line, values = answered(predict, line)
    if not line:
        return
    upward = values if relation.direction == "increasing" else -values
    steps = np.maximum.accumulate(upward) - upward
    reason = f"is against {relation.direction} along {relation.along} (from {line[0]})"
    require_within(line, steps, relation.tolerance + sanity.tolerance, reason, values)


@given(data=st.data())
def test_declared_symmetries_hold(
    data: st.DataObject,
    predict: Predict,
    elements: list[str],
    training_formulas: list[str],
    sanity: Sanity,
) -> None:
    """Exchanging two elements of `[[sanity.symmetric]]` leaves predictions as they are."""
    if not sanity.symmetric:
        pytest.skip("assay.toml declares no [[sanity.symmetric]]")
    relation = data.draw(st.sampled_from(sanity.symmetric), label="relation")
    kinds = holding(relation.exchange, training_formulas, elements)
    ours: list[str] = data.draw(batches(kinds), label="formulas")
    both = [(formula, exchanged(formula, relation.exchange)) for formula in ours]
    pairs, first, second = answered_pairs(predict, both)
    reason = f"changes when {' and '.join(relation.exchange)} are exchanged"
    names, most = [pair[0] for pair in pairs], relation.tolerance + sanity.tolerance
    require_within(names, second - first, most, reason, first)


def test_elements_have_their_known_value(
    predict: Predict,
    element_value: float | None,
    elements: Sequence[str],
    training_targets: np.ndarray,
    sanity: Sanity,
) -> None:
    """Pure elements come out near `target.element_value`, within `sanity.element_tolerance`."""
    if element_value is None:
        pytest.skip("target.element_value is not set in assay.toml")
    known, values = answered(predict, list(elements))
    most = sanity.element_tolerance or 2 * float(np.std(training_targets))
    reason = f"misses the known {element_value:g} of a pure element"
    require_within(known, values - element_value, most, reason, values)
