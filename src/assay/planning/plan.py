"""`assay plan`: what a sealed set can decide, found by trying the gate itself on drawn models.

No label of the sealed set is read.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from assay.errors import UsageError
from assay.gate.decision import Budget
from assay.gate.metrics import METRICS
from assay.gate.policy import Gate
from assay.gate.statistics import Grouping, level
from assay.intake.pools import pool_rows
from assay.planning.assumptions import GivenAssumptions, guess_of
from assay.planning.chances import (
    BETWEEN,
    CHANGES,
    MULTIPLES,
    Bounded,
    Plan,
    Search,
    Situation,
    TableSize,
    by_change,
    chances,
    life,
    margin_needed,
    rows_needed,
)
from assay.planning.error_models import Pair, pair_of
from assay.planning.sample_sizes import (
    Adaptivity,
    Promise,
    noise_of,
    rows_for_difference,
    rows_for_rare_change,
)
from assay.planning.simulation import (
    Design,
    Trial,
    design_of_repository,
    design_of_sizes,
)
from assay.repository import Repository
from assay.settings import Settings

TRIALS = 300
# the points of the curve, and about nine steps for each of two searches
STEPS = len(MULTIPLES) + 2 + BETWEEN + len(CHANGES) + 18
MOST_TRIALS = 100_000
# the share of differing rows in the examples of ease.ml/ci
RARE = 0.1
_PROMISES: tuple[tuple[Adaptivity, float | None], ...] = (
    ("none", None),
    ("full", None),
    ("full", RARE),
)


@dataclass(frozen=True)
class PlanOptions:
    """What the command line may say; `None` leaves it to the repository. Units as in `Plan`."""

    rows: int | None = None
    groups: int | None = None
    margin: float | None = None
    given: GivenAssumptions = field(default_factory=GivenAssumptions)
    use: int = 1
    disagreements: int = 0
    bounded: bool = False
    trials: int = TRIALS
    seed: int = 0


def make_plan(
    repository: Repository, options: PlanOptions, tick: Callable[[], object] = int
) -> Plan:
    """Find the chance of each verdict and what it takes to pass; `tick` is called now and then.

    Raises:
        UsageError: an option is out of range, or a table or `assay.toml` is not as it must be.
    """
    _require_sealed(repository)
    guess, source = guess_of(repository, options.given)
    settings = _with_margin(repository.settings, options.margin)
    policy = settings.gate
    budget = require_budget(policy, options.use, options.disagreements)
    design = _design(replace(repository, settings=settings), options)
    situation = Situation(design, policy, guess, budget, _trials(options), options.seed)
    equal = _equal(situation)
    question = Trial("no-regression", budget)
    search = Search(equal, design, policy, question, options.seed, tick)
    noise = noise_of(equal, design, policy, budget, options.seed)
    return Plan(
        model=settings.project.name,
        metric=guess.metric,
        unit=settings.target.unit,
        margin=policy.margin,
        error=guess.error,
        error_source=source,
        change=guess.change,
        icc=guess.icc,
        on_pool=guess.on_pool,
        requirements=[part.name for part in design.requirements],
        train=_rows(design.groups.train),
        sealed=_rows(design.groups.sealed),
        pool=_rows(design.groups.pool),
        pool_needed=pool_rows(design.sealed_rows),
        minimum_groups=policy.minimum_groups,
        uses=policy.uses,
        maximum_disagreements=policy.disagreements,
        use=options.use,
        disagreements=options.disagreements,
        level=level(policy.alpha, policy.uses, options.use, options.disagreements),
        charge=noise.charge,
        points=chances(situation, tick),
        by_change=by_change(situation, tick),
        life=life(situation, equal),
        sealed_rows_needed=rows_needed(search, noise),
        margin_needed=margin_needed(search, noise),
        bounded=_bounded(settings, guess.error, options),
        seed=options.seed,
    )


def _require_sealed(repository: Repository) -> None:
    if repository.settings.public:
        raise UsageError(
            "nothing is sealed here, so there is no sealed set to plan for: `assay plan TABLE` "
            "says what rows that nobody has seen could decide if they were sealed.",
            code="plan.public-evidence",
        )


def require_budget(policy: Gate, use: int, disagreements: int) -> Budget:
    """The budget before the `use`-th sealed use.

    Raises:
        UsageError: the policy has no such use.
    """
    if not 1 <= use <= policy.uses:
        raise UsageError(
            f"--use is {use}: give 1 to {policy.uses}, the key uses of [gate].",
            code="plan.out-of-range",
        )
    most = min(policy.disagreements, use) - 1
    if not 0 <= disagreements <= most:
        raise UsageError(
            f"--disagreements is {disagreements}: give 0 to {most}, the most before --use {use}.",
            code="plan.out-of-range",
        )
    return Budget(use - 1, disagreements)


def _with_margin(settings: Settings, margin: float | None) -> Settings:
    if margin is None:
        return settings
    if not (math.isfinite(margin) and margin > 0):
        raise UsageError(
            f"--margin is {margin:g}: give a number above 0.", code="plan.out-of-range"
        )
    gate = settings.gate.model_copy(update={"margin": margin})
    return settings.model_copy(update={"gate": gate})


def _design(repository: Repository, options: PlanOptions) -> Design:
    if options.groups is not None:
        if options.rows is None:
            raise UsageError(
                "--groups goes with --rows: give both, or neither.", code="plan.groups-without-rows"
            )
        return design_of_sizes(options.rows, options.groups, repository.settings, options.seed)
    design = design_of_repository(repository)
    return design if options.rows is None else design.sized(options.rows, options.seed)


def _trials(options: PlanOptions) -> int:
    if not 1 <= options.trials <= MOST_TRIALS:
        raise UsageError(
            f"--trials is {options.trials}: give 1 to {MOST_TRIALS}.", code="plan.out-of-range"
        )
    if options.seed < 0:
        raise UsageError(f"--seed is {options.seed}: give 0 or more.", code="plan.out-of-range")
    return options.trials


def _equal(situation: Situation) -> Pair:
    try:
        return pair_of(situation.guess, 0.0)
    except ValueError as error:
        raise UsageError(
            f"the error is {situation.guess.error:g}, but {error}; give another --error.",
            code="plan.impossible-error",
        ) from None


def _rows(grouping: Grouping) -> TableSize:
    return TableSize(rows=len(grouping.codes), groups=grouping.count, effective=grouping.effective)


def _bounded(settings: Settings, error: float, options: PlanOptions) -> list[Bounded]:
    """What ease.ml/ci asks for, to know the difference of two losses within the margin.

    For all uses of the set together, with probability 1 - alpha: if authors see no verdict, if they
    see all, and the latter if few rows change.
    """
    if not options.bounded and settings.target.kind == "number":
        return []
    tolerance = _tolerance(settings, error)
    if tolerance >= 1:
        raise UsageError(
            f"the margin is {settings.gate.margin:g}, as large as any loss can be: give a smaller "
            "one in [gate] of assay.toml.",
            code="plan.margin-too-large",
        )
    policy = settings.gate
    found = []
    for adaptivity, changed in _PROMISES:
        promise = Promise(1 - policy.alpha, policy.uses, adaptivity)
        rows = (
            rows_for_difference(tolerance, promise)
            if changed is None
            else rows_for_rare_change(tolerance, promise, changed)
        )
        found.append(Bounded(tolerance=tolerance, changed=changed, rows=rows, **asdict(promise)))
    return found


def _tolerance(settings: Settings, error: float) -> float:
    """The margin in units of the largest loss that a row can have."""
    metric, target = METRICS[settings.primary_metric], settings.target
    ends = (0.0, 1.0) if target.kind == "class" else (target.lower, target.upper)
    if not np.isfinite(ends).all():
        raise UsageError(
            "--bounded needs lower and upper in [target] of assay.toml: add them.",
            code="plan.no-bounds",
        )
    worst = float(metric.loss(*np.array(ends)[:, None])[0])
    loss = error**2 if metric.key == "rmse" else error
    return metric.allowance(settings.gate.margin, loss) / worst
