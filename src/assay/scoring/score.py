"""The trusted half: open the labels at most once, decide, record, certify."""

from typing import Any

import numpy as np

from assay import provenance
from assay.datasets import read_dataset
from assay.errors import NotCarriedOutError
from assay.gate.decision import Decision, SealedTest, decide, judge_sealed
from assay.gate.public_evidence import decide_public
from assay.layout import Handover, Layout
from assay.ledger.certificate import issue
from assay.ledger.entries import Intent
from assay.ledger.record import ATTEMPTS, LedgerMovedError, read_ledger, writer
from assay.ledger.replay import findings_of, require_own_continuity
from assay.ledger.uses import rows_file
from assay.machinery import machinery_of
from assay.model.bundle import digest_bundle
from assay.model.metrics import ENVIRONMENT
from assay.predictions import bounds_of, write_predictions
from assay.progress import Doing
from assay.records import CandidateCard, Outcome, VerdictRecord, read_record
from assay.repository import Repository
from assay.scoring.acceptance import require_named, sound_predictions
from assay.scoring.cases import Case, Run, current_run
from assay.scoring.recording import (
    RecordedDecision,
    certificate_of,
    decision_of,
    record_decision,
    record_use,
    require_frozen,
    verdict_of,
)
from assay.sealing.labels import open_labels
from assay.sealing.releases import is_released


def score(
    repository: Repository, handover: Handover, remote: str | None, doing: Doing = str
) -> VerdictRecord:
    """Decide on a candidate; writes verdict, ledger entry and, for main's own run, certificate.

    `doing` is told what is being done, in words that no label has a part in.

    Raises:
        NotCarriedOutError: anything handed over is not as it must be, the ledger cannot be written
            or was altered, or the labels cannot be opened; nothing is then said about the model.
        UsageError: what must stay while a sealed set is in use was changed in `assay.toml`.
    """
    root = repository.root
    machinery_of(root)
    # what an earlier run, or somebody else, put there must not pass for this run's verdict
    for stale in (
        *(handover.verdict, handover.certificate, handover.reference),
        *(handover.manifest, handover.predicate),
    ):
        stale.unlink(missing_ok=True)
    doing("reading what the checks handed over")
    card = read_record(CandidateCard, handover.candidate)
    data = read_dataset(repository)
    predictions = sound_predictions(repository, handover, card, data)
    run = current_run(root, card)
    signer = _signer(repository.layout, handover, card, run)
    doing("comparing with the reference and deciding")
    for _ in range(ATTEMPTS):
        ledger = read_ledger(root, remote)
        require_own_continuity(ledger)
        case = Case(repository, card, data, predictions, ledger, run)
        try:
            return _conclude(case, _answer(case), signer, handover)
        except LedgerMovedError:
            continue
    raise NotCarriedOutError(
        "others wrote to the ledger at the same time: run `assay score` again.",
        code="ledger.moving",
    )


def _signer(layout: Layout, handover: Handover, card: CandidateCard, run: Run) -> Any | None:
    """Whoever signs, if this run may certify; looked for first, so that no use is spent in vain."""
    signer = writer(layout.root)
    if signer is None or not run.certifies:
        return None
    require_named(layout.train, card.train_digest)
    if digest_bundle(handover.bundle) != card.bundle_digest:
        raise NotCarriedOutError(
            "the bundle is not the one that candidate.json names: run `assay check` again.",
            code="handover.other-bundle",
        )
    if provenance.lock_digest(layout.root) != card.lock_digest:
        raise NotCarriedOutError(
            "requirements.lock is not the one that candidate.json names: run `make setup check`.",
            code="handover.other-lock",
        )
    if any(finding.rule == ENVIRONMENT for finding in card.findings):
        raise NotCarriedOutError(
            "candidate.json says that other packages were installed than requirements.lock names: "
            "run `make setup check`.",
            code="handover.other-packages",
        )
    if machinery_of(layout.root) != card.machinery:
        raise NotCarriedOutError(
            "assay is not the one that candidate.json names: run `make setup check`.",
            code="handover.other-machinery",
        )
    return signer


