"""`assay seal rotate`: another key, the same labels, set and commitment."""

import base64
import stat
from pathlib import Path

import pytest

from assay.errors import NotCarriedOutError, RefusedError
from assay.files import digest_bytes
from assay.layout import Layout
from assay.sealing import encryption
from assay.sealing.encryption import SEALING, read_header
from assay.sealing.labels import commitment, open_labels, open_sealed, sealed_digest
from assay.sealing.rotation import next_steps, rotate, settle
from sealed import seal_labels
from sentences import leftovers, snapshot, told
from toy import assay

KEY = bytes(range(32))


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """Three rows under seal."""
    monkeypatch.delenv(SEALING.variable, raising=False)
    layout = Layout(tmp_path)
    layout.train.parent.mkdir()
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\ns2,KCl\ns3,LiF\n")
    layout.open_labels.write_text("row_id,gap\ns1,8.5\ns2,8.25\ns3,13\n")
    seal_labels(layout)
    return layout


def header(layout):
    """The public header of the sealed file."""
    return read_header(layout.sealed_labels.read_bytes(), "f")


def test_rotate(layout):
    """The new key alone opens the new file, whose set, commitment and inputs are the old ones."""
    before, name, opened = header(layout), sealed_digest(layout), open_sealed(layout)
    kept = rotate(layout)
    new = encryption.read(layout, SEALING)
    assert open_sealed(layout) == (opened[0], new)
    assert new != opened[1] == base64.b64decode(kept.read_bytes())
    assert sealed_digest(layout) == name
    assert commitment(layout) == before["commitment"]
    assert header(layout)["nonce"] != before["nonce"]
    assert {k: v for k, v in header(layout).items() if k != "nonce"} == {
        k: v for k, v in before.items() if k != "nonce"
    }
    modes = {stat.S_IMODE(path.stat().st_mode) for path in layout.keys.iterdir()}
    assert modes == {0o600}
    assert len(list(layout.keys.iterdir())) == 2
    assert not leftovers(layout.root)


def test_old_key_is_worth_nothing_afterwards(layout):
    """With the old key back in place the new file does not open: it is not tried in secret."""
    kept = rotate(layout)
    kept.replace(layout.keys / "sealing.key")
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "key is wrong"):
        open_labels(layout, "gap")


class Crash(BaseException):
    """The power goes."""


def crash_at(monkeypatch, step, *, after):
    """Fail at one of the renames by which every write becomes real, before or after it."""
    replace, done = Path.replace, []

    def failing(path, target):
        done.append(target)
        if len(done) == step and not after:
            raise Crash
        result = replace(path, target)
        if len(done) == step:
            raise Crash
        return result

    monkeypatch.setattr(Path, "replace", failing)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["file", "environment"])
def test_crash(layout, monkeypatch, step, after, place):
    """Whatever write is the last one, the labels open; once more, and all is as it must be."""
    labels, name, old = (
        open_labels(layout, "gap"),
        commitment(layout),
        encryption.read(layout, SEALING),
    )
    if place == "environment":
        monkeypatch.setenv(SEALING.variable, base64.b64encode(old).decode())
    with monkeypatch.context() as patched:
        crash_at(patched, step, after=after)
        with pytest.raises(Crash):
            rotate(layout)
    if step == 5 and after and place == "environment":
        monkeypatch.delenv(SEALING.variable)
    assert (open_labels(layout, "gap") == labels).all()
    monkeypatch.delenv(SEALING.variable, raising=False)
    assert (open_labels(layout, "gap") == labels).all()
    rotate(layout)
    assert (open_labels(layout, "gap") == labels).all()
    assert commitment(layout) == name
    known = {base64.b64decode(path.read_bytes()) for path in layout.keys.iterdir()}
    assert old in known
    assert not list(layout.keys.glob("*.next.key"))


def test_crash_is_planted(layout, monkeypatch):
    """A rotation makes five writes, so the test above leaves none out."""
    done, replace = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: (done.append(b), replace(a, b))[1])
    rotate(layout)
    assert len(done) == 5


def test_settle_keeps_a_key_that_came_to_nothing(layout):
    """A next key under which nothing was encrypted is put aside, never lost."""
    idle = encryption.create_next(layout, SEALING)
    before = snapshot(layout.root / "data"), encryption.read(layout, SEALING)
    settle(layout)
    assert (snapshot(layout.root / "data"), encryption.read(layout, SEALING)) == before
    kept = layout.keys / f"sealing-{digest_bytes(idle)[:8]}.key"
    assert base64.b64decode(kept.read_bytes()) == idle
    assert encryption.read_next(layout, SEALING) is None


@pytest.mark.parametrize("how", ["other key", "no key", "altered"])
def test_nothing_is_changed_without_the_key(layout, how):
    """Whoever cannot open the file cannot rotate it, and every file stays as it is."""
    if how == "other key":
        (layout.keys / "sealing.key").write_bytes(base64.b64encode(KEY))
    elif how == "no key":
        (layout.keys / "sealing.key").unlink()
    else:
        layout.sealed_labels.write_bytes(layout.sealed_labels.read_bytes()[:-1])
    before = snapshot(layout.root)
    with pytest.raises(NotCarriedOutError):
        rotate(layout)
    assert snapshot(layout.root) == before


def test_open_labels_are_not_rotated(layout):
    """Where nothing is sealed the sentence says how to seal."""
    layout.sealed_labels.unlink()
    with told(RefusedError, 1, "sealed_labels.bin", "assay init"):
        rotate(layout)


def test_command_line(layout, monkeypatch):
    """The verb names both key files, the secret and when to delete; it prints no key."""
    done = assay(layout.root, "seal", "rotate")
    assert done.returncode == 0, done.stderr
    texts = [path.read_text().strip() for path in layout.keys.iterdir()]
    assert len(texts) == 2
    for text in texts:
        assert text not in done.stdout + done.stderr
    for part in (*(str(path) for path in layout.keys.iterdir()), SEALING.variable, "delete the"):
        assert part in done.stdout
    assert "`unset" not in done.stdout
    monkeypatch.setenv(SEALING.variable, "x")
    assert f"`unset {SEALING.variable}`" in next_steps(layout, layout.keys / "old.key")
