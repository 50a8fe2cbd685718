"""Public evidence from the table to the certificate: what it certifies, and what it does not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.batch.authorization import authorize
from assay.batch.batches import verify_batch
from assay.batch.jobs import predict_batch
from assay.batch.lineage import sentences, trace
from assay.batch.manifests import sign_batch
from assay.datasets import read_dataset
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.layout import Handover, Layout
from assay.ledger.audit import audit, listing
from assay.ledger.certificate import policy_digest, verify
from assay.ledger.record import read_ledger
from assay.ledger.replay import replay_files, replay_lines
from assay.ledger.revocation import revoke
from assay.records import VerdictRecord
from assay.repository import read_repository
from assay.schema.check import check_schema
from assay.scoring.acceptance import Demand, require_rules
from assay.scoring.score import score
from assay.settings import with_value
from toy import (
    change_card,
    commit,
    git,
    nearer,
    perturbed,
    read_card,
    rewrite_predictions,
    write_rows,
)

pytestmark = pytest.mark.usefixtures("laptop")


def handed(root: Path) -> Handover:
    """What was handed over."""
    return Handover(Layout(root).out)


def scored(root: Path) -> VerdictRecord:
    """Score in this process."""
    return score(read_repository(root), handed(root), None)


def labels_of(root: Path) -> dict[str, float]:
    """The labels of all rows, which everybody has."""
    data = read_dataset(read_repository(root))
    return dict(zip(data.train["row_id"], data.target, strict=True))


def permission(root: Path):
    """What lets the certified model predict."""
    handover = handed(root)
    return authorize(read_repository(root), handover.bundle, handover.certificate)


def test_main_certifies_by_cross_validation(public):
    """Main's own run needs no sealing key, opens nothing, and every record says public."""
    layout = Layout(public)
    assert not (layout.keys / "sealing.key").exists()
    verdict = scored(public)
    assert (verdict.outcome, verdict.stage, verdict.claim) == ("PASS", "public", "improvement"), (
        verdict.explanation
    )
    assert (verdict.evidence, verdict.preview, verdict.certified) == ("public", False, True)
    assert (verdict.use, verdict.sealed_rows, verdict.level) == (0, 0, 0.025)
    proof = verify(handed(public).certificate, layout.public_key).predicate
    assert (proof.evidence, proof.sealed, proof.stage) == ("public", False, "public")
    (entry,) = read_ledger(public).entries
    assert (entry.evidence, entry.bit, entry.use, entry.certified) == ("public", None, None, True)
    assert any("public" in line for line in listing(read_ledger(public)))


def test_ledger_holds_when_played_again(certified_public):
    """Lines, files and certificates of public evidence are verified as any others are."""
    ledger = read_ledger(certified_public)
    assert list(replay_lines(ledger)) == list(replay_files(ledger, ledger.files())) == []
    assert audit(read_repository(certified_public), None, None).faults == []


def test_forged_predictions_of_a_pull_request_certify_nothing(public):
    """A pull request's own verdict is a preview; main's run judges the model that main trained."""
    honest = handed(public).predictions.read_bytes()
    card = handed(public).candidate.read_bytes()
    git(public, "switch", "--quiet", "--create", "idea")
    rewrite_predictions(handed(public), nearer(labels_of(public), 1.0))
    forged = scored(public)
    assert (forged.outcome, forged.preview, forged.certified) == ("PASS", True, False)
    assert not handed(public).certificate.exists()
    assert read_ledger(public).champion() is None
    git(public, "switch", "--quiet", "main")
    handed(public).predictions.write_bytes(honest)
    handed(public).candidate.write_bytes(card)
    assert scored(public).reference == "baseline mean", "the forged model is no reference"


def test_worse_model_of_main_is_not_certified(certified_public):
    """Main's own run with a model that is worse than the champion certifies nothing."""
    rewrite_predictions(handed(certified_public), perturbed(0.5))
    verdict = scored(certified_public)
    assert (verdict.outcome, verdict.stage, verdict.certified) == ("FAIL", "public", False)
    assert not handed(certified_public).certificate.exists()


def test_better_model_is_compared_with_the_champion(certified_public):
    """The reference is the champion, and what is closer to all labels passes beside it."""
    digest = read_card(handed(certified_public)).bundle_digest
    better = nearer(labels_of(certified_public), 0.9)
    other = perturbed(0.01, only="p")
    rewrite_predictions(handed(certified_public), lambda values: other(better(values)))
    verdict = scored(certified_public)
    assert verdict.reference == digest
    assert verdict.outcome == "PASS"


