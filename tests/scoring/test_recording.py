"""What is written of a use and its decision, and what must stay in the life of a sealed set."""

from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.files import digest_bytes
from assay.gate.decision import Budget
from assay.gate.decision import Decision as Said
from assay.layout import Handover
from assay.ledger.entries import DecisionEntry
from assay.ledger.record import LedgerMovedError, read_ledger
from assay.scoring.recording import RecordedDecision, record_decision, require_frozen
from assay.settings import Settings, parse_settings
from ledger_samples import (
    ALPHA,
    DISAGREEMENTS,
    SEALED,
    USES,
    answer,
    certified,
    decision,
    intent,
    of,
    retirement,
    revocation,
    used,
)
from toy import SETTINGS, git


def settings(**changes: object) -> Settings:
    """The toy's settings, which are those of the sample lines, with changes of the gate."""
    made = parse_settings(SETTINGS)
    gate = made.gate.model_copy(update=changes)
    gates = (made.gate.alpha, made.gate.uses, made.gate.disagreements)
    assert gates == (ALPHA, USES, DISAGREEMENTS)
    return made.model_copy(update={"gate": gate})


def test_policy_that_stayed_is_frozen():
    """What does not enter the guarantee may change; what does is as it was."""
    uses = [intent(), intent("other", 2, 1)]
    require_frozen(settings(slack=3.0), uses)
    require_frozen(settings(alpha=0.01), [])


CHANGES = {
    "alpha": {"alpha": 0.02},
    "uses": {"uses": 200},
    "disagreements": {"disagreements": 6},
    "tail": {"tail": 9.0},
    "margin": {"margin": 0.2},
    "metric": {"metric": "rmse"},
}


@pytest.mark.parametrize("key", CHANGES)
def test_changed_policy_is_named(key):
    """The message names the key, both values, and what to do."""
    with pytest.raises(UsageError, match=rf"gate\.{key} is .* but it was .* set it back, or seal"):
        require_frozen(settings(**CHANGES[key]), [intent(), intent("other", 2, 1)])


def test_level_that_does_not_follow_is_named():
    """A recorded level must be the one that alpha and K give."""
    with pytest.raises(UsageError, match="do not give the level recorded at use 2"):
        require_frozen(settings(), [intent(), intent("other", 2, 1, level=0.01)])


@pytest.mark.parametrize(
    ("outcome", "bit", "spent"), [("PASS", True, (2, 1)), ("INCONCLUSIVE", False, (2, 2))]
)
def test_spent_budget_includes_the_use_that_is_just_answered(outcome, bit, spent):
    """A use without its decision counts as not confirmed, until it is known to be."""
    waiting = intent("new", 2, 1)
    ledger = of(*used("old", 1, 0, bit=False), waiting)
    made = RecordedDecision(Said(outcome, "sealed", "told", waiting.level), ledger, waiting)
    assert made.bit is bit
    assert made.spent(SEALED) == Budget(*spent)


def test_answer_without_labels_spends_nothing():
    """What was decided in public leaves the budget as it was."""
    made = RecordedDecision(Said("FAIL", "public", "told"), of(*used("old", 1, 0, bit=True)))
    assert (made.bit, made.spent(SEALED)) == (None, Budget(1, 0))


@pytest.fixture
def root(tmp_path: Path, laptop) -> Path:
    """A git repository without keys."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def kinds(root: Path) -> list[str]:
    """The kinds of all entries."""
    return [entry.kind for entry in read_ledger(root).entries]


def test_decision_on_a_spent_use_is_written_whatever_moved_the_ledger(root):
    """Other lines in between do not lose it."""
    waiting = intent()
    stale = read_ledger(root).append(waiting)
    stale.append(decision("other"))
    record_decision(stale, answer(waiting, bit=False), Handover(root))
    assert kinds(root) == ["intent", "decision", "decision"]
    assert read_ledger(root).entries[-1].bit is False


def test_decision_without_a_use_is_asked_again_when_the_ledger_moved(root):
    """Its reference may be another by now."""
    stale = read_ledger(root)
    stale.append(decision("other"))
    with pytest.raises(LedgerMovedError):
        record_decision(stale, decision("new"), Handover(root))
    assert len(kinds(root)) == 1


MEANWHILE = {
    "somebody else answered it": answer(intent(), bit=True, run="elsewhere"),
    "the model was revoked": revocation(),
    "the set was retired": retirement(),
}


@pytest.mark.parametrize("entry", MEANWHILE.values(), ids=MEANWHILE)
def test_decision_that_is_not_due_any_more_is_asked_again(root, entry):
    """A use is not answered twice, and nothing passes after a revocation or a retirement."""
    waiting = intent()
    stale = read_ledger(root).append(waiting)
    stale.append(entry)
    with pytest.raises(LedgerMovedError):
        record_decision(stale, answer(waiting, bit=True), Handover(root))
    assert len(kinds(root)) == 2


def test_certificate_and_reference_lie_beside_the_line(root):
    """In the very commit of the decision, so that neither exists without the other."""
    handover = Handover(root / "out")
    handover.predictions.parent.mkdir(parents=True)
    handover.predictions.write_bytes(b"row_id,prediction\n")
    handover.train.write_bytes(b"row_id,formula\n")
    handover.certificate.write_bytes(b"{}")
    made = certified("model", predictions_digest=digest_bytes(b"row_id,prediction\n"))
    record_decision(read_ledger(root), made, handover)
    name = made.bundle_digest
    files = read_ledger(root).files()
    assert files[f"certificates/{name}.json"] == b"{}"
    assert files[f"references/{name}.csv"] == b"row_id,prediction\n"
    assert files[f"references/{name}.train.csv"] == b"row_id,formula\n"
    lesser = made.model_copy(update={"claim": "no-regression", "bundle_digest": "1" * 64})
    record_decision(read_ledger(root), DecisionEntry.model_validate(lesser.model_dump()), handover)
    assert f"references/{'1' * 64}.csv" not in read_ledger(root).files()
