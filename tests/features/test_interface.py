"""The golden table: no value of a feature changes without another version of the interface."""

import json
from collections import Counter

import numpy as np
import pytest

import golden_features
from assay import features
from assay.compositions import parse, problem
from assay.features import parsing, statistics
from assay.features.interface import GOLDEN, INTERFACE
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


def test_planted_change_is_found(kept, monkeypatch):
    """A mean that is computed otherwise, or a formula read otherwise, needs another version."""
    monkeypatch.setattr(statistics, "CLOSE", 0.5)  # more elements count as the most frequent
    altered = golden_features.table()
    assert not allowed(kept, altered)
    assert allowed(kept, altered | {"interface": INTERFACE + 1})


def test_every_featurizer_is_in_the_table(kept):
    """A featurizer that is added to assay.features has golden values, too."""
    known = {name for name in features.__all__ if name.endswith("Features")}
    assert {getattr(features, name) for name in known} <= set(FormulaFeatures.__subclasses__())
    assert kept["features"].keys() == known


def test_golden_compositions_cover_what_differs(kept):
    """They are read in both ways, hold every block of elements, gaps, ties and many elements."""
    assert 55 <= len(GOLDEN) == len(set(GOLDEN)) <= 70
    assert all(problem(formula) is None for formula in GOLDEN)
    _, plain = parsing._scanned(GOLDEN)
    assert Counter(plain.tolist())[False] >= 5
    assert Counter(plain.tolist())[True] >= 40
    found = [parse(formula) for formula in GOLDEN]
    assert {element.block for one in found for element in one.elements} == set("spdf")
    assert {len(one) for one in found} >= {1, 2, 3, 4, 5, 6}
    ionic = kept["features"]["IonFeatures"]
    assert {row[0] for row in ionic.values() if row} == {0.0, 1.0}
    for name in ("MagpieFeatures", "ValenceOrbitalFeatures", "IonFeatures"):
        assert any(row is None for row in kept["features"][name].values()), name
    for character in "([{.₂":
        assert any(character in formula for formula in GOLDEN)