def _answer(case: Case) -> RecordedDecision:
    """The gate's answer: without labels, from the ledger, or by opening them once."""
    question, ledger = case.question, case.ledger
    if (barred := _barred(case)) is not None:
        return RecordedDecision(barred, ledger)
    # before every verdict: a wider margin decides without any label, too
    require_frozen(case.settings, ledger.intents(question.sealed_digest, proven=True))
    if case.is_reference:
        told = "nothing changed: these are the reference's own predictions"
        return RecordedDecision(Decision("PASS", "unchanged", told), ledger)
    if earlier := ledger.sealed_answer(question):
        told = "answered before on these very predictions: " + _SEALED_TEXT[earlier.outcome]
        return RecordedDecision(Decision(earlier.outcome, "sealed", told, earlier.level), ledger)
    if spent := ledger.unanswered(question):
        return _resumed(case, spent)
    asked = _asked(case)
    return RecordedDecision(asked, ledger) if isinstance(asked, Decision) else _opened(case, asked)


def _asked(case: Case) -> Decision | SealedTest:
    """What the stages without labels say, and whether this run may open them."""
    if case.settings.public:
        return decide_public(case.comparison, case.policy, case.settings.split.folds)
    asked = decide(case.comparison, case.policy, case.budget)
    if isinstance(asked, Decision) or case.shut is None:
        return asked
    return Decision("INCONCLUSIVE", "public", case.shut)


def _opened(case: Case, test: SealedTest) -> RecordedDecision:
    """Open the labels once, for a test that is recorded before."""
    # Decrypting comes first, so that a missing key costs nothing; the labels meet the predictions
    # only once the use is on record.
    labels = _labels(case)
    moved, intent = record_use(case, test)
    return RecordedDecision(judge_sealed(test, labels[case.data.counted[1]]), moved, intent)


def _barred(case: Case) -> Decision | None:
    """The answer to a model that was revoked or comes too late, and to any on a retired set."""
    question, ledger = case.question, case.ledger
    if (later := case.overtaken) is not None:
        told = f"commit {later[:12]}, which is later on main, is certified already"
        return Decision("INCONCLUSIVE", "public", told)
    revoked = ledger.revocation(question.bundle_digest, question.predictions_digest)
    if revoked is not None:
        told = f"this model was revoked at {revoked.time}: {revoked.reason}"
        return Decision("FAIL", "revoked", told)
    digest = question.sealed_digest
    if ledger.retirement(digest) is not None or is_released(case.repository.layout, digest):
        told = "the sealed set is retired and its labels are public: run `assay seal fresh`"
        return Decision("INCONCLUSIVE", "retired", told)
    return None


def _resumed(case: Case, intent: Intent) -> RecordedDecision:
    """The answer to a use that was spent before a crash: what was asked then is asked again."""
    labels = dict(zip(case.data.sealed["row_id"], _labels(case).tolist(), strict=True))
    name = rows_file(intent.sealed_digest, intent.use)
    found = findings_of(intent, {name: case.ledger.read_file(name)}, labels)
    outcome: Outcome = "PASS" if all(finding.bit for finding in found) else "INCONCLUSIVE"
    told = f"{_SEALED_TEXT[outcome]}, at a use that was begun before"
    return RecordedDecision(Decision(outcome, "sealed", told, intent.level), case.ledger, intent)


def _labels(case: Case) -> np.ndarray:
    try:
        return open_labels(case.repository.layout, case.settings.target.column)
    except NotCarriedOutError:
        raise
    except Exception:  # noqa: BLE001 (any other message might quote a label)
        raise NotCarriedOutError(
            "the held-out labels are not a table of row ids and numbers: restore data/ from git.",
            code="labels.not-a-table",
        ) from None


def _conclude(
    case: Case, answer: RecordedDecision, signer: Any | None, handover: Handover
) -> VerdictRecord:
    certified = signer is not None and answer.decision.outcome == "PASS"
    entry = decision_of(case, answer, certified=certified)
    # made before anything is signed or recorded, so that it cannot fail afterwards
    spent = answer.spent(entry.sealed_digest)
    verdict = verdict_of(case, answer.decision, spent, certified=certified)
    known, bounds = case.reference_predictions, bounds_of(case.settings.target.kind)
    write_predictions(handover.reference, list(known), np.array(list(known.values())), bounds)
    try:
        if certified:
            statement = certificate_of(case, answer.decision, answer.ledger.state)
            issue(statement, signer, handover.certificate)
        record_decision(answer.ledger, entry, handover)
    except BaseException:
        handover.certificate.unlink(missing_ok=True)
        raise
    verdict.write(handover.verdict)
    return verdict


_SEALED_TEXT = {
    "PASS": "confirmed on the sealed set",
    "INCONCLUSIVE": "not confirmed on the sealed set",
}
