"""The signed manifest of a batch proves what nothing else does, and is refused where it lies."""

import json
import shutil
from pathlib import Path

import pytest

from assay.batch import manifests
from assay.batch.jobs import BatchOptions, predict_batch
from assay.batch.manifests import KIND, MANIFEST, sign_batch
from assay.batch.verification import verify_path
from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file
from assay.layout import Layout
from assay.ledger.certificate import read_signer, write_statement
from assay.ledger.record import read_ledger
from assay.ledger.revocation import revoke
from assay.repository import read_repository
from toy import assay, permission_of

pytestmark = pytest.mark.usefixtures("laptop")


def batch_of(root: Path, *, certified: bool = True, note: str | None = "first") -> Path:
    """The folder of a batch of few rows."""
    permission = permission_of(root, certified=certified)
    few = Layout(root).candidates / "few.csv"
    record = predict_batch(read_repository(root), few, permission, BatchOptions(note=note))
    return Layout(root).out / "batches" / record.folder


def verified(root: Path, folder: Path) -> str:
    """What `assay verify` says of a batch."""
    return verify_path(read_repository(root), folder)[0]


def test_signature_is_told(certified):
    """A batch is verified with and without a manifest, and told apart."""
    folder = batch_of(certified)
    assert "not signed" in verified(certified, folder)
    sign_batch(certified, folder)
    assert "; signed: time, run, commit and note" in verified(certified, folder)


@pytest.mark.parametrize("key", ["workflow_run", "commit", "time", "note", "candidates"])
def test_what_only_a_signature_proves(certified, key):
    """Run, commit, time, note and the list's name can be altered unseen until they are signed."""
    folder = batch_of(certified)
    record = folder / "batch.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | {key: "another"}))
    assert verified(certified, folder)
    record.write_text(json.dumps(content, indent=2) + "\n")
    sign_batch(certified, folder)
    record.write_text(json.dumps(content | {key: "another"}))
    with pytest.raises(RefusedError, match="signed for other files"):
        verified(certified, folder)


def test_manifest_of_another_key_or_kind_is_refused(certified):
    """Neither whoever has a key of their own, nor a signed statement of another kind, signs."""
    folder = batch_of(certified)
    path = sign_batch(certified, folder)
    genuine = path.read_text()
    signer = read_signer(Layout(certified))
    write_statement(path, signer, {"predictions.parquet": "0" * 64}, "urn:assay:certificate:1", {})
    with pytest.raises(RefusedError, match="of another type"):
        verified(certified, folder)
    write_statement(path, signer, {"predictions.parquet": "0" * 64}, KIND, {"rows": 1})
    with pytest.raises(RefusedError, match="not a manifest of this project"):
        verified(certified, folder)
    envelope = json.loads(genuine)
    (signature,) = envelope["signatures"]
    signature["sig"] = signature["sig"][:-8] + "AAAAAAA="
    path.write_text(json.dumps(envelope))
    with pytest.raises(RefusedError, match=r"not signed by certificate\.pub"):
        verified(certified, folder)


def test_nothing_else_is_signed(certified):
    """Altered tables, an exchanged certificate, and a batch without one get no signature."""
    folder = batch_of(certified)
    table = folder / "quarantine.csv"
    content = table.read_bytes()
    table.write_bytes(content + b"\n")
    with pytest.raises(RefusedError, match=r"other files than batch\.json names"):
        sign_batch(certified, folder)
    table.write_bytes(content)
    bare = batch_of(certified, certified=False)
    with pytest.raises(RefusedError, match="no certificate"):
        sign_batch(certified, bare)
    assert not list(folder.parent.glob(f"*/{MANIFEST}"))


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "0" * 64},
        {"batch_id": "whatever"},
        {"certificate_digest": "0" * 64},
        {"correlation_id": "asy-0"},
        {"rows": 1_000},
        {"recipe": {"certified": False}},
        {"recipe": {"bundle_digest": "0" * 64}},
        {"recipe": {"candidates_digest": "0" * 64}},
    ],
    ids=str,
)
def test_record_that_disagrees_with_itself_or_its_certificate_is_not_signed(certified, change):
    """Beside a genuine certificate no record of something else gets a signature."""
    folder = batch_of(certified)
    record = json.loads((folder / "batch.json").read_text())
    recipe = record["recipe"] | change.get("recipe", {})
    (folder / "batch.json").write_text(json.dumps(record | change | {"recipe": recipe}))
    with pytest.raises(RefusedError, match="but it must be"):
        sign_batch(certified, folder)
    assert not (folder / MANIFEST).exists()


