"""A model repository small enough to train in a second, and what the tests do with it.

Its formulas are real, its target is a linear function of Magpie features with a little noise,
so that ridge regression is right and the mean is wrong.
"""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

import forks
from assay.batch.authorization import Authorization, authorize, without_certificate
from assay.compositions import chemical_system
from assay.datasets import read_dataset
from assay.features import magpie, missing_properties
from assay.files import digest_file
from assay.layout import Handover, Layout
from assay.model.bundle import BundleMetadata
from assay.model.domain import DomainRecord, fit_domain
from assay.records import CandidateCard, CheckReport, Tally, read_record
from assay.repository import Repository, read_repository
from assay.sanity.suites import KIT, drawn_names, wanted_names
from assay.scoring.acceptance import Demand
from assay.settings import Settings, read_settings
from once import once

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "<<cookiecutter.project>>"
NAME, PACKAGE = "toy", "toy_model"
TARGET = "energy"
MARGIN = 0.1
TRAIN_SYSTEMS, SEALED_SYSTEMS, POOL_ROWS = 150, 100, 1650

SETTINGS = f"""[project]
name = "{NAME}"
package = "{PACKAGE}"

[target]
column = "{TARGET}"
kind = "number"
unit = "eV/atom"

[gate]
margin = {MARGIN}
"""

MODEL = '''"""The toy's model."""

from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.features import MagpieFeatures


def build_model(seed):
    """Make a ridge regression on Magpie features."""
    return make_pipeline(MagpieFeatures(), StandardScaler(), Ridge(alpha=1.0, random_state=seed))
'''

METADATA = BundleMetadata(
    model=NAME,
    target=TARGET,
    kind="number",
    unit="eV/atom",
    lower=None,
    upper=None,
    interval_level=0.9,
    interval_half_width=0.5,
    train_digest="0" * 64,
)

Edit = Callable[[dict[str, float]], dict[str, float]]


def make(root: Path) -> Path:
    """Write the whole repository, labels still open, and commit it on main."""
    train, sealed = _systems()
    data = root / "data"
    (data / "candidates").mkdir(parents=True)
    package = root / "src" / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""The toy."""\n')
    (package / "model.py").write_text(MODEL)
    (root / "assay.toml").write_text(SETTINGS)
    (root / ".gitignore").write_text("/out/\n/.assay/\n__pycache__/\n")
    values = dict(zip([*train, *sealed], map(str, target_of([*train, *sealed])), strict=True))
    sealed_rows = [(f"s{n:05d}", formula) for n, formula in enumerate(sealed, 1)]
    write_rows(
        data / "train.csv",
        ["row_id", "formula", TARGET],
        [(f"t{n:05d}", formula, values[formula]) for n, formula in enumerate(train, 1)],
    )
    write_rows(data / "sealed_inputs.csv", ["row_id", "formula"], sealed_rows)
    labels = [(row_id, values[formula]) for row_id, formula in sealed_rows]
    write_rows(data / "sealed_labels.csv", ["row_id", TARGET], labels)
    pool = [(f"p{n:05d}", formula) for n, formula in enumerate(pool_formulas(), 1)]
    write_rows(data / "pool.csv", ["row_id", "formula"], pool)
    write_rows(data / "candidates" / "few.csv", ["formula"], [["NaCl"], ["Fe2O3"], ["MgO"]])
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "Make the toy")
    return root


def _systems() -> tuple[list[str], list[str]]:
    groups: dict[str, list[str]] = {}
    for formula in _formulas("train.csv"):
        groups.setdefault(chemical_system(formula), []).append(formula)
    names = sorted(groups)
    random.Random(0).shuffle(names)
    chosen = (names[:TRAIN_SYSTEMS], names[TRAIN_SYSTEMS : TRAIN_SYSTEMS + SEALED_SYSTEMS])
    train, sealed = ([f for name in part for f in groups[name][:3]] for part in chosen)
    return train, sealed


def pool_formulas() -> list[str]:
    """Evenly spread formulas of the shipped pool."""
    usable = [
        formula for formula in _formulas("pool.csv")[3::20] if not missing_properties(formula)
    ]
    return usable[:POOL_ROWS]


def trained_formulas() -> list[str]:
    """All formulas of the shipped train set that have Magpie features."""
    return _formulas("train.csv")


def _formulas(name: str) -> list[str]:
    with (TEMPLATE / "data" / name).open(encoding="utf-8") as stream:
        formulas = list(dict.fromkeys(row["formula"] for row in csv.DictReader(stream)))
    return [formula for formula in formulas if not missing_properties(formula)]


def domain_of(formulas: list[str]) -> DomainRecord:
    """The domain of a model that was trained on the formulas, each in a fold of its own."""
    return fit_domain(formulas, np.arange(len(formulas)))


def target_of(formulas: list[str]) -> np.ndarray:
    """The toy's truth: a linear function of the composition plus noise of 0.05, (n,)."""
    features = magpie(formulas)
    electronegativity, valence = features[:, 6 * 8 + 3], features[:, 6 * 12 + 3]
    noise = np.random.default_rng(0).normal(scale=0.05, size=len(formulas))
    return np.round(1.5 * electronegativity - 0.2 * valence + noise, 6)


