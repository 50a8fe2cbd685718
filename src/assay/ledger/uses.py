"""What one use of the sealed labels asked, kept so that anybody can ask it again.

Everything in it is public: the sealed inputs are in the repository, the predictions were handed
over, and the constants of the bound follow from rows without sealed labels.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import NotCarriedOutError
from assay.gate.decision import SealedPart, SealedTest
from assay.gate.guards import Changes, Guard
from assay.gate.metrics import METRICS
from assay.gate.statistics import Estimate, Grouping
from assay.groups import counted_compositions
from assay.ledger.entries import Asked, Intent

COLUMNS = ["row_id", "system", "candidate", "reference"]
# where not all rows of a group count as evidence
COUNTS = ["composition", "counted"]
SLICE = "slice:"
SHORT = 12


def rows_file(sealed_digest: str, use: int) -> str:
    """Where the ledger's branch keeps the sealed rows of a use."""
    return f"uses/{sealed_digest[:SHORT]}-{use}.csv"


@dataclass(frozen=True)
class CountedRows:
    """The `identity` of each row's composition, and which rows count as evidence (n,)."""

    compositions: Sequence[str]
    chosen: np.ndarray

    def follow(self, groups: Sequence[str], most: int) -> bool:
        """Whether the rows that count are those that follow from compositions and groups."""
        return bool((counted_compositions(self.compositions, groups, most) == self.chosen).all())


@dataclass(frozen=True)
class SealedRows:
    """The sealed rows of a use: n ids, both predictions, and slices as masks.

    `systems` are the rows' groups: chemical systems unless `split.group` says otherwise.
    `evidence` says which rows count; None: all do.
    """

    row_ids: Sequence[str]
    systems: Sequence[str]
    candidate: np.ndarray
    reference: np.ndarray
    slices: Mapping[str, np.ndarray]
    evidence: CountedRows | None = None

    @property
    def counted(self) -> np.ndarray:
        """Which rows count as evidence: bool (n,)."""
        every = np.ones(len(self.row_ids), dtype=bool)
        return every if self.evidence is None else self.evidence.chosen

    def to_bytes(self) -> bytes:
        """The rows as CSV, numbers with all their digits, one column of 0 and 1 a slice."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        counts, further = ([], []) if self.evidence is None else (COUNTS, [*self._counts()])
        writer.writerow([*COLUMNS, *counts, *(SLICE + name for name in self.slices)])
        masks = [mask.astype(int).tolist() for mask in self.slices.values()]
        numbers = (values.astype(float).tolist() for values in (self.candidate, self.reference))
        columns = (self.row_ids, self.systems, *numbers, *further, *masks)
        writer.writerows(zip(*columns, strict=True))
        return stream.getvalue().encode()

    def _counts(self) -> Iterator[Sequence[object]]:
        if self.evidence is not None:
            yield self.evidence.compositions
            yield self.evidence.chosen.astype(int).tolist()

    @classmethod
    def parse(cls, content: bytes, name: str) -> "SealedRows":
        """The rows that `to_bytes` wrote.

        Raises:
            NotCarriedOutError: the content is no such table.
        """
        try:
            header, *rows = csv.reader(io.StringIO(content.decode()), strict=True)
            columns = dict(zip(header, zip(*rows, strict=True), strict=True))
            ids, systems, *numbers = (columns.pop(column) for column in COLUMNS)
            candidate, reference = (np.array(values, dtype=float) for values in numbers)
            counts = [columns.pop(column) for column in COUNTS if column in columns]
            slices = {
                key.removeprefix(SLICE): np.array(values) == "1" for key, values in columns.items()
            }
        except (ValueError, KeyError, csv.Error):
            raise NotCarriedOutError(
                f"{name} on the branch assay-ledger is damaged: undo the commit that changed it, "
                "by `git revert` and an ordinary push.",
                code="ledger.damaged-file",
            ) from None
        evidence = None
        if len(counts) == len(COUNTS):
            evidence = CountedRows(counts[0], np.array(counts[1]) == "1")
        return cls(ids, systems, candidate, reference, slices, evidence)


def asked(test: SealedTest) -> list[Asked]:
    """The requirements of a sealed test as they are recorded."""
    return [_asked(sealed) for sealed in test.parts]


def _asked(sealed: SealedPart) -> Asked:
    requirement, guard = sealed.part.requirement, sealed.guard
    return Asked(
        metric=requirement.metric.key,
        slice=requirement.slice.name if requirement.slice else None,
        margin=requirement.margin,
        bar=sealed.part.bar,
        level=guard.level,
        threshold=_finite(guard.threshold),
        charge=_finite(guard.charge),
        carriers=guard.carriers,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _guard(asked: Asked) -> Guard:
    return Guard(
        asked.level,
        _number(asked.threshold),
        _number(asked.charge),
        asked.carriers,
    )


def _number(value: float | None) -> float:
    return math.inf if value is None else value


@dataclass(frozen=True)
class SealedResult:
    """What one requirement came to on the sealed labels; losses are means over its rows.

    `estimate` is of the difference of losses with the standard error that the bound used; rows that
    the guard counts as 0 do so in it.
    """

    requirement: Asked
    rows: int
    candidate_loss: float
    reference_loss: float
    estimate: Estimate
    bound: float
    level: float

    @property
    def bit(self) -> bool:
        """Whether the requirement held."""
        return self.bound < self.requirement.bar


def findings(intent: Intent, rows: SealedRows, labels: np.ndarray) -> list[SealedResult]:
    """Ask again what was asked, of the sealed labels (n,) in the order of the rows.

    Raises:
        NotCarriedOutError: the rows lack a slice that was asked about.
    """
    return [_finding(requirement, rows, labels, intent) for requirement in intent.requirements]


def _finding(asked: Asked, rows: SealedRows, labels: np.ndarray, intent: Intent) -> SealedResult:
    metric, guard = METRICS[asked.metric], _guard(asked)
    chosen = _chosen(asked, rows, intent)
    target, candidate, reference = (
        values[chosen] for values in (labels, rows.candidate, rows.reference)
    )
    grouping = Grouping.of(rows.systems).take(chosen)
    losses = metric.loss(target, candidate), metric.loss(target, reference)
    differences = losses[0] - losses[1]
    changes = Changes(metric.change(candidate, reference), grouping)
    return SealedResult(
        requirement=asked,
        rows=len(target),
        candidate_loss=float(losses[0].mean()),
        reference_loss=float(losses[1].mean()),
        estimate=guard.estimate(differences, changes),
        bound=guard.bound(differences, changes),
        level=intent.level,
    )


def _chosen(asked: Asked, rows: SealedRows, intent: Intent) -> np.ndarray:
    if asked.slice is None:
        return rows.counted
    if asked.slice not in rows.slices:
        raise NotCarriedOutError(
            f"{rows_file(intent.sealed_digest, intent.use)} has no column for the slice "
            f"{asked.slice!r}: put the ledger's branch back as it was.",
            code="ledger.missing-slice",
        )
    return rows.slices[asked.slice] & rows.counted
