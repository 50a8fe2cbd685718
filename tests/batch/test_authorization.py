"""The lock before every prediction: only a certificate for this very bundle opens it."""

import json
from pathlib import Path

import pytest

from assay.batch.authorization import Authorization, authorize, require_main, without_certificate
from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Handover, Layout
from assay.ledger.branches import BRANCH, REF
from assay.ledger.certificate import new_signing_key
from assay.ledger.revocation import revoke
from assay.repository import read_repository
from toy import git, read_card

pytestmark = pytest.mark.usefixtures("laptop")


def ask(root: Path, bundle: Path | None = None, certificate: Path | None = None) -> Authorization:
    """Ask for permission, by default with what `score` left."""
    handover = Handover(Layout(root).out)
    return authorize(
        read_repository(root), bundle or handover.bundle, certificate or handover.certificate
    )


def test_certified_bundle_may_predict(certified):
    """The bundle that passed is let through, and its rows bear its digest."""
    permission = ask(certified)
    digest = read_card(Handover(Layout(certified).out)).bundle_digest
    assert permission.digest == digest
    assert permission.certificate.predicate.verdict == "PASS"


@pytest.mark.parametrize("name", ["model.skops", "assay.json", "golden.json"])
def test_altered_bundle_is_refused(certified, name):
    """A bundle with one changed bit is another bundle."""
    path = Layout(certified).out / "bundle" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="altered or is another one"):
        ask(certified)


def test_link_in_the_bundle_is_refused(certified):
    """A bundle with a link has no digest, so no certificate can name it."""
    (Layout(certified).out / "bundle" / "link").symlink_to("/etc/hostname")
    with pytest.raises(NotCarriedOutError, match="not a regular file"):
        ask(certified)


def test_missing_certificate_is_refused(certified, tmp_path):
    """Without a certificate nothing predicts."""
    with pytest.raises(RefusedError, match="no certificate"):
        ask(certified, certificate=tmp_path / "none.json")


def test_edited_certificate_is_refused(certified):
    """A certificate whose text was changed, for instance to name another bundle, is void."""
    import base64

    path = Handover(Layout(certified).out).certificate
    envelope = json.loads(path.read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    path.write_text(json.dumps(envelope))
    with pytest.raises(RefusedError, match="not signed"):
        ask(certified)


def test_certificate_of_another_key_is_refused(certified):
    """Whoever signs with a key of their own convinces nobody."""
    layout = Layout(certified)
    (layout.keys / "signing.key").rename(layout.keys / "old.key")
    new_signing_key(layout)
    with pytest.raises(RefusedError, match="not signed"):
        ask(certified)


@pytest.mark.parametrize(
    ("old", "new"),
    [("margin = 0.1", "margin = 0.2"), ('unit = "eV/atom"', 'unit = "meV/atom"')],
)
def test_changed_policy_is_refused(certified, old, new):
    """A certificate under another margin or target does not count any more."""
    path = certified / "assay.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(RefusedError, match="policy"):
        ask(certified)


@pytest.mark.parametrize(
    "ref", ["refs/heads/idea", "refs/tags/main", "refs/pull/7/merge", "main", ""]
)
def test_other_refs_than_main_are_refused_in_actions(certified, monkeypatch, ref):
    """In Actions only main predicts; on a laptop the certificate alone decides."""
    monkeypatch.setenv("GITHUB_REF", ref)
    require_main()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(RefusedError, match="choose the branch main"):
        ask(certified)
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    publish_ledger(certified)
    assert ask(certified).certificate


def publish_ledger(root: Path) -> None:
    """Push the ledger to a remote called origin, and forget the local one."""
    bare = root.parent / "remote.git"
    git(root, "init", "--quiet", "--bare", str(bare))
    git(root, "remote", "add", "origin", str(bare))
    git(root, "push", "--quiet", "origin", REF)
    git(root, "update-ref", "-d", REF)


def test_revocation_is_looked_up_where_it_is_known(certified, monkeypatch):
    """In Actions GitHub's ledger counts; on a laptop what was fetched, if there is no own one."""
    publish_ledger(certified)
    git(certified, "update-ref", "-d", f"refs/remotes/origin/{BRANCH}")
    with pytest.raises(NotCarriedOutError, match="is not at hand"):
        ask(certified)
    git(certified, "fetch", "--quiet", "origin")
    assert ask(certified).certificate
    known = git(certified, "rev-parse", f"refs/remotes/origin/{BRANCH}")
    revoke(certified, read_card(Handover(Layout(certified).out)).bundle_digest, "bad", "origin")
    git(certified, "update-ref", f"refs/remotes/origin/{BRANCH}", known)
    assert ask(certified).certificate, "this laptop has not heard of it"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    with pytest.raises(RefusedError, match=r"was revoked at .*: bad; predict with another"):
        ask(certified)
    monkeypatch.delenv("GITHUB_ACTIONS")
    git(certified, "fetch", "--quiet", "origin")
    with pytest.raises(RefusedError, match="was revoked"):
        ask(certified)


def test_uncertified_is_marked_and_impossible_in_actions(toy, monkeypatch):
    """On a laptop one may look at an uncertified model."""
    bundle = Handover(Layout(toy).out).bundle
    permission = without_certificate(bundle)
    assert permission.certificate is None
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(RefusedError, match="does not exist in Actions"):
        without_certificate(bundle)