def write_rows(path: Path, header: list[str], rows) -> None:
    """Write a CSV."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


def git(root: Path, *arguments: str) -> str:
    """Run git as a fixed person; gives its output."""
    options = ["-c", "user.name=A. Tester", "-c", "user.email=tester@localhost"]
    done = subprocess.run(
        ["git", *options, "-c", "commit.gpgSign=false", "-c", "core.hooksPath=", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(root: Path, message: str) -> str:
    """Commit everything; gives the commit's id."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")


def environment(**variables: str) -> dict[str, str]:
    """The environment of a laptop with the machinery installed and nothing else configured."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("GITHUB_", "ASSAY_", "MLFLOW_", "GIT_"))
    }
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | variables


def spoken(said: str) -> list[str]:
    """The lines of standard error without those that count the seconds of a slow machine."""
    return [line for line in said.splitlines() if line.strip() and not line.endswith("so far")]


def assay(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in a process of its own, which is a fork unless Python's variables differ."""
    if not any(name.startswith("PYTHON") for name in variables):
        return forks.run(root, arguments, environment(**variables))
    return subprocess.run(
        [sys.executable, "-m", "assay", *arguments],
        cwd=root,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def settings_of(root: Path) -> Settings:
    """The repository's settings."""
    return read_settings(root)


def permission_of(root: Path, *, certified: bool = True) -> Authorization:
    """What lets the model at hand predict: its certificate, or that none is asked for."""
    repository = read_repository(root)
    handover = repository.handover
    if not certified:
        return without_certificate(handover.bundle)
    return authorize(repository, handover.bundle, handover.certificate)


def add_checks(handover: Handover, settings: Settings | None = None) -> None:
    """Hand over data and sanity checks that passed, with the counts that main demands.

    `settings` are those of the repository, where they are of another assay.
    """
    card, root = read_card(handover), handover.folder.parent
    settings = settings or settings_of(root)
    data = read_dataset(Repository(root, settings))
    demand = Demand(settings, data, card.rows, changed=True)
    rows = demand.rows | {"main": 10_000}
    rules = [Tally(name=rule, where=table, rows=rows.get(table, 9)) for table, rule in demand.rules]
    schema = CheckReport(check="schema", subject=card.train_digest, executed=1, tallies=rules)
    schema.write(handover.schema)
    examples = dict.fromkeys(drawn_names(), settings.sanity.examples)
    properties = [
        Tally(name=name, where=f"{KIT}spelling", examples=examples.get(name))
        for name in wanted_names(settings)
    ]
    passed = CheckReport(check="sanity", subject=card.bundle_digest, executed=1, tallies=properties)
    passed.write(handover.sanity)


def recount(handover: Handover) -> None:
    """Let card and record of the data checks count the train rows that are handed over."""
    rows = len(handover.train.read_text().splitlines()) - 1
    change_card(handover, rows=rows, out_of_fold=rows)
    record = json.loads(handover.schema.read_text())
    for tally in record["tallies"]:
        tally["rows"] = max(tally["rows"], rows)
    handover.schema.write_text(json.dumps(record))


def read_card(handover: Handover) -> CandidateCard:
    """The candidate's card."""
    return read_record(CandidateCard, handover.candidate)


def predictions_of(handover: Handover) -> dict[str, float]:
    """The predictions handed over, by row id."""
    with handover.predictions.open(encoding="utf-8") as stream:
        return {row["row_id"]: float(row["prediction"]) for row in csv.DictReader(stream)}


def rewrite_predictions(handover: Handover, edit: Edit, **card: object) -> None:
    """Hand over other predictions, as any author can, with a card that names them."""
    values = edit(predictions_of(handover))
    write_rows(handover.predictions, ["row_id", "prediction"], values.items())
    change_card(handover, predictions_digest=digest_file(handover.predictions), **card)


def change_card(handover: Handover, **fields: object) -> None:
    """Overwrite fields of the card; the checks are then of the bundle and rows that it names."""
    content = json.loads(handover.candidate.read_text())
    handover.candidate.write_text(json.dumps({**content, **fields}))
    for path, digest in ((handover.schema, "train_digest"), (handover.sanity, "bundle_digest")):
        if digest in fields and path.is_file():
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, "subject": fields[digest]}))


