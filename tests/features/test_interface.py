"""The golden table: no value of a feature changes without another version of the interface."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from pymatgen.core import Element

import golden_features
from assay import compositions, features, plausibility, readings
from assay.compositions import parse, problem
from assay.features import parsing, tables, transformers
from assay.features.interface import GOLDEN, INTERFACE
from assay.features.tables import magpie_table, oxidation_states
from assay.features.transformers import FormulaFeatures

RAISE = "raise INTERFACE in src/assay/features/interface.py, then run scripts/golden_features.py"


def changes(kept: dict, now: dict) -> list[str]:
    """The values that differ between two tables of features, beyond a processor's last bits."""
    found = []
    for name in kept.keys() | now.keys():
        old, new = kept.get(name, {}), now.get(name, {})
        for formula in old.keys() | new.keys():
            one, other = old.get(formula), new.get(formula)
            alike = (one is None) == (other is None) and (
                one is None or (len(one) == len(other) and np.allclose(one, other, 1e-8, 1e-9))
            )
            if not alike:
                found.append(f"{name} of {formula}")
    return found


class Own:
    """A model of assay's own featurizers, which are quick."""

    def __init__(self) -> None:
        """Leave matminer's out."""
        parts = golden_features.Featurizers().parts
        self.parts = [one for one in parts if not isinstance(one, features.MatminerFeatures)]


def own(kept: dict) -> dict:
    """What a table has of assay's own featurizers."""
    rows = {name: row for name, row in kept["features"].items() if "Matminer" not in name}
    return kept | {"features": rows}


def allowed(kept: dict, now: dict) -> bool:
    """Whether the values are those of the kept table, or the version is another one."""
    return kept["interface"] != now["interface"] or not changes(kept["features"], now["features"])


@pytest.fixture(scope="module")
def now() -> dict:
    """The table as the features are."""
    return golden_features.table()


@pytest.fixture(scope="module")
def kept() -> dict:
    """The table in the repository."""
    return json.loads(golden_features.TABLE.read_text())


def test_values_are_those_of_the_version(kept, now):
    """Every golden feature has the value that was written down for this version."""
    assert allowed(kept, now), RAISE
    assert kept["interface"] == INTERFACE, "run scripts/golden_features.py"
    assert changes(kept["features"], now["features"]) == []
    assert allowed(own(kept), golden_features.table(Own()))


def test_planted_change_is_found(kept, monkeypatch):
    """A mean that is computed otherwise, or a formula read otherwise, needs another version."""
    monkeypatch.setattr(tables, "CLOSE", 0.5)  # more elements count as the most frequent
    altered = golden_features.table(Own())
    assert not allowed(own(kept), altered)
    assert allowed(own(kept), altered | {"interface": INTERFACE + 1})


