"""What `assay plan` finds, as records for machines."""

import math
from typing import Annotated

from pydantic import Field

from assay.gate.policy import MetricKey
from assay.planning.sample_sizes import Adaptivity
from assay.records import Claim, Record, Text

Share = Annotated[float, Field(ge=0, le=1)]


class Point(Record):
    """How often the gate says what, if two models truly differ by `difference` (metric's unit).

    `change` is the mean distance of their predictions (target's unit). The rest are shares of the
    trials; `opened` is that of trials in which the sealed labels were opened, `unchanged` that of
    those which passed without any label.
    """

    difference: float
    change: float
    claim: Claim
    use: int
    disagreements: int
    trials: int
    passed: Share
    failed: Share
    undecided: Share
    opened: Share
    unchanged: Share

    def error(self, share: float) -> float:
        """Standard error of one of the shares, as if two trials more had ended either way.

        It is not zero when all trials ended alike (Agresti and Coull, Am. Stat. 52, 119 (1998)).
        """
        trials = self.trials + 4
        kept = (share * self.trials + 2) / trials
        return math.sqrt(kept * (1 - kept) / trials)


class Need(Record):
    """How much it takes that an equally good model passes in four of five cases.

    `rule` is the analytic estimate of docs/explanation/planning.md, or nothing if no number of
    rows would do; `found` is what the simulation says, or nothing if that lies beyond what was
    searched.
    """

    rule: float | None
    found: float | None


class Rows(Record):
    """Size of one table: rows, chemical systems, and the effective number of these."""

    rows: int
    groups: int
    effective: float


class Bounded(Record):
    """Rows that ease.ml/ci asks for, whatever the distribution of independent rows is."""

    tolerance: float
    reliability: float
    steps: int
    adaptivity: Adaptivity
    changed: float | None
    rows: int


class Plan(Record):
    """All that a plan says; `margin`, `error` and differences are in the metric's unit."""

    model: Text
    metric: MetricKey
    unit: Text
    margin: float
    error: float
    error_source: Text
    change: float
    icc: Share
    on_pool: float
    requirements: list[Text]
    train: Rows
    sealed: Rows
    pool: Rows
    pool_needed: int
    minimum_groups: int
    uses: int
    maximum_disagreements: int
    use: int
    disagreements: int
    level: float
    charge: float
    points: list[Point]
    by_change: list[Point]
    life: list[Point]
    sealed_rows_needed: Need
    margin_needed: Need
    bounded: list[Bounded]
    seed: int
