"""The bundle: one unit, without pickle, the same digest for the same training, loadable alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError
from assay.layout import Handover, Layout
from assay.model.bundle import digest_bundle
from toy import assay, read_card, toy_bundle  # noqa: F401 (a fixture)


def test_two_processes_train_the_same_digest(toy):
    """Training twice from one commit, with other hash seeds, gives the same bytes everywhere."""
    handover = Handover(Layout(toy).out)
    before = read_card(handover)
    content = handover.predictions.read_bytes()
    done = assay(toy, "train", PYTHONHASHSEED="12345")
    assert done.returncode == 0, done.stderr
    after = read_card(handover)
    assert after.bundle_digest == before.bundle_digest == digest_bundle(handover.bundle)
    assert handover.predictions.read_bytes() == content
    assert "Failed to resolve" not in done.stderr


def test_digest_is_what_a_shell_computes(bundle):
    """Anybody can recompute the digest with find, sort and sha256sum."""
    command = (
        "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    )
    done = subprocess.run(
        ["sh", "-c", command], cwd=bundle, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == digest_bundle(bundle)


def test_nothing_in_it_is_a_pickle(bundle):
    """No file of the bundle is a pickle, by name or by content."""
    for path in filter(Path.is_file, bundle.rglob("*")):
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pyc"}
        assert not path.read_bytes().startswith(b"\x80"), path
    assert b"skops" in (bundle / "MLmodel").read_bytes()


@pytest.mark.parametrize(
    "name", ["model.skops", "MLmodel", "assay.json", "domain.json", "code/toy_model/model.py"]
)
def test_altered_byte_changes_the_digest(bundle, name):
    """One bit anywhere in the bundle is another bundle."""
    before = digest_bundle(bundle)
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    assert digest_bundle(bundle) != before


def test_added_or_renamed_file_changes_the_digest(bundle):
    """A planted file, even compiled code beside its source, is not overlooked."""
    before = digest_bundle(bundle)
    planted = bundle / "code" / "toy_model" / "__pycache__" / "model.cpython-311.pyc"
    planted.parent.mkdir()
    planted.write_bytes(b"x")
    assert digest_bundle(bundle) != before
    shutil.rmtree(planted.parent)
    assert digest_bundle(bundle) == before
    (bundle / "MLmodel").rename(bundle / "MLmodel2")
    assert digest_bundle(bundle) != before


def test_link_is_refused(bundle, tmp_path):
    """A symbolic link in a bundle could point anywhere: no digest, no prediction."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    (bundle / "code" / "link").symlink_to(secret)
    with pytest.raises(NotCarriedOutError, match="not a regular file"):
        digest_bundle(bundle)


def test_missing_folder_says_what_to_do(tmp_path):
    """Without a bundle the message names the verb that makes one."""
    with pytest.raises(NotCarriedOutError, match="assay train"):
        digest_bundle(tmp_path / "none")
