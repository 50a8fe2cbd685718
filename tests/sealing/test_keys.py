"""Secret keys."""

import base64
import stat

import pytest

from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Layout
from assay.sealing import encryption
from assay.sealing.encryption import SEALING, SIGNING


@pytest.fixture
def layout(tmp_path, monkeypatch) -> Layout:
    """A repository of which no key is known."""
    for key in (SEALING, SIGNING):
        monkeypatch.delenv(key.variable, raising=False)
    return Layout(tmp_path)


@pytest.mark.parametrize("key", [SEALING, SIGNING], ids=lambda key: key.purpose)
def test_key_is_read_as_it_was_made_by_its_owner_alone(layout, key):
    """A key comes back from its file, which only its owner can read, and two are never alike."""
    assert encryption.read(layout, key) is None
    made = encryption.create(layout, key)
    assert encryption.read(layout, key) == made
    assert stat.S_IMODE((layout.keys / key.file).stat().st_mode) == 0o600
    other = Layout(layout.root / "other")
    assert encryption.create(other, key) != made


def test_key_is_not_made_twice(layout):
    """A second key would lose what the first one opens, so it is refused and the first stays."""
    made = encryption.create(layout, SEALING)
    with pytest.raises(RefusedError, match=r"sealing\.key exists already"):
        encryption.create(layout, SEALING)
    assert encryption.read(layout, SEALING) == made


def test_environment_goes_before_the_file(layout, monkeypatch):
    """In a workflow the secret counts, whatever lies on the disk."""
    encryption.create(layout, SEALING)
    secret = bytes(range(32))
    monkeypatch.setenv(SEALING.variable, base64.b64encode(secret).decode() + "\n")
    assert encryption.read(layout, SEALING) == secret


@pytest.mark.parametrize("text", ["short", base64.b64encode(bytes(31)).decode(), "%" * 44, "é"])
def test_malformed_key_is_told_without_being_shown(layout, monkeypatch, text):
    """Text that is not 32 bytes in base64 ends in a sentence that does not quote it."""
    monkeypatch.setenv(SIGNING.variable, text)
    with pytest.raises(NotCarriedOutError, match="not 32 bytes in base64") as told:
        encryption.read(layout, SIGNING)
    assert text not in str(told.value)


def test_next_key_takes_the_place(layout):
    """A key in waiting changes nothing; promoted, it is the key; the old one is kept aside."""
    old = encryption.create(layout, SEALING)
    assert encryption.read_next(layout, SEALING) is None
    new = encryption.create_next(layout, SEALING)
    assert encryption.read_next(layout, SEALING) == new != old
    assert encryption.read(layout, SEALING) == old
    kept = encryption.keep(layout, SEALING, old)
    assert encryption.keep(layout, SEALING, old) == kept
    encryption.promote_next(layout, SEALING)
    assert encryption.read(layout, SEALING) == new
    assert encryption.read_next(layout, SEALING) is None
    assert base64.b64decode(kept.read_bytes()) == old
    for path in layout.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(layout.keys.iterdir())) == 2


def test_empty_key_file_is_told(layout):
    """A file without a key is no key that is missing, but one that was lost."""
    encryption.create(layout, SEALING)
    (layout.keys / SEALING.file).write_bytes(b"")
    with pytest.raises(NotCarriedOutError, match="not 32 bytes in base64"):
        encryption.read(layout, SEALING)
