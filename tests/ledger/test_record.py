"""The ledger: append-only, signed; a crash hides nothing, an unsigned line proves nothing."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from assay import commits
from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.gate.decision import Budget
from assay.layout import Layout
from assay.ledger.branches import BRANCH
from assay.ledger.entries import RECORDS, DamagedLedgerError, Entry, chained, digest_of, line_of
from assay.ledger.record import Ledger, read_ledger, read_ledger_at_hand, writer
from assay.sealing.encryption import SIGNING
from ledger_samples import (
    OTHER,
    SEALED,
    answer,
    certified,
    decision,
    intent,
    keys,
    of,
    retirement,
    revocation,
    used,
)
from toy import git


@pytest.fixture
def root(tmp_path: Path, laptop) -> Path:
    """A git repository with a commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "a.txt").write_text("a")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


@pytest.fixture
def signed(root: Path) -> Path:
    """The same repository with a signing key and its public half."""
    keys(root)
    return root


def bundle(entry: Entry | None) -> str | None:
    """The bundle that an entry is about."""
    return getattr(entry, "bundle_digest", None)


def test_empty_ledger_has_no_champion_and_full_budget(root):
    """Before the first append there is no branch, and nothing is spent."""
    ledger = read_ledger(root)
    assert (ledger.head, len(ledger.entries), ledger.champion()) == (None, 0, None)
    assert ledger.budget(SEALED) == Budget(0, 0)
    assert ledger.files() == {}


def test_entries_are_read_back_in_order(root):
    """What is appended is what the next reader sees, with its files."""
    first = read_ledger(root).append(decision("one"))
    second = first.append(certified("two"), {"references/two.csv": b"row_id,prediction\n"})
    ledger = read_ledger(root)
    assert ledger.entries == second.entries
    assert [bundle(found) for found in ledger.entries] == [
        digest_bytes(b"one"),
        digest_bytes(b"two"),
    ]
    assert ledger.read_file("references/two.csv") == b"row_id,prediction\n"
    assert ledger.files().keys() == {RECORDS, "references/two.csv"}
    assert ledger.files()["references/two.csv"] == b"row_id,prediction\n"
    with pytest.raises(NotCarriedOutError):
        ledger.read_file("references/three.csv")


def test_lines_are_signed_once_there_is_a_public_key(root):
    """Before `assay init` nobody can sign; from then on every line is signed."""
    read_ledger(root).append(decision("one"))
    keys(root)
    read_ledger(root).append(decision("two"))
    one, two = read_ledger(root).entries
    assert (one.signature, two.signature is None) == (None, False)
    assert two.previous == digest_of(one)


def test_without_the_signing_key_a_signed_ledger_is_not_written(signed):
    """A clone without the key can read, and is told who writes."""
    read_ledger(signed).append(decision("one"))
    (Layout(signed).keys / SIGNING.file).unlink()
    with pytest.raises(NotCarriedOutError, match=r"Score.*`assay check` is for everybody"):
        read_ledger(signed).append(decision("two"))
    assert len(read_ledger(signed).entries) == 1


def write_lines(root: Path, *lines: Entry) -> None:
    """Put lines on the branch as somebody can who may push to it."""
    content = b"".join(line_of(line) + b"\n" for line in lines)
    commit = commits.commit(root, read_ledger(root).head, {RECORDS: content}, "by hand")
    git(root, "update-ref", f"refs/heads/{BRANCH}", commit)