def forget() -> None:
    """Drop what was parsed, which another way of reading would not be asked for again."""
    texts = (compositions.parse, readings.doubt, readings._symbols, plausibility.likelihood)
    for cached in (*texts, parsing._symbols):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (tables, "CLOSE", 1e-6),  # nearly equal shares are no longer both the most frequent
        (transformers, "NEUTRAL", 1e-3),  # a charge that nearly adds up does
        (parsing, "_GROUP", re.compile(parsing._GROUP.pattern.replace(r"[\d.]", "[.]"), re.ASCII)),
        (compositions, "MAXIMUM_LENGTH", 100),
        (compositions, "LARGEST_AMOUNT", 1e3),
        (compositions, "SMALLEST_AMOUNT", 1e-3),
        (readings, "_SOLVENT", re.compile("never")),
        (readings, "_NO_DECIMAL", re.compile("never")),
        (readings, "_POINT", re.compile("never")),
        (readings, "_COUNT", re.compile("never")),
        (readings, "_ROMAN", re.compile("never")),
        (readings, "_LONE", re.compile("never")),
        (readings, "_OXIDE", re.compile("never")),
        (readings, "ENDS", frozenset()),
        (readings, "MOST_ATOMS", 1),
        (readings, "MOST_ATOMS", 1000),
        (plausibility, "EVERYDAY", frozenset()),
        (plausibility, "METALLOIDS", frozenset()),
        (compositions, "ISOTOPES", ()),
        (compositions, "_brackets_match", lambda _: True),
        (compositions, "_SUBSCRIPTS", str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456798")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_formula_that_is_read_otherwise_is_found(kept, monkeypatch, module, name, value):
    """Each limit and each way of reading a formula has a composition that shows its change."""
    forget()
    try:
        for place in (module, parsing):
            if hasattr(place, name):
                monkeypatch.setattr(place, name, value)
        assert not allowed(own(kept), golden_features.table(Own()))
    finally:
        monkeypatch.undo()
        forget()


def test_every_featurizer_is_in_the_table(kept):
    """A featurizer that is added to assay.features has golden values, too."""
    known = {name for name in features.__all__ if name.endswith("Features")}
    assert {getattr(features, name) for name in known} <= set(FormulaFeatures.__subclasses__())
    assert {name.split()[0] for name in kept["features"]} == known


def has_features(formula: str) -> bool:
    """Whether the Magpie table has every number of a formula."""
    return problem(formula) is None and bool(np.isfinite(tables.magpie([formula])).all())


def test_each_number_of_each_element_is_seen(monkeypatch):
    """Another number of an element that features know changes a golden row, in every column."""
    readable = [text for text in GOLDEN if has_features(text)]
    names, table = magpie_table()
    known = [z for z in range(1, len(table)) if np.isfinite(table[z]).all()]
    assert len(known) == 90
    before = tables.magpie(readable)
    places = [(z, 0) for z in known] + [(21, column) for column in range(len(names))]
    for z, column in places:
        altered = table.copy()
        altered[z, column] += 1
        monkeypatch.setattr(tables, "magpie_table", lambda altered=altered: (names, altered))
        assert not np.allclose(tables.magpie(readable), before, 1e-8, 1e-9), (z, names[column])


def test_each_oxidation_state_is_seen(monkeypatch):
    """A state that an element loses changes a golden row."""
    states, starts = oxidation_states()
    readable = [text for text in GOLDEN if problem(text) is None]
    before = transformers.ion_property(readable)[:, 0]
    for place, state in enumerate(states):
        number = int(np.searchsorted(starts, place, side="right")) - 1
        symbol = Element.from_Z(number).symbol
        if state == 0 or symbol in {"O", "F", "Li"} or not has_features(symbol):
            continue  # the partners of all others, of one state each
        altered = np.where(np.arange(len(states)) == place, 97.0, states)
        monkeypatch.setattr(
            transformers, "oxidation_states", lambda altered=altered: (altered, starts)
        )
        assert (transformers.ion_property(readable)[:, 0] != before).any(), (symbol, state)


def test_golden_compositions_cover_what_differs(kept):
    """They are read in both ways or refused, of every block of elements, with gaps and ties."""
    assert 55 <= len(GOLDEN) == len(set(GOLDEN)) <= 300
    readable = [formula for formula in GOLDEN if problem(formula) is None]
    _, plain = parsing._scanned(readable)
    assert Counter(plain.tolist())[False] >= 5
    assert Counter(plain.tolist())[True] >= 40
    refused = {problem(formula).replace(repr(formula), "") for formula in set(GOLDEN) - {*readable}}
    assert len(refused) >= 6  # each for a reason of its own
    found = [parse(formula) for formula in readable]
    assert {element.block for one in found for element in one.elements} == set("spdf")
    assert {len(one) for one in found} >= {1, 2, 3, 4, 5, 6}
    ionic = kept["features"]["IonFeatures"]
    assert {row[0] for row in ionic.values() if row} == {0.0, 1.0}
    for name in ("MagpieFeatures", "ValenceOrbitalFeatures", "IonFeatures"):
        assert any(row is None for row in kept["features"][name].values()), name
    for character in "([{.₀₁₂₃₄₅₆₇₈₉":
        assert any(character in formula for formula in GOLDEN)
