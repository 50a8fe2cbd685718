"""Real rows for the protocol: made once, kept under build/, the same in every run."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.gate.populations import Array

from assay.gate.statistics import Grouping
from assay.splits import FOLD_RULE, grouped_folds, split_by_system

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "<<cookiecutter.project>>"
BUILD = ROOT / "build" / "gate"
FOLDS, SEED, JOBS = 5, 0, 2
FITTED_SHARE = 0.13
LABEL = "sigma_p"
COLUMN = "formation_enthalpy"


@dataclass(frozen=True)
class Example:
    """The shipped example: labels, trees' predictions out of fold and on the pool.

    Attributes:
        target: (n,) in eV/atom.
        systems: (n,) chemical system of each labelled row, numbered.
        trees: (t, n) predictions out of fold of each of t trees.
        linear: (n,) those of a ridge model.
        pool_trees: (t, m) predictions of trees fitted to all labelled rows.
        pool_linear: (m,) those of the ridge model.
        pool_systems: (m,).
    """

    target: Array
    systems: Array
    trees: Array
    linear: Array
    pool_trees: Array
    pool_linear: Array
    pool_systems: Array


@dataclass(frozen=True)
class Shipped:
    """The shipped tables as a repository has them.

    Attributes:
        known, sealed, pool: features of the train rows, sealed inputs and pool, (n, f).
        target, labels: of train rows and sealed inputs, in eV/atom.
        systems, sealed_systems, pool_systems: names of chemical systems.
    """

    known: Array
    sealed: Array
    pool: Array
    target: Array
    labels: Array
    systems: Array
    sealed_systems: Array
    pool_systems: Array


@dataclass(frozen=True)
class Transport:
    """log10 of the p-type conductivity of 30,000 compositions, and five models' predictions.

    The models were fitted to other chemical systems than these rows are of: a forest, the same with
    another seed, one with half of the rows, one with a tenth, and a linear model. Source of the
    rows: Ricci et al., Sci. Data 4, 170085 (2017), as it ships inside matminer.
    """

    target: Array
    systems: Array
    forest: Array
    reseed: Array
    half: Array
    tenth: Array
    linear: Array


def shipped_model(seed: int) -> Any:
    """The estimator of the template's own `model.py`, which takes features."""
    return _template().model.build_model(seed).steps[-1][1]


def former_forest(seed: int) -> Any:
    """The random forest that the template had before, whose bootstrap a row draws again."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(100, max_features=1 / 3, random_state=seed)


@lru_cache(maxsize=1)
def _template() -> Any:
    """The template's package, which git keeps under a name that cannot be imported."""
    import sys

    (start,) = (TEMPLATE / "src").glob("*/__init__.py")
    found = importlib.util.spec_from_file_location(
        "shipped_package", start, submodule_search_locations=[str(start.parent)]
    )
    assert found is not None
    assert found.loader is not None
    package = importlib.util.module_from_spec(found)
    sys.modules["shipped_package"] = package
    found.loader.exec_module(package)
    importlib.import_module("shipped_package.model")
    return package


def bank(seed: int, trees: int) -> Any:
    """The template's own estimator with so many trees, of which models are drawn."""
    return shipped_model(seed).set_params(n_estimators=trees)


def forest(seed: int, trees: int) -> Any:
    """A random forest with so many trees."""
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(trees, max_features=1 / 3, random_state=seed, n_jobs=JOBS)


def linear() -> Any:
    """The ridge model of the gate's baseline."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))


@lru_cache(maxsize=1)
def example(trees: int) -> Example:
    """The example's rows with a bank of so many trees."""
    return Example(**_kept(f"recipe-{trees}", lambda: _make_example(trees)))


@lru_cache(maxsize=1)
def shipped() -> Shipped:
    """The shipped tables with the template's own features."""
    return Shipped(**_kept("shipped", _make_shipped))


@lru_cache(maxsize=1)
def transport() -> Transport:
    """The transport rows that no model was fitted to."""
    return Transport(**_kept("transport", _make_transport))