def test_a_workflow_without_secrets_is_told_which(signed, monkeypatch):
    """The first push after `assay init` names both secrets and their environment."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("ASSAY_SIGNING_KEY", "ASSAY_SEALING_KEY"):
        monkeypatch.delenv(name, raising=False)
    shutil.rmtree(Layout(signed).keys, ignore_errors=True)
    with pytest.raises(NotCarriedOutError) as told:
        writer(signed)
    assert told.value.code == "key.no-secrets"
    for word in ("ASSAY_SIGNING_KEY", "ASSAY_SEALING_KEY", "heldout"):
        assert word in str(told.value)


def test_line_by_somebody_without_the_key_stops_reading(signed):
    """Whoever may push cannot certify: the line is named, and so is what to do."""
    (first,) = read_ledger(signed).append(decision("one")).entries
    write_lines(signed, first, chained(certified("mine"), first, None))
    with pytest.raises(DamagedLedgerError, match=r"line 2: it is not signed.*git revert"):
        read_ledger(signed)


def test_removed_public_key_stops_reading(signed):
    """Without `certificate.pub` a signed ledger is not taken for an unsigned one."""
    read_ledger(signed).append(decision("one"))
    Layout(signed).public_key.unlink()
    with pytest.raises(DamagedLedgerError, match="line 1"):
        read_ledger(signed)


@pytest.mark.parametrize("line", ["{", '{"kind": "decision"}', '{"kind": "wish"}', "[]"])
def test_damaged_line_is_not_carried_out(root, line):
    """A ledger with a line that is no entry stops the scoring and names the branch."""
    (first,) = read_ledger(root).append(decision()).entries
    content = line_of(first) + f"\n{line}\n".encode()
    commit = commits.commit(root, read_ledger(root).head, {RECORDS: content}, "damage")
    git(root, "update-ref", f"refs/heads/{BRANCH}", commit)
    with pytest.raises(NotCarriedOutError, match=f"{BRANCH}, line 2"):
        read_ledger(root)


def sign(*entries: Entry) -> list[Entry]:
    """Entries as if they were signed."""
    return [entry.model_copy(update={"signature": "0" * 128}) for entry in entries]


def test_unsigned_lines_prove_nothing_and_still_count_as_uses():
    """In a signed ledger an unsigned line neither certifies nor answers; its use is spent."""
    asked, decided = used("model", 1, 0, bit=True)
    lines = (asked, decided.model_copy(update={"certified": True}), intent("lost", 2))
    before, after = of(*lines), of(*lines, signed=True)
    assert bundle(before.champion()) == digest_bytes(b"model")
    assert before.sealed_answer(asked) is not None
    assert before.unanswered(lines[2]) is not None
    assert (after.champion(), after.reference(SEALED)) == (None, None)
    assert (after.sealed_answer(asked), after.unanswered(lines[2])) == (None, None)
    assert after.budget(SEALED) == before.budget(SEALED) == Budget(2, 1)
    assert after.intents(SEALED, proven=True) == []
    proven = of(*sign(*lines), signed=True)
    assert bundle(proven.champion()) == digest_bytes(b"model")


def test_unsigned_line_cannot_confirm_a_signed_use():
    """Whoever writes a confirmation in advance does not lower the count of non-confirmations."""
    asked, decided = used("model", 1, 0, bit=True)
    forged = of(decided, *sign(asked), signed=True)
    assert forged.budget(SEALED) == Budget(1, 1)
    assert of(decided, *sign(asked, decided), signed=True).budget(SEALED) == Budget(1, 0)


def test_intent_without_decision_counts_as_use_and_disagreement(root):
    """A crash after the labels were opened cannot hide the use."""
    assert read_ledger(root).append(intent()).budget(SEALED) == Budget(1, 1)


def test_budget_counts_one_set_and_each_use_once():
    """Confirmed uses are no disagreements; another set's uses are not counted."""
    entries = [
        *used("one", 1, 0, bit=True),
        *used("two", 2, 0, bit=False),
        decision("alone", outcome="PASS", stage="unchanged"),
        intent("three", 3, 1),
    ]
    ledger = of(*entries, *used("one", 1, 0, bit=False, sealed_digest=OTHER))
    assert ledger.budget(SEALED) == Budget(3, 2)
    assert ledger.budget(OTHER) == Budget(1, 1)
    repeated = dataclasses.replace(ledger, entries=[*ledger.entries, entries[1]])
    assert repeated.budget(SEALED) == Budget(3, 2), "a decision told twice confirms one use"


def test_champion_is_the_last_certified_and_reference_the_last_improvement():
    """Small losses cannot add up: new models are compared with the last declared improvement."""
    first, second = certified("first"), certified("second", claim="no-regression")
    ledger = of(first, second, decision("third"))
    assert ledger.champion() == second
    assert ledger.reference(SEALED) == first
    assert ledger.reference(OTHER) is None, "its predictions are for other sealed inputs"