def test_neither_a_stray_file_nor_another_folder_is_signed(certified):
    """What lies beside the batch's files would be handed on with them, and so would a name."""
    folder = batch_of(certified)
    (folder / "extra.csv").write_text("formula\n")
    with pytest.raises(RefusedError, match=r"extra\.csv is no file of the batch"):
        sign_batch(certified, folder)
    (folder / "extra.csv").unlink()
    with pytest.raises(RefusedError, match="the folder's name"):
        sign_batch(certified, folder.rename(folder.with_name("best-of-all")))


def test_batch_of_another_run_is_not_signed(certified, monkeypatch):
    """In Actions the record must name the very run that signs; no second batch comes along."""
    folder = batch_of(certified)
    run = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "7"}
    run |= {"GITHUB_REPOSITORY": "group/toy", "GITHUB_SERVER_URL": "https://example.org"}
    for name, value in run.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(manifests, "read_ledger_at_hand", lambda root: read_ledger(root, None))
    with pytest.raises(RefusedError, match="workflow_run is None"):
        sign_batch(certified, folder)
    shutil.copytree(folder, folder.with_name("another"))
    done = assay(certified, "batch", "sign", **run)
    assert done.returncode == 1
    assert "a run makes one batch, not 2" in done.stderr


def test_revoked_model_gets_no_signature(certified):
    """A model that was revoked after it predicted is not signed for any more."""
    folder = batch_of(certified)
    digest = json.loads((folder / "batch.json").read_text())["model_id"]
    revoke(certified, digest, "leaked", None)
    with pytest.raises(RefusedError, match="was revoked"):
        sign_batch(certified, folder)


def test_missing_certificate_is_told(certified):
    """A signed batch without its certificate is refused in one sentence."""
    folder = batch_of(certified)
    sign_batch(certified, folder)
    (folder / "certificate.json").rename(certified / "elsewhere.json")
    with pytest.raises(RefusedError, match=r"certificate\.json is missing"):
        verified(certified, folder)


def test_start_without_a_note_takes_none_away(certified):
    """Who predicts the same again and says nothing leaves note and signature as they are."""
    folder = batch_of(certified)
    sign_batch(certified, folder)
    assert batch_of(certified, note=None) == folder
    assert "; signed: " in verified(certified, folder)
    assert json.loads((folder / "batch.json").read_text())["note"] == "first"


def test_without_a_key_nothing_is_signed(certified):
    """On a machine without the signing key the verb could not be carried out."""
    folder = batch_of(certified)
    (Layout(certified).keys / "signing.key").unlink()
    with pytest.raises(NotCarriedOutError, match="no signing key"):
        sign_batch(certified, folder)


def test_another_note_needs_another_signature(certified, capsys):
    """The same batch with another note is not predicted again, and the old manifest goes."""
    folder = batch_of(certified)
    before = digest_file(folder / "predictions.parquet")
    sign_batch(certified, folder)
    assert batch_of(certified, note="second") == folder
    assert "predict: the signature was for another note and is gone" in capsys.readouterr().err
    assert digest_file(folder / "predictions.parquet") == before
    assert not (folder / MANIFEST).exists()
    assert json.loads((folder / "batch.json").read_text())["note"] == "second"


def test_verb_signs_all_batches_and_says_which(certified):
    """Without a name all batches at hand are signed; without any it is wrong usage."""
    assert assay(certified, "batch", "sign").returncode == 2
    folder = batch_of(certified)
    done = assay(certified, "batch", "sign")
    assert done.returncode == 0, done.stderr
    assert f"{folder.name}/{MANIFEST}" in done.stdout
    batch_of(certified, certified=False)
    assert assay(certified, "batch", "sign").returncode == 0, "the uncertified one is left out"
    branch = {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/idea"}
    refused = assay(certified, "batch", "sign", **branch)
    assert refused.returncode == 1
    assert "batches are signed from refs/heads/main only" in refused.stderr
