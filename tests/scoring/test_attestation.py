"""The attestation's subject is the bundle, to the digest, and says what the certificate says."""

import json
import subprocess
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.ledger.certificate import PREDICATE_TYPE, verify
from assay.repository import read_repository
from assay.scoring.recording import offer
from assay.scoring.score import score
from toy import assay, perturbed, read_card, rewrite_predictions
from workflow_rules import parse, read_texts

pytestmark = pytest.mark.usefixtures("laptop")


def handed(root: Path) -> Handover:
    """What was handed over."""
    return Handover(Layout(root).out)


def test_digest_of_the_manifest_is_the_digest_of_the_bundle(certified):
    """Whoever attests the file attests the bundle; `sha256sum --check` ties one to the other."""
    offer(handed(certified), Layout(certified).public_key)
    manifest = handed(certified).manifest
    assert digest_file(manifest) == read_card(handed(certified)).bundle_digest
    check = ["sha256sum", "--check", "--strict", "--quiet", str(manifest)]
    assert subprocess.run(check, cwd=handed(certified).bundle, check=False).returncode == 0
    (handed(certified).bundle / "MLmodel").write_text("altered")
    altered = subprocess.run(check, cwd=handed(certified).bundle, check=False, capture_output=True)
    assert altered.returncode != 0


def test_predicate_is_the_certificates(certified):
    """Two signatures, one statement."""
    offer(handed(certified), Layout(certified).public_key)
    statement = verify(handed(certified).certificate, Layout(certified).public_key)
    found = json.loads(handed(certified).predicate.read_text())
    assert found == statement.predicate.model_dump(mode="json")


@pytest.mark.parametrize("publicly", [True, False])
def test_workflow_is_told_only_of_what_was_certified(certified, tmp_path, publicly):
    """`score` says certified=true for its own certificate, and nothing where it issued none."""
    output = tmp_path / "output"
    if not publicly:
        rewrite_predictions(handed(certified), perturbed(0.3))
    done = assay(certified, "score", GITHUB_OUTPUT=str(output))
    assert done.returncode == (0 if publicly else 1), done.stderr
    assert output.exists() == publicly
    assert handed(certified).manifest.exists() == publicly
    if publicly:
        assert output.read_text() == "certified=true\n"


def test_what_an_earlier_run_left_is_not_attested(certified):
    """Subject and predicate of another run are gone before anything is decided."""
    offer(handed(certified), Layout(certified).public_key)
    handed(certified).candidate.unlink()
    with pytest.raises(NotCarriedOutError):
        score(read_repository(certified), handed(certified), None)
    assert not handed(certified).manifest.exists()
    assert not handed(certified).predicate.exists()


def test_bundle_that_changed_or_has_no_certificate_is_not_offered(certified):
    """Between certifying and attesting nothing may be exchanged."""
    handed(certified).manifest.unlink()
    (handed(certified).bundle / "MLmodel").write_text("altered")
    with pytest.raises(NotCarriedOutError, match="changed after it was certified"):
        offer(handed(certified), Layout(certified).public_key)
    handed(certified).certificate.unlink()
    with pytest.raises(RefusedError):
        offer(handed(certified), Layout(certified).public_key)
    assert not handed(certified).manifest.exists()


def test_workflow_attests_these_files_as_this_type(rendered):
    """The step reads the two files where `score` writes them, under the certificate's own type."""
    (step,) = parse(read_texts(rendered))["score.yml"].using("actions/attest")
    folder = Handover(Path("${{ runner.temp }}/handover"))
    assert step["with"] == {
        "subject-path": str(folder.manifest),
        "predicate-path": str(folder.predicate),
        "predicate-type": PREDICATE_TYPE,
    }
