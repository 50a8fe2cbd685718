"""The format of sealed labels."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.errors import NotCarriedOutError
from assay.files import digest_bytes
from assay.sealing.encryption import BYTES, FORMAT, Opened, commit_to, read_header, seal, unseal
from sentences import told

KEY = bytes(range(BYTES))
SECRETS = st.binary(min_size=BYTES, max_size=BYTES)


@given(st.binary(max_size=300), SECRETS)
def test_round_trip(labels, key):
    """What was sealed is opened by the same key, and sealing twice never looks the same."""
    content = seal(labels, "d", key)
    assert unseal(content, key, "f").labels == labels
    assert content != seal(labels, "d", key)
    assert read_header(content, "f")["inputs"] == "d"


@given(st.binary(max_size=300), SECRETS, SECRETS)
def test_new_key_keeps_the_commitment(labels, key, other):
    """The same salt under another key: another file, the same commitment; a new salt hides."""
    first = seal(labels, "d", key)
    opened = unseal(first, key, "f")
    again = seal(labels, "d", other, opened.salt)
    assert unseal(again, other, "f") == opened
    headers = [read_header(content, "f") for content in (first, again, seal(labels, "d", key))]
    assert headers[0]["commitment"] == headers[1]["commitment"] != headers[2]["commitment"]
    assert headers[0]["nonce"] != headers[1]["nonce"]


@given(st.binary(max_size=300), SECRETS, SECRETS)
def test_other_key(labels, key, other):
    """No other key opens a sealed file."""
    assume(key != other)
    with told(NotCarriedOutError, 3, "f", "key is wrong"):
        unseal(seal(labels, "d", key), other, "f")


def test_commitment():
    """Once salt and labels are public anybody can check them; the labels alone do not match."""
    content = seal(b"row_id,gap\ns1,1.5\n", "d", KEY)
    opened, named = unseal(content, KEY, "f"), read_header(content, "f")["commitment"]
    assert len(opened.salt) == BYTES
    assert named == commit_to(opened.salt, opened.labels)
    assert named == digest_bytes(opened.salt + b"row_id,gap\ns1,1.5\n")
    assert named not in {digest_bytes(opened.labels), commit_to(bytes(BYTES), opened.labels)}


@given(SECRETS, SECRETS, st.binary(max_size=50), st.binary(max_size=50))
def test_commitment_is_of_these_labels(salt, other_salt, labels, other):
    """Other labels or another salt are not what was committed to."""
    pairs = {(salt, labels), (other_salt, labels), (salt, other), (other_salt, other)}
    assert len({commit_to(*pair) for pair in pairs}) == len(pairs)


def test_false_commitment():
    """A file whose header commits to other labels is refused, though its seal is whole."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header = {"format": FORMAT, "inputs": "", "commitment": "0" * 64, "nonce": "00" * 12}
    line = json.dumps(header).encode() + b"\n"
    content = line + ChaCha20Poly1305(KEY).encrypt(bytes(12), bytes(BYTES) + b"x", line)
    with told(NotCarriedOutError, 3, "labels.bin", "commitment"):
        unseal(content, KEY, "labels.bin")


def test_every_byte_counts():
    """Every altered byte, of the header or of the ciphertext, and every truncation is refused."""
    content = seal(b"row_id,gap\ns1,1.5\n", "d" * 64, KEY)
    assert isinstance(unseal(content, KEY, "f"), Opened)
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        for damaged in (bytes(altered), content[:place]):
            with told(NotCarriedOutError, 3, "labels.bin", "restore"):
                unseal(damaged, KEY, "labels.bin")


@given(st.binary(max_size=100), st.data())
def test_any_altered_byte_is_refused(labels, data):
    """Whatever a byte is changed to, wherever, nothing is opened."""
    content = seal(labels, "d", KEY)
    place = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.integers(1, 255))
    altered = content[:place] + bytes([content[place] ^ change]) + content[place + 1 :]
    with told(NotCarriedOutError, 3, "labels.bin", "restore"):
        unseal(altered, KEY, "labels.bin")


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
