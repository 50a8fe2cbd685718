"""The published labels of retired sets."""

import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import CheckFailedError, NotCarriedOutError
from assay.files import digest_file
from assay.layout import Layout
from assay.sealing.encryption import SEALING, Opened, seal
from assay.sealing.labels import digest_of_formulas, open_sealed, sealed_digest
from assay.sealing.releases import (
    COMMITMENT,
    LABELS,
    SCORES,
    check_release,
    folder_of,
    is_released,
    read_release,
    write_release,
)
from sealed import seal_labels
from sentences import leftovers, snapshot, told

ROWS = b"row_id,formula,gap\ns1,NaCl,8.50\ns2,KCl,8.25\ns3,LiF,13\n"
NAME = digest_of_formulas(["NaCl", "KCl", "LiF"])
SALT = bytes(range(32))


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """Three rows under seal."""
    monkeypatch.delenv(SEALING.variable, raising=False)
    layout = Layout(tmp_path)
    layout.train.parent.mkdir()
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\ns2,KCl\ns3,LiF\n")
    layout.open_labels.write_text("row_id,gap\ns1,8.50\ns2,8.25\ns3,13\n")
    seal_labels(layout)
    return layout


@pytest.fixture
def folder(layout):
    """Their release."""
    opened, _ = open_sealed(layout)
    return write_release(layout, sealed_digest(layout), opened, "use\n")


def test_release(layout, folder):
    """Labels are published as they were sealed, to the byte, in a folder named after the set."""
    assert folder == layout.retired / NAME[:12] == folder_of(layout, NAME)
    assert (folder / LABELS).read_bytes() == ROWS
    assert (folder / SCORES).read_text() == "use\n"
    record, table = check_release(layout, folder)
    assert record.sealed_digest == NAME
    assert table.to_dict("list") == {
        "row_id": ["s1", "s2", "s3"],
        "formula": ["NaCl", "KCl", "LiF"],
        "gap": ["8.50", "8.25", "13"],
    }
    assert is_released(layout, NAME)
    assert not is_released(layout, "0" * 64)
    assert not leftovers(layout.root)


@pytest.mark.skipif(not all(map(shutil.which, ("sha256sum", "xxd"))), reason="no xxd")
def test_release_by_shell(folder):
    """Anybody can check the commitment with a shell."""
    salt = json.loads((folder / COMMITMENT).read_text())["salt"]
    command = f"(printf {salt} | xxd -r -p; cat labels.csv) | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == json.loads((folder / COMMITMENT).read_text())["commitment"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(ROWS) - 1), st.integers(1, 255))
def test_any_other_labels_are_refused(tmp_path, place, change):
    """Exactly the labels committed to are accepted: no byte may differ, formulas included."""
    layout = Layout(tmp_path)
    folder = write_release(layout, NAME, Opened(SALT, ROWS), "")
    read_release(folder)
    altered = ROWS[:place] + bytes([ROWS[place] ^ change]) + ROWS[place + 1 :]
    (folder / LABELS).write_bytes(altered)
    with told(CheckFailedError, 1, "labels.csv", "commits to", "restore"):
        read_release(folder)


@pytest.mark.parametrize("field", ["salt", "commitment", "sealed_digest"])
def test_any_other_record_is_refused(folder, field):
    """Another salt, commitment or name of the set does not go with the labels."""
    content = json.loads((folder / COMMITMENT).read_text())
    content[field] = content[field][::-1]
    (folder / COMMITMENT).write_text(json.dumps(content))
    with told(CheckFailedError, 1, "labels.csv", "restore"):
        read_release(folder)


def test_forged_release_is_seen_beside_the_sealed_file(layout, folder):
    """Other labels with a commitment of their own are whole, but not what was sealed."""
    forged = Opened(SALT, ROWS.replace(b"8.25", b"1.25"))
    assert write_release(layout, NAME, forged, "") == folder
    read_release(folder)
    with told(CheckFailedError, 1, "commitment.json", "sealed_labels.bin"):
        check_release(layout, folder)


def test_next_set_is_not_compared(layout, folder):
    """The sealed file of another set, or of one that is being written, says nothing of this one."""
    key = bytes(32)
    layout.sealed_labels.write_bytes(seal(b"other", "d", key))
    check_release(layout, folder)
    layout.sealed_labels.write_bytes(seal(b"other", digest_file(layout.sealed_inputs), key))
    with told(CheckFailedError, 1, "commitment.json"):
        check_release(layout, folder)
    layout.sealed_inputs.write_text("row_id,formula\ns1,MgO\ns2,CaO\n")
    check_release(layout, folder)


def test_renamed_folder(folder):
    """A release under the name of another set would retire that one, so it is refused."""
    other = folder.rename(folder.parent / ("0" * 12))
    with told(CheckFailedError, 1, "labels.csv", "named after"):
        read_release(other)


@pytest.mark.parametrize("name", [LABELS, COMMITMENT])
def test_incomplete_release(folder, name):
    """A folder without labels or commitment is not whole."""
    (folder / name).unlink()
    with told(NotCarriedOutError, 3, str(folder), name):
        read_release(folder)


def test_all_or_nothing(layout, monkeypatch):
    """When the disk is full in the middle there is no release, and nothing is left over."""
    from assay.sealing import releases

    write = releases.write_bytes

    def labels_only(path, content):
        if path.name != LABELS:
            raise OSError(28, "no space")
        write(path, content)

    monkeypatch.setattr(releases, "write_bytes", labels_only)
    before = snapshot(layout.root)
    with pytest.raises(OSError, match="no space"):
        write_release(layout, NAME, Opened(SALT, ROWS), "")
    assert snapshot(layout.root) == before
    assert not is_released(layout, NAME)
