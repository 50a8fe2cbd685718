"""The trusted half: open the labels at most once, decide, record, certify."""

from pathlib import Path
from typing import Any

import numpy as np

from assay import provenance
from assay.bundle import digest_bundle
from assay.cases import Case, Run, current_run
from assay.certificate import issue, read_signer
from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_file
from assay.gate import Budget, Decision, SealedTest, decide
from assay.layout import Handover, Layout
from assay.ledger import Entry, Ledger, LedgerMovedError, read_ledger
from assay.predictions import bounds_of, read_predictions, write_predictions
from assay.records import CandidateCard, CheckReport, VerdictRecord, read_record
from assay.references import reference_file
from assay.sealing import open_labels
from assay.settings import Settings
from assay.tables import read_table
from assay.training import Dataset, read_dataset
from assay.verdicts import certificate_of, verdict_of

ATTEMPTS = 5
LARGER = 20


def score(root: Path, settings: Settings, handover: Handover, remote: str | None) -> VerdictRecord:
    """Decide on a candidate; writes verdict, ledger entry and, for main's own run, certificate.

    Raises:
        NotCarriedOutError: anything handed over is not as it must be, or the labels cannot be
            opened; nothing is then said about the model.
    """
    layout = Layout(root)
    # what an earlier run, or somebody else, put there must not pass for this run's verdict
    for stale in (handover.verdict, handover.certificate, handover.reference):
        stale.unlink(missing_ok=True)
    card = read_record(CandidateCard, handover.candidate)
    data = read_dataset(layout, settings)
    predictions = _sound_predictions(layout, settings, handover, card, data)
    run = current_run(root, card)
    signer = _signer(layout, handover, card, run)
    for _ in range(ATTEMPTS):
        ledger = read_ledger(root, remote)
        case = Case(layout, settings, card, data, predictions, ledger, run)
        try:
            return _conclude(case, *_answer(case), signer, handover)
        except LedgerMovedError:
            continue
    raise NotCarriedOutError("the ledger kept moving while it was written: score again.")


def _sound_predictions(
    layout: Layout, settings: Settings, handover: Handover, card: CandidateCard, data: Dataset
) -> dict[str, float]:
    for path, check in ((handover.schema, "schema"), (handover.sanity, "sanity")):
        report = read_record(CheckReport, path)
        if report.check != check or not report.passed:
            raise NotCarriedOutError(
                f"{path.name} says that the check failed: mend that and run `assay check` again."
            )
    if not layout.sealed_labels.exists() and not layout.open_labels.exists():
        raise NotCarriedOutError("data/ holds no held-out labels: restore them, or `assay init`.")
    for path, named in (
        (layout.sealed_inputs, card.sealed_inputs_digest),
        (layout.pool, card.pool_digest),
        (handover.predictions, card.predictions_digest),
        (handover.train, card.train_digest),
    ):
        _require_named(path, named)
    train = _candidate_train(handover.train, LARGER * layout.train.stat().st_size)
    unlabelled = [*data.sealed["row_id"], *data.pool["row_id"]]
    bounds = bounds_of(settings.target.kind)
    predictions = read_predictions(handover.predictions, [*train, *unlabelled], bounds)
    # A pull request may bring its own train rows; only those that main has, too, are compared.
    shared = set(zip(data.train["row_id"], data.train["formula"], strict=True)) & train.items()
    kept = {*unlabelled, *(row_id for row_id, _ in shared)}
    return {row_id: value for row_id, value in predictions.items() if row_id in kept}


def _candidate_train(path: Path, limit: int) -> dict[str, str]:
    """Formulas by row id of the candidate's own train set, which is untrusted."""
    if path.stat().st_size > limit:
        raise NotCarriedOutError(
            f"the candidate's train.csv is over {LARGER} times main's and not read: add rows in "
            "several steps."
        )
    try:
        rows = read_table(path, ["row_id", "formula"])
    except UsageError as error:
        raise NotCarriedOutError(f"what was handed over cannot be read: {error}") from None
    return dict(zip(rows["row_id"], rows["formula"], strict=True))


