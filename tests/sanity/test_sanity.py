"""The property-based tests of a model, and that planted faults are caught by the right one."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import planted
import pytest

import assay
from assay.errors import NotCarriedOutError
from assay.layout import Handover
from assay.records import CheckReport
from assay.repository import read_repository
from assay.sanity import check as checks
from assay.sanity import runs
from assay.sanity.check import run_sanity
from assay.sanity.runs import Content, run_both
from assay.sanity.subprocess_model import LOADER
from assay.sanity.suites import SLOW, drawn_names, property_files, property_names, reproduction
from once import once

pytestmark = pytest.mark.slow  # each test starts a pytest of its own

UNDECLARED = {
    "test_declared_monotonic_relations_hold",
    "test_declared_symmetries_hold",
    "test_elements_have_their_known_value",
}
DECLARED = '\n[[sanity.symmetric]]\nexchange = ["Ca", "Sr"]\ntolerance = 100.0\n'
BUILDER = """from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from assay.features import MagpieFeatures


def build_model(seed):
    return make_pipeline(MagpieFeatures(), Ridge(random_state=seed))
"""


# What stands for the properties of assay where they ran before: it hands over their record.
REPLAY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[-1].partition('=')[2])"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a few training rows, with a few lines of text in the place of a bundle."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setitem(run_sanity.__kwdefaults__, "loader", "planted:load")
    planted.write(tmp_path)
    (tmp_path / "src" / "toy" / "model.py").write_text(BUILDER)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
        'addopts = ["--strict-markers", "--assay-loader=planted:load"]\n'
    )
    (tmp_path / "tests" / "conftest.py").write_text('pytest_plugins = ["assay.sanity.plugin"]\n')
    return tmp_path


@pytest.fixture
def kit(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy, without the second run of pytest: that of the author's own tests."""

    def alone(root: Path, bundle: Path, loader: str, *, fast: bool) -> tuple[Content, None]:
        return run_kit(root, bundle, loader, fast=fast), None

    monkeypatch.setattr(checks, "run_both", alone)
    return toy


def run_kit(root: Path, bundle: Path, loader: str, *, fast: bool) -> Content:
    """What the properties of assay leave, run alone."""
    hidden = (root / "tests").rename(root / "hidden")
    try:
        return run_both(root, bundle, loader, fast=fast)[0]
    finally:
        hidden.rename(root / "tests")


