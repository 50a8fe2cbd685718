"""Labels under lock."""

import base64
import json
import shutil
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import sealing
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_bytes, digest_file
from assay.keys import BYTES, SEALING
from assay.layout import Layout
from assay.sealing import (
    open_labels,
    read_header,
    read_key,
    seal,
    seal_labels,
    sealed_digest,
    unseal,
)
from sentences import assert_sentence, leftovers, told

VALUES = [1.2345678901, -0.5, 3.0e-7]
KEY = bytes(range(BYTES))


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """A repository with open labels of three rows, and no key in the environment."""
    monkeypatch.delenv(SEALING.variable, raising=False)
    layout = Layout(tmp_path)
    layout.train.parent.mkdir()
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\ns2,KCl\ns3,LiF\n")
    rows = "".join(f"s{n},{value!r}\n" for n, value in enumerate(VALUES, 1))
    layout.open_labels.write_text("row_id,gap\n" + rows)
    return layout


@pytest.fixture
def sealed(layout):
    """The same, sealed."""
    seal_labels(layout)
    return layout


@given(st.binary(max_size=300), st.binary(min_size=BYTES, max_size=BYTES))
def test_round_trip(labels, key):
    """What was sealed is opened by the same key, and sealing twice never looks the same."""
    content = seal(labels, "d", key)
    assert unseal(content, key, "f") == labels
    assert content != seal(labels, "d", key)
    assert read_header(content, "f")["inputs"] == "d"


@pytest.mark.parametrize("sealed_first", [False, True])
def test_labels(layout, sealed_first):
    """Sealed or not, the labels are the same floats in the order of the inputs."""
    if sealed_first:
        seal_labels(layout)
    np.testing.assert_array_equal(open_labels(layout, "gap"), VALUES)


def test_nothing_in_plain_text(sealed):
    """After sealing no file of the repository holds a label, an id beside it, or the key in git."""
    assert not sealed.open_labels.exists()
    content = sealed.sealed_labels.read_bytes()
    for secret in (*(repr(value).encode() for value in VALUES), b"s1,", b"gap", read_key(sealed)):
        assert secret not in content
    others = [p for p in sealed.root.rglob("*") if p.is_file() and p != sealed.sealed_labels]
    assert sorted(p.name for p in others) == ["sealed_inputs.csv", "sealing.key"]
    assert not leftovers(sealed.root / "data")


def test_key_file(sealed):
    """Only its owner can read the key, and only he can list the folder."""
    key = sealed.keys / "sealing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(sealed.keys.stat().st_mode) == 0o700
    assert len(base64.b64decode(key.read_bytes())) == BYTES


def test_commitment(sealed):
    """Once the key is published anybody can check that these labels were the ones committed to."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    content = sealed.sealed_labels.read_bytes()
    line, _, ciphertext = content.partition(b"\n")
    header = json.loads(line)
    cipher = ChaCha20Poly1305(read_key(sealed))
    plain = cipher.decrypt(bytes.fromhex(header["nonce"]), ciphertext, line + b"\n")
    assert header["commitment"] == digest_bytes(plain)
    assert plain[BYTES:].startswith(b"row_id,gap\ns1,1.23")
    # neither the labels alone nor a guess of them match: the salt keeps the commitment hiding
    assert header["commitment"] != digest_bytes(plain[BYTES:])


def test_false_commitment():
    """A file whose header commits to other labels is refused, though its seal is whole."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header = {"format": sealing.FORMAT, "inputs": "", "commitment": "0" * 64, "nonce": "00" * 12}
    line = json.dumps(header).encode() + b"\n"
    content = line + ChaCha20Poly1305(KEY).encrypt(bytes(12), bytes(BYTES) + b"x", line)
    with told(NotCarriedOutError, 3, "labels.bin", "commitment"):
        unseal(content, KEY, "labels.bin")


def test_every_byte_counts():
    """Every altered byte, of the header or of the ciphertext, and every truncation is refused."""
    content = seal(b"row_id,gap\ns1,1.5\n", "d" * 64, KEY)
    assert unseal(content, KEY, "f")
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        for damaged in (bytes(altered), content[:place]):
            with told(NotCarriedOutError, 3, "labels.bin", "restore"):
                unseal(damaged, KEY, "labels.bin")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[1]\n",
        b"\xff\n",
        b"[" * 100_000,
        b'{"format": 1, "inputs": 2, "commitment": 3, "nonce": 4}\n',
        seal(b"", "", KEY).replace(b"labels-1", b"labels-2"),
        b'{"format": "assay-sealed-labels-1", "inputs": "", "commitment": "", "nonce": "00"}\nx',
    ],
)
def test_no_sealed_file(content):
    """What is no sealed file is called so."""
    with told(NotCarriedOutError, 3, "labels.bin", "not a sealed file"):
        unseal(content, KEY, "labels.bin")