def test_every_artefact_of_a_batch_says_public(certified_public):
    """Rows, batch record, summary, signature and trace; and the batch is verified as usual."""
    root, layout = certified_public, Layout(certified_public)
    few = root / "few.csv"
    write_rows(few, ["formula", "evidence"], [["NaCl", "mine"], ["MgO", ""]])
    record = predict_batch(read_repository(root), few, permission(root))
    folder = layout.out / "batches" / record.folder
    rows = pd.read_csv(folder / "predictions.csv")
    assert list(rows["evidence"]) == ["public", "public"]
    assert list(rows["given_evidence"])[:1] == ["mine"]
    assert record.evidence == "public"
    assert json.loads((folder / "batch.json").read_text())["recipe"]["evidence"] == "public"
    manifest = sign_batch(root, folder)
    assert manifest.is_file()
    store(root)
    assert verify_batch(read_repository(root), folder, few)[1]
    told = "\n".join(sentences(trace(root, record.batch_id)))
    assert "public evidence" in told
    altered = json.loads((folder / "batch.json").read_text())
    altered["recipe"]["evidence"] = "sealed"
    (folder / "batch.json").write_text(json.dumps(altered))
    manifest.unlink()
    with pytest.raises(RefusedError) as refused:
        verify_batch(read_repository(root), folder, few)
    assert refused.value.code == "batch.wrong-record"


def store(root: Path) -> None:
    """Keep the certified model where `assay score` keeps it."""
    from assay.batch import authorization

    handover = handed(root)
    digest = read_card(handover).bundle_digest
    authorization.store(Layout(root), digest, handover.bundle, handover.certificate)


def test_revoked_model_predicts_no_more(certified_public):
    """Revocation ends a model of public evidence as any other."""
    revoke(certified_public, read_card(handed(certified_public)).bundle_digest, "wrong", None)
    with pytest.raises(RefusedError) as refused:
        permission(certified_public)
    assert refused.value.code == "model.revoked"


def test_other_evidence_than_asked_for_is_refused(certified_public, certified):
    """A certificate lets a model predict only by the evidence that assay.toml names."""
    for root, wanted in ((certified_public, None), (certified, '"public"')):
        path = root / "assay.toml"
        path.write_text(with_value(path.read_text(), "gate", "evidence", wanted))
        with pytest.raises(RefusedError) as refused:
            permission(root)
        assert refused.value.code == "certificate.other-evidence"


def test_sealed_rows_are_never_ignored(certified):
    """Asking for public evidence beside a sealed set is refused before anything is scored."""
    path = certified / "assay.toml"
    path.write_text(with_value(path.read_text(), "gate", "evidence", '"public"'))
    commit(certified, "Ask for less")
    with pytest.raises(UsageError) as refused:
        scored(certified)
    assert refused.value.code == "data.held-out"


def test_policy_names_public_evidence_and_old_ones_hold(public):
    """The digest of a policy without the key is what it was before there was one."""
    settings = read_repository(public).settings
    other = settings.model_copy(
        update={"gate": settings.gate.model_copy(update={"evidence": "sealed"})}
    )
    assert policy_digest(settings) != policy_digest(other)
    before = json.loads(other.model_dump_json(include={"target", "split", "gate"}))
    assert before["gate"].pop("evidence") == "sealed"
    assert np.isfinite(before["gate"]["margin"])


def test_without_a_signing_key_nothing_is_scored(public, tmp_path):
    """Without a signing key nothing is scored, and nothing is written."""
    shutil.move(Layout(public).keys / "signing.key", tmp_path / "signing.key")
    with pytest.raises(NotCarriedOutError) as refused:
        scored(public)
    assert refused.value.code == "key.no-signing-key"


def test_data_checks_count_what_main_demands(public):
    """Without sealed inputs their rules are neither run nor demanded; all others are."""
    repository = read_repository(public)
    report = check_schema(repository)
    assert report.passed, report.failures
    places = {one.where for one in report.tallies}
    assert {"train", "pool"} <= places
    assert "sealed_inputs" not in places
    data = read_dataset(repository)
    demand = Demand(repository.settings, data, len(data.train), changed=False)
    require_rules(demand, report)
    short = report.model_copy(update={"tallies": report.tallies[1:]})
    with pytest.raises(NotCarriedOutError):
        require_rules(demand, short)


def test_an_improvement_that_was_previewed_is_certified_as_one(certified_public):
    """A pull request's preview says improvement; main's own run of the same model certifies one."""
    root = certified_public
    better, other = nearer(labels_of(root), 0.9), perturbed(0.01, only="p")
    git(root, "switch", "--quiet", "--create", "idea")
    rewrite_predictions(handed(root), lambda values: other(better(values)))
    change_card(handed(root), claim="improvement")
    assert (scored(root).claim, scored(root).outcome) == ("improvement", "PASS")
    git(root, "switch", "--quiet", "main")
    change_card(handed(root), claim="no-regression")
    assert "improvement" in {e.claim for e in read_ledger(root).entries}
    verdict = scored(root)
    assert (verdict.claim, verdict.outcome) == ("improvement", "PASS"), verdict.explanation
