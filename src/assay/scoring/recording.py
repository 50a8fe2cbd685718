"""What `score` writes to the ledger: the use before the labels are opened, the decision after."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import NotCarriedOutError, UsageError
from assay.files import digest_bytes
from assay.gate.decision import Budget, Decision, SealedTest
from assay.gate.statistics import level
from assay.layout import Handover
from assay.ledger import entries
from assay.ledger.continuity import certificate_file
from assay.ledger.entries import Intent
from assay.ledger.record import (
    ATTEMPTS,
    Ledger,
    LedgerMovedError,
    read_ledger,
    reference_file,
    reference_train_file,
)
from assay.ledger.uses import SealedRows, asked, rows_file
from assay.scoring.cases import Case
from assay.settings import FILE_NAME, Settings


@dataclass(frozen=True)
class Answer:
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
        ):
            if before != present:
                raise _thawed(f"gate.{key} is {present}, but it was {before}", intent)
        if intent.level != level(gate.alpha, gate.uses, intent.use, intent.disagreements):
            raise _thawed("gate.alpha and gate.uses do not give the level recorded", intent)


def _thawed(what: str, intent: Intent) -> UsageError:
    return UsageError(
        f"{FILE_NAME}: {what} at use {intent.use} of this sealed set, and its guarantee holds only "
        "if that stays: set it back, or seal a fresh set with `assay seal fresh`."
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
        rows_digest=digest_bytes(rows),
        requirements=asked(test),
    )
    name = rows_file(intent.sealed_digest, intent.use)
    return case.ledger.append(intent, {name: rows}), intent


def _rows(case: Case, test: SealedTest) -> SealedRows:
    from assay.compositions import chemical_system

    slices = [sealed.part.requirement.slice for sealed in test.parts]
    return SealedRows(
        row_ids=list(case.data.sealed["row_id"]),
        systems=[chemical_system(formula) for formula in case.data.sealed["formula"]],
        candidate=case.comparison.candidate.sealed,
        reference=case.comparison.reference.sealed,
        slices={rows.name: rows.sealed for rows in slices if rows is not None},
    )


def decision_of(case: Case, answer: Answer, *, certified: bool) -> entries.Decision:
    """The ledger's entry for an answer."""
    intent, decision = answer.intent, answer.decision
    return entries.Decision(
        **dict(case.question),
        stage=decision.stage,
        outcome=decision.outcome,
        level=decision.level,
        use=intent.use if intent else None,
        disagreements=intent.disagreements if intent else None,
        bit=answer.bit,
        certified=certified,
    )


def record_decision(ledger: Ledger, entry: entries.Decision, handover: Handover) -> None:
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
    raise NotCarriedOutError("the ledger kept moving while it was written: score again.")


def _is_open(ledger: Ledger, entry: entries.Decision) -> bool:
    """Whether a sealed use still waits for this decision, and the model may still pass."""
    return (
        entry.bit is not None
        and ledger.unanswered(entry) is not None
        and ledger.retirement(entry.sealed_digest) is None
        and ledger.revocation(entry.bundle_digest, entry.predictions_digest) is None
    )
