"""Certificates: issued by one key, verified offline, refused when anything is altered."""

import base64
import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope

from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Layout
from assay.ledger import certificate as module
from assay.ledger.certificate import (
    PAYLOAD_TYPE,
    issue,
    new_signing_key,
    policy_digest,
    read_signer,
    verify,
)
from assay.sealing.encryption import SIGNING
from assay.settings import Settings, parse_settings
from ledger_samples import CERTIFICATE, DIGESTS
from sentences import told


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """A repository with a fresh signing key."""
    monkeypatch.delenv(SIGNING.variable, raising=False)
    layout = Layout(tmp_path)
    new_signing_key(layout)
    return layout


@pytest.fixture
def issued(layout):
    """The path of a good certificate."""
    path = layout.root / "certificate.json"
    issue(CERTIFICATE, read_signer(layout), path)
    return path


def sign(layout, path, payload, payload_type=PAYLOAD_TYPE):
    """Sign any payload with the repository's key."""
    envelope = Envelope(
        payload if isinstance(payload, bytes) else json.dumps(payload).encode(), payload_type, {}
    )
    envelope.sign(read_signer(layout))
    path.write_text(json.dumps(envelope.to_dict()))


def statement(path):
    """The statement inside a certificate."""
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))


def test_an_older_certificate_without_the_machinery_still_holds(layout, issued):
    """What was issued before certificates named the machinery goes on to verify."""
    told = statement(issued)
    assert {"machinery", "machinery_version"} <= set(told["predicate"])
    for name in ("machinery", "machinery_version"):
        del told["predicate"][name]
    sign(layout, issued, told)
    assert verify(issued, layout.public_key).predicate.machinery is None


def test_round_trip(layout, issued):
    """What was issued is what is verified."""
    assert verify(issued, layout.public_key) == CERTIFICATE


def test_form(issued):
    """The file is an in-toto statement in a DSSE envelope whose subject is the bundle's digest."""
    assert json.loads(issued.read_text())["payloadType"] == "application/vnd.in-toto+json"
    content = statement(issued)
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["subject"] == [
        {"name": "gap-model", "digest": {"sha256": DIGESTS["bundle"]}},
    ]