def test_revoked_model_is_neither_champion_nor_reference():
    """The model before it takes its place again; without one there is none."""
    lines = (certified("first"), certified("second"))
    assert of(*lines, revocation("second")).champion() == lines[0]
    assert of(*lines, revocation("second")).reference(SEALED) == lines[0]
    gone = of(*lines, revocation("second"), revocation("first"))
    assert (gone.champion(), gone.reference(SEALED)) == (None, None)


def test_revocation_is_of_the_bundle_and_of_its_predictions():
    """Another bundle that predicts the same is revoked with it; another model is not."""
    ledger = of(revocation("model"))
    own, other = digest_bytes(b"model"), digest_bytes(b"other")
    assert ledger.revocation(own, other)
    assert ledger.revocation(other, own)
    assert ledger.revocation(other, other) is None
    assert of(revocation(), signed=True).revocation(own, own) is None, "nobody signed it"


def test_retirement_is_of_one_set():
    """A set is retired by its own entry only."""
    assert of(retirement()).retirement(SEALED)
    assert of(retirement()).retirement(OTHER) is None


QUESTION = ("predictions_digest", "sealed_digest", "policy_digest", "commitment")


def test_earlier_answer_is_for_the_very_same_question():
    """An answer is found again only if candidate, reference, claim, labels and policy agree."""
    asked, answered = used("model", 1, 0, bit=False)
    ledger = of(asked, answered, decision("other", outcome="PASS"))
    assert ledger.sealed_answer(decision("model", time="later", run="again")) == answered
    for name in QUESTION:
        assert ledger.sealed_answer(decision("model", **{name: digest_bytes(b"else")})) is None
    assert ledger.sealed_answer(decision("model", claim="no-regression")) is None
    assert ledger.sealed_answer(decision("model", reference="another")) is None
    assert ledger.sealed_answer(decision("other")) is None, "no label was opened for it"


def test_use_without_its_decision_is_found_by_the_same_question_only():
    """A use that a crash left unanswered waits for the same question, until it is answered."""
    asked = intent("model")
    ledger = of(asked, *used("other", 2, 1, bit=True))
    assert ledger.unanswered(decision("model", time="later")) == asked
    for name in QUESTION:
        assert ledger.unanswered(decision("model", **{name: digest_bytes(b"else")})) is None
    answered = dataclasses.replace(ledger, entries=[*ledger.entries, answer(asked, bit=True)])
    assert answered.unanswered(decision("model")) is None


def test_ledger_at_hand_is_the_local_one_or_what_was_fetched(root, tmp_path):
    """A clone looks things up in its own branch or what it last fetched, and asks nobody."""
    bare, clone = tmp_path / "remote.git", tmp_path / "clone"
    git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(root, "remote", "add", "origin", str(bare))
    git(root, "push", "--quiet", "origin", "main")
    assert read_ledger_at_hand(root).entries == ()
    read_ledger(root, "origin").append(decision("one"))
    git(tmp_path, "clone", "--quiet", str(bare), "clone")
    read_ledger(root, "origin").append(decision("two"))
    assert [bundle(e) for e in read_ledger_at_hand(clone).entries] == [digest_bytes(b"one")]
    git(clone, "fetch", "--quiet")
    assert len(read_ledger_at_hand(clone).entries) == 2
    read_ledger(clone).append(decision("three"))
    names = [digest_bytes(name) for name in (b"one", b"two", b"three")]
    assert [bundle(e) for e in read_ledger_at_hand(clone).entries] == names


def test_ledger_at_hand_is_githubs_in_actions(root, tmp_path, monkeypatch):
    """A workflow asks the remote, whatever branch lies in its checkout."""
    bare = tmp_path / "remote.git"
    git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(root, "remote", "add", "origin", str(bare))
    read_ledger(root, "origin").append(decision("there"))
    read_ledger(root).append(decision("here"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (found,) = read_ledger_at_hand(root).entries
    assert bundle(found) == digest_bytes(b"there")


def test_retired_set_keeps_its_budget():
    """A retirement is no use, and hides none."""
    ledger = Ledger(Path(), entries=[*used("one", 1, 0, bit=False), retirement()])
    assert ledger.budget(SEALED) == Budget(1, 1)