def _kept(name: str, make: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    from assay.files import write_bytes

    # with other folds the rows of the example are predicted by other models
    path = BUILD / f"{name}-{FOLD_RULE}.npz"
    if not path.exists():
        import io

        BUILD.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.savez(stream, **make())  # type: ignore[arg-type]
        write_bytes(path, stream.getvalue())
    with np.load(path) as arrays:
        return dict(arrays)


def _make_shipped() -> dict[str, Array]:
    import pandas as pd

    made = {}
    for name, file in (("known", "train"), ("sealed", "sealed_inputs"), ("pool", "pool")):
        rows = pd.read_csv(TEMPLATE / "data" / f"{file}.csv", keep_default_na=False)
        features = _template().features.build_features().fit_transform(rows[["formula"]])
        made[name] = np.asarray(features, dtype=np.float32)
        prefix = "" if name == "known" else f"{name}_"
        made[f"{prefix}systems"] = np.array(_systems(list(rows["formula"])))
        if name == "known":
            made["target"] = rows[COLUMN].to_numpy(float)
        if name == "sealed":
            labels = pd.read_csv(TEMPLATE / "data" / "sealed_labels.csv").set_index("row_id")
            made["labels"] = labels[COLUMN][rows["row_id"]].to_numpy(float)
    return made


def _make_example(trees: int) -> dict[str, Array]:
    import pandas as pd

    data = TEMPLATE / "data"
    read = {"keep_default_na": False}
    labels = pd.read_csv(data / "sealed_labels.csv", **read)
    sealed = pd.read_csv(data / "sealed_inputs.csv", **read).merge(labels, on="row_id")
    rows = pd.concat([pd.read_csv(data / "train.csv", **read), sealed], ignore_index=True)
    pool = list(pd.read_csv(data / "pool.csv", **read)["formula"])
    formulas, target = list(rows["formula"]), rows["formation_enthalpy"].to_numpy(float)
    known, unknown, names = _features(formulas), _features(pool), _systems(formulas)
    by_tree, by_line = np.empty((trees, len(target)), np.float32), np.empty(len(target))
    folds = grouped_folds(names, FOLDS, SEED)
    for fold in range(FOLDS):
        out = folds == fold
        fitted = bank(SEED + fold, trees).fit(known[~out], target[~out])
        by_tree[:, out] = _each(fitted, known[out])
        by_line[out] = linear().fit(known[~out], target[~out]).predict(known[out])
    whole = bank(SEED + FOLDS, trees).fit(known, target)
    line = linear().fit(known, target)
    return {
        "target": target,
        "systems": Grouping.of(names).codes,
        "trees": by_tree,
        "linear": by_line,
        "pool_trees": _each(whole, unknown),
        "pool_linear": line.predict(unknown),
        "pool_systems": Grouping.of(_systems(pool)).codes,
    }


def _each(fitted: Any, features: Array) -> Array:
    own = zip(fitted.estimators_, fitted.estimators_features_, strict=True)
    return np.array([tree.predict(features[:, columns]) for tree, columns in own], np.float32)


def _make_transport() -> dict[str, Array]:
    formulas, target = _transport_rows()
    features, names = _features(formulas), _systems(formulas)
    fitted = split_by_system(names, FITTED_SHARE, SEED)
    rows = ~fitted
    half, tenth = np.flatnonzero(fitted)[::2], np.flatnonzero(fitted)[::10]
    known, labels, unknown = features[fitted], target[fitted], features[rows]
    return {
        "target": target[rows],
        "systems": Grouping.of(np.asarray(names)[rows]).codes,
        "forest": forest(1, 100).fit(known, labels).predict(unknown),
        "reseed": forest(2, 100).fit(known, labels).predict(unknown),
        "half": forest(3, 100).fit(features[half], target[half]).predict(unknown),
        "tenth": forest(4, 100).fit(features[tenth], target[tenth]).predict(unknown),
        "linear": linear().fit(known, labels).predict(unknown),
    }


def _transport_rows() -> tuple[list[str], Array]:
    """Formulas and labels: the first row of every distinct formula that has features."""
    import io
    import tarfile

    import matminer
    import pandas as pd

    from assay.compositions import problem
    from assay.features import missing_properties

    folder = Path(str(matminer.__file__)).parent / "utils" / "data_files" / "mp_transport"
    with tarfile.open(folder / "transport_database.tar.xz") as archive:
        member = archive.extractfile("transport_database.csv")
        content = member.read() if member else b""
    columns = ["pretty_formula", LABEL]
    frame = pd.read_csv(io.BytesIO(content), usecols=columns, keep_default_na=False)
    frame = frame.drop_duplicates("pretty_formula")
    usable = [
        problem(formula) is None and not missing_properties(formula)
        for formula in frame["pretty_formula"]
    ]
    frame = frame[np.array(usable) & (frame[LABEL] > 0).to_numpy()]
    return list(frame["pretty_formula"]), np.log10(frame[LABEL].to_numpy(float))


def _features(formulas: Sequence[str]) -> Array:
    from assay.features import magpie

    return np.asarray(magpie(list(formulas)), dtype=np.float32)


def _systems(formulas: Sequence[str]) -> list[str]:
    from assay.compositions import chemical_system

    return [chemical_system(formula) for formula in formulas]
