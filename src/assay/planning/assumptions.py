"""What a plan assumes: the margin, and two models that do not exist yet."""

import math
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.gate.policy import MetricKey
from assay.planning.error_models import Guess
from assay.planning.first_model import SHARE, SHARE_SMALL, SMALL_SET
from assay.records import CandidateCard, read_record
from assay.repository import Repository
from assay.tables import read_labelled, read_numbers, read_table

# Mean change of predictions in multiples of the public error: about that of a model trained again.
# Out of fold on the shipped example, 0.22 of the MAE between two seeds of its forest (0.4 to 0.6
# between a forest and other trees); for classes made from it (enthalpy above its median) 0.44 of
# the Brier score and 0.34 of the error rate between seeds (1.5 and 1.1 from forest to boosting).
CHANGE_SHARE: dict[MetricKey, float] = {"mae": 0.2, "rmse": 0.13, "brier": 0.45, "error_rate": 0.35}
# There, 0.38 between the errors of two rows of a chemical system, 0.24 to 0.36 between changes.
ICC = 0.3
# There, changes over the pool are 1.2 to 1.9 times as large as out of fold on the train rows.
ON_POOL = 1.6


@dataclass(frozen=True)
class GivenAssumptions:
    """What the user says of the models, as `Guess` has it; `None` leaves it to the repository."""

    error: float | None = None
    change: float | None = None
    icc: float = ICC
    on_pool: float = ON_POOL


def guess_of(repository: Repository, given: GivenAssumptions) -> tuple[Guess, str]:
    """The guess, and a phrase on where the reference's error was taken from.

    Unless given, that is the card of the model trained last in this folder or, before there is one,
    the margin, which `assay init` makes a known share of the first model's error.

    Raises:
        UsageError: a value is out of range, or the train table is not as it must be.
        NotCarriedOutError: the card is damaged.
    """
    settings = repository.settings
    error, source = _error(repository, given)
    metric = settings.primary_metric
    change = CHANGE_SHARE[metric] * error if given.change is None else given.change
    for name, value in (("error", error), ("change", change), ("pool-change", given.on_pool)):
        if not (math.isfinite(value) and value > 0):
            raise UsageError(
                f"the {name} is {value:g}: give --{name} a number above 0.",
                code="plan.out-of-range",
            )
    if not 0 <= given.icc < 1:
        raise UsageError(
            f"--icc is {given.icc:g}: give a number from 0 to less than 1.",
            code="plan.out-of-range",
        )
    share = _share_of_yes(repository) if settings.target.kind == "class" else 0.5
    return Guess(metric, error, change, given.icc, given.on_pool, share), source


def _error(repository: Repository, given: GivenAssumptions) -> tuple[float, str]:
    if given.error is not None:
        return given.error, "as given"
    card, settings = repository.handover.candidate, repository.settings
    if card.is_file():
        metrics = read_record(CandidateCard, card).metrics
        return metrics[settings.primary_metric], "the model in out/candidate"
    sealed_inputs = repository.layout.sealed_inputs
    if not sealed_inputs.is_file():
        raise UsageError(
            "no model was trained here, so its error is unknown: run `assay train`, or give "
            "--error.",
            code="plan.no-model",
        )
    sealed = len(read_table(sealed_inputs, ["row_id"]))
    share = SHARE if sealed >= SMALL_SET else SHARE_SMALL
    return settings.gate.margin / share, f"assumed: the margin is {share:.0%} of it"


def _share_of_yes(repository: Repository) -> float:
    path, column = repository.layout.train, repository.settings.target.column
    rows = read_labelled(path, [], column)
    share = float(np.mean(read_numbers(rows, column, path)))
    if not 0 < share < 1:
        raise UsageError(
            f"{path}: {column} is the same in all rows, so nothing can be learnt: add rows of the "
            "other class.",
            code="data.one-class",
        )
    return share
