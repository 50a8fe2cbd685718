"""The scores of a retired set: all that was ever asked of its labels, computed again."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from assay.ledger.record import Ledger
from assay.ledger.replay import Files, Labels, Use, findings_of, uses_of

COLUMNS = (
    *("use", "time", "bundle", "reference", "claim", "metric", "slice", "rows"),
    *("candidate_loss", "reference_loss", "difference", "standard_error", "bound", "bar"),
    *("level", "bit", "recorded"),
)


@dataclass(frozen=True)
class History:
    """The scores of a retired set as CSV, and what cannot be told from it alone.

    `differing` are the uses whose recorded bit is another than these labels give; `foreign` those
    that were spent on other labels of the same compositions, and cannot be scored with these.
    """

    text: str
    uses: int
    differing: tuple[int, ...]
    foreign: tuple[int, ...]


def score_history(ledger: Ledger, digest: str, committed: str | None, labels: Labels) -> History:
    """Every requirement of every proven use, computed again from what the ledger recorded.

    Losses, differences, errors, bounds and bars are in the unit of the metric's loss. `bit` is
    whether the requirement held, `recorded` the bit of the whole use in the ledger (empty if its
    decision was never written).

    Raises:
        NotCarriedOutError: a table beside the ledger is missing or altered.
    """
    stream, differing, foreign = io.StringIO(), [], []
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    uses, files = uses_of(ledger, digest), ledger.files()
    for use in uses:
        if use.intent.commitment not in {None, committed}:
            foreign.append(use.intent.use)
            continue
        rows = list(_rows(use, files, labels))
        writer.writerows(rows)
        bit = all(row[-2] for row in rows)
        if use.decision is not None and use.decision.bit != bit:
            differing.append(use.intent.use)
    return History(stream.getvalue(), len(uses), tuple(differing), tuple(foreign))


def _rows(use: Use, files: Files, labels: Labels) -> Iterator[list[object]]:
    intent = use.intent
    recorded = "" if use.decision is None else int(bool(use.decision.bit))
    asked = [intent.use, intent.time, intent.bundle_digest, intent.reference, intent.claim]
    for found in findings_of(intent, files, labels):
        requirement, estimate = found.requirement, found.estimate
        yield [
            *asked,
            requirement.metric,
            requirement.slice or "",
            found.rows,
            found.candidate_loss,
            found.reference_loss,
            estimate.mean,
            estimate.error,
            found.bound,
            requirement.bar,
            found.level,
            int(found.bit),
            recorded,
        ]
