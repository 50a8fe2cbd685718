"""A certified model whose repository is updated, with every verb run by the repository's wheel."""

import re
import shutil
import subprocess

import pytest

import toy
from assay.layout import Handover, Layout
from assay.ledger.certificate import new_signing_key
from conftest import commit, git
from environments import make_environment
from sealed import seal_labels
from toy import add_checks, read_card
from updating import edit, generate, make_template, of_template, run_update

pytestmark = [
    pytest.mark.slow,
    pytest.mark.nightly(
        "test_golden.py changes a feature on every push, and test_update.py updates"
    ),
]

PLANTED = "MIGRATIONS: tuple[Migration, ...] = ()"
MOVED = 'MIGRATIONS = (Migration("9", "sanity.rows_per_second", "sanity.speed"),)'
LIST = "data/candidates/few.csv"


def run(model, environment, *words):
    """Run a verb with the wheel of the repository."""
    return subprocess.run(
        [str(environment / "bin" / "assay"), *words],
        cwd=model,
        env=toy.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def carried_out(model, environment, *words):
    """Run a verb that must hold; gives what it printed."""
    done = run(model, environment, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def predicted(model):
    """The rows of the only batch, without the ids that name this batch."""
    (table,) = (model / "out" / "batches").glob("*/predictions.csv")
    rows = [line.split(",") for line in table.read_text().splitlines()]
    names = ("batch_id", "prediction_id")
    left_out = {index for index, name in enumerate(rows[0]) if name in names}
    return [[cell for index, cell in enumerate(row) if index not in left_out] for row in rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A template, and a repository of it with a certified model; only to be read."""
    folder = tmp_path_factory.mktemp("certified")
    template = make_template(folder / "template")
    (folder / "own.csv").write_text(f"formula,{toy.TARGET}\nNaCl,1\n")
    answers = {"data": "own.csv", "target": toy.TARGET, "unit": "eV/atom"}
    home = tmp_path_factory.mktemp("home")
    model = generate(template, folder, home, project="toy-model", **answers)
    toy_root = toy.make(folder / "toy")
    shutil.rmtree(model / "data")
    shutil.copytree(toy_root / "data", model / "data")
    (model / "src" / "toy_model" / "model.py").write_text(toy.MODEL)
    edit(model, "assay.toml", "margin = 1.0", f"margin = {toy.MARGIN}")
    layout = Layout(model)
    new_signing_key(layout)
    seal_labels(layout)
    commit(model, "Seal the labels")
    environment = make_environment(model, folder / "environment")
    carried_out(model, environment, "train")
    add_checks(Handover(layout.out))
    carried_out(model, environment, "score")
    return template, model, environment


@pytest.fixture
def copies(made, tmp_path):
    """Template, repository with three files of the author's changed, and its environment."""
    template = shutil.copytree(made[0], tmp_path / "template")
    model = shutil.copytree(made[1], tmp_path / "toy-model", symlinks=True)
    edit(model, "README.md", "## Your first day", "## Day one")
    edit(model, "assay.toml", "rows_per_second = 200", "rows_per_second = 150")
    edit(model, "Makefile", "## Check style", "## Check my style")
    commit(model, "My own")
    return template, model, made[2]


def updated(template, model, environment):
    """Update with the repository's own Python; gives what was printed, on the new branch."""
    ended = run_update(model, "--template", str(template), python=environment / "bin" / "python")
    assert ended.code == 0, ended.printed + ended.error
    (branch,) = git(
        model, "branch", "--list", "assay-update-*", "--format=%(refname:short)"
    ).split()
    git(model, "switch", "--quiet", branch)
    return ended.printed


def lock_of(model):
    """The lock's text."""
    return (model / "requirements.lock").read_text()


def installed(environment, package, version):
    """Have a version of a package be the one that an environment tells of."""
    (packages,) = environment.glob("lib/python*/site-packages")
    folder = packages / f"{package}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    )


def test_certified_model_outlives_an_update(copies, tmp_path):
    """Workflow, lock, verb and key change: digest and predictions stay, and all verbs go on."""
    template, model, environment = copies
    digest, known = read_card(Handover(Layout(model).out)).bundle_digest, toy.settings_of(model)
    carried_out(model, environment, "predict", LIST, "--csv")
    before = predicted(model)
    edit(template, of_template(".github/workflows/gate.yml"), "name:", "# as of late\nname:")
    edit(template, of_template("requirements.lock"), "zict==", "zict==99.")
    edit(template, "src/assay/verbs/start.py", "split its rows", "divide its rows")
    edit(template, "src/assay/update/migrations.py", PLANTED, MOVED)
    edit(template, "src/assay/sanity/policy.py", "    rows_per_second: A", "    speed: A")
    edit(template, of_template("assay.toml"), "rows_per_second", "speed")
    for path in (template / "src" / "assay" / "sanity").rglob("*.py"):
        path.write_text(path.read_text().replace(".rows_per_second", ".speed"))
    commit(template, "Go on")

    printed = updated(template, model, environment)
    assert f"keeps its digest ({digest[:12]}); all" in printed
    assert f"certified model {digest[:12]} goes on predicting; all" in printed
    assert "zict" in printed, "what the new lock has otherwise is said"

    new = make_environment(model, tmp_path / "new")
    installed(new, "zict", re.findall(r"^zict==(99\S+)", lock_of(model), re.MULTILINE)[0])
    assert "divide its rows" in carried_out(model, new, "init", "--help")
    assert "speed = 150" in (model / "assay.toml").read_text()
    git(model, "switch", "--quiet", "main")
    git(model, "merge", "--quiet", "--ff-only", "-")
    shutil.rmtree(model / "out")
    carried_out(model, new, "predict", LIST, "--csv")
    assert predicted(model) == before
    carried_out(model, new, "schema")
    carried_out(model, new, "train")
    assert read_card(Handover(Layout(model).out)).bundle_digest == digest
    add_checks(Handover(Layout(model).out), known)
    carried_out(model, new, "score")


def test_changed_feature_is_reported_and_refused(copies, tmp_path):
    """An update that changes a feature's value says so, and the certified model is refused."""
    template, model, environment = copies
    digest = read_card(Handover(Layout(model).out)).bundle_digest
    edit(template, "src/assay/features/tables.py", "    mean = ", "    mean = 1.001 * ")
    commit(template, "Change a feature")
    printed = updated(template, model, environment)
    assert "another digest" in printed
    assert "predictions change" in printed
    assert f"certified model {digest[:12]} does not predict with the new machinery" in printed
    new = make_environment(model, tmp_path / "new")
    done = run(model, new, "predict", LIST)
    assert done.returncode in {1, 3}
    assert done.stderr.startswith("assay")


def test_changed_hint_stops_no_certified_model(copies):
    """Another version and another hint change no value, so the certified model goes on."""
    template, model, environment = copies
    edit(template, "src/assay/__init__.py", '__version__ = "', '__version__ = "9.')
    edit(template, "src/assay/misspellings.py", '"""', '"""Another docstring. ')
    commit(template, "Change a hint")
    printed = updated(template, model, environment)
    assert "goes on predicting; all" in printed


def test_training_that_fails_is_not_called_the_same(copies):
    """Where the new machinery cannot train, the branch is made and nothing is said to be same."""
    template, model, environment = copies
    edit(template, "src/assay/model/training.py", "import importlib", "import not_installed_here")
    commit(template, "Need another package")
    ended = run_update(model, "--template", str(template), python=environment / "bin" / "python")
    assert ended.code == 3
    assert "not_installed_here" in ended.error
    assert "keeps its digest" not in ended.printed
    assert git(model, "branch", "--list", "assay-update-*")