def test_openssl_could_check(layout, issued):
    """The signature is plain Ed25519 over DSSE's pre-authentication encoding."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    envelope = json.loads(issued.read_text())
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key = load_pem_public_key(layout.public_key.read_bytes())
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)


def test_every_byte_counts(layout, issued):
    """No altered byte makes a certificate say anything else: refused, or the same statement."""
    content = issued.read_bytes()
    places = range(0, len(content), 3)
    refused = 0
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1
        issued.write_bytes(altered)
        try:
            assert verify(issued, layout.public_key) == CERTIFICATE
        except RefusedError:
            refused += 1
    # what is left over: white space, and the unused bits at the end of base64
    assert refused > 0.97 * len(places)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("subject", 0, "digest", "sha256"), "f" * 64),
        (("subject", 0, "name"), "other"),
        (("predicate", "margin"), 99.0),
        (("predicate", "sealed"), False),
        (("predicate", "claim"), "improvement"),
        (("predicate", "policy_digest"), "f" * 64),
    ],
)
def test_altered_statement(layout, issued, path, value):
    """A changed field under the old signature is refused."""
    content = statement(issued)
    place = content
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value
    envelope = json.loads(issued.read_text())
    payload = json.dumps(content, sort_keys=True).encode()
    envelope["payload"] = base64.b64encode(payload).decode()
    issued.write_text(json.dumps(envelope))
    with told(RefusedError, 1, "certificate.json", "altered"):
        verify(issued, layout.public_key)


@pytest.mark.parametrize("signatures", ["none", "twice", "foreign first"])
def test_signatures(layout, issued, tmp_path, signatures):
    """No signature or a doubled one is refused; a foreign one beside the right one does no harm."""
    envelope = json.loads(issued.read_text())
    if signatures == "none":
        envelope["signatures"] = []
    elif signatures == "twice":
        envelope["signatures"] *= 2
    else:
        other = Layout(tmp_path / "other")
        new_signing_key(other)
        issue(CERTIFICATE, read_signer(other), other.root / "c.json")
        foreign = json.loads((other.root / "c.json").read_text())["signatures"]
        envelope["signatures"] = foreign + envelope["signatures"]
    issued.write_text(json.dumps(envelope))
    if signatures == "foreign first":
        assert verify(issued, layout.public_key) == CERTIFICATE
    else:
        with told(RefusedError, 1, "certificate.json"):
            verify(issued, layout.public_key)


def test_other_key(layout, issued, tmp_path):
    """A certificate of another repository is refused here, even under a renamed key id."""
    other = Layout(tmp_path / "other")
    new_signing_key(other)
    with told(RefusedError, 1, "certificate.json", "not signed by certificate.pub"):
        verify(issued, other.public_key)
    envelope = json.loads(issued.read_text())
    envelope["signatures"][0]["keyid"] = read_signer(other).public_key.keyid
    issued.write_text(json.dumps(envelope))
    with told(RefusedError, 1, "certificate.json", "not signed by certificate.pub"):
        verify(issued, other.public_key)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"predicateType": "https://slsa.dev/provenance/v1"}, ["another type"]),
        ({"_type": "https://in-toto.io/Statement/v0.1"}, ["another type"]),
        ({"subject": []}, ["not a certificate"]),
        ({"subject": [{"name": "a", "digest": {"sha256": "0" * 64}}] * 2}, ["not a certificate"]),
        ({"subject": [{"name": "a", "digest": {"sha512": "0" * 64}}]}, ["not a certificate"]),
        ({"subject": [{"name": "a", "digest": {"sha256": "0" * 63}}]}, ["not a certificate"]),
        ({"predicate": {}}, ["not a certificate"]),
        ({"predicate": None}, ["not a certificate"]),
    ],
)
def test_other_statements(layout, issued, change, parts):
    """A statement of another kind is no certificate, though the right key signed it."""
    sign(layout, issued, {**statement(issued), **change})
    with told(RefusedError, 1, "certificate.json", *parts):
        verify(issued, layout.public_key)


@pytest.mark.parametrize("verdict", ["FAIL", "INCONCLUSIVE"])
def test_only_pass(layout, issued, verdict):
    """A signed statement of any verdict but PASS certifies nothing."""
    content = statement(issued)
    content["predicate"]["verdict"] = verdict
    sign(layout, issued, content)
    with told(RefusedError, 1, "not a certificate"):
        verify(issued, layout.public_key)


def test_other_payloads(layout, issued):
    """Another payload type, and a payload that is no JSON, are refused though signed."""
    sign(layout, issued, statement(issued), "text/plain")
    with told(RefusedError, 1, "'text/plain'"):
        verify(issued, layout.public_key)
    for payload in (b"no json", b"[]", b"null", b"\xff"):
        sign(layout, issued, payload)
        with told(RefusedError, 1, "not a certificate"):
            verify(issued, layout.public_key)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"payload": 1}'])
def test_no_envelope(layout, issued, content):
    """What is no envelope is refused with a sentence."""
    issued.write_bytes(content)
    with told(RefusedError, 1, "certificate.json", "not a certificate"):
        verify(issued, layout.public_key)


def test_missing_files(layout, issued):
    """A missing certificate or public key is told; a damaged public key refuses no model."""
    with told(RefusedError, 1, "none.json", "--certificate"):
        verify(layout.root / "none.json", layout.public_key)
    layout.public_key.write_text("no key")
    with told(NotCarriedOutError, 3, "certificate.pub", "PEM"):
        verify(issued, layout.public_key)
    layout.public_key.unlink()
    with told(RefusedError, 1, "certificate.pub", "assay init"):
        verify(issued, layout.public_key)


def test_size(layout, issued, monkeypatch):
    """A certificate over the limit is not read."""
    monkeypatch.setattr(module, "MAXIMUM_BYTES", 10)
    with told(RefusedError, 1, "certificate.json"):
        verify(issued, layout.public_key)


def test_keys(layout):
    """The secret key is its owner's alone, is never overwritten, and is not in the public half."""
    key = layout.keys / "signing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() not in layout.public_key.read_text()
    before = key.read_bytes()
    with told(RefusedError, 1, "signing.key", "move it away"):
        new_signing_key(layout)
    assert key.read_bytes() == before