def damage(layout, how):
    """Spoil one thing of a sealed repository."""
    key, file = layout.keys / "sealing.key", layout.sealed_labels
    if how == "no key":
        key.unlink()
    elif how == "other key":
        key.write_bytes(base64.b64encode(KEY))
    elif how == "short key":
        key.write_bytes(base64.b64encode(KEY[:-1]))
    elif how == "no base64":
        key.write_bytes(b"#" + key.read_bytes())
    elif how == "truncated":
        file.write_bytes(file.read_bytes()[:-5])
    elif how == "other inputs":
        text = layout.sealed_inputs.read_text()
        layout.sealed_inputs.write_text(text.replace("NaCl", "NaBr"))
    elif how == "other rows":
        layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\n")


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ("no key", [SEALING.variable, "heldout", "sealing.key"]),
        ("other key", ["sealed_labels.bin", "key is wrong"]),
        ("short key", ["32 bytes", "sealing.key"]),
        ("no base64", ["base64", "sealing.key"]),
        ("truncated", ["sealed_labels.bin", "altered"]),
        ("other inputs", ["sealed_labels.bin", "sealed_inputs.csv", "restore"]),
        ("other rows", ["sealed_labels.bin", "sealed_inputs.csv", "restore"]),
    ],
)
def test_damage(sealed, how, parts):
    """Each is one sentence and exit code 3: nothing is said about the model."""
    damage(sealed, how)
    with told(NotCarriedOutError, 3, *parts):
        open_labels(sealed, "gap")


def test_key_of_the_environment(sealed, monkeypatch):
    """In a workflow the key comes from a secret, with or without a line end, and comes first."""
    text = (sealed.keys / "sealing.key").read_text()
    shutil.rmtree(sealed.keys)
    for secret in (text, text.strip()):
        monkeypatch.setenv(SEALING.variable, secret)
        np.testing.assert_array_equal(open_labels(sealed, "gap"), VALUES)
    monkeypatch.setenv(SEALING.variable, "é")
    with told(NotCarriedOutError, 3, "base64"):
        open_labels(sealed, "gap")


@pytest.mark.parametrize(("old", "new"), [("row_id,gap", "row_id,energy"), ("-0.5", "-0.5x")])
def test_bad_labels_are_not_quoted(layout, old, new):
    """Sealed labels that cannot be used are told without one of them being shown."""
    layout.open_labels.write_text(layout.open_labels.read_text().replace(old, new))
    seal_labels(layout)
    with pytest.raises(NotCarriedOutError) as caught:
        open_labels(layout, "gap")
    assert_sentence(str(caught.value), "'gap'", "target.column")
    assert not any(repr(value) in str(caught.value) for value in VALUES)
    assert caught.value.__suppress_context__


def test_twice(sealed):
    """Labels are sealed once; a key is never overwritten."""
    before = sealed.sealed_labels.read_bytes(), (sealed.keys / "sealing.key").read_bytes()
    with told(RefusedError, 1, "sealed_labels.bin", "sealed already"):
        seal_labels(sealed)
    sealed.open_labels.write_text("row_id,gap\ns1,1\n")
    sealed.sealed_labels.rename(sealed.root / "moved")
    with told(RefusedError, 1, "sealing.key", "move it away"):
        seal_labels(sealed)
    assert sealed.open_labels.exists()
    after = (sealed.root / "moved").read_bytes(), (sealed.keys / "sealing.key").read_bytes()
    assert after == before


def test_nothing_to_seal(layout):
    """Without open labels there is nothing to seal, and no key is made."""
    layout.open_labels.unlink()
    with told(UsageError, 2, "sealed_labels.csv", "does not exist"):
        seal_labels(layout)
    assert not layout.keys.exists()


def test_name_of_the_set(layout):
    """The sealed set is named by the file that is there, and missing labels are told."""
    assert sealed_digest(layout) == digest_file(layout.open_labels)
    seal_labels(layout)
    assert sealed_digest(layout) == digest_file(layout.sealed_labels)
    layout.sealed_labels.unlink()
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "restore"):
        sealed_digest(layout)
