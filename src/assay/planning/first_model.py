"""The repository's own model, fitted on a table before it is sealed: its error, and its chances."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.errors import UsageError
from assay.gate.metrics import METRICS
from assay.gate.policy import Gate
from assay.gate.public_evidence import difference
from assay.gate.statistics import Estimate, estimate, level
from assay.intake.division import evidence
from assay.repository import Repository
from assay.settings import parse_settings, with_value
from assay.splits import Parts
from assay.tables import read_numbers, read_table

SHARE_SMALL = 0.10
SHARE = 0.05
SMALL_SET = 1000


@dataclass(frozen=True)
class FirstModel:
    """What the model of the repository makes of the rows to train on, out of fold.

    `margin` and `error` are in the metric's unit; `text` is `assay.toml` with the margin.
    `chance` is that the sealed rows certify such a model: that they show it to be no worse than the
    mean of the labels by more than the margin. None: the baseline is another one. With public
    evidence it is 1 or 0, since the very rows that were used here decide, in the same folds.
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
    (counts, *_), losses, plain = _losses(Repository(root, settings), parts)
    losses, plain = losses[counts], plain[counts]
    shown = METRICS[settings.primary_metric].shown
    error = shown(float(losses.mean()))
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
    allowed = METRICS[settings.primary_metric].allowance(margin, float(plain.mean()))
    train, sealed = (evidence(rows, settings) for rows in (parts.train, parts.held_out))
    chance = None
    if settings.gate.baseline == "mean" and settings.public:
        found = difference(losses - plain, train, settings.split.folds)
        chance = float(found.upper(settings.gate.alpha / 2) < 0)
    elif settings.gate.baseline == "mean":
        found = estimate(losses - plain, train)
        chance = chance_of_a_certificate(found, sealed.effective, allowed, settings.gate)
    return FirstModel(margin, error, chance, text)


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


def _losses(
    repository: Repository, parts: Parts
) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
    """Which rows count, and the loss (n,) of each train row out of fold and by the mean of all."""
    from assay.datasets import Dataset
    from assay.model.builder import load_builder
    from assay.model.inference import predict
    from assay.model.training import fit_out_of_fold

    layout, settings = repository.layout, repository.settings
    target = read_numbers(parts.train.astype({parts.target: str}), parts.target, layout.train)
    pool = read_table(layout.pool, ["row_id", "formula"]) if parts.pool is None else parts.pool
    data = Dataset(
        parts.train,
        target,
        parts.held_out.drop(columns=parts.target),
        pool,
        settings.split.group,
        settings.gate.rows_per_group,
    )
    try:
        candidate = fit_out_of_fold(load_builder(repository), data, settings)
        if len(parts.held_out):
            predict(candidate.model, list(parts.held_out["formula"]))
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"the model cannot be fitted on these rows ({reason}): correct the rows, or model.py.",
            code="training.not-fitted",
        ) from None
    loss = METRICS[settings.primary_metric].loss
    mean = np.full_like(target, target.mean())
    return data.counted, loss(target, candidate.out_of_fold), loss(target, mean)
