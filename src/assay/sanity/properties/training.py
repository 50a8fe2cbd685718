"""What a training learns: the same again, nothing from shuffled labels, nothing from row order.

Trained are models of the repository's `build_model` on a sample of the train set.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assay.sanity.assertions import FalsifiedError
from assay.sanity.learning import Builder, Sample, Skills, digest_of, fit, order_effect
from assay.sanity.policy import Sanity
from assay.sanity.subprocess_model import digest_elsewhere

pytestmark = pytest.mark.slow_sanity

# An honest model fails one of the two tests of skill about once in this many repositories.
FALSE_ALARMS = 10_000
# A correlation that is worth the name of skill.
MATERIAL = 0.2


def test_training_twice_gives_the_same_digest(
    builder: Builder, model_seed: int, training_sample: Sample, repository: Path
) -> None:
    """Training again, here and in a process of its own, gives the same bytes for the same seed."""
    formulas, target = list(training_sample.formulas), training_sample.target.tolist()
    name = f"{builder.__module__}:{builder.__qualname__}"
    with ThreadPoolExecutor(1) as beside:
        there = beside.submit(digest_elsewhere, name, repository, model_seed, formulas, target)
        first, again = (digest_of(fit(builder, model_seed, formulas, target)) for _ in range(2))
    if first != again:
        raise FalsifiedError(
            f"two trainings with seed {model_seed} in one process gave {first[:12]} and "
            f"{again[:12]}: hand the seed to every random part of the model",
            value=again[:12],
        )
    elsewhere = there.result()
    if first != elsewhere:
        raise FalsifiedError(
            f"training with seed {model_seed} gave {first[:12]} here and {elsewhere[:12]} in "
            "another process: it depends on more than data and seed",
            value=elsewhere[:12],
        )


def test_shuffled_labels_cannot_be_predicted(shuffled_skills: Skills) -> None:
    """Trained on shuffled labels, a model knows nothing of the shuffled labels of other rows."""
    from scipy.stats import norm

    worst = float(shuffled_skills.shuffled.max())
    most = float(norm.isf(1 / FALSE_ALARMS / len(shuffled_skills.shuffled)))
    if worst > most:
        raise FalsifiedError(
            f"shuffled labels that the model was not given are {worst:.3g} standard errors better "
            f"predicted than by chance ({most:.3g} may occur): rows must be known from elsewhere",
            value=f"{worst:.3g}",
        )


def test_shuffled_labels_teach_nothing(shuffled_skills: Skills) -> None:
    """Trained on shuffled labels, a model knows nothing of the true labels of other rows."""
    from scipy.stats import t

    found = shuffled_skills.true
    error = float(np.std(found, ddof=1)) / np.sqrt(len(found))
    most = max(MATERIAL, error * float(t.isf(1 / FALSE_ALARMS, len(found) - 1)))
    if np.mean(found) > most:
        raise FalsifiedError(
            f"trained on shuffled labels, the model still correlates with the true ones: "
            f"{np.mean(found):.3g} over {len(found)} shuffles, where {most:.3g} may occur; it must "
            "know labels from elsewhere",
            value=f"{np.mean(found):.3g}",
        )


def test_order_of_rows_does_not_matter(
    builder: Builder, model_seed: int, training_sample: Sample, sanity: Sanity
) -> None:
    """Trained on permuted rows, a model has the same errors, within what another seed changes."""
    effect = order_effect(builder, model_seed, training_sample, sanity.seed)
    plain, permuted = float(effect.plain.mean()), float(effect.permuted.mean())
    most = effect.allowed + sanity.tolerance
    if abs(permuted - plain) > most:
        raise FalsifiedError(
            f"the mean absolute error on other rows is {plain:.4g}, and {permuted:.4g} when the "
            f"training rows are permuted with seed {sanity.seed}; chance accounts for {most:.3g}",
            value=f"{permuted:.4g}",
        )
