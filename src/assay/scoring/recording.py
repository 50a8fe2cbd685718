"""What `score` writes: the use before the labels are opened, the verdict and certificate after.

GitHub's attestation says the same of the same digest as the certificate does, signed by the
workflow's own identity instead of by the repository's key.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.compositions import identity
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_bytes, manifest_of, write_bytes
from assay.gate.comparisons import Part
from assay.gate.decision import Budget, Decision, SealedTest, binding
from assay.gate.statistics import level
from assay.groups import group_names
from assay.layout import Handover
from assay.ledger import entries
from assay.ledger.certificate import Certificate, Predicate, verify
from assay.ledger.entries import Intent, State
from assay.ledger.record import (
    ATTEMPTS,
    Ledger,
    LedgerMovedError,
    read_ledger,
    reference_file,
    reference_train_file,
)
from assay.ledger.replay import certificate_file
from assay.ledger.uses import CountedRows, SealedRows, asked, rows_file
from assay.records import PublicFigure, VerdictRecord
from assay.runner import set_output
from assay.scoring.cases import Case
from assay.settings import FILE_NAME, Settings


def verdict_of(case: Case, decision: Decision, spent: Budget, *, certified: bool) -> VerdictRecord:
    """The record that is shown; from the sealed labels it holds the outcome and nothing else.

    Args:
        case: what was decided on.
        decision: the outcome.
        spent: uses and non-confirmations of the sealed set, this decision included.
        certified: whether a certificate was issued.
    """
    policy, entry, primary = case.settings.gate, case.question, case.comparison.primary
    figures = figures_of(case)
    return VerdictRecord(
        outcome=decision.outcome,
        stage=decision.stage,
        claim=primary.claim,
        margin=policy.margin,
        metric=primary.metric.name,
        unit=figures[0].unit,
        sealed=case.repository.layout.sealed_labels.exists(),
        sealed_digest=entry.sealed_digest,
        sealed_rows=0 if case.settings.public else len(primary.candidate.sealed),
        sealed_groups=0 if case.settings.public else primary.groups.sealed.count,
        public_rows=len(primary.public_differences),
        public_groups=primary.groups.train.count,
        pool_rows=len(primary.on_pool.values),
        use=spent.uses,
        uses=policy.uses,
        disagreements=spent.disagreements,
        maximum_disagreements=policy.disagreements,
        level=decision.level,
        candidate_error=primary.metric.shown(primary.candidate_loss),
        reference_error=primary.metric.shown(primary.reference_loss),
        figures=figures,
        reference=entry.reference,
        change_on_pool=float(primary.on_pool.values.mean()),
        explanation=decision.explanation,
        reason=decision.reason,
        further_rows=decision.remedy.rows,
        further_groups=decision.remedy.groups,
        margin_needed=decision.remedy.margin,
        bundle_digest=entry.bundle_digest,
        predictions_digest=entry.predictions_digest,
        correlation_id=case.card.correlation_id,
        certified=certified,
        why_not_certified=_why_not(case),
        waits_for="a maintainer" if decision.explanation == case.shut else None,
        grouping=case.grouping,
        evidence=entry.evidence,
        preview=case.settings.public and not case.run.certifies,
    )


def _why_not(case: Case) -> str | None:
    """Why this run certifies nothing, whatever the outcome: the outcome has a field of its own."""
    if case.run.why_not or case.repository.layout.public_key.exists():
        return case.run.why_not
    return "there is no signing key here (`assay init` makes one)"


def figures_of(case: Case) -> list[PublicFigure]:
    """What each requirement looks like on the public rows."""
    binds = {part.requirement.name for part in binding(case.comparison, case.policy)}
    return [
        PublicFigure(
            name=part.requirement.name,
            unit="1" if part.metric.bounded else case.settings.target.unit,
            margin=part.requirement.margin,
            candidate=_shown(part, part.candidate_loss),
            reference=_shown(part, part.reference_loss),
            groups=round(part.effective_groups, 1),
            required=part.requirement.name in binds,
            advisory=part.requirement.advisory,
        )
        for part in case.comparison.parts
    ]


def _shown(part: Part, loss: float) -> float | None:
    return part.metric.shown(loss) if math.isfinite(loss) else None


def certificate_of(case: Case, decision: Decision, state: State) -> Certificate:
    """The statement to sign for a candidate that passed on this state of the ledger."""
    card, settings, entry = case.card, case.settings, case.question
    predicate = Predicate(
        verdict="PASS",
        claim=entry.claim,
        stage=decision.stage,
        metric=case.comparison.primary.metric.name,
        margin=settings.gate.margin,
        unit=settings.target.unit,
        level=decision.level,
        sealed=case.repository.layout.sealed_labels.exists(),
        policy_digest=entry.policy_digest,
        predictions_digest=entry.predictions_digest,
        train_digest=card.train_digest,
        sealed_digest=entry.sealed_digest,
        lock_digest=card.lock_digest,
        machinery=card.machinery,
        machinery_version=card.machinery_version,
        fold_rule=card.fold_rule,
        ledger_lines=state.lines,
        ledger_digest=state.digest,
        reference=entry.reference,
        commit=entry.commit,
        run=entry.run,
        time=entry.time,
        correlation_id=card.correlation_id,
        grouping=case.grouping,
        evidence=entry.evidence,
    )
    return Certificate(
        model=settings.project.name, bundle_digest=card.bundle_digest, predicate=predicate
    )


@dataclass(frozen=True)
class RecordedDecision:
    """What the gate said, the ledger it was said on, and the use that was spent on it, if any."""

    decision: Decision
    ledger: Ledger
    intent: Intent | None = None

    @property
    def bit(self) -> bool | None:
        """Whether the sealed labels confirmed; None if none was opened for this answer."""
        return None if self.intent is None else self.decision.outcome == "PASS"

    def spent(self, sealed_digest: str) -> Budget:
        """Uses and non-confirmations of the sealed set, this answer included."""
        budget = self.ledger.budget(sealed_digest)  # counts a use without its decision as both
        return Budget(budget.uses, budget.disagreements - int(self.bit is True))


def require_frozen(settings: Settings, intents: Sequence[Intent]) -> None:
    """Insist that what the guarantee rests on is what it was at every earlier use of the set.

    The levels of a set's uses sum to at most alpha only if alpha, K and J stay what they are.

    Raises:
        UsageError: a key of `assay.toml` was changed since.
    """
    gate = settings.gate
    for intent in intents:
        first = intent.requirements[0]
        for key, before, present in (
            ("alpha", intent.alpha, gate.alpha),
            ("uses", intent.uses, gate.uses),
            ("disagreements", intent.maximum_disagreements, gate.disagreements),
            ("tail", intent.tail, gate.tail),
            ("metric", first.metric, settings.primary_metric),
            ("margin", first.margin, gate.margin),
            ("rows_per_group", intent.rows_per_group, gate.rows_per_group),
        ):
            if before != present:
                raise _thawed(f"gate.{key} is {present}, but it was {before}", intent)
        if intent.group != settings.split.group:
            told = f"split.group is {settings.split.group!r}, but it was {intent.group!r}"
            raise _thawed(told, intent)
        if intent.level != level(gate.alpha, gate.uses, intent.use, intent.disagreements):
            raise _thawed("gate.alpha and gate.uses do not give the level recorded", intent)


def _thawed(what: str, intent: Intent) -> UsageError:
    return UsageError(
        f"{FILE_NAME}: {what} at use {intent.use} of this sealed set, and must stay so for the "
        "guarantee of the set: set it back, or seal a fresh set with `assay seal fresh`.",
        code="settings.frozen",
    )


def record_use(case: Case, test: SealedTest) -> tuple[Ledger, Intent]:
    """Write down a use of the sealed labels, with all that is asked of them.

    Raises:
        LedgerMovedError: somebody else wrote first, so that the use has another level now.
    """
    rows, gate = _rows(case, test).to_bytes(), case.settings.gate
    intent = Intent(
        **dict(case.question),
        use=case.budget.uses + 1,
        uses=gate.uses,
        disagreements=case.budget.disagreements,
        maximum_disagreements=gate.disagreements,
        alpha=gate.alpha,
        tail=gate.tail,
        level=test.level,
        group=case.settings.split.group,
        rows_per_group=gate.rows_per_group,
        rows_digest=digest_bytes(rows),
        requirements=asked(test),
    )
    name = rows_file(intent.sealed_digest, intent.use)
    return case.ledger.append(intent, {name: rows}), intent


def _rows(case: Case, test: SealedTest) -> SealedRows:
    slices = [sealed.part.requirement.slice for sealed in test.parts]
    rows, chosen = case.data.sealed, case.data.counted[1]
    candidate, reference = (
        np.array([values[row_id] for row_id in rows["row_id"]])
        for values in (case.predictions, case.reference_predictions)
    )
    return SealedRows(
        row_ids=list(rows["row_id"]),
        systems=group_names(rows, case.data.group),
        candidate=candidate,
        reference=reference,
        slices={one.name: _among(one.sealed, chosen) for one in slices if one is not None},
        evidence=_evidence(case),
    )


def _among(rows: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """A mask of the chosen rows as one of all rows."""
    found = np.zeros(len(chosen), dtype=bool)
    found[chosen] = rows
    return found


def _evidence(case: Case) -> CountedRows | None:
    if case.data.rows_per_group is None:
        return None
    compositions = [identity(formula) for formula in case.data.sealed["formula"]]
    return CountedRows(compositions, case.data.counted[1])


def decision_of(case: Case, answer: RecordedDecision, *, certified: bool) -> entries.DecisionEntry:
    """The ledger's entry for an answer."""
    intent, decision = answer.intent, answer.decision
    return entries.DecisionEntry(
        **dict(case.question),
        stage=decision.stage,
        outcome=decision.outcome,
        level=decision.level,
        use=intent.use if intent else None,
        disagreements=intent.disagreements if intent else None,
        bit=answer.bit,
        certified=certified,
        of_main=case.run.certifies,
    )


