"""`assay.toml`: what is accepted, and the sentence for what is not."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.settings import parse_settings, read_settings, with_value
from sentences import told

MINIMAL = """[project]
name = "n"
package = "p"

[target]
column = "gap [eV]"  # with brackets

[gate]
margin = 1
"""


def test_minimum():
    """Three tables are enough; every other value has its default, and whole numbers are numbers."""
    settings = parse_settings(MINIMAL)
    assert settings.gate.margin == 1.0
    assert settings.gate.alpha == 0.025
    assert (settings.target.lower, settings.target.upper) == (-math.inf, math.inf)
    assert settings.split.folds == 5


def test_list_of_types():
    """A TOML list is taken for a tuple, which TOML lacks."""
    text = MINIMAL + '[model]\ntrusted_types = ["a.B", "c.D"]\n'
    assert parse_settings(text).model.trusted_types == ("a.B", "c.D")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("margin = 1", 'margin = "1"', ["'gate.margin'", "valid number"]),
        ("margin = 1", "margin = true", ["'gate.margin'"]),
        ("margin = 1", "margin = 0", ["'gate.margin'", "greater than 0"]),
        ("margin = 1", "margin = inf", ["'gate.margin'", "finite"]),
        ("margin = 1", "margin = nan", ["'gate.margin'"]),
        ("margin = 1", "margin = 1\nalpha = 0.2", ["'gate.alpha'", "0.05"]),
        ("margin = 1", "margin = 1\nmargn = 2", ["'gate.margn'", "did you mean 'margin'"]),
        ("margin = 1", "margin = 1\nxyzzy = 2", ["'gate.xyzzy'", "known keys are", "baseline"]),
        ("margin = 1", "", ["'gate.margin'", "missing"]),
        ("[gate]\nmargin = 1", "", ["'gate'", "missing"]),
        ("margin = 1", "margn = 1", ["unknown key 'gate.margn'", "did you mean 'margin'"]),
        ("[gate]", "[gates]", ["unknown key 'gates'", "did you mean 'gate'"]),
        ("[project]", "[sanityy]\n[project]", ["'sanityy'", "did you mean 'sanity'"]),
        ("[gate]", 'kind = "numbr"\n[gate]', ["'target.kind'", "'number'"]),
        ("[gate]", "lower = 2\nupper = 1\n[gate]", ["[target]", "below upper"]),
        ("[gate]", "lower = nan\n[gate]", ["[target]", "below upper"]),
        ('"gap [eV]"', '"formula"', ["[target]", "'formula'"]),
        ('"gap [eV]"', '""', ["'target.column'"]),
        ("[gate]", "[gate", ["not valid TOML", "line"]),
        ("[project]", "project = 3\n[project2]", ["'project'"]),
        ("margin = 1", "margin = 1\n[[gate.slices]]\nname = 'a'\nfamly = 'halogen'", ["'family'"]),
    ],
)
def test_bad_values(old, new, parts):
    """Each bad value is one sentence that names the key; exit code 2."""
    assert old in MINIMAL
    with told(UsageError, 2, "assay.toml", *parts):
        parse_settings(MINIMAL.replace(old, new))


RISE = """
[[sanity.monotonic]]
along = "O"
direction = "increasing"
between = ["TiO", "TiO2"]
tolerance = 0.1
"""
ALIKE = """
[[sanity.symmetric]]
exchange = ["Zr", "Hf"]
tolerance = 0.2
"""


def test_relations():
    """Relations that must hold are read in the order they are declared."""
    sanity = parse_settings(MINIMAL + RISE + RISE.replace("TiO2", "Ti2O3") + ALIKE).sanity
    assert [relation.between[1] for relation in sanity.monotonic] == ["TiO2", "Ti2O3"]
    assert sanity.symmetric[0].exchange == ("Zr", "Hf")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('"O"', '"X"', ["[sanity.monotonic[1]]", "'X' is not an element"]),
        ('"O"', '"oxygen"', ["'sanity.monotonic[1].along'", "'oxygen'"]),
        ('"O"', '"Fe"', ["[sanity.monotonic[1]]", "TiO and TiO2", "same share of Fe"]),
        ('"increasing"', '"up"', ["'sanity.monotonic[1].direction'", "'increasing'"]),
        ('"TiO2"', '"Ti O2"', ["[sanity.monotonic[1]]", "take out the spaces"]),
        ('"TiO2"]', '"TiO2", "Ti"]', ["'sanity.monotonic[1].between"]),
        ("tolerance = 0.1", "", ["'sanity.monotonic[1].tolerance'", "missing"]),
        ("tolerance = 0.1", "tolerance = -1", ["'sanity.monotonic[1].tolerance'"]),
        ("tolerance = 0.1", "tolerence = 1", ["'sanity.monotonic[1].toler"]),
        ('"Hf"', '"Zr"', ["[sanity.symmetric[1]]", "Zr twice"]),
        ('"Hf"', '"Hx"', ["[sanity.symmetric[1]]", "'Hx' is not an element"]),
        ("tolerance = 0.2", "tolerance = inf", ["'sanity.symmetric[1].tolerance'", "finite"]),
    ],
)
def test_bad_relations(old, new, parts):
    """A relation that says nothing sensible is one sentence that names it, counted from one."""
    assert old in RISE + ALIKE
    with told(UsageError, 2, "assay.toml", *parts):
        parse_settings(MINIMAL + (RISE + ALIKE).replace(old, new))


def test_shown_values_are_short():
    """A long bad value does not flood the terminal."""
    text = MINIMAL.replace("margin = 1", f'margin = "{"x" * 9000}"')
    with pytest.raises(UsageError) as caught:
        parse_settings(text)
    assert len(str(caught.value)) < 300


def test_no_file(tmp_path):
    """Outside a model repository the sentence says where to go."""
    with told(UsageError, 2, "assay.toml", "does not exist"):
        read_settings(tmp_path)


def test_encoding(tmp_path):
    """A file in Latin-1 is named as such."""
    (tmp_path / "assay.toml").write_bytes(MINIMAL.encode() + b"# \xe9\n")
    with told(UsageError, 2, "assay.toml", "UTF-8"):
        read_settings(tmp_path)


@given(value=st.floats(1e-9, 1e9), unit=st.text("abc[]#= ²å", max_size=8))
def test_values_are_set(value, unit):
    """A value set in the text is the value read, and nothing else changes."""
    text = with_value(MINIMAL, "gate", "margin", f"{value!r}  # a [comment]")
    text = with_value(text, "target", "unit", f'"{unit}"')
    settings = parse_settings(text)
    assert (settings.gate.margin, settings.target.unit) == (value, unit)
    assert settings.target.column == "gap [eV]"
    assert "# with brackets" in text


def test_comments_stay_where_a_value_is_set():
    """A table's heading with a comment is that table; only the old value's own comment goes."""
    text = MINIMAL.replace("[gate]", "[gate]  # frozen\n# about the margin")
    changed = with_value(text, "gate", "margin", "0.5")
    (before,) = [line for line in text.splitlines() if line.startswith("margin")]
    assert changed.splitlines() == [
        "margin = 0.5" if line == before else line for line in text.splitlines()
    ]


def test_values_are_removed_and_added():
    """None takes a key out; a missing key and a missing table are made."""
    text = MINIMAL.replace("[gate]", "lower = 1\n[gate]")
    assert tomllib.loads(with_value(text, "target", "lower", None)) == tomllib.loads(MINIMAL)
    assert tomllib.loads(with_value(MINIMAL, "target", "lower", None)) == tomllib.loads(MINIMAL)
    assert parse_settings(with_value(MINIMAL, "split", "seed", "7")).split.seed == 7
