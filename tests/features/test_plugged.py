"""Featurizers of matminer that are not computed for whole columns."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import matminer.featurizers.composition as known
import numpy as np
import pandas as pd
import pytest
from matminer.featurizers.composition import BandCenter, ElementProperty
from pymatgen.core import Composition
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.features import GapError, MatminerFeatures, plugged
from features.oracles import by_matminer

FORMULAS = ["Fe2O3", "NaCl", "MgO", "LiFeO2", "Al2O3"]


@pytest.mark.parametrize(
    ("transformer", "featurizer"),
    [
        (MatminerFeatures("BandCenter"), BandCenter(impute_nan=False)),
        (
            MatminerFeatures("ElementProperty", "magpie"),
            ElementProperty.from_preset("magpie", impute_nan=False),
        ),
    ],
)
def test_values_and_names_are_matminers(transformer, featurizer):
    """Values, order and names are those of the featurizer, in a clone, too."""
    values = clone(transformer).fit_transform(FORMULAS)
    np.testing.assert_array_equal(values, by_matminer(featurizer, FORMULAS))
    assert list(transformer.get_feature_names_out()) == featurizer.feature_labels()


def test_processes_change_nothing(monkeypatch):
    """Long columns are spread over processes, and have the same values in the same order."""
    alone = MatminerFeatures("BandCenter").transform(FORMULAS)
    monkeypatch.setattr(plugged, "FEW", 2)
    spread = MatminerFeatures("BandCenter", jobs=2).transform(FORMULAS)
    np.testing.assert_array_equal(spread, alone)


@pytest.mark.parametrize(
    ("formula", "words"), [("XxO", "'Xx'"), ("HeO", "'HeO' cannot be featurised")]
)
def test_what_has_no_number_is_refused(formula, words):
    """A formula that cannot be read, and one that matminer has no value for, is named."""
    plugin = MatminerFeatures("ElementProperty", "magpie")
    with pytest.raises(ValueError, match=words):
        plugin.transform(["NaCl", formula])


# every featurizer of compositions that works offline and gives numbers, with matminer's own options
MANY = {
    "AtomicPackingEfficiency": {"impute_nan": False},
    "BandCenter": {"impute_nan": False},
    "ElementFraction": {},
    "IonProperty": {"impute_nan": False},
    "Meredig": {"impute_nan": False},
    "Miedema": {"impute_nan": False},
    "Stoichiometry": {},
    "TMetalFraction": {},
    "ValenceOrbital": {"impute_nan": False},
    "YangSolidSolution": {"impute_nan": False},
}
# some of which each featurizer has no number for, or raises KeyError or TypeError
MIXED = ["NaCl", "CaMg2", "HeO", "Fe2O3", "OgF2", "NbN", "XeF2", "AmO2", "Fe0.4O0.6", "AlCo"]


def by_itself(featurizer, options, formula):
    """What matminer says of one formula: numbers, or None."""
    try:
        values = getattr(known, featurizer)(**options).featurize(Composition(formula))
        values = np.array(values, dtype=float)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return values if np.isfinite(values).all() else None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("featurizer", MANY)
def test_a_gap_is_of_one_formula_alone(featurizer):
    """Each formula has exactly what matminer says of it without imputing, or a gap of its own."""
    wanted = [by_itself(featurizer, MANY[featurizer], formula) for formula in MIXED]
    empty = {place for place, values in enumerate(wanted) if values is None}
    found = MatminerFeatures(featurizer, on_gap="nan").transform(MIXED)
    for place, values in enumerate(wanted):
        if values is None:
            assert np.isnan(found[place]).any()
        else:
            np.testing.assert_array_equal(found[place], values)
    if empty:
        with pytest.raises(GapError) as caught:
            MatminerFeatures(featurizer).transform(MIXED)
        assert set(caught.value.gaps) == empty
        for place, (formula, sentence) in caught.value.gaps.items():
            assert formula == MIXED[place]
            assert repr(formula) in sentence
            assert featurizer in sentence
    good = [text for place, text in enumerate(MIXED) if place not in empty]
    rest = [values for values in wanted if values is not None]
    np.testing.assert_array_equal(MatminerFeatures(featurizer).transform(good), np.array(rest))


@pytest.mark.parametrize(("formula", "featurizer"), [("OgF2", "BandCenter"), ("HeO", "Meredig")])
def test_nothing_is_imputed_unless_the_author_says_so(formula, featurizer):
    """Matminer's mean of all other elements is a gap, and a number only if it is asked for."""
    with pytest.raises(GapError, match=formula):
        MatminerFeatures(featurizer).transform(["NaCl", formula])
    asked = MatminerFeatures(featurizer, options={"impute_nan": True}).transform(["NaCl", formula])
    assert np.isfinite(asked).all()


@pytest.mark.parametrize(
    ("featurizer", "name"), [("AtomicOrbitals", "HOMO_character"), ("WenAlloys", "Weight Fraction")]
)
def test_a_feature_that_is_text_is_named(featurizer, name):
    """Text is no number: the sentence names feature and featurizer."""
    with pytest.raises(ValueError, match=f"{name}.*{featurizer}"):
        MatminerFeatures(featurizer).transform(["AlCo"])


def test_gaps_can_be_left_to_an_imputer():
    """With `on_gap="nan"` an imputer in the pipeline fills what it has learnt to fill."""
    features = MatminerFeatures("YangSolidSolution", on_gap="nan")
    model = make_pipeline(features, SimpleImputer(), Ridge())
    frame = pd.DataFrame({"formula": MIXED})
    assert np.isfinite(model.fit(frame, np.arange(10.0)).predict(frame)).all()
    with pytest.raises(GapError):
        make_pipeline(MatminerFeatures("YangSolidSolution"), Ridge()).fit(frame, np.arange(10.0))


def test_a_gap_is_the_same_in_another_process():
    """Training hears of gaps from another process: they arrive whole."""
    with pytest.raises(GapError) as caught:
        MatminerFeatures("BandCenter").transform(["NaCl", "OgF2"])
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.gaps, str(again)) == (caught.value.gaps, str(caught.value))


def test_one_process_is_the_default(monkeypatch):
    """Long columns start no process unless `jobs` says so."""
    monkeypatch.setattr(plugged, "FEW", 2)
    monkeypatch.setattr(plugged, "pool_of", None)
    assert MatminerFeatures("TMetalFraction").transform(FORMULAS).shape == (5, 1)


@pytest.mark.slow
def test_no_process_outlives_the_one_that_started_it(tmp_path):
    """Ended by SIGTERM in the midst of a long column, nothing of it is left running."""
    script = tmp_path / "long.py"
    script.write_text(
        "import itertools\n"
        "from assay.features import MatminerFeatures\n"
        "if __name__ == '__main__':\n"
        "    formulas = [\n"
        "        f'Fe{a}Ni{b}Ca{c}O{d}F{e}'\n"
        "        for a, b, c, d, e in itertools.product(range(2, 10), repeat=5)\n"
        "    ]\n"
        "    MatminerFeatures('Meredig', jobs=2).transform(formulas)\n"
    )
    started = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    try:
        until(lambda: sum("spawn_main" in line for line in commands(started.pid)) >= 2)
        os.kill(started.pid, signal.SIGTERM)
        started.wait(20)
        until(lambda: not commands(started.pid))
    finally:
        if commands(started.pid):
            os.killpg(started.pid, signal.SIGKILL)


def commands(session):
    """The command lines of the processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((path / "cmdline").read_text())
        except OSError:
            continue
    return found


def until(holds):
    """Wait for something, at most half a minute."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
