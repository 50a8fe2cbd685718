"""The number of each row of a table is the model's number for that row alone.

An oracle says what that is: a fresh process that loads the bundle by plain MLflow and asks one row
after the other.
"""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

import toy
from assay.batch import shards
from assay.batch.authorization import without_certificate
from assay.batch.jobs import BatchOptions, predict_batch
from assay.compositions import elements
from assay.errors import NotCarriedOutError
from assay.features import (
    IonFeatures,
    MagpieFeatures,
    MatminerFeatures,
    StoichiometryFeatures,
    ValenceOrbitalFeatures,
)
from assay.layout import Handover, Layout
from assay.model import inference
from assay.model.inference import Inference
from assay.model.saving import save_bundle
from assay.predictions import rounded
from assay.repository import read_repository
from row_oracle import one_by_one

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("laptop")]

# good rows, repeated and respelt ones, some that differ by case alone, some that no model can read,
# some with gaps in this or that table
LIST = [
    *("NaCl", "HHe", "Fe2O3", "Fe0.4O0.6", "NaCl", "O3Fe2", "CoCl2", "COCl2", "HfO2", "HFO2"),
    *("Xx2O3", "CsPbI3", "", "He", "MgO", "(MgO)7", "Fe₂O₃", "=1+1", "OgF2", "Ca(OH)2", "NbN"),
    *("NBN", "AmO2", "NaCl ", "XeF2", "LiFePO4", "Na0O1", "K4Rb3La", "Zn0.5Mg0.5O", "MgO", "nan"),
    *("CaMg2", "CuZn", "Nd2Fe14B", "1e5", "C60", "CaMg2", "D2O", "La0.7Sr0.3MnO3", "NaCl"),
]
FEATURES = {
    "magpie": MagpieFeatures,
    "stoichiometry": StoichiometryFeatures,
    "orbitals": ValenceOrbitalFeatures,
    "ions": IonFeatures,
    "union": lambda: make_union(MagpieFeatures(), StoichiometryFeatures(), IonFeatures()),
    "matminer": lambda: MatminerFeatures("BandCenter"),
    "matminer with an imputer": lambda: make_pipeline(
        MatminerFeatures("YangSolidSolution", on_gap="nan"), SimpleImputer()
    ),
}
ESTIMATORS = {
    "forest": lambda: RandomForestRegressor(10, random_state=0),
    "extra trees": lambda: ExtraTreesRegressor(10, random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=10, random_state=0),
    "histograms": lambda: HistGradientBoostingRegressor(max_iter=10, random_state=0),
    "tree": lambda: DecisionTreeRegressor(random_state=0),
    "extra tree": lambda: ExtraTreeRegressor(random_state=0),
    "ridge": lambda: make_pipeline(StandardScaler(), Ridge()),
    "kernel": lambda: make_pipeline(
        StandardScaler(), Nystroem(n_components=50, random_state=0), Ridge()
    ),
    "classes": lambda: RandomForestClassifier(10, random_state=0),
    "classes by histograms": lambda: HistGradientBoostingClassifier(max_iter=10, random_state=0),
}
OWN = "an own pipeline around it all"
KINDS = {f"{name} of magpie": (MagpieFeatures, made) for name, made in ESTIMATORS.items()}
KINDS |= {f"ridge of {name}": (made, ESTIMATORS["ridge"]) for name, made in FEATURES.items()}
# one of each way to the number; the rest differ from these in scikit-learn's code alone
SOME = {OWN, "ridge of magpie", "ridge of union", "ridge of matminer"}
SOME |= {"forest of magpie", "histograms of magpie", "classes of magpie"}
nightly = pytest.mark.nightly("a kind more, which is another in scikit-learn's code alone")
WALKED = [name for name in KINDS if "tree" in name or "forest" in name or "classes" in name]


def kinds(names, some=SOME):
    """The kinds as parameters, of which some are for every push."""
    return [name if name in some else pytest.param(name, marks=nightly) for name in names]


