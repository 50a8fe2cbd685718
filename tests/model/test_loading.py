"""Loading a bundle: whole, private, of this machinery, and what training recorded."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from assay.errors import NotCarriedOutError, RefusedError
from assay.layout import Handover, Layout
from assay.model import loading
from assay.model.bundle import digest_bundle
from assay.model.loading import load_bundle
from toy import PACKAGE, ROOT, predictions_of, read_card, toy_bundle  # noqa: F401 (a fixture)

FORMULAS = ["NaCl", "Li2O", "Fe2O3"]


@pytest.mark.parametrize(
    "name", ["assay.json", "domain.json", "model.skops", "golden.json", f"code/{PACKAGE}"]
)
def test_missing_file_is_not_loaded(bundle, name, laptop):
    """An incomplete bundle does not predict."""
    (bundle / name).rename(bundle.with_name("taken away"))
    with pytest.raises(NotCarriedOutError):
        load_bundle(bundle, PACKAGE)


def test_truncated_model_is_not_loaded(bundle, laptop):
    """A model file cut in half is named and not loaded."""
    model = bundle / "model.skops"
    model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    with pytest.raises(NotCarriedOutError, match=r"model\.skops cannot be loaded"):
        load_bundle(bundle, PACKAGE)


def test_loaded_bundle_predicts_what_training_recorded(bundle, trained_toy, laptop):
    """The bundle gives the very predictions that were handed over, to nine digits."""
    loaded = load_bundle(bundle, PACKAGE)
    rows = [line.split(",") for line in Layout(trained_toy).pool.read_text().splitlines()[1:]]
    recorded = predictions_of(Handover(Layout(trained_toy).out))
    values = loaded.predict([formula for _, formula in rows])
    assert values == pytest.approx([recorded[row] for row, _ in rows], rel=1e-8)
    assert loaded.digest == read_card(Handover(Layout(trained_toy).out)).bundle_digest


def test_loads_with_mlflow_alone_in_a_clean_process(bundle, tmp_path, laptop):
    """mlflow.pyfunc needs the package assay and nothing of the repository beside the bundle."""
    expected = load_bundle(bundle, PACKAGE).predict(FORMULAS)
    code = (
        "import json, sys, mlflow, pandas as pd\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "frame = pd.DataFrame({'formula': sys.argv[2:]})\n"
        "values = model.predict(frame)\n"
        "import assay.features\n"
        "print(json.dumps([assay.features.__file__, *map(float, values)]))\n"
    )
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle), *FORMULAS],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place, *values = json.loads(done.stdout.splitlines()[-1])
    assert values == list(expected)
    assert str(bundle) not in place


def test_what_is_digested_is_what_predicts(bundle, laptop):
    """A bundle that is exchanged after it was loaded changes neither digest nor predictions."""
    digest, loaded = digest_bundle(bundle), load_bundle(bundle, PACKAGE)
    before = loaded.predict(FORMULAS)
    for path in bundle.rglob("*"):
        if path.is_file():
            path.write_text("exchanged")
    assert loaded.digest == digest
    assert list(loaded.predict(FORMULAS)) == list(before)


def test_nobody_else_can_write_what_is_loaded(bundle, laptop):
    """The copy is this user's alone, and gone when it is not needed any more."""
    loaded = load_bundle(bundle, PACKAGE)
    assert loaded.private.stat().st_mode & 0o077 == 0
    assert bundle not in loaded.private.parents
    loaded.discard()
    assert not loaded.private.exists()


def test_code_of_a_bundle_stands_beside_the_machinery(bundle, laptop):
    """After loading, this process and those it starts find assay's modules and the bundle's own."""
    load_bundle(bundle, PACKAGE)
    code = "import assay.scoring.score as it, toy_model; print(it.__file__, toy_model.__file__)"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    machinery, package = done.stdout.split()
    assert machinery.startswith(str(ROOT / "src"))
    assert "assay-bundle-" in package, "the author's code is the bundle's"


def test_link_in_a_bundle_is_not_followed(bundle, laptop):
    """A link that leads elsewhere has no digest, wherever the bundle is copied to."""
    (bundle / "link").symlink_to("/etc/hostname")
    with pytest.raises(NotCarriedOutError, match="not a regular file"):
        load_bundle(bundle, PACKAGE)


@pytest.mark.parametrize(
    "name", ["skops/__init__.py", "assay/__init__.py", "numpy/__init__.py", "sitecustomize.py"]
)
def test_code_that_would_stand_for_a_library_is_refused_before_it_can_run(bundle, name, laptop):
    """A bundle brings the project's package alone: anything else is named."""
    planted = bundle / "code" / name
    planted.parent.mkdir(exist_ok=True)
    planted.write_text("raise SystemExit('the code of a stranger ran')\n")
    before = list(sys.path)
    with pytest.raises(NotCarriedOutError, match=rf"code/'{name.split('/')[0]}'.*{PACKAGE}"):
        load_bundle(bundle, PACKAGE)
    assert sys.path == before


def test_code_of_another_project_is_refused(bundle, laptop):
    """What is the author's package is said by the settings at hand, not by the bundle."""
    with pytest.raises(NotCarriedOutError, match="only another_model belongs there"):
        load_bundle(bundle, "another_model")


def test_library_that_loads_a_bundle_is_never_the_bundles_own(bundle, laptop):
    """Even where a project is called like skops, the installed skops loads its bundle."""
    (bundle / "code" / PACKAGE).rename(bundle / "code" / "skops")
    (bundle / "code" / "skops" / "__init__.py").write_text("raise SystemExit('it ran')\n")
    code = (
        "import sys; from pathlib import Path; from assay.model.loading import load_bundle\n"
        "load_bundle(Path(sys.argv[1]), 'skops'); import skops; print(skops.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "assay-bundle-" not in done.stdout


def test_bundle_of_another_digest_runs_none_of_its_code(bundle, laptop):
    """The digest is compared before anything of a bundle can be imported."""
    settled = digest_bundle(bundle)
    planted = bundle / "code" / PACKAGE / "__init__.py"
    planted.write_text("raise SystemExit('the code of a stranger ran')\n")
    before = list(sys.path)
    with pytest.raises(RefusedError, match="is not bundle"):
        load_bundle(bundle, PACKAGE, expected=settled)
    assert sys.path == before
    assert PACKAGE not in sys.modules


def test_forgotten_bundles_leave_no_code_behind(tmp_path, monkeypatch):
    """A package of the next bundle is the next bundle's, though one of that name was imported."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for number in (1, 2):
        package = tmp_path / f"{loading.PRIVATE}{number}" / "code" / "namesake"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"NUMBER = {number}\n")
        sys.path.insert(0, str(package.parent))
        importlib.invalidate_caches()
        assert number == importlib.import_module("namesake").NUMBER
        loading.forget_bundles()
        assert "namesake" not in sys.modules
        assert not package.exists()
    assert loading.forget_bundles.__module__ in sys.modules
