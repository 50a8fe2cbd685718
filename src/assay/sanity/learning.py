"""Small trainings by whole groups of rows: what they learn, and what that depends on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assay.compositions import chemical_system
from assay.files import digest_bytes

Builder = Callable[[int], Any]


@dataclass(frozen=True)
class Sample:
    """Rows to train on: formulas (n,), target (n,), and whether (n,) each is in the first half.

    No group is in both halves.
    """

    formulas: np.ndarray
    target: np.ndarray
    first: np.ndarray


def draw_sample(
    formulas: Sequence[str],
    target: np.ndarray,
    most: int,
    seed: int,
    groups: Sequence[str] | None = None,
) -> Sample:
    """Draw whole groups, two at least and then up to `most` rows, in halves.

    Groups are chemical systems unless others are given.
    """
    systems = np.array(groups or [chemical_system(formula) for formula in formulas])
    names, counts = np.unique(systems, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sides: tuple[list[str], list[str]] = ([], [])
    sizes = [0, 0]
    for index in order:
        if sum(sizes) + counts[index] > most and all(sizes):
            continue
        side = int(sizes[1] < sizes[0])
        sides[side].append(names[index])
        sizes[side] += int(counts[index])
    chosen = np.flatnonzero(np.isin(systems, sides[0] + sides[1]))
    first = np.isin(systems[chosen], sides[0])
    return Sample(np.array(list(formulas), dtype=object)[chosen], target[chosen], first)


def fit(builder: Builder, seed: int, formulas: Sequence[str], target: Sequence[float]) -> Any:
    """A model of `builder(seed)`, fitted to formulas (n,) and target (n,) in that order."""
    return builder(seed).fit(pd.DataFrame({"formula": list(formulas)}), np.asarray(target))


def digest_of(model: Any) -> str:
    """SHA-256 of the model's bytes, as a bundle holds them."""
    import skops.io

    from assay.model.bundle import canonical_skops

    return digest_bytes(canonical_skops(skops.io.dumps(model)))


@dataclass(frozen=True)
class Skills:
    """What models know that were trained on shuffled labels, about rows they were not given.

    `shuffled` (2 m,): correlation with the shuffled labels of each half, times the root of its
    rows less one, which is standard normal for a model that cannot know them. `true` (m,):
    correlation with the true labels, once a shuffle.
    """

    shuffled: np.ndarray
    true: np.ndarray


def skills(builder: Builder, model_seed: int, sample: Sample, times: int, seed: int) -> Skills:
    """Shuffle the labels `times` times, train on each half, and ask about the other.

    Both halves are learnt before either is asked for, so that a model that remembers rows from
    one training to the next shows it.
    """
    from joblib import Parallel, cpu_count, delayed

    shuffles = [_shuffle(sample, np.random.default_rng((seed, n))) for n in range(times)]
    halves = (sample.first, ~sample.first)
    jobs = [(labels, half) for labels in shuffles for half in halves]
    run = Parallel(n_jobs=min(cpu_count(), len(jobs)), prefer="threads")
    models = run(
        delayed(fit)(builder, model_seed, sample.formulas[half], labels[half])
        for labels, half in jobs
    )
    shuffled, true = [], []
    for index, labels in enumerate(shuffles):
        predicted = _crossed(models[2 * index : 2 * index + 2], sample)
        for half in halves:
            root = np.sqrt(half.sum() - 1)
            shuffled.append(correlation(predicted[half], labels[half]) * root)
        true.append(correlation(_centred(predicted, sample), _centred(sample.target, sample)))
    return Skills(np.array(shuffled), np.array(true))


def _shuffle(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    # a half of one class alone cannot be learnt
    for _ in range(100):
        labels = rng.permutation(sample.target)
        if all(np.ptp(labels[half]) > 0 for half in (sample.first, ~sample.first)):
            break
    return labels


def _crossed(models: Sequence[Any], sample: Sample) -> np.ndarray:
    from assay.model.inference import predict

    predicted = np.empty(len(sample.formulas))
    for model, others in zip(models, (~sample.first, sample.first), strict=True):
        predicted[others] = predict(model, list(sample.formulas[others]))
    return predicted


def _centred(values: np.ndarray, sample: Sample) -> np.ndarray:
    first = sample.first
    means = np.where(first, values[first].mean(), values[~first].mean())
    return np.asarray(values - means)


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Pearson's correlation of two arrays (n,); 0 if one of them is constant."""
    one, two = ours - ours.mean(), theirs - theirs.mean()
    size = float(np.sqrt((one @ one) * (two @ two)))
    return float(one @ two) / size if size > 1e-12 * len(one) else 0.0


@dataclass(frozen=True)
class OrderEffect:
    """Absolute errors (n,) on the second half of models trained on the first.

    The rows were in order, permuted, and in order with other seeds of the model.
    """

    plain: np.ndarray
    permuted: np.ndarray
    reseeded: np.ndarray

    @property
    def allowed(self) -> float:
        """By how much the mean error of permuted rows may differ: what chance accounts for.

        Five standard errors of what another seed changes, row by row, and 2 % of the error, as
        sums in another order can settle ties of a tree otherwise.
        """
        by_seed = float(np.sqrt(np.mean((self.reseeded - self.plain) ** 2)))
        return 5 * by_seed / float(np.sqrt(len(self.plain))) + 0.02 * float(self.plain.mean())


def order_effect(builder: Builder, model_seed: int, sample: Sample, seed: int) -> OrderEffect:
    """Train on the first half in order, permuted, and with another seed; the errors of each."""
    from assay.model.inference import predict

    rows = np.flatnonzero(sample.first)
    other = list(sample.formulas[~sample.first])
    orders = (rows, np.random.default_rng(seed).permutation(rows), rows)
    errors = []
    for order, model_seed_ in zip(orders, (model_seed, model_seed, model_seed + 1), strict=True):
        model = fit(builder, model_seed_, sample.formulas[order], sample.target[order])
        errors.append(np.abs(predict(model, other) - sample.target[~sample.first]))
    return OrderEffect(*errors)
