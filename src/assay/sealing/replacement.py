"""`assay seal renew`: a sealed set ends and another takes its place, in one command."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay.intake.choices import Choices
from assay.intake.division import evidence
from assay.intake.intake import Intake
from assay.layout import Layout
from assay.ledger.record import read_ledger
from assay.repository import Repository
from assay.sealing import renewal, retirement
from assay.sealing.encryption import SEALING
from assay.sealing.labels import open_sealed, opened_labels, sealed_digest
from assay.sealing.releases import check_release, folder_of, is_released
from assay.sealing.renewal import Prepared, Renewed
from assay.sealing.retirement import Retired
from assay.sealing.rotation import require_sealed
from assay.tables import parse_table


@dataclass(frozen=True)
class Replacement:
    """What `seal renew` would do, with what it costs in words; nothing is written yet."""

    made: Prepared
    cost: str


def read_successor(repository: Repository, source: str, choices: Choices) -> Intake:
    """Take in the rows that are to be sealed; raises as `renewal.read_unseen` does.

    Raises:
        RefusedError: the labels are not sealed, so that there is no set to renew.
    """
    require_sealed(repository.layout)
    return renewal.read_unseen(repository, source, choices)


def replacement(
    repository: Repository, found: Intake, remote: str | None, *, agreed: bool
) -> Replacement:
    """Try all that can fail for the data's sake, and say what the renewal costs.

    Raises:
        NotCarriedOutError: the labels cannot be opened, or the ledger cannot be read.
        UsageError, RefusedError, CheckFailedError: as `renewal.prepared`.
    """
    made = renewal.prepared(repository, found, _present(repository), agreed=agreed)
    return Replacement(made, _cost(repository, made, remote))


def _present(repository: Repository) -> pd.DataFrame:
    """The table of the present set: that which is public, or that which the key opens."""
    layout = repository.layout
    digest = sealed_digest(layout)
    if is_released(layout, digest):
        return check_release(layout, folder_of(layout, digest))[1]
    opened, _ = open_sealed(layout)
    opened_labels(layout, opened, repository.settings.target.column)
    return parse_table(opened.labels, ["row_id", "formula"], layout.sealed_labels)


def _cost(repository: Repository, made: Prepared, remote: str | None) -> str:
    layout, settings = repository.layout, repository.settings
    gate = settings.gate
    digest = sealed_digest(layout)
    budget = read_ledger(repository.root, remote).budget(digest)
    folder = folder_of(layout, digest).relative_to(layout.root)
    public = is_released(layout, digest)
    parts, rows = made.parts, len(made.parts.held_out)
    groups = evidence(parts.held_out, settings).effective
    lines = [
        f"What it costs to renew the sealed set {digest[:12]}:",
        f"  labels     {'are public already' if public else 'become public for good'}, with all",
        f"             scores, in {folder}; {made.joined:,} rows join the train set,",
        f"             which then has {len(parts.train):,}",
        f"  uses       {gate.uses - budget.uses:,} of {gate.uses:,} that are left are given up",
        "  reference  none on the new set: main's next run must show an improvement on the",
        "             baseline",
        "  models     their certificates stay true of the past, but nothing predicts until main",
        f"             has certified a model on the new set: the margin goes from {gate.margin:g}",
        f"             to {made.model.margin:g}, and is part of the policy",
        "  key        a new sealing key, which must replace the secret",
        f"             {SEALING.variable} on GitHub; the signing key and",
        "             certificate.pub stay",
        f"What you get: {rows:,} sealed rows, {groups:.0f} effective groups, {gate.uses:,} uses.",
    ]
    return "\n".join(lines)


def carry_out(
    repository: Repository, planned: Replacement, remote: str | None
) -> tuple[Retired | None, Renewed]:
    """Retire the present set, if it is not retired, and seal the new one in its place.

    Should this be cut short, the same command brings it to its end: until the last file is written
    the set counts as retired.

    Raises as `retirement.retire` does, in which case nothing was published.
    """
    layout = repository.layout
    retired = None
    if not is_released(layout, sealed_digest(layout)):
        retired = retirement.retire(repository, remote, early=True)
    return retired, renewal.carry_out(layout, planned.made)


def next_steps(layout: Layout, source: str, retired: Retired | None, made: Renewed) -> str:
    """What to do on GitHub and in git after `seal renew`."""
    doubts = retirement.doubts(retired) if retired else []
    folder = f"{Path('data') / layout.retired.name}/ has the old labels: commit it with the rest."
    return "\n".join([renewal.next_steps(layout, source, made), "", folder, *doubts])
