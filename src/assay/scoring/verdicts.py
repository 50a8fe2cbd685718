"""What is said of a case once it is decided: the verdict's record and the certificate."""

import math

from assay.gate.comparisons import Part
from assay.gate.decision import Budget, Decision, binding
from assay.ledger.certificate import Certificate, Predicate
from assay.ledger.entries import State
from assay.records import PublicFigure, VerdictRecord
from assay.scoring.cases import Case


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
        sealed=case.layout.sealed_labels.exists(),
        sealed_digest=entry.sealed_digest,
        sealed_rows=len(case.data.sealed),
        sealed_groups=primary.groups.sealed.count,
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
    )


def figures_of(case: Case) -> list[PublicFigure]:
    """What each requirement looks like on the public rows."""
    binds = {part.requirement.name for part in binding(case.comparison, case.settings.gate)}
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
        sealed=case.layout.sealed_labels.exists(),
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
    )
    return Certificate(
        model=settings.project.name, bundle_digest=card.bundle_digest, predicate=predicate
    )