def few(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    """Run these modules of properties alone; the others are then missing, and named as such."""
    files = property_files(parts)
    assert all(path.is_file() for path in files)
    monkeypatch.setattr(runs, "property_files", lambda: files)


@pytest.fixture
def own(toy: Path) -> Path:
    """The toy, for what is about the author's own tests."""
    return toy


@pytest.fixture
def own_alone(
    toy: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The same, where the fast properties of assay ran once for all such tests, and passed."""

    def make(folder: Path) -> None:
        bundle = planted.write(folder / "sound", further=DECLARED)
        content = run_kit(folder / "sound", bundle, "planted:load", fast=True)
        (folder / "kit.json").write_text(json.dumps(content))

    record = once(tmp_path_factory, "sound_kit", make) / "kit.json"
    monkeypatch.setattr(runs, "_ours", lambda _: [sys.executable, "-c", REPLAY, str(record)])
    return toy


def check(toy: Path, answer: str, *, fast: bool = True) -> CheckReport:
    """Run the kit against a model that answers with the given code."""
    (toy / "out" / "bundle" / "answer.py").write_text(textwrap.dedent(answer))
    return run_sanity(read_repository(toy), toy / "out" / "bundle", fast=fast)


def rules(report: CheckReport) -> set[str]:
    """The names of the properties that were falsified."""
    return {finding.rule for finding in report.failures}


def test_a_sound_model_passes_and_leaves_its_counts(toy: Path) -> None:
    """A model without a fault falsifies nothing; every property ran, on all examples, by count."""
    report = run_sanity(read_repository(toy), toy / "out" / "bundle")
    assert report.findings == []
    assert report.passed
    # no elemental value, monotonic or symmetric relation is declared
    names = [name for name in property_names() if name not in UNDECLARED]
    assert report.executed == len(names)
    counts = {tally.name: tally for tally in report.tallies}
    assert set(counts) == set(names)
    for name in set(names) & set(drawn_names()):
        assert counts[name].examples == 15
    assert counts["test_order_of_elements_does_not_matter"].rows >= 30
    assert counts["test_threads_agree"].examples is None
    assert "15 examples each, seed 0" in report.details


def test_the_falsifying_composition_is_shrunk_and_can_be_had_again(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report names the smallest composition, the seed, and a line that shows it again."""
    few(monkeypatch, "spelling")
    report = check(
        kit,
        """
        def answer(formula):
            weight(formula)
            return float(next(iter(parse(formula))).Z)
        """,
    )
    rule = "test_order_of_elements_does_not_matter"
    [finding] = [each for each in report.failures if each.rule == rule]
    assert finding.formula == "LiO"
    assert "LiO gives 3, but OLi gives 8" in finding.message
    assert str(finding.example).startswith("@reproduce_failure")
    assert "seed 0" in report.details
    assert "LiO gives 3, but OLi gives 8" in again(kit, str(finding.node))


def again(toy: Path, node: str) -> str:
    """What is printed by the line that shows a failed property again, pasted into a shell."""
    command, _ = reproduction(node)
    source = str(Path(assay.__file__).parents[1])
    told = subprocess.run(
        ["bash", "-c", f'pytest() {{ "$PYTHON" -m pytest -c pyproject.toml "$@"; }}\n{command}'],
        cwd=toy,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([source, os.environ["PYTHONPATH"]])}
        | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1, told.stderr
    return told.stdout


def test_a_test_of_any_name_can_be_run_again(own_alone: Path) -> None:
    """In a class, with brackets, quotes, `$` and backticks in its parameter: that case alone."""
    case = "Li[2]O 'x' \"y\" $HOME `id`"
    (own_alone / "tests" / "test_own.py").write_text(
        "import pytest\n\n\nclass TestOwn:\n"
        f"    @pytest.mark.parametrize('name', [{case!r}, 'other'])\n"
        "    def test_it(self, name):\n        assert name == 'nothing'\n"
    )
    report = check(own_alone, planted.SOUND)
    first, second = report.failures
    assert first.node == f"tests/test_own.py::TestOwn::test_it[{case}]"
    printed = again(own_alone, str(first.node))
    assert "1 failed" in printed
    assert "2 failed" in again(own_alone, str(second.node).partition("[")[0])


def test_a_thousand_failed_tests_are_reported_and_the_rest_is_counted(own_alone: Path) -> None:
    """A test of very many cases neither breaks the record nor is cut in silence."""
    (own_alone / "tests" / "test_own.py").write_text(
        "import pytest\n\n\n@pytest.mark.parametrize('case', range(1003))\n"
        "def test_it(case):\n    assert case < 0\n"
    )
    report = check(own_alone, planted.SOUND)
    assert len(report.failures) == len(report.failed) == 1000
    assert report.unlisted == 3


@pytest.mark.nightly("test_properties.py plants the same fault, and reads the same sentence")
def test_what_needs_files_of_the_repository_is_told(kit: Path) -> None:
    """A file beside the bundle is one failure, in one sentence that says what to do."""
    (kit / "shift.txt").write_text("0.5")
    report = check(
        kit, "def answer(formula): return weight(formula) + float(open('shift.txt').read())"
    )
    [finding] = report.failures
    assert finding.rule == "test_processes_agree"
    assert (
        "But the model predicts only where the repository's files lie: put what it needs into the "
        "model or the package (FileNotFoundError: "
    ) in finding.message


def test_noise_that_cannot_be_replayed_is_caught(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise from outside of the seeded generators is reported, though Hypothesis calls it flaky."""
    few(monkeypatch, "repetition")
    noise = "random.SystemRandom().random() * (random.SystemRandom().random() < 0.2)"
    report = check(kit, f"def answer(formula): return weight(formula) + {noise}")
    assert "test_a_row_does_not_depend_on_its_batch" in rules(report)


def test_a_fast_run_hands_nothing_over(own_alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`assay sanity --fast` trains nothing and writes no record that could be scored."""
    from assay.verbs.checks import sanity

    monkeypatch.chdir(own_alone)
    sanity(None, fast=True)
    assert not Handover(own_alone / "out").sanity.exists()
    assert "only the fast suite" in check(own_alone, planted.SOUND).details


def test_training_is_not_tried_when_something_faster_failed(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow suite is withheld, said to be so, and not counted as missing."""
    few(monkeypatch, "physics", "training")
    report = check(kit, "def answer(formula): return 300 + weight(formula)", fast=False)
    assert "test_predictions_are_finite_and_within_bounds" in rules(report)
    assert not rules(report) & set(property_names(SLOW))
    assert "no training was tested, as something faster failed" in report.details


@pytest.mark.nightly("trains; two tests below leave out a fast property, by the same code")
def test_training_cannot_be_skipped_unseen(own: Path) -> None:
    """Who deselects a property of training, with nothing failed, has a failure of that name."""
    (own / "tests" / "conftest.py").write_text(
        'pytest_plugins = ["assay.sanity.plugin"]\n'
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        if 'digest' in item.name:\n"
        "            item.add_marker(pytest.mark.skip('something of the fast suite failed'))\n"
    )
    report = check(own, planted.SOUND, fast=False)
    assert rules(report) == {"test_training_twice_gives_the_same_digest"}


@pytest.mark.nightly("test_training_properties.py plants the same fault in the same property")
def test_a_failed_training_property_is_reported(kit: Path) -> None:
    """A model that nobody hands the seed to fails by name, with where and how to see it again."""
    forest = BUILDER.replace("linear_model import Ridge", "ensemble import RandomForestRegressor")
    forest = forest.replace("Ridge(random_state=seed)", "RandomForestRegressor(3)")
    (kit / "src" / "toy" / "model.py").write_text(forest)
    report = check(kit, planted.SOUND, fast=False)
    assert rules(report) == {"test_training_twice_gives_the_same_digest"}
    [finding] = report.failures
    assert "hand the seed" in finding.message
    assert str(finding.node).endswith("::test_training_twice_gives_the_same_digest")


def test_the_students_tests_count_and_a_skipped_property_fails(own_alone: Path) -> None:
    """The repository's own property is run; deselecting one of assay's is itself a failure."""
    (own_alone / "tests" / "test_own.py").write_text(
        textwrap.dedent(
            '''
            from assay.sanity.strategies import in_space
            from hypothesis import given

            @given(formula=in_space(["Na", "Cl"]))
            def test_salt_is_light(predict, formula):
                """Salt is lighter than it is."""
                assert predict([formula])[0] < 12
            '''
        )
    )
    (own_alone / "tests" / "test_broken.py").write_text("import no_such_module\n")
    with (own_alone / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(
            "\n\ndef pytest_collection_modifyitems(items):"
            "\n    items[:] = [i for i in items if 'threads' not in i.name]\n"
        )
    report = check(own_alone, planted.SOUND)
    found = {finding.rule: finding for finding in report.failures}
    assert set(found) == {"test_salt_is_light", "test_threads_agree", "collection"}
    assert found["test_salt_is_light"].formula == "NaCl"
    # what was drawn stands in the record, and so in the report
    assert "formula='NaCl'" in found["test_salt_is_light"].message
    assert "predict=" not in found["test_salt_is_light"].message
    assert found["test_salt_is_light"].file == "tests/test_own.py"
    assert found["collection"].file == "tests/test_broken.py"


def test_a_relation_that_is_declared_cannot_be_deselected(own_alone: Path) -> None:
    """Where main or the change declares a relation, leaving its property out is a failure."""
    with (own_alone / "assay.toml").open("a") as settings:
        settings.write(DECLARED)
    with (own_alone / "tests" / "conftest.py").open("a") as conftest:
        conftest.write(
            "\n\ndef pytest_collection_modifyitems(items):"
            "\n    items[:] = [i for i in items if 'symmetries' not in i.name]\n"
        )
    assert rules(check(own_alone, planted.SOUND)) == {"test_declared_symmetries_hold"}


def test_without_a_bundle_nothing_is_said(toy: Path) -> None:
    """A missing bundle is an error of the run, not a verdict on a model."""
    with pytest.raises(NotCarriedOutError, match="run `assay train` first"):
        run_sanity(read_repository(toy), toy / "nowhere")


def test_a_crash_of_pytest_is_not_a_pass(own_alone: Path) -> None:
    """A conftest that ends the process leaves no record: the check could not be carried out."""
    (own_alone / "tests" / "conftest.py").write_text("import os\nos._exit(0)\n")
    with pytest.raises(NotCarriedOutError, match="before it could report"):
        run_sanity(read_repository(own_alone), own_alone / "out" / "bundle")


def test_a_bundle_that_cannot_be_loaded_is_no_verdict(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty bundle ends in the loader's own sentence, not in failed properties."""
    few(monkeypatch, "spelling")
    with pytest.raises(NotCarriedOutError, match=r"no property could be tested: assay\.json"):
        run_sanity(read_repository(kit), kit / "out" / "bundle", loader=LOADER)
