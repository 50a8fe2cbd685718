"""Certified bundles at hand: found by digest, packed and unpacked without surprises."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from assay.batch import authorization
from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_tree
from assay.layout import Handover, Layout
from github_server import GithubServer
from toy import read_card

pytestmark = pytest.mark.usefixtures("laptop")
DIGEST = "ab" * 32


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder of two files."""
    folder = tmp_path / "bundle"
    (folder / "code").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "code" / "b.py").write_text("b = 1\n")
    return folder


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file in a certificate's place."""
    path = tmp_path / "certificate.json"
    path.write_text("{}")
    return path


def test_pack_and_unpack_is_the_same_bundle(bundle, tmp_path):
    """The digest survives the archive, and the archive depends on contents alone."""
    packed = authorization.pack(bundle)
    (tmp_path / "bundle.tar").write_bytes(packed)
    authorization.unpack(tmp_path / "bundle.tar", tmp_path / "unpacked")
    assert digest_tree(tmp_path / "unpacked") == digest_tree(bundle)
    (bundle / "a.txt").touch()
    assert authorization.pack(bundle) == packed


def archive_of(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    """An archive with a harmless file and one more member."""
    with tarfile.open(path, "w") as archive:
        for entry_name, entry_kind in (("fine.txt", tarfile.REGTYPE), (name, kind)):
            entry = tarfile.TarInfo(entry_name)
            entry.type, entry.linkname = entry_kind, link
            entry.size = 1 if entry_kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(b"x"))
    return path


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../outside.txt", tarfile.REGTYPE, ""),
        ("a/../../outside.txt", tarfile.REGTYPE, ""),
        ("/outside.txt", tarfile.REGTYPE, ""),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("link", tarfile.SYMTYPE, "fine.txt"),
        ("link", tarfile.LNKTYPE, "fine.txt"),
        ("device", tarfile.CHRTYPE, ""),
        ("pipe", tarfile.FIFOTYPE, ""),
        ("folder", tarfile.DIRTYPE, ""),
    ],
)
def test_malicious_member_is_refused(tmp_path, name, kind, link):
    """Anything but plain files below the folder: nothing at all is unpacked."""
    archive = archive_of(tmp_path / "bundle.tar", name, kind, link)
    with pytest.raises(NotCarriedOutError, match="no plain file"):
        authorization.unpack(archive, tmp_path / "deep" / "unpacked")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar"]


def test_harmless_archive_of_the_same_make_is_unpacked(tmp_path):
    """The archives above are refused for their second member only."""
    authorization.unpack(archive_of(tmp_path / "bundle.tar", "second.txt"), tmp_path / "unpacked")
    assert len(list((tmp_path / "unpacked").iterdir())) == 2


def test_archive_that_unpacks_too_large_is_refused(tmp_path, monkeypatch):
    """The sizes are added up before anything is written."""
    monkeypatch.setattr(authorization, "MAXIMUM_ARCHIVE", 1)
    with pytest.raises(NotCarriedOutError, match="not unpacked"):
        authorization.unpack(
            archive_of(tmp_path / "bundle.tar", "second.txt"), tmp_path / "unpacked"
        )
    assert not (tmp_path / "unpacked").exists()


@pytest.mark.parametrize("damage", [b"", b"no archive at all", None])
def test_damaged_or_compressed_archive_is_refused(bundle, tmp_path, damage):
    """A truncated, foreign or compressed archive is named and not unpacked."""
    import gzip

    path = tmp_path / "bundle.tar"
    path.write_bytes(gzip.compress(authorization.pack(bundle)) if damage is None else damage)
    with pytest.raises(NotCarriedOutError, match=r"bundle\.tar"):
        authorization.unpack(path, tmp_path / "unpacked")


def test_found_by_digest_or_its_beginning(bundle, certificate, tmp_path):
    """A stored model is found by its digest or by enough of it, never by a guess."""
    layout = Layout(tmp_path)
    stored = authorization.store(layout, DIGEST, bundle, certificate)
    assert (
        authorization.find(tmp_path, DIGEST) == authorization.find(tmp_path, DIGEST[:6]) == stored
    )
    authorization.store(layout, DIGEST[:8] + "0" * 56, bundle, certificate)
    with pytest.raises(RefusedError, match="2 certified models begin"):
        authorization.find(tmp_path, DIGEST[:6])
    assert authorization.find(tmp_path, DIGEST[:10]) == stored


@pytest.mark.parametrize("name", ["f" * 64, "", "*", "../../x", "champio"])
def test_unknown_model_is_refused(bundle, certificate, tmp_path, name):
    """No such digest at hand: refused, and the message says how to get one."""
    authorization.store(Layout(tmp_path), DIGEST, bundle, certificate)
    with pytest.raises(RefusedError, match="run the workflow Predict"):
        authorization.find(tmp_path, name)


def test_champion_is_refused_while_nothing_is_certified(toy):
    """Without a certified model there is nothing to predict with."""
    with pytest.raises(RefusedError, match="no model is certified yet"):
        authorization.find(toy, authorization.CHAMPION)


def test_champion_is_what_the_ledger_names(certified):
    """The default model is the last certified one."""
    found = authorization.find(certified, authorization.CHAMPION)
    assert found.bundle.parent.name == read_card(Handover(Layout(certified).out)).bundle_digest


def test_published_model_is_fetched_under_its_own_digest(toy, tmp_path, monkeypatch):
    """A release goes out and comes back whole, also when it is asked for by 12 digits."""
    handover = Handover(Layout(toy).out)
    digest = read_card(handover).bundle_digest
    handover.certificate.write_text(json.dumps({"any": "thing"}))
    with GithubServer(tmp_path / "github") as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "group/toy")
        monkeypatch.setenv("GITHUB_TOKEN", "t")
        authorization.publish(digest, handover.bundle, handover.certificate, "notes")
        found = authorization.find(toy, digest[:12])
        assert found.bundle.parent.name == digest
        assert digest_tree(found.bundle) == digest
        assert found.certificate.read_bytes() == handover.certificate.read_bytes()
        other = digest[:11] + ("0" if digest[11] != "0" else "1")
        authorization.publish(other, handover.bundle, handover.certificate, "swapped")
        with pytest.raises(RefusedError, match="holds bundle"):
            authorization.find(toy, other)
        with pytest.raises(NotCarriedOutError, match="no release"):
            authorization.find(toy, "0" * 12)
