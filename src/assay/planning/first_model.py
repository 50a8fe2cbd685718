"""The repository's own model, fitted on a table before it is sealed: its error, and its chances."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.datasets import Dataset
from assay.errors import UsageError
from assay.gate.comparisons import Comparison, Groups, Predictions, Requirement
from assay.gate.decision import Budget, Decision, decide
from assay.gate.metrics import METRICS
from assay.gate.policy import Gate
from assay.gate.public_evidence import decide_public, of_public_rows
from assay.gate.statistics import Estimate, Grouping, level
from assay.groups import group_names
from assay.repository import Repository
from assay.settings import Settings, parse_settings, with_value
from assay.splits import Parts
from assay.tables import read_numbers, read_table

SHARE_SMALL = 0.10
SHARE = 0.05
SMALL_SET = 1000


@dataclass(frozen=True)
class FirstModel:
    """What the model of the repository makes of the rows to train on, out of fold.

    `margin` and `error` are in the metric's unit; `text` is `assay.toml` with the margin.
    `chance` is that the sealed rows certify such a model: that they show it to be better than the
    mean of the labels, if the gate opens them for it. None: the baseline is another one. With
    public evidence it is 1 or 0, since the very rows that were used here decide, in the same folds.
    """

    margin: float
    error: float
    chance: float | None
    text: str


def first_model(root: Path, parts: Parts, text: str) -> FirstModel:
    """Fit the model out of fold, and freeze the margin by its error.

    The margin is 5 % of the public error, 10 % when fewer than 1,000 rows decide: the sealed ones,
    or with public evidence all.

    Args:
        root: the repository, whose model is fitted out of fold on the train rows.
        parts: the rows to train on and those to seal; of the latter only the formulas are read.
        text: the text of `assay.toml`.

    Raises:
        UsageError: the model cannot be fitted on the train rows or takes no sealed formula, or
            there is no error to derive a margin from.
    """
    settings = parse_settings(text)
    comparison = _beside_the_mean(Repository(root, settings), parts)
    part, metric = comparison.primary, METRICS[settings.primary_metric]
    error = metric.shown(part.candidate_loss)
    deciding = parts.train if settings.public else parts.held_out
    share = SHARE_SMALL if len(deciding) < SMALL_SET else SHARE
    margin = float(f"{share * error:.3g}")
    if not margin > 0:
        raise UsageError(
            f"the first model's public error on {parts.target} is {error:g}, so there is no margin "
            "to derive from it: name a target that varies.",
            code="plan.no-margin",
        )
    comment = f"# {share:.0%} of the first model's public error, {error:.4g} {settings.target.unit}"
    text = with_value(text, "gate", "margin", f"{margin}  {comment}")
    chance = None
    if settings.gate.baseline == "mean" and settings.public:
        chance = _public_chance(comparison, settings)
    elif settings.gate.baseline == "mean":
        chance = _chance(comparison, settings.gate)
    return FirstModel(margin, error, chance, text)


def _public_chance(comparison: Comparison, settings: Settings) -> float:
    """Whether public rows certify the candidate, 1 or 0: main's own run asks the very same ones."""
    candidate, reference = (
        replace(one, sealed=one.train) for one in (comparison.candidate, comparison.reference)
    )
    groups = replace(comparison.groups, sealed=comparison.groups.train)
    asked = replace(comparison, candidate=candidate, reference=reference, groups=groups)
    found = decide_public(asked, of_public_rows(settings.gate), settings.split.folds)
    return float(found.outcome == "PASS")


def _chance(comparison: Comparison, policy: Gate) -> float:
    """The chance that the sealed rows certify the candidate, which the gate must open them for."""
    if isinstance(decide(comparison, policy, Budget(0, 0)), Decision):
        return 0.0
    groups = comparison.groups.sealed.effective
    return chance_of_a_certificate(comparison.primary.public, groups, 0.0, policy)


def chance_of_a_certificate(
    difference: Estimate, groups: float, allowed: float, policy: Gate
) -> float:
    """The chance that so many effective groups show a difference to be below what is allowed.

    The first sealed use, by Student's t: the standard error of the mean over groups falls with the
    square root of their number.

    Args:
        difference: the mean loss of the candidate less that of the reference, on train rows.
        groups: the effective number of sealed groups.
        allowed: how much larger the loss may be.
        policy: the level and the least number of groups.
    """
    from scipy.special import stdtr, stdtrit

    if groups < policy.minimum_groups or not difference.usable:
        return 0.0
    error = difference.error * math.sqrt(difference.groups / groups)
    freedom = max(groups - 1, 1)
    needed = -float(stdtrit(freedom, level(policy.alpha, policy.uses, 1, 0)))
    return float(stdtr(freedom, (allowed - difference.mean) / error - needed))


def _beside_the_mean(repository: Repository, parts: Parts) -> Comparison:
    """The model of the repository and the mean of the labels, as `score` compares the first model.

    Of the rows those that count as evidence, by the primary metric alone.
    """
    settings, data = repository.settings, _dataset(repository, parts)
    candidate, folds = _fitted(repository, data)
    pairs = [*zip((data.train, data.sealed, data.pool), data.counted, strict=True)]
    metric = METRICS[settings.primary_metric]
    return Comparison(
        _of(candidate, data.counted),
        _of(_mean(data, folds), data.counted),
        Groups(
            *(Grouping.of(np.asarray(group_names(rows, data.group))[own]) for rows, own in pairs)
        ),
        data.target[data.counted[0]],
        [Requirement(metric, settings.gate.margin, primary=True)],
        "improvement",
    )


def _dataset(repository: Repository, parts: Parts) -> Dataset:
    layout, settings = repository.layout, repository.settings
    target = read_numbers(parts.train.astype({parts.target: str}), parts.target, layout.train)
    pool = read_table(layout.pool, ["row_id", "formula"]) if parts.pool is None else parts.pool
    return Dataset(
        parts.train,
        target,
        parts.held_out.drop(columns=parts.target),
        pool,
        settings.split.group,
        settings.gate.rows_per_group,
    )


def _fitted(repository: Repository, data: Dataset) -> tuple[Predictions, np.ndarray]:
    """What the model of the repository predicts, and the fold of each train row."""
    from assay.model.builder import load_builder
    from assay.model.inference import predict
    from assay.model.training import fit_out_of_fold

    try:
        fitted = fit_out_of_fold(load_builder(repository), data, repository.settings)
        sealed, pool = (
            predict(fitted.model, list(rows["formula"])) if len(rows) else np.empty(0)
            for rows in (data.sealed, data.pool)
        )
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"the model cannot be fitted on these rows ({reason}): correct the rows, or model.py.",
            code="training.not-fitted",
        ) from None
    return Predictions(fitted.out_of_fold, sealed, pool), fitted.folds


def _mean(data: Dataset, folds: np.ndarray) -> Predictions:
    """What the mean of the labels predicts, on train rows that of the other folds."""
    train = np.array([data.target[folds != fold].mean() for fold in range(folds.max() + 1)])
    sealed, pool = (np.full(len(rows), data.target.mean()) for rows in (data.sealed, data.pool))
    return Predictions(train[folds], sealed, pool)


def _of(values: Predictions, masks: Sequence[np.ndarray]) -> Predictions:
    train, sealed, pool = masks
    return Predictions(values.train[train], values.sealed[sealed], values.pool[pool])