def labels_of(root: Path) -> dict[str, float]:
    """The open labels, train and held-out, by row id."""
    found: dict[str, float] = {}
    for path in (Layout(root).train, Layout(root).open_labels):
        with path.open(encoding="utf-8") as stream:
            found |= {row["row_id"]: float(row[TARGET]) for row in csv.DictReader(stream)}
    return found


def perturbed(size: float, seed: int = 1, only: str = "tsp") -> Edit:
    """Noise of a given standard deviation on the rows whose ids begin with a letter of `only`."""

    def edit(values: dict[str, float]) -> dict[str, float]:
        noise = np.random.default_rng(seed).normal(scale=size, size=len(values))
        return {
            row: value + change * (row[0] in only)
            for (row, value), change in zip(values.items(), noise, strict=True)
        }

    return edit


def flat_on_sealed(values: dict[str, float]) -> dict[str, float]:
    """Good on train and pool, and on the sealed inputs somewhat worse than a constant."""
    constant = float(np.mean([value for row, value in values.items() if row[0] == "t"]))
    constants = {row: constant if row[0] == "s" else value for row, value in values.items()}
    return perturbed(0.5, only="s")(constants)


def nearer(labels: Mapping[str, float], share: float) -> Edit:
    """Predictions moved towards the labels: a better model, if it were honest."""

    def edit(values: dict[str, float]) -> dict[str, float]:
        return {
            row: value + share * (labels.get(row, value) - value) for row, value in values.items()
        }

    return edit


@pytest.fixture(scope="session")
def trained_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy with open labels and keys for signing, trained, checks handed over; only read it."""
    return once(tmp_path_factory, "trained", make_trained) / NAME


def make_trained(folder: Path) -> None:
    """Make the toy and train it."""
    from assay.ledger.certificate import new_signing_key

    root = make(folder / NAME)
    new_signing_key(Layout(root))
    commit(root, "Add the public key")
    done = assay(root, "train")
    assert done.returncode == 0, done.stderr
    add_checks(Handover(Layout(root).out))


@pytest.fixture(scope="session")
def certified_toy(trained_toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy sealed, scored and certified on main; only read it."""
    return once(tmp_path_factory, "certified", lambda folder: certify(trained_toy, folder)) / NAME


def certify(trained: Path, folder: Path) -> None:
    """Seal a copy of the trained toy and score it."""
    from sealed import seal_labels

    root = copy(trained, folder)
    seal_labels(Layout(root))
    # only the labels changed, so training again would give the same candidate
    change_card(Handover(Layout(root).out), commit=commit(root, "Seal the labels"))
    done = assay(root, "score")
    assert done.returncode == 0, done.stdout + done.stderr


def copy(root: Path, folder: Path) -> Path:
    """A copy that a test may change; MLflow's artifacts still go beside the original."""
    return Path(shutil.copytree(root, folder / NAME, symlinks=True))


@pytest.fixture
def toy(trained_toy: Path, tmp_path: Path) -> Path:
    """A copy of the trained toy."""
    return copy(trained_toy, tmp_path)


@pytest.fixture
def certified(certified_toy: Path, tmp_path: Path) -> Path:
    """A copy of the certified toy."""
    return copy(certified_toy, tmp_path)


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No workflow's variables, no keys in the environment, and whatever sys.path was before."""
    for key in list(os.environ):
        if key.startswith(("GITHUB_", "ASSAY_", "MLFLOW_", "GIT_")):
            monkeypatch.delenv(key)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.split(".")[0] == PACKAGE:
            del sys.modules[name]


@pytest.fixture(name="bundle")
def toy_bundle(trained_toy: Path, tmp_path: Path) -> Path:
    """A copy of the toy's bundle."""
    return Path(shutil.copytree(Handover(Layout(trained_toy).out).bundle, tmp_path / "bundle"))