def record_decision(ledger: Ledger, entry: entries.DecisionEntry, handover: Handover) -> None:
    """Write down a decision, with the certificate and what a later candidate is compared with.

    Raises:
        LedgerMovedError: somebody else wrote first, and the question must be asked again.
        NotCarriedOutError: the ledger cannot be written.
    """
    files = {}
    if entry.certified:
        files[certificate_file(entry.bundle_digest)] = handover.certificate.read_bytes()
        if entry.claim == "improvement":
            files[reference_file(entry.bundle_digest)] = handover.predictions.read_bytes()
            files[reference_train_file(entry.bundle_digest)] = handover.train.read_bytes()
    for _ in range(ATTEMPTS):
        try:
            ledger.append(entry, files)
        except LedgerMovedError:
            ledger = read_ledger(ledger.root, ledger.remote)
            if _is_open(ledger, entry):
                continue  # the use is spent, so it is told whatever else moved the ledger
            raise
        else:
            return
    raise NotCarriedOutError(
        "others wrote to the ledger at the same time: run `assay score` again.",
        code="ledger.moving",
    )


def _is_open(ledger: Ledger, entry: entries.DecisionEntry) -> bool:
    """Whether a sealed use still waits for this decision, and the model may still pass."""
    return (
        entry.bit is not None
        and ledger.unanswered(entry) is not None
        and ledger.retirement(entry.sealed_digest) is None
        and ledger.revocation(entry.bundle_digest, entry.predictions_digest) is None
    )


def offer(handover: Handover, public_key: Path) -> None:
    """Write subject and predicate of an attestation, and tell the workflow that they are there.

    The subject is the bundle's manifest: its SHA-256 is the bundle's digest.

    Raises:
        RefusedError: there is no valid certificate.
        NotCarriedOutError: the bundle is not the one that was certified.
    """
    certificate = verify(handover.certificate, public_key)
    manifest = manifest_of(handover.bundle)
    if digest_bytes(manifest) != certificate.bundle_digest:
        raise NotCarriedOutError(
            f"{handover.bundle} changed after it was certified: run `assay check`, then `assay "
            "score`, again.",
            code="handover.bundle-changed",
        )
    write_bytes(handover.manifest, manifest)
    certificate.predicate.write(handover.predicate)
    set_output("certified", "true")