def _require_named(path: Path, named: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise NotCarriedOutError(f"{path.name} is missing or not a plain file: train again.")
    if digest_file(path) != named:
        raise NotCarriedOutError(
            f"{path.name} is not the file that candidate.json names: train again on main's data."
        )


def _signer(layout: Layout, handover: Handover, card: CandidateCard, run: Run) -> Any | None:
    """Whoever signs, if this run may certify; looked for first, so that no use is spent in vain."""
    signer = read_signer(layout) if run.certifies else None
    if signer is not None:
        _require_named(layout.train, card.train_digest)
        if digest_bundle(handover.bundle) != card.bundle_digest:
            raise NotCarriedOutError(
                "the bundle is not the one that candidate.json names: train again."
            )
        if provenance.lock_digest(layout.root) != card.lock_digest:
            raise NotCarriedOutError(
                "requirements.lock is not the one that candidate.json names: train again."
            )
    return signer


def _answer(case: Case) -> tuple[Decision, Ledger]:
    """The decision, from the ledger where the same question was answered before."""
    question, ledger = case.question, case.ledger
    if case.is_reference:
        told = "nothing changed: these are the reference's own predictions"
        return Decision("PASS", "unchanged", told), ledger
    earlier = ledger.sealed_answer(question)
    if earlier and earlier.outcome:
        told = "answered before on these very predictions: " + _SEALED_TEXT[earlier.outcome]
        return Decision(earlier.outcome, "sealed", told, earlier.level), ledger
    moved = ledger

    def opened(test: SealedTest) -> np.ndarray:
        nonlocal moved
        # Decrypting comes first, so that a missing key costs nothing; the labels meet the
        # predictions only once the use is on record.
        labels = _labels(case)
        use = {"use": case.budget.uses + 1, "disagreements": case.budget.disagreements}
        moved = ledger.append(
            question.model_copy(update={"kind": "intent", "level": test.level, **use})
        )
        return labels

    return decide(case.comparison, case.settings.gate, case.budget, opened), moved


def _labels(case: Case) -> np.ndarray:
    try:
        return open_labels(case.layout, case.settings.target.column)
    except NotCarriedOutError:
        raise
    except Exception:  # noqa: BLE001 (any other message might quote a label)
        raise NotCarriedOutError(
            "the held-out labels are not a table of row ids and numbers: restore them from git, "
            "or seal a fresh set with `assay init`."
        ) from None


def _conclude(
    case: Case, decision: Decision, ledger: Ledger, signer: Any | None, handover: Handover
) -> VerdictRecord:
    certified = signer is not None and decision.outcome == "PASS"
    intent = ledger.entries[-1] if len(ledger.entries) > len(case.ledger.entries) else None
    entry = case.question.model_copy(
        update={
            "outcome": decision.outcome,
            "stage": decision.stage,
            "level": decision.level,
            "use": intent.use if intent else None,
            "disagreements": intent.disagreements if intent else None,
            "bit": decision.outcome == "PASS" if intent else None,
            "certified": certified,
        }
    )
    # made before anything is signed or recorded, so that it cannot fail afterwards
    verdict = verdict_of(case, decision, _spent(case, entry), certified=certified)
    known, bounds = case.reference_predictions, bounds_of(case.settings.target.kind)
    write_predictions(handover.reference, list(known), np.array(list(known.values())), bounds)
    try:
        if certified:
            issue(certificate_of(case, decision), signer, handover.certificate)
        _record(ledger, entry, handover)
    except BaseException:
        handover.certificate.unlink(missing_ok=True)
        raise
    verdict.write(handover.verdict)
    return verdict


def _spent(case: Case, entry: Entry) -> Budget:
    opened = entry.bit is not None
    return Budget(
        case.budget.uses + int(opened), case.budget.disagreements + int(entry.bit is False)
    )


def _record(ledger: Ledger, entry: Entry, handover: Handover) -> None:
    files = {}
    if entry.certified:
        files[f"certificates/{entry.bundle_digest}.json"] = handover.certificate.read_bytes()
        if entry.claim == "improvement":
            files[reference_file(entry.bundle_digest)] = handover.predictions.read_bytes()
    if entry.bit is None:
        # nothing is spent yet: whoever loses the race decides again, perhaps on another champion
        ledger.append(entry, files)
        return
    # A sealed use is already spent, so this entry is written whatever else moved the ledger.
    for _ in range(ATTEMPTS):
        try:
            ledger.append(entry, files)
        except LedgerMovedError:
            ledger = read_ledger(ledger.root, ledger.remote)
        else:
            return
    raise NotCarriedOutError("the ledger kept moving while it was written: score again.")


_SEALED_TEXT = {
    "PASS": "confirmed on the sealed set",
    "INCONCLUSIVE": "not confirmed on the sealed set",
}
