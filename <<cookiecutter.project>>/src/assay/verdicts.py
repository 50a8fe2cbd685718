"""What is said of a case once it is decided: the verdict's record and the certificate."""

from assay.cases import Case
from assay.certificate import Certificate, Predicate
from assay.gate import Budget, Decision
from assay.records import VerdictRecord


def verdict_of(case: Case, decision: Decision, spent: Budget, *, certified: bool) -> VerdictRecord:
    """The record that is shown; from the sealed labels it holds the outcome and nothing else.

    Args:
        case: what was decided on.
        decision: the outcome.
        spent: uses and non-confirmations of the sealed set, this decision included.
        certified: whether a certificate was issued.
    """
    comparison, policy, entry = case.comparison, case.settings.gate, case.question
    return VerdictRecord(
        outcome=decision.outcome,
        stage=decision.stage,
        claim=comparison.claim,
        margin=policy.margin,
        metric=comparison.metric.name,
        unit=case.settings.target.unit,
        sealed=case.layout.sealed_labels.exists(),
        sealed_digest=entry.sealed_digest,
        sealed_rows=len(case.data.sealed),
        sealed_groups=len(set(comparison.groups.sealed)),
        use=spent.uses,
        uses=policy.uses,
        disagreements=spent.disagreements,
        maximum_disagreements=policy.disagreements,
        level=decision.level,
        candidate_error=comparison.candidate_error,
        reference_error=comparison.reference_error,
        reference=entry.reference,
        change_on_pool=float(comparison.change_on_pool.mean()),
        explanation=decision.explanation,
        bundle_digest=entry.bundle_digest,
        predictions_digest=entry.predictions_digest,
        correlation_id=case.card.correlation_id,
        certified=certified,
    )


def certificate_of(case: Case, decision: Decision) -> Certificate:
    """The statement to sign for a candidate that passed."""
    card, settings, entry = case.card, case.settings, case.question
    predicate = Predicate(
        verdict="PASS",
        claim=entry.claim,
        stage=decision.stage,
        metric=case.comparison.metric.name,
        margin=settings.gate.margin,
        unit=settings.target.unit,
        level=decision.level,
        sealed=case.layout.sealed_labels.exists(),
        policy_digest=entry.policy_digest,
        predictions_digest=entry.predictions_digest,
        train_digest=card.train_digest,
        sealed_digest=entry.sealed_digest,
        lock_digest=card.lock_digest,
        reference=entry.reference,
        commit=entry.commit,
        run=entry.run,
        time=entry.time,
        correlation_id=card.correlation_id,
    )
    return Certificate(
        model=settings.project.name, bundle_digest=card.bundle_digest, predicate=predicate
    )