def test_signer(layout, tmp_path, monkeypatch):
    """The key of the environment counts first; a malformed or foreign one is told, exit code 3."""
    mine = (layout.keys / "signing.key").read_text()
    other = Layout(tmp_path / "other")
    new_signing_key(other)
    foreign = (other.keys / "signing.key").read_text()
    monkeypatch.setenv(SIGNING.variable, foreign)
    with told(NotCarriedOutError, 3, "does not belong to certificate.pub"):
        read_signer(layout)
    for bad in ("AAAA", "#", "é", mine + mine):
        monkeypatch.setenv(SIGNING.variable, bad)
        with told(NotCarriedOutError, 3, "signing key", "base64"):
            read_signer(layout)
    (layout.keys / "signing.key").unlink()
    monkeypatch.setenv(SIGNING.variable, mine.strip())
    assert read_signer(layout)
    monkeypatch.delenv(SIGNING.variable)
    assert read_signer(layout) is None


TOML = """[project]
name = "n"
package = "p"
[target]
column = "gap"
unit = "eV"
[gate]
margin = 0.1
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("margin = 0.1", "margin = 0.10", True),
        ("margin = 0.1", "alpha = 0.025\nmargin = 0.1  # the default", True),
        ('name = "n"', 'name = "m"', True),
        ("[project]", "[sanity]\nexamples = 7\n[project]", True),
        ("margin = 0.1", "margin = 0.11", False),
        ("margin = 0.1", "margin = 0.1\nalpha = 0.02", False),
        ("margin = 0.1", 'margin = 0.1\nbaseline = "ridge"', False),
        ('unit = "eV"', 'unit = "meV"', False),
        ('column = "gap"', 'column = "gap2"', False),
        ("[project]", "[split]\nseed = 1\n[project]", False),
    ],
)
def test_policy(old, new, same):
    """The policy's digest changes with the rule of the gate and with nothing else."""
    changed = parse_settings(TOML.replace(old, new))
    assert (policy_digest(changed) == policy_digest(parse_settings(TOML))) == same


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3))
def test_policy_of_margins(one, other):
    """Two margins share a digest only if they are the same number."""
    digests = [policy_digest(parse_settings(TOML.replace("0.1", repr(m)))) for m in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)


def test_a_policy_without_anything_advisory_has_the_name_that_it_had():
    """Certificates hold that were issued before policies could say more; others differ."""
    content = {
        "project": {"name": "toy", "package": "toy"},
        "target": {"column": "y"},
        "gate": {"margin": 0.1, "slices": [{"name": "a", "elements": ["O"]}]},
    }
    before = Settings.model_validate(content)
    # of assay 0.2, before there were advisory slices, groupings and numbers of rows that count
    named = "d6ab4a061401d043f4280445fcbd97aade4aa2c7647b2eefaec47431b80c230f"
    assert policy_digest(before) == named
    content["gate"]["slices"][0]["advisory"] = True
    assert policy_digest(Settings.model_validate(content)) != policy_digest(before)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("split", "group", "composition"),
        ("split", "group", "paper"),
        ("gate", "rows_per_group", 20),
    ],
)
def test_groups_are_part_of_the_policy(section, key, value):
    """A certificate issued under one grouping or cap does not stand for another."""
    plain = parse_settings(TOML).model_dump(mode="json", exclude_unset=True)
    other = plain | {section: plain.get(section, {}) | {key: value}}
    first, second = (policy_digest(Settings.model_validate(one)) for one in (plain, other))
    assert first != second
