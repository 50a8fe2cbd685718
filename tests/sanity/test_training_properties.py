"""Every property of a training is broken by a planted fault that it alone catches."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import builders
import pytest
from catching import WIDER

from assay.sanity import suites
from assay.sanity.assertions import FalsifiedError
from assay.sanity.learning import draw_sample, skills
from assay.sanity.policy import Sanity
from assay.sanity.properties import training
from toy import target_of, trained_formulas

FAULTS = {
    "unseeded": "test_training_twice_gives_the_same_digest",
    "counting": "test_training_twice_gives_the_same_digest",
    "hashing": "test_training_twice_gives_the_same_digest",
    "remembering": "test_shuffled_labels_cannot_be_predicted",
    "peeking": "test_shuffled_labels_teach_nothing",
    "hasty": "test_order_of_rows_does_not_matter",
}


def falsified(
    builder: Callable[[int], Any], repository: Path, only: Sequence[str] = ()
) -> dict[str, FalsifiedError]:
    """Try all properties of training on a builder, or `only` some; what they raise, by name."""
    formulas = trained_formulas()[::4]
    sample = draw_sample(formulas, target_of(formulas), 300, 0)
    given: dict[str, Any] = {
        "builder": builder,
        "model_seed": 0,
        "training_sample": sample,
        "repository": repository,
        "sanity": Sanity(),
    }
    found = {}
    for name in only or suites.property_names(suites.SLOW):
        function = getattr(training, name)
        wanted = inspect.signature(function).parameters
        if "shuffled_skills" in set(wanted) - set(given):
            given["shuffled_skills"] = skills(builder, 0, sample, 6, 0)
        try:
            function(**{key: value for key, value in given.items() if key in wanted})
        except FalsifiedError as error:
            found[name] = error
    return found


@pytest.mark.parametrize("alone", [False, pytest.param(True, marks=pytest.mark.nightly(WIDER))])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_training_is_caught_by_its_property_alone(
    tmp_path: Path, fault: str, alone: bool
) -> None:
    """A training with one fault falsifies one property, and no other."""
    wanted = FAULTS[fault]
    only = () if alone else (wanted,)
    assert set(falsified(getattr(builders, fault), tmp_path, only)) == {wanted}


@pytest.mark.parametrize("builder", [builders.ridge, builders.forest])
def test_a_sound_training_falsifies_nothing(tmp_path: Path, builder: Callable[[int], Any]) -> None:
    """A linear model and a forest, whose errors depend on its seed, pass everything."""
    assert falsified(builder, tmp_path) == {}


def test_every_property_of_training_is_tried_here() -> None:
    """There is no property of training without a planted fault in this file."""
    assert set(FAULTS.values()) == set(suites.property_names(suites.SLOW))
