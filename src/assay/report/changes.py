"""What a candidate changes: rows, labels, predictions, and what the model is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assay.compositions import identity
from assay.records import CandidateCard, VerdictRecord
from assay.report.public_rows import Predicted
from assay.tables import is_rounded

Key = tuple[str, str]
LOCK = "Environment lock"


@dataclass(frozen=True)
class TrainRow:
    """A row of `train.csv` with its label as it is written there, on main and in the candidate's.

    None: the row is not in that table. All is text of whoever wrote it.
    """

    row_id: str
    formula: str
    before: str | None
    after: str | None

    @property
    def change(self) -> float:
        """How much larger the label is than on main; nan where one of them is no number."""
        return _number(self.after) - _number(self.before)


@dataclass(frozen=True)
class DataChanges:
    """How the candidate's train set differs from main's; a row is its id and its composition.

    Labels that were `rounded`, or got more digits, are none of those that were `relabelled`.
    """

    added: Sequence[TrainRow]
    removed: Sequence[TrainRow]
    relabelled: Sequence[TrainRow]
    rounded: Sequence[TrainRow] = ()

    @property
    def rows(self) -> list[TrainRow]:
        """All of them: relabelled rows first, since these ask for a reason."""
        return [*self.relabelled, *self.removed, *self.added, *self.rounded]


def data_changes(
    before: pd.DataFrame, after: pd.DataFrame, target: str, harmless: float = 0.0
) -> DataChanges:
    """Compare two train sets, read as text, by `row_id` and composition, however it is spelt.

    The labels that changed most come first; other rows keep the order of their table. Labels that
    were rounded, or got digits, by no more than `harmless` stand apart.
    """
    main, own = _labels(before, target), _labels(after, target)
    moved = [
        TrainRow(key[0], own[key][0], label, own[key][1])
        for key, (_, label) in main.items()
        if key in own and not _same(label, own[key][1])
    ]
    rounded = [row for row in moved if _is_harmless(row, harmless)]
    relabelled = [row for row in moved if not _is_harmless(row, harmless)]
    return DataChanges(
        [TrainRow(key[0], *row[:1], None, row[1]) for key, row in own.items() if key not in main],
        [TrainRow(key[0], *row, None) for key, row in main.items() if key not in own],
        sorted(relabelled, key=_distance, reverse=True),
        rounded,
    )


def _is_harmless(row: TrainRow, harmless: float) -> bool:
    before, after = str(row.before), str(row.after)
    other_digits = is_rounded(_number(before), after) or is_rounded(_number(after), before)
    return abs(row.change) <= harmless and other_digits


def _labels(table: pd.DataFrame, target: str) -> dict[Key, tuple[str, str]]:
    """Formula and label, as they are written, by id and identity of the composition."""
    rows = zip(table["row_id"], table["formula"], table[target], strict=True)
    return {(row_id, identity(formula)): (formula, label) for row_id, formula, label in rows}


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return np.nan


def _same(one: str, other: str) -> bool:
    return one == other or _number(one) == _number(other)


def _distance(row: TrainRow) -> float:
    distance = abs(row.change)
    return distance if np.isfinite(distance) else np.inf


def largest_changes(rows: Predicted, count: int) -> Predicted:
    """The `count` rows on which candidate and reference are furthest apart, the furthest first."""
    compared = rows.compared
    apart = np.abs(compared.candidate - compared.reference)
    return compared.take(np.argsort(-apart, kind="stable")[:count])


def largest_residuals(rows: Predicted, count: int) -> Predicted:
    """The `count` rows whose out-of-fold prediction is furthest from the label."""
    apart = np.abs(rows.candidate - rows.target)
    return rows.take(np.argsort(-apart, kind="stable")[:count])


@dataclass(frozen=True)
class Fact:
    """A public fact of the model; `value` and `other` are text not to be trusted."""

    name: str
    value: str
    compared: str
    other: str = ""


@dataclass(frozen=True)
class Machinery:
    """An assay: the digest of its code, and its version."""

    digest: str
    version: str


def reference_name(verdict: VerdictRecord) -> str:
    """The reference as people read it: a baseline by name, a model by 12 digits."""
    return verdict.reference if " " in verdict.reference else verdict.reference[:12]


def model_changes(
    card: CandidateCard,
    verdict: VerdictRecord | None,
    lock: str | None,
    train: str | None,
    machinery: Machinery | None = None,
) -> list[Fact]:
    """Estimator, train set, bundle and environment, each with how it compares.

    Args:
        card: what the training says of its model.
        verdict: names the model compared with.
        lock: digest of main's `requirements.lock`, if it is at hand.
        train: digest of main's train set, if it is at hand.
        machinery: the assay that writes the report.
    """
    data = f"{card.rows:,} rows in {card.groups:,} systems"
    told = f"{card.features:,} features, {data}" if card.features is not None else data
    facts = [
        Fact("Estimator", card.estimator, told),
        Fact("Train set", card.train_digest[:12], *_against(card.train_digest, train)),
        Fact(LOCK, card.lock_digest[:12], *_against(card.lock_digest, lock)),
        *_machinery(card, machinery),
    ]
    if verdict is None:
        return [*facts, Fact("Bundle", card.bundle_digest[:12], "not compared")]
    same = verdict.reference == card.bundle_digest
    said = "the reference itself" if same else "compared with"
    other = "" if same else reference_name(verdict)
    return [*facts, Fact("Bundle", card.bundle_digest[:12], said, other)]


def _machinery(card: CandidateCard, own: Machinery | None) -> list[Fact]:
    """Which assay trained, where it is not the one that reports."""
    if card.machinery is None or own is None or card.machinery == own.digest:
        return []
    value = card.machinery_version or card.machinery[:12]
    if value == own.version:  # files in place have no version of their own
        value = f"{value}, {card.machinery[:12]}"
    return [Fact("Assay", value, "changed; this report is by", own.version)]


def _against(own: str, mains: str | None) -> tuple[str, str]:
    if mains is None:
        return "main's is not at hand", ""
    return ("as on main", "") if own == mains else ("changed; on main", mains[:12])