def model_of(name):
    """A fitted model of a kind."""
    formulas = toy.trained_formulas()[:300]
    formulas = [f for f in formulas if not elements(f) & {"Th", "U", "Pu", "Np", "Pa", "Ac"}]
    frame = pd.DataFrame({"formula": formulas})
    target = toy.target_of(formulas)
    if name == OWN:
        inner = make_pipeline(MagpieFeatures(), StandardScaler(), Ridge())
        return TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(frame, target)
    features, estimator = KINDS[name]
    target = (target > np.median(target)).astype(int) if "classes" in name else target
    return make_pipeline(features(), *_steps(estimator())).fit(frame, target)


def _steps(estimator):
    return [step for _, step in getattr(estimator, "steps", [("only", estimator)])]


@pytest.fixture(scope="module")
def bundles(request, trained_toy, tmp_path_factory):
    """A bundle of each kind that a test asks for."""
    params = [getattr(item, "callspec", None) for item in request.session.items]
    asked = {"ridge of magpie", *(one.params.get("name") for one in params if one)}
    folder = tmp_path_factory.mktemp("kinds")
    package, domain = trained_toy / "src" / toy.PACKAGE, toy.domain_of(toy.trained_formulas()[:300])
    made = {}
    for number, name in enumerate(name for name in [*KINDS, OWN] if name in asked):
        made[name] = folder / str(number)
        save_bundle(model_of(name), made[name], toy.METADATA, domain, package)
    return made


@pytest.fixture(scope="module")
def alone(bundles, tmp_path_factory):
    """What each bundle says of each row alone."""
    return one_by_one(bundles, LIST, tmp_path_factory.mktemp("oracle"))


def table(root, bundle, options):
    """The numbers of a batch by its lines, None where there is none."""
    target = Handover(Layout(root).out).bundle
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(bundle, target)
    shutil.rmtree(Layout(root).out / "batches", ignore_errors=True)
    shutil.rmtree(Layout(root).out / "shards", ignore_errors=True)
    shards.loaded.cache_clear()
    path = root / "list.csv"
    toy.write_rows(path, ["formula", "place"], [[f, n] for n, f in enumerate(LIST)])
    permission = without_certificate(target)
    record = predict_batch(read_repository(root), path, permission, options)
    folder = Layout(root).out / "batches" / record.folder
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        found = {int(row["place"]): float(row["prediction"]) for row in csv.DictReader(stream)}
    return [found.get(place) for place in range(len(LIST))]


def wanted(numbers):
    """The oracle's numbers with as many digits as a table has."""
    return [None if n is None else float(rounded(np.array([n]))[0]) for n in numbers]


@pytest.mark.parametrize("name", kinds([*KINDS, OWN]))
def test_each_row_has_the_number_that_it_has_alone(toy, bundles, alone, name):
    """In one shard, and through many, each row has the oracle's number to the last digit."""
    assert sum(number is not None for number in alone[name]) > len(LIST) // 2
    assert None in alone[name]
    for rows in (20_000, 7):
        assert table(toy, bundles[name], BatchOptions(shard_rows=rows)) == wanted(alone[name])


@pytest.mark.parametrize("name", kinds(WALKED))
def test_compiled_walks_give_each_row_its_own_number(toy, bundles, alone, name, monkeypatch):
    """Trees that are walked by compiled code give the oracle's numbers, too."""
    monkeypatch.setattr(
        Inference, "_way", lambda self, *_: None if self._reason else inference._on_all_cores
    )
    assert table(toy, bundles[name], BatchOptions(shard_rows=9)) == wanted(alone[name])


@pytest.mark.parametrize(
    "name",
    kinds(["forest of magpie", "ridge of union", "ridge of matminer"], {"ridge of union"}),
)
def test_workers_give_each_row_its_own_number(toy, bundles, alone, name):
    """Several processes, each with shards of its own, give the oracle's numbers."""
    options = BatchOptions(scheduler="local", shard_rows=11)
    assert table(toy, bundles[name], options) == wanted(alone[name])


def test_the_oracle_sees_what_is_assigned_wrongly(toy, bundles, alone, monkeypatch):
    """Planted: an inference that sorts, shifts or fills up is another table, or none at all."""
    plain = Inference.predict
    for wrong in (np.sort, lambda values: np.roll(values, 1), lambda values: values[:1]):
        monkeypatch.setattr(Inference, "predict", lambda self, f, w=wrong: w(plain(self, f)))
        name = "ridge of magpie"
        try:
            assert table(toy, bundles[name], BatchOptions()) != wanted(alone[name])
        except NotCarriedOutError:
            continue
