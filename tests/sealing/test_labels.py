"""Labels under lock."""

import base64
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import reduced_formulas
from assay.errors import NotCarriedOutError, RefusedError, UsageError
from assay.files import digest_bytes, digest_file
from assay.layout import Layout
from assay.sealing import encryption
from assay.sealing.encryption import BYTES, SEALING, commit_to, read_header, seal
from assay.sealing.labels import (
    commitment,
    digest_of_formulas,
    open_labels,
    open_sealed,
    sealed_digest,
)
from sealed import seal_labels
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


@pytest.mark.parametrize("sealed_first", [False, True])
def test_labels(layout, sealed_first):
    """Sealed or not, the labels are the same floats in the order of the inputs."""
    if sealed_first:
        seal_labels(layout)
    np.testing.assert_array_equal(open_labels(layout, "gap"), VALUES)


def test_sealed_labels_are_opened_after_their_column_was_renamed(layout):
    """The column that was sealed is the target's if train.csv has the new name alone."""
    with pytest.raises(UsageError, match="no column 'band gap'"):
        open_labels(layout, "band gap")
    seal_labels(layout)
    layout.train.write_text("row_id,formula,band gap\nt1,KF,1\n")
    np.testing.assert_array_equal(open_labels(layout, "band gap"), VALUES)
    layout.train.write_text("row_id,formula,gap,band gap\nt1,KF,1,2\n")
    with pytest.raises(NotCarriedOutError, match="no column 'band gap'"):
        open_labels(layout, "band gap")


def test_of_two_sealed_columns_none_is_guessed(layout):
    """Sealed labels beside a further column are those of the target's name alone."""
    rows = "".join(f"s{n},{value!r},0\n" for n, value in enumerate(VALUES, 1))
    layout.open_labels.write_text("row_id,gap,other\n" + rows)
    layout.train.write_text("row_id,formula,band gap\nt1,KF,1\n")
    seal_labels(layout)
    np.testing.assert_array_equal(open_labels(layout, "gap"), VALUES)
    with pytest.raises(NotCarriedOutError, match="no column 'band gap'"):
        open_labels(layout, "band gap")


def test_nothing_in_plain_text(sealed):
    """After sealing no file of the repository holds a label, an id beside it, or the key in git."""
    assert not sealed.open_labels.exists()
    content = sealed.sealed_labels.read_bytes()
    for secret in (
        *(repr(value).encode() for value in VALUES),
        b"s1,",
        b"gap",
        encryption.read(sealed, SEALING),
    ):
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


def test_commitment(layout):
    """The commitment is in the public header; of open labels there is none, of no labels a word."""
    assert commitment(layout) is None
    seal_labels(layout)
    opened, _ = open_sealed(layout)
    assert commitment(layout) == commit_to(opened.salt, opened.labels)
    assert commitment(layout) == read_header(layout.sealed_labels.read_bytes(), "f")["commitment"]
    layout.sealed_labels.unlink()
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "restore"):
        commitment(layout)


def test_committed_form(layout):
    """What is committed to is each row whole, in one form, however the open file was written."""
    layout.open_labels.write_bytes(b'"row_id",gap\r\ns1,"1.50"\r\ns2,2\r\ns3,3e0')
    seal_labels(layout)
    assert open_sealed(layout)[0].labels == (
        b"row_id,formula,gap\ns1,NaCl,1.50\ns2,KCl,2\ns3,LiF,3e0\n"
    )


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


def test_a_key_is_never_overwritten(sealed):
    """Where a key lies nothing is sealed: neither the sealed file nor open labels change."""
    before = sealed.sealed_labels.read_bytes(), (sealed.keys / "sealing.key").read_bytes()
    sealed.open_labels.write_text("row_id,gap\ns1,1\ns2,2\ns3,3\n")
    with told(RefusedError, 1, "sealing.key", "move it away"):
        seal_labels(sealed)
    assert sealed.open_labels.exists()
    after = sealed.sealed_labels.read_bytes(), (sealed.keys / "sealing.key").read_bytes()
    assert after == before


