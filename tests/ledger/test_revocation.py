"""Revocation: signed, with its reason, and from then on the model neither predicts nor passes."""

from pathlib import Path

import pytest

from assay.batch import authorization
from assay.batch.authorization import authorize
from assay.batch.verification import verify_path
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.layout import Handover, Layout
from assay.ledger.record import read_ledger
from assay.ledger.revocation import revoke
from assay.model.bundle import digest_bundle
from assay.repository import read_repository
from assay.scoring.score import score
from assay.sealing.encryption import SIGNING
from toy import (
    assay,
    change_card,
    git,
    perturbed,
    read_card,
    rewrite_predictions,
)

pytestmark = pytest.mark.usefixtures("laptop")
REASON = "trained on leaked rows"


def handed(root: Path) -> Handover:
    """What was handed over."""
    return Handover(Layout(root).out)


def digest_of(root: Path) -> str:
    """The bundle that was certified."""
    return read_card(handed(root)).bundle_digest


def ask(root: Path) -> None:
    """Ask for permission to predict."""
    authorize(read_repository(root), handed(root).bundle, handed(root).certificate)


def test_revoked_model_predicts_no_more_and_the_reason_is_told(certified):
    """Permission, champion and proof are refused, with time and reason."""
    ask(certified)
    entry = revoke(certified, digest_of(certified)[:12], REASON, None)
    assert entry.bundle_digest == digest_of(certified)
    assert read_ledger(certified).entries[-1].signature
    with pytest.raises(RefusedError, match=f"revoked at {entry.time[:10]}.*{REASON}"):
        ask(certified)
    with pytest.raises(RefusedError, match="each was revoked"):
        authorization.find(certified, authorization.CHAMPION)
    with pytest.raises(RefusedError, match=f"revoked at {entry.time[:10]}.*{REASON}"):
        verify_path(read_repository(certified), handed(certified).certificate)


def test_model_before_the_revoked_one_is_champion_again(certified):
    """What was certified before still is, and can be found."""
    first = digest_of(certified)
    rewrite_predictions(handed(certified), perturbed(1e-6))
    (handed(certified).bundle / "note.txt").write_text("another bundle")
    change_card(handed(certified), bundle_digest=digest_bundle(handed(certified).bundle))
    assert score(read_repository(certified), handed(certified), None).certified
    second = digest_of(certified)
    assert read_ledger(certified).champion().bundle_digest == second != first
    revoke(certified, second, REASON, None)
    assert authorization.find(certified, authorization.CHAMPION).bundle.parent.name == first


def test_revoked_reference_is_followed_by_the_baseline(certified):
    """New models are not compared with a revoked one: the next must show an improvement again."""
    revoke(certified, digest_of(certified), REASON, None)
    git(certified, "switch", "--quiet", "--create", "idea")
    rewrite_predictions(handed(certified), perturbed(1e-6), bundle_digest="0" * 64)
    verdict = score(read_repository(certified), handed(certified), None)
    assert (verdict.claim, verdict.reference) == ("improvement", "baseline mean")
    assert verdict.outcome == "PASS", "a revocation ends a model, not the repository"


def test_batch_of_a_revoked_model_is_no_proof_any_more(certified):
    """A table that was predicted before is still recognised as the revoked model's."""
    from assay.batch.jobs import predict_batch

    repository, few = read_repository(certified), Layout(certified).candidates / "few.csv"
    permission = authorize(repository, handed(certified).bundle, handed(certified).certificate)
    folder = predict_batch(repository, few, permission).folder
    batch = Layout(certified).out / "batches" / folder
    assert verify_path(repository, batch)[0].startswith("holds")
    revoke(certified, digest_of(certified), REASON, None)
    with pytest.raises(RefusedError, match="was revoked at"):
        verify_path(repository, batch)


def test_proof_without_a_ledger_says_what_is_not_known(certified):
    """Where no ledger is at hand a certificate holds, and revocation is an open question."""
    git(certified, "update-ref", "-d", "refs/heads/assay-ledger")
    sentence, _ = verify_path(read_repository(certified), handed(certified).certificate)
    assert "to check whether it was revoked" in sentence


def test_revocation_needs_the_signing_key(certified):
    """Nobody revokes without the key, and nobody who may push can either."""
    (Layout(certified).keys / SIGNING.file).unlink()
    with pytest.raises(NotCarriedOutError, match="signing key is not here"):
        revoke(certified, digest_of(certified), REASON, None)
    assert len(read_ledger(certified).entries) == 2


def test_nothing_is_revoked_where_nothing_is_signed(toy):
    """Before `assay init` there is no certificate to end."""
    Layout(toy).public_key.unlink()
    with pytest.raises(RefusedError, match="before `assay init`"):
        revoke(toy, "0" * 64, REASON, None)


@pytest.mark.parametrize("digest", ["", "abc", "0" * 11, "A" * 64, "0" * 65, "../..", "champion"])
def test_what_is_no_digest_is_wrong_usage(certified, digest):
    """Twelve digits at least, and nothing but digits."""
    with pytest.raises(UsageError, match="is no digest"):
        revoke(certified, digest, REASON, None)


@pytest.mark.parametrize("reason", ["", " \n\t", "\u200b", "x" * 501])
def test_reason_must_be_a_sentence(certified, reason):
    """No reason, or one that nobody reads to its end, is turned down."""
    with pytest.raises(UsageError, match="--reason must say why"):
        revoke(certified, digest_of(certified), reason, None)


def test_reason_is_kept_on_one_line_without_commands(certified):
    """Line ends and escape sequences of a pasted reason do not reach the ledger."""
    entry = revoke(certified, digest_of(certified), "bad\n::error::\x1b[31m  rows ", None)
    assert entry.reason == "bad ::error:: [31m rows"


def test_unknown_model_is_revoked_by_its_whole_digest_only(certified):
    """A certificate may have outlived its ledger: then all 64 digits are asked for."""
    with pytest.raises(RefusedError, match="no certified model begins with"):
        revoke(certified, "0" * 12, REASON, None)
    assert revoke(certified, "0" * 64, REASON, None).predictions_digest is None
    with pytest.raises(RefusedError, match="revoked already"):
        revoke(certified, "0" * 64, REASON, None)


def test_revoke_from_the_command_line(certified):
    """One verb, one sentence; afterwards `predict` ends with 1 and says why."""
    digest = digest_of(certified)
    done = assay(certified, "revoke", digest[:12], "--reason", REASON)
    assert (done.returncode, done.stdout) == (0, f"revoked: {digest[:12]} ({REASON})\n"), (
        done.stderr
    )
    refused = assay(certified, "predict", "data/candidates/few.csv", "--model", digest)
    assert refused.returncode == 1
    assert REASON in refused.stderr
    assert not list((Layout(certified).out).glob("batches/*"))
    again = assay(certified, "revoke", digest[:12], "--reason", REASON)
    assert again.returncode == 1
