"""A repository with a model that fits at once and a table of one's own, before `assay init`."""

import sys

import pytest

from assay import initialization
from assay.intake.adoption import SetOptions
from assay.intake.choices import Choices
from assay.repository import read_repository
from assay.sealing import renewal
from sentences import snapshot

SETTINGS = """# mine
[project]
name = "mine"
package = "mini_model"

[target]
column = "old [eV]"
kind = "number"  # or "class"
unit = "eV"
lower = -10.0  # of the old target

[split]
folds = 3

[gate]
# the margin is frozen
margin = 1.0
baseline = "mean"
"""
MODEL = """from assay.features import StoichiometryFeatures
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline


def build_model(seed):
    return make_pipeline(StoichiometryFeatures(), {estimator}())
"""
CATIONS, ANIONS = ["Li", "Na", "K", "Mg", "Ca", "Al", "Fe", "Ti"], ["O", "S", "F", "Cl", "Se"]
FORMULAS = [f"{c}{n}{a}" for c in CATIONS for a in ANIONS for n in ("", "2", "3")]
VALUES = {f: round(1 + 0.37 * i % 7.123456, 6) for i, f in enumerate(FORMULAS)}


def csv_of(values, name="gap [eV]"):
    """A table of one's own, with a column that does not matter."""
    lines = [f"note {n},{formula},{value}" for n, (formula, value) in enumerate(values.items())]
    return "\n".join([f"note,formula,{name}", *lines]) + "\n"


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """A repository with a model that fits at once, a pool, and no data yet."""
    for variable in ("ASSAY_SEALING_KEY", "ASSAY_SIGNING_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = tmp_path / "repository"
    (root / "src" / "mini_model").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "assay.toml").write_text(SETTINGS)
    write_model(root, "Ridge")
    (root / "data" / "pool.csv").write_text("row_id,formula\np00001,KBr\n")
    (root / "mine.csv").write_text(csv_of(VALUES))
    yield root
    for name in [name for name in sys.modules if name.split(".")[0] == "mini_model"]:
        del sys.modules[name]


def write_model(root, estimator):
    """Make the repository's model a ridge or a logistic regression."""
    (root / "src" / "mini_model" / "model.py").write_text(MODEL.format(estimator=estimator))


def initialize(root, source, target=None, unit=None, **said):
    """Read a table and seal it, as `assay init --anyway` does."""
    options = {
        name: said.pop(name) for name in ("fraction", "pool", "anyway", "bounded") if name in said
    }
    found = initialization.read_source(root, source, Choices(target=target, unit=unit, **said))
    options = SetOptions(**({"anyway": True} | options))
    return initialization.initialize(root, found, options)


def seal_fresh(root, source, **choices):
    """Read a table and seal it in the place of a retired set, as `assay seal fresh` does."""
    repository = read_repository(root)
    return renewal.seal_fresh(
        repository, renewal.read_fresh(repository, source, Choices(**choices))
    )


def kept(root):
    """The content of every file that is no output, by relative path."""
    return {name: one for name, one in snapshot(root).items() if not name.startswith("out/")}