def test_name_of_the_set(layout):
    """Sealing, sealing again, and other labels leave the name; another composition changes it."""
    name = sealed_digest(layout)
    assert name == digest_bytes(b"KCl\nLiF\nNaCl\n")
    layout.open_labels.write_text(layout.open_labels.read_text().replace("-0.5", "0.75"))
    assert sealed_digest(layout) == name
    seal_labels(layout)
    assert sealed_digest(layout) == name
    content = seal(b"other", "d", KEY)
    layout.sealed_labels.write_bytes(content)
    assert sealed_digest(layout) == name
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\ns2,KCl\ns3,LiBr\n")
    assert sealed_digest(layout) != name


def test_name_without_labels(layout):
    """Missing labels are told, and so is a formula that cannot be read, with its line."""
    layout.sealed_inputs.write_text("row_id,formula\ns1,NaCl\ns2,XxCl\n")
    with told(UsageError, 2, "sealed_inputs.csv", "line 3", "'Xx'"):
        sealed_digest(layout)
    layout.open_labels.unlink()
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "restore"):
        sealed_digest(layout)


AMOUNTS = st.dictionaries(
    st.sampled_from(["Li", "Na", "Mg", "Al", "Fe", "O", "S", "Cl", "He", "Ar", "N"]),
    st.integers(1, 9),
    min_size=2,  # an element alone with many atoms is a name
    max_size=4,
)


@st.composite
def respelt(draw):
    """Formulas, and the same compositions in other words, order and number."""
    compositions = draw(st.lists(AMOUNTS, min_size=1, max_size=6))
    spellings = []
    for amounts in (*compositions, *draw(st.lists(st.sampled_from(compositions), max_size=3))):
        factor = draw(st.sampled_from([1, 2, 4, 0.5, 0.125]))
        written = draw(st.permutations([*amounts.items()]))
        parts = [f"{symbol}{f'{n * factor:.3f}'.removesuffix('.000')}" for symbol, n in written]
        spellings.append("".join(parts))
    plain = ["".join(f"{s}{n}" for s, n in amounts.items()) for amounts in compositions]
    return plain, draw(st.permutations(spellings))


@given(respelt())
def test_name_is_of_compositions(formulas):
    """Order, repetition, multiples, decimals and the order of elements make no other set."""
    plain, other = (digest_of_formulas(reduced_formulas(part, Path("f"))) for part in formulas)
    assert plain == other


@given(st.sets(st.sampled_from(["NaCl", "KCl", "LiF", "Fe2O3", "MgO"]), min_size=1))
def test_name_tells_sets_apart(formulas):
    """One composition more or fewer is another set."""
    name = digest_of_formulas(list(formulas))
    assert name != digest_of_formulas([*formulas, "Li2O"])
    assert name != digest_of_formulas(list(formulas)[1:])


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is missing")
def test_name_by_shell(layout):
    """Anybody can recompute the name of a set in canonical spelling."""
    command = "tail -n +2 data/sealed_inputs.csv | cut -d, -f2 | LC_ALL=C sort -u | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=layout.root, capture_output=True, text=True, check=True
    )
    assert sealed_digest(layout) == done.stdout.split()[0]


def test_next_key_opens(sealed):
    """What an interrupted change of keys left opens, whichever is in place; others do not."""
    inputs = digest_file(sealed.sealed_inputs)
    labels = open_sealed(sealed)[0].labels
    coming = encryption.create_next(sealed, SEALING)
    np.testing.assert_array_equal(open_labels(sealed, "gap"), VALUES)
    sealed.sealed_labels.write_bytes(seal(labels, inputs, coming))
    np.testing.assert_array_equal(open_labels(sealed, "gap"), VALUES)
    assert open_sealed(sealed)[1] == coming
    (sealed.keys / "sealing.key").unlink()
    np.testing.assert_array_equal(open_labels(sealed, "gap"), VALUES)
    sealed.sealed_labels.write_bytes(seal(labels, inputs, KEY))
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "key is wrong"):
        open_labels(sealed, "gap")


def test_old_key_does_not_open(sealed):
    """A key that was put aside is not tried: whoever has it could pass off labels of his own."""
    labels = open_sealed(sealed)[0].labels
    encryption.keep(sealed, SEALING, KEY)
    sealed.sealed_labels.write_bytes(seal(labels, digest_file(sealed.sealed_inputs), KEY))
    with told(NotCarriedOutError, 3, "sealed_labels.bin", "key is wrong"):
        open_labels(sealed, "gap")
