"""`assay seal retire`: a set's labels become public, with every score computed again."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from assay import provenance
from assay.errors import NotCarriedOutError, RefusedError
from assay.gate.decision import Budget
from assay.gate.policy import Gate
from assay.layout import Layout
from assay.ledger.entries import Retirement
from assay.ledger.record import ATTEMPTS, Ledger, LedgerMovedError, read_ledger
from assay.ledger.replay import Files, Labels, Use, findings_of, uses_of
from assay.repository import Repository
from assay.sealing.encryption import Opened
from assay.sealing.labels import (
    commitment,
    label_column,
    open_sealed,
    opened_labels,
    sealed_digest,
)
from assay.sealing.releases import folder_of, is_released, write_release
from assay.sealing.rotation import require_sealed
from assay.tables import read_table

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


@dataclass(frozen=True)
class Retired:
    """What `seal retire` made; `refusal` says why the ledger took no entry, if it did not."""

    folder: Path
    history: History
    refusal: str | None


def retire(repository: Repository, remote: str | None, *, early: bool) -> Retired:
    """Publish the labels of the sealed set, after which nothing passes on it.

    The entry in the ledger comes first, so that no model can pass on labels that are public. Only
    for a set that is used up it may be missing: on such a set nothing passes anyway.

    Args:
        repository: whose set it is.
        remote: the git remote that holds the ledger, or None for the local branch.
        early: retire a set whose budget is not spent.

    Raises:
        RefusedError: the labels lie open, are public already, or the budget is not spent.
        NotCarriedOutError: there is no sealing key, or the ledger cannot be read or, for an early
            retirement, written.
    """
    layout, settings = repository.layout, repository.settings
    digest = _require_retirable(layout)
    opened, _ = open_sealed(layout)
    labels = _labels(layout, opened, settings.target.column)
    ledger = read_ledger(repository.root, remote)
    spent = _is_spent(ledger.budget(digest), settings.gate)
    if not spent and not early:
        raise _not_spent(ledger.budget(digest), settings.gate, remote)
    history = score_history(ledger, digest, commitment(layout), labels)
    refusal = _record(ledger, layout, digest, needed=not spent)
    folder = write_release(layout, digest, opened, history.text)
    return Retired(folder, history, refusal)


def _require_retirable(layout: Layout) -> str:
    require_sealed(layout)
    digest = sealed_digest(layout)
    if is_released(layout, digest):
        raise RefusedError(
            f"{folder_of(layout, digest)} exists: the set is retired already; seal a fresh one "
            "with `assay seal fresh`.",
            code="labels.already-retired",
        )
    return digest


def _labels(layout: Layout, opened: Opened, target: str) -> Labels:
    """The labels by row id, of a table that may be published as it is."""
    table, values = opened_labels(layout, opened, target)
    rows = read_table(layout.sealed_inputs, ["row_id", "formula"])[["row_id", "formula"]]
    label = label_column(table, target, layout)
    if list(table.columns) != ["row_id", "formula", label] or not rows.equals(
        pd.DataFrame(table[["row_id", "formula"]])
    ):
        raise NotCarriedOutError(
            f"{layout.sealed_labels.name} does not hold row_id, formula and {target} of every "
            f"sealed input, and nothing else: set target.column to the column that was sealed.",
            code="sealed.wrong-columns",
        )
    return dict(zip(table["row_id"], values.tolist(), strict=True))


def _is_spent(budget: Budget, gate: Gate) -> bool:
    return budget.uses >= gate.uses or budget.disagreements >= gate.disagreements


def _not_spent(budget: Budget, gate: Gate, remote: str | None) -> RefusedError:
    where = f"at {remote}" if remote else "here (on GitHub: --remote origin)"
    return RefusedError(
        f"the ledger {where} shows that the sealed set is not used up ({budget.uses} of "
        f"{gate.uses} uses, {budget.disagreements} of {gate.disagreements} failed confirmations): "
        "to retire it anyway, give --early.",
        code="labels.uses-left",
    )


def _record(ledger: Ledger, layout: Layout, digest: str, *, needed: bool) -> str | None:
    """Write the retirement down; gives the reason if that fails where it is not `needed`."""
    entry = Retirement(
        sealed_digest=digest,
        commitment=commitment(layout),
        commit=provenance.commit_of(layout.root),
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        run=provenance.run_url() or "local",
    )
    try:
        _append(ledger, entry)
    except NotCarriedOutError as error:
        if not needed:
            return str(error)
        raise NotCarriedOutError(
            f"nothing is published, since the ledger took no entry ({str(error).rstrip('.')}): "
            "retire the set where the signing key is, and where the branch assay-ledger can be "
            "written.",
            code="ledger.not-written",
        ) from None
    return None


def _append(ledger: Ledger, entry: Retirement) -> None:
    for _ in range(ATTEMPTS):
        if ledger.retirement(entry.sealed_digest) is not None:
            return
        try:
            ledger.append(entry)
        except LedgerMovedError:
            ledger = read_ledger(ledger.root, ledger.remote)
        else:
            return
    raise NotCarriedOutError(
        "others wrote to the ledger at the same time: run `assay seal retire` again.",
        code="ledger.moving",
    )


def next_steps(root: Path, made: Retired) -> str:
    """What was published, and what comes next."""
    folder, history = made.folder.relative_to(root), made.history
    scored = history.uses - len(history.foreign)
    count = f"{scored} sealed use" + ("s" if scored != 1 else "")
    lines = [
        f"The sealed set {made.folder.name} is retired. {folder} holds its labels,",
        f"their commitment with the salt, and the scores of {count}.",
        "",
        f"  1. Commit {folder} and merge it into main: from then on `assay score` answers",
        "     INCONCLUSIVE (retired). The other checks of pull requests go on.",
        f"  2. Anybody can check the labels with `assay verify {folder}`.",
        "  3. Run `assay seal fresh FILE.csv`: it seals a new set and adds these to the train set.",
    ]
    return "\n".join([*lines, *doubts(made)])


def doubts(made: Retired) -> list[str]:
    """What somebody should look into: lines of text, none where all is as it should be."""
    history, lines = made.history, []
    if made.refusal:
        lines += ["", f"The ledger took no entry: {made.refusal}", "The set was used up anyway."]
    if history.differing:
        told = ", ".join(map(str, history.differing))
        lines += ["", f"These labels contradict the recorded answer of use {told}: find out why."]
    if history.foreign:
        told = ", ".join(map(str, history.foreign))
        lines += ["", f"Use {told} was spent on other labels of these compositions: not scored."]
    return lines
